// The loop around machine and oracle; see judge.h.
#include "oracle/judge.h"

#include <algorithm>
#include <bit>

#include "oracle/rules/invariants.h"
#include "oracle/rules/rules.h"
#include "oracle/rules/transitions.h"

namespace thp {

Judge::Judge(const Geometry& geometry, Mode mode) : mode_(mode) { reset(geometry); }

void Judge::reset(const Geometry& geometry) {
  machine_.reset(geometry);
  machine_.stamps.enable(true);
  before_ = machine_;
  changes_.reset(geometry);
  memory_.reset(geometry);
  recount_.reset(geometry, mode_ == Mode::incremental);
  recount_.recount(machine_);
  const int contents = geometry.frames() + geometry.swap_slots();
  contents_.assign(std::size_t(contents), 0);
  stale_.reset(contents);
  ops_ = 0;
  op_name_ = {};
  result_ = 0;
}

std::optional<Violation> Judge::step(const Op& op) {
  if (machine_.defect != nullptr) return std::nullopt;
  if (auto broken = step_machine(before_, recount_, op); broken || machine_.defect != nullptr)
    return broken;
  auto broken = check();
  before_.follow(machine_, changes_.delta().counted(), changes_.unstamped());
  machine_.stamps.clear();
  return broken;
}

std::optional<Violation> Judge::step_from(const Judge& from, const Op& op, bool is_there) {
  if (is_there) {
    machine_.events = from.machine_.events;
    machine_.stamps.clear();
  } else {
    machine_ = from.machine_;
    memory_ = from.memory_;
    recount_.continue_from(from.recount_);
  }
  stayed_ = false;
  ops_ = from.ops_;
  if (auto broken = step_machine(from.machine_, from.recount_, op);
      broken || machine_.defect != nullptr)
    return broken;
  stayed_ = !changes_.another() && machine_.same_stamped(from.machine_) && memory_ == from.memory_;
  if (stayed_) return std::nullopt;  // where all has been compared
  return told(memory_.compare(machine_));
}

// Everything but the state that is left.
std::optional<Violation> Judge::step_machine(const Machine& before, const Recount& counts,
                                             const Op& op) {
  op_name_ = visit_op([](const auto& o) { return o.name; }, op);
  result_ = thp::step(machine_, op);
  ++ops_;
  if (machine_.defect != nullptr) return std::nullopt;
  if (machine_.bug != nullptr && !is_muted(kKernelAssertion))
    return violation(kKernelAssertion, machine_.bug, {});
  if (auto seen = told(memory_.after(op, result_, before, machine_))) return seen;
  changes_.find(before, machine_);
  return told(first_broken(Transition{before, counts, op, result_, machine_, memory_, changes_}));
}

std::optional<Violation> Judge::check() {
  if (mode_ == Mode::full || ops_ % kFullEvery == 0) return check_everything();
  recount_.update(before_, machine_, changes_.delta());
  if (!recount_.anything_changed() && memory_.nothing_touched()) return std::nullopt;
  if (auto broken = told(first_broken_of_changed(machine_, recount_))) return broken;
  return told(compare_changed());
}

std::optional<Violation> Judge::check_everything() {
  recount_.recount(machine_);
  if (auto broken = told(first_broken(machine_, recount_))) return broken;
  if (mode_ == Mode::incremental) copy_contents();
  return told(memory_.compare(machine_));
}

std::optional<Violation> Judge::check_state() {
  count_state();
  return told(first_broken(machine_, recount_));
}

void Judge::count_state() {
  recount_.recount(machine_);
  machine_.stamps.clear();
}

std::optional<Violation> Judge::finish() {
  const bool finished = mode_ == Mode::full || ops_ % kFullEvery == 0 || machine_.defect != nullptr;
  return finished ? std::nullopt : check_everything();
}

void Judge::copy_contents() {
  std::ranges::fill(contents_, std::int16_t{0});  // of what is free
  for (int pfn = 0; pfn < machine_.frames(); ++pfn) {
    const int block = pfn >> machine_.geometry.order;
    if (recount_.used_frames()[std::size_t(block)] == 0)
      pfn |= machine_.hpage_nr() - 1;
    else
      contents_[std::size_t(pfn)] = machine_.page(Pfn(pfn)).content;
  }
  for (int slot = 0; slot < machine_.geometry.swap_slots(); ++slot)
    contents_[std::size_t(machine_.frames() + slot)] =
        std::int16_t(content_of_slot(machine_, slot));
}

// Whatever the op has changed, in flat memory or in the machine.
Verdict Judge::compare_changed() {
  if (const Verdict seen = compare_touched()) return seen;
  if (const Verdict seen = compare_entries()) return seen;
  if (const Verdict seen = compare_contents()) return seen;
  for (int mm = 0; recount_.vmas_changed() && mm < machine_.geometry.mms; ++mm)
    if (const Verdict seen = memory_.compare_told(machine_, mm)) return seen;
  if (recount_.files_changed() || memory_.files_touched())
    if (const Verdict seen = memory_.compare_files(machine_)) return seen;
  return memory_.compare_holders(machine_);
}

Verdict Judge::compare_touched() {
  for (int mm = 0; mm < machine_.geometry.mms; ++mm) {
    const FlatMemory::Touched& touched = memory_.touched(mm);
    if (touched.vmas || ((recount_.changed_vmas() | recount_.changed_mms()) >> mm & 1) != 0)
      if (const Verdict seen = memory_.compare_vmas(machine_, mm)) return seen;
    if (touched.first < touched.end)
      if (const Verdict seen = memory_.compare_pages(machine_, mm, touched.first, touched.end))
        return seen;
  }
  return {};
}

// Pages whose entries have changed. Of many, all pages below their PMDs.
Verdict Judge::compare_entries() {
  const Geometry& g = machine_.geometry;
  const int ptes = g.mms * g.pages();
  const bool many = recount_.changed_entries().size() > kManyEntries;
  std::uint64_t pmds = 0;
  for (const std::uint16_t id : recount_.changed_entries()) {
    const int page = id % g.pages(), mm = id / g.pages();
    if (id >= ptes || many)
      pmds |= std::uint64_t{1} << (id >= ptes ? id - ptes : mm * g.pmds + (page >> g.order));
    else if (const Verdict seen = memory_.compare_pages(machine_, mm, page, page + 1))
      return seen;
  }
  for (; pmds != 0; pmds &= pmds - 1) {
    const int pmd = std::countr_zero(pmds), first = pmd % g.pmds << g.order;
    if (const Verdict seen =
            memory_.compare_pages(machine_, pmd / g.pmds, first, first + g.hpage_nr()))
      return seen;
  }
  return {};
}

// Pages of entries that stayed, but lead to other contents now.
Verdict Judge::compare_contents() {
  stale_.clear();
  for (const std::uint16_t pfn : recount_.changed_frames())
    if (pfn < machine_.frames()) look_at(pfn, machine_.page(pfn).content);
  for (const std::uint16_t slot : recount_.changed_slots())
    if (slot < machine_.geometry.swap_slots())
      look_at(machine_.frames() + slot, content_of_slot(machine_, slot));
  if (stale_.list().empty()) return {};
  for (int mm = 0; mm < machine_.geometry.mms; ++mm)
    for (int i = 0; i < machine_.geometry.pmds; ++i)
      if (const Verdict seen = compare_stale(mm, i)) return seen;
  return {};
}

void Judge::look_at(int id, int content) {
  std::int16_t& before = contents_[std::size_t(id)];
  if (before != content) stale_.add(id);
  before = std::int16_t(content);
}

Verdict Judge::compare_stale(int mm, int i) {
  const Geometry& g = machine_.geometry;
  const Entry& pmd = machine_.pmd(mm, i);
  const int first = i << g.order;
  if (!pmd.is_table()) {
    if (pmd.is_none() || pmd.is_zero()) return {};
    for (const std::uint16_t id : stale_.list())
      if (id >= pmd.frame && id < std::min(pmd.frame + g.hpage_nr(), g.frames()))
        return memory_.compare_pages(machine_, mm, first, first + g.hpage_nr());
    return {};
  }
  for (int page = first; page < first + g.hpage_nr(); ++page) {
    const Entry& entry = machine_.pte(mm, page);
    if (entry.is_none() || entry.is_zero()) continue;
    const int id = entry.is_swap() ? g.frames() + entry.frame : entry.frame;
    if (stale_.has(id))
      if (const Verdict seen = memory_.compare_pages(machine_, mm, page, page + 1)) return seen;
  }
  return {};
}

Violation Judge::violation(const Rule& rule, std::string detail, Where where) const {
  return Violation{ops_ == 0 ? 0 : ops_ - 1, rule.name, op_name_, std::move(detail), where};
}

Violation Judge::violation(const Broken& broken) const {
  std::string detail = text(broken.where);
  if (broken.expected != kAnyCount)
    detail +=
        ": expected " + std::to_string(broken.expected) + ", found " + std::to_string(broken.found);
  return violation(*broken.rule, std::move(detail), broken.where);
}

// Flat memory tells a place, a reference, or neither.
Violation Judge::violation(const Mismatch& mismatch) const {
  Where where{.thing = Where::Thing::op};
  if (mismatch.inode >= 0 && mismatch.page >= 0)
    where = {Where::Thing::cell, mismatch.inode, mismatch.page};
  else if (mismatch.inode >= 0)
    where = {Where::Thing::inode, -1, mismatch.inode};
  else if (mismatch.mm >= 0 && mismatch.page >= 0)
    where = {Where::Thing::pages, mismatch.mm, mismatch.page};
  else if (mismatch.mm >= 0)
    where = {Where::Thing::mm, -1, mismatch.mm};
  std::string detail = text(where);
  const auto add = [&detail](const char* what, int number) {
    if (number != -1) detail += what + std::to_string(number);
  };
  add(", h", mismatch.holder);
  add(": expected ", mismatch.expected);
  add(", found ", mismatch.seen);
  return violation(*mismatch.rule, std::move(detail), where);
}

std::optional<Violation> judge(const Trace& trace, Judge::Mode mode) {
  Judge fresh({}, mode);
  return judge(trace, fresh);
}

std::optional<Violation> judge(const Trace& trace, Judge& judge) {
  judge.reset(trace.geometry);
  for (const Op& op : trace.ops)
    if (auto violation = judge.step(op)) return violation;
  return judge.finish();
}

}  // namespace thp
