// The loop around machine and oracle; see judge.h.
#include "oracle/judge.h"

#include "oracle/invariants.h"

namespace thp {

Judge::Judge(const Geometry& geometry, Mode mode) : mode_(mode) { reset(geometry); }

void Judge::reset(const Geometry& geometry) {
  machine_.reset(geometry);
  machine_.stamps.enable(mode_ == Mode::incremental);
  memory_.reset(geometry);
  recount_.reset(geometry);
  recount_.recount(machine_);
  contents_.assign(std::size_t(geometry.frames() + 1), 0);
  ops_ = 0;
  op_name_ = {};
  result_ = 0;
}

std::optional<Violation> Judge::step(const Op& op) {
  op_name_ = std::visit([](const auto& o) { return o.name; }, op);
  const Injections armed = machine_.inject;
  const Answers answers = expect_before(machine_, recount_, op);
  result_ = thp::step(machine_, op);
  ++ops_;
  if (machine_.bug != nullptr) return violation(kVmBugOn, machine_.bug);
  if (const Verdict seen = memory_.after(op, result_, machine_, armed)) return violation(*seen);
  if (const char* sentence = check_after(answers, machine_, memory_, result_))
    return violation(kExpectedAnswer, sentence);
  return check();
}

std::optional<Violation> Judge::check() {
  const bool everything = mode_ == Mode::full || ops_ % kFullEvery == 0;
  if (everything)
    recount_.recount(machine_);
  else
    recount_.update(machine_);
  if (auto broken = check_invariants(everything)) return broken;
  const Verdict seen = everything ? memory_.compare(machine_) : compare_changed();
  machine_.stamps.clear();
  return seen ? violation(*seen) : std::nullopt;
}

std::optional<Violation> Judge::finish() {
  if (mode_ == Mode::full) return std::nullopt;
  recount_.recount(machine_);
  if (auto broken = check_invariants(true)) return broken;
  const Verdict seen = memory_.compare(machine_);
  return seen ? violation(*seen) : std::nullopt;
}

std::optional<Violation> Judge::check_invariants(bool everything) {
  Where where;
  const Invariant* broken = everything ? first_broken(machine_, recount_, where)
                                       : first_broken_of_changed(machine_, recount_, where);
  if (broken == nullptr) return std::nullopt;
  return violation(broken->name, text(where));
}

// Pages whose entries have changed, pages of other entries whose frame's content has, and the
// address spaces' shape.
Verdict Judge::compare_changed() {
  const Geometry& g = machine_.geometry;
  for (const std::uint16_t id : recount_.changed_entries()) {
    const int page = id % g.pages(), mm = id / g.pages();
    const bool pte = mm < g.mms;
    const int pmd = id - g.mms * g.pages();
    const int first = pte ? page : (pmd % g.pmds) << g.order;
    for (int p = first; p < first + (pte ? 1 : g.hpage_nr()); ++p)
      if (const Verdict seen = memory_.compare_page(machine_, pte ? mm : pmd / g.pmds, p))
        return seen;
  }
  for (const std::uint16_t pfn : recount_.changed_frames()) {
    if (pfn >= g.frames() || contents_[pfn] == machine_.page(pfn).content) continue;
    contents_[pfn] = machine_.page(pfn).content;
    if (const Verdict seen = compare_mappings(pfn)) return seen;
  }
  if (recount_.vmas_changed())
    for (int mm = 0; mm < g.mms; ++mm)
      if (const Verdict seen = memory_.compare_vmas(machine_, mm)) return seen;
  return memory_.compare_holders(machine_);
}

// Every page that shows this frame.
Verdict Judge::compare_mappings(Pfn pfn) {
  const Geometry& g = machine_.geometry;
  for (int mm = 0; mm < g.mms; ++mm) {
    for (int i = 0; i < g.pmds; ++i) {
      const Entry& pmd = machine_.pmd(mm, i);
      const int first = i << g.order;
      if (!pmd.is_table()) {
        const bool shows = !pmd.is_none() && pfn >= pmd.frame && pfn < pmd.frame + g.hpage_nr();
        if (!shows) continue;
        if (const Verdict seen = memory_.compare_page(machine_, mm, first + pfn - pmd.frame))
          return seen;
        continue;
      }
      for (int page = first; page < first + g.hpage_nr(); ++page)
        if (machine_.pte(mm, page).frame == pfn)
          if (const Verdict seen = memory_.compare_page(machine_, mm, page)) return seen;
    }
  }
  return {};
}

std::optional<Violation> Judge::violation(std::string_view broken, std::string detail) const {
  return Violation{ops_ == 0 ? 0 : ops_ - 1, broken, op_name_, std::move(detail)};
}

std::optional<Violation> Judge::violation(const Mismatch& mismatch) const {
  std::string detail = mismatch.rule;
  const auto add = [&detail](const char* what, int number) {
    if (number != -1) detail += what + std::to_string(number);
  };
  if (mismatch.mm >= 0) detail += std::string(": ") + char('A' + mismatch.mm);
  add(" ", mismatch.page);
  add(", h", mismatch.holder);
  add(", expected ", mismatch.expected);
  add(", seen ", mismatch.seen);
  return violation(kFlatMemory, std::move(detail));
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
