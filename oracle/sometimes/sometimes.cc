// The tables joined, with a row for each verdict and event of the kernel, and the watch over them.
#include "oracle/sometimes/sometimes.h"

#include <utility>
#include <vector>

#include "oracle/judge.h"
#include "oracle/sometimes/sometimes_prepared.h"
#include "oracle/sometimes/sometimes_states.h"
#include "oracle/sometimes/sometimes_steps.h"

namespace thp {
namespace {

// Verdicts that no trace can reach. Between the two looks of a collapse nobody else runs: what is
// checked again is as before, swap entries have been faulted in, and a page off the LRU shows in
// its reference count first. Nobody hands the huge zero page to split_huge_page().
constexpr Reason kUnreachable[] = {Reason::none,
                                   Reason::SCAN_ANY_PROCESS,
                                   Reason::SCAN_VMA_NULL,
                                   Reason::SCAN_VMA_CHECK,
                                   Reason::SCAN_ADDRESS_RANGE,
                                   Reason::SCAN_PAGE_ANON,
                                   Reason::SCAN_PTE_NON_PRESENT,
                                   Reason::SCAN_DEL_PAGE_LRU,
                                   Reason::split_EBUSY_zero};

template <std::size_t reason>
void append_verdict(std::vector<Sometimes>& rows) {
  if (std::ranges::find(kUnreachable, Reason(reason)) != std::end(kUnreachable)) return;
  rows.push_back({kReasonNames[reason], "An op ends with this verdict of the kernel.",
                  [](const TheStep& s) { return s.m.reason == Reason(reason); }});
}

template <std::size_t event>
void append_event(std::vector<Sometimes>& rows) {
  rows.push_back({kEventNames[event], "The kernel counts this event.",
                  [](const TheStep& s) { return s.counted(Event(event)) > 0; }});
}

std::vector<Sometimes> all_rows() {
  std::vector<Sometimes> rows;
  const auto append = [&rows](std::span<const Sometimes> table) {
    rows.insert(rows.end(), table.begin(), table.end());
  };
  append(kFolioStates);
  append(kEntryStates);
  append(kSlotStates);
  append(kMachineStates);
  append(kSteps);
  append(kPreparedSteps);
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (append_verdict<i>(rows), ...);
  }(std::make_index_sequence<std::size_t(Reason::count)>{});
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (append_event<i>(rows), ...);
  }(std::make_index_sequence<kEvents>{});
  return rows;
}

// The rows about one kind of thing, and where they stand in the table.
template <class Subject>
struct Rows {
  std::vector<std::pair<std::size_t, Seen<Subject>>> rows;
  std::bitset<kMaxSometimes> places;
  Rows() {
    const auto all = sometimes();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto* row = std::get_if<Seen<Subject>>(&all[i].seen);
      if (row == nullptr) continue;
      rows.push_back({i, *row});
      places.set(i);
    }
  }
};

// Looks for those that have not been seen yet.
template <class Subject>
class Watch {
 public:
  explicit Watch(std::bitset<kMaxSometimes>& seen) : seen_(seen) {}
  bool done() const { return (seen_ & about().places) == about().places; }
  void look(const Subject& subject) {
    for (const auto& [i, row] : about().rows)
      if (!seen_[i] && row(subject)) seen_.set(i);
  }

 private:
  static const Rows<Subject>& about() {
    static const Rows<Subject> rows;
    return rows;
  }
  std::bitset<kMaxSometimes>& seen_;
};

void look_at_folios(const Machine& m, const Recount& r, Watch<TheFolio> watch) {
  for (int block = 0; block < m.geometry.frame_blocks() && !watch.done(); ++block) {
    const Pfn first = Pfn(block << m.geometry.order);
    const int small_pages = folio_test_large(m, first) ? 1 : m.hpage_nr();
    if (r.used_frames()[std::size_t(block)] == 0) continue;
    for (int i = 0; i < small_pages; ++i) watch.look(the_folio(m, r, Pfn(first + i)));
  }
}

void look_at_entries(const Machine& m, const Recount& r, Watch<TheEntry> watch) {
  for (int mm = 0; mm < m.geometry.mms && !watch.done(); ++mm) {
    for (const Vma& vma : m.vmas(mm)) {
      for (int page = vma.start; page < vma.end; ++page) {
        const Entry pmd = m.pmd(mm, pmd_index(m, page));
        const bool huge = !pmd.is_none() && !pmd.is_table();
        if (huge && page == pmd_first(m, page)) watch.look({m, r, mm, page, pmd, true, &vma});
        const Entry pte = m.pte(mm, page);
        if (!pte.is_none()) watch.look({m, r, mm, page, pte, false, &vma});
      }
    }
  }
}

void look_at_slots(const Machine& m, const Recount& r, Watch<TheSlot> watch) {
  for (int i = 0; i < m.geometry.swap_slots() && m.swap_on && !watch.done(); ++i)
    watch.look({m, r, i, m.swap(Slot(i)), r.slot(i)});
}

void remember(const Machine& m, Before& before) {
  before.events = m.events;
  before.mms = m.mms;
  before.holders = m.holders;
  before.inject = m.inject;
  before.migration = m.migration;
  before.prepared = prepared(m);
  before.deferred_len = m.deferred_len;
  before.nr_shmem = m.nr_shmem;
  before.huge_zero = m.huge_zero_page != kNoPfn;
  for (int i = 0; i < m.geometry.frame_blocks(); ++i)
    before.head_flags[std::size_t(i)] = m.page(Pfn(i << m.geometry.order)).flags;
  const Entry* pmds = &m.pmd(0, 0);
  before.pmds.assign(pmds, pmds + m.geometry.mms * m.geometry.pmds);
}

}  // namespace

std::span<const Sometimes> sometimes() {
  static const std::vector<Sometimes> rows = all_rows();
  return rows;
}

void Reached::begin(const Machine& m) { remember(m, before_); }

void Reached::update(const Machine& m, const Recount& r, const Op& op, int result) {
  look(m, r, op, result);
  remember(m, before_);
}

void Reached::look(const Machine& m, const Recount& r, const Op& op, int result) {
  look_at_folios(m, r, Watch<TheFolio>(seen_));
  look_at_entries(m, r, Watch<TheEntry>(seen_));
  look_at_slots(m, r, Watch<TheSlot>(seen_));
  Watch<TheMachine>(seen_).look({m, r});
  Watch<TheStep>(seen_).look({m, r, op, result, before_});
}

void Reached::add(const Trace& trace, Judge& judge) {
  judge.reset(trace.geometry);
  begin(judge.machine());
  for (const Op& op : trace.ops) {
    if (judge.step(op)) return;
    update(judge.machine(), judge.recount(), op, judge.result());
  }
}

}  // namespace thp
