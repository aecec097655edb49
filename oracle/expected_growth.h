// By how much the counters may have grown: a law for each, of what was there before an op and is
// there after it. Part of expected_counts.cc.
#pragma once
#include <bit>

#include "oracle/expected_counts.h"
#include "oracle/expected_rules.h"

namespace thp {

template <class Visit>
void for_each_pmd(const Machine& m, Visit visit) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int i = 0; i < m.geometry.pmds; ++i) visit(pmd_bit(mm, i), mm, i);
}

inline std::uint64_t large_blocks(const Machine& m) {
  std::uint64_t large = 0;
  for (int i = 0; i < m.geometry.frame_blocks(); ++i) {
    const Pfn head = Pfn(i << m.geometry.order);
    if (folio_test_large(m, head) && m.compound(head).transhuge) large |= std::uint64_t{1} << i;
  }
  return large;
}

inline std::uint64_t queued_blocks(const Machine& m) {
  std::uint64_t queued = 0;
  for (const Pfn head : m.deferred_queue()) queued |= block_bit(m, head);
  return queued;
}

inline int frames_in_use(const Machine& m) {
  int frames = 0;
  for (const std::uint16_t used : m.used_frames()) frames += used;
  return frames;
}

inline void count_written(const Machine& m, int& pages, int& large) {
  for (int slot = 0; m.swap_on && slot < m.geometry.swap_slots(); ++slot) {
    const Pfn cache = m.swap(Slot(slot)).cache;
    if (cache >= m.frames() || !test(m, page_folio(m, cache), PG_writeback)) continue;
    ++pages;
    large += folio_test_large(m, cache);
  }
}

// After the op.
struct Growth {
  const Tally& before;
  const Machine& m;
  int result;

  int of(Event event) const {
    return int(m.events[std::size_t(event)] - before.events[std::size_t(event)]);
  }
  bool used_up(std::uint8_t Injections::* injection) const {
    return before.inject.*injection != 0 && m.inject.*injection == 0;
  }
  int pmds(std::uint16_t of, bool (Entry::*is)() const) const {
    int count = 0;
    for_each_pmd(m, [&](std::uint16_t bit, int mm, int i) {
      count += (of & bit) != 0 && (m.pmd(mm, i).*is)();
    });
    return count;
  }

  bool huge_zero_page() const {
    return of(Event::thp_zero_page_alloc) == (m.huge_zero_page != kNoPfn && !before.huge_zero_page);
  }
  // A load faults for reading: it needs the huge zero page first, if that is wanted.
  bool huge_zero_page_failed() const {
    const bool failed = used_up(&Injections::fail_huge_alloc) && m.use_zero_page;
    const int count = of(Event::thp_zero_page_alloc_failed);
    return count == failed || (before.memory_full && count == 1);
  }

  // PMDs that became tables although a huge page was allowed there.
  int fell_back() const {
    int count = 0;
    for_each_pmd(m, [&](std::uint16_t bit, int mm, int i) {
      const int first = i * m.hpage_nr();
      const Vma* vma = vma_at(m, mm, first);
      const bool whole = vma != nullptr && vma->end >= first + m.hpage_nr();
      count += (before.empty & bit) != 0 && m.pmd(mm, i).is_table() && whole &&
               may_be_huge(m, mm, i, true);
    });
    return count;
  }
  bool faults(bool of_one_page) const {
    const bool charge = used_up(&Injections::fail_charge) && !used_up(&Injections::fail_huge_alloc);
    const int fallbacks = fell_back();
    return of(Event::thp_fault_alloc) == pmds(before.empty, &Entry::is_present) &&
           of(Event::thp_fault_fallback) == fallbacks &&
           (!of_one_page || before.memory_full ||
            of(Event::thp_fault_fallback_charge) == (charge && fallbacks > 0));
  }

  bool collapses() const {
    const int became = pmds(std::uint16_t(~before.huge), &Entry::is_present);
    const bool uncharged = m.reason == Reason::SCAN_CGROUP_CHARGE_FAIL;
    return of(Event::thp_collapse_alloc) >= became + uncharged &&
           (!used_up(&Injections::fail_huge_alloc) || of(Event::thp_collapse_alloc_failed) > 0);
  }

  bool splits() const {
    const auto split = std::popcount(before.large & ~large_blocks(m));
    return of(Event::thp_split_page) == split;
  }
  // Every folio of the queue is tried, but for one whose lock is taken.
  bool tries_of_the_queue() const {
    const bool unlocked = !before.migrating && before.inject.contend_page_lock == 0;
    const int tries = of(Event::thp_split_page) + of(Event::thp_split_page_failed);
    return result == of(Event::thp_split_page) &&
           (!unlocked || tries == std::popcount(before.splittable));
  }
  // No PMD maps it, and PTEs all its pages.
  static bool is_whole_below_tables(const Machine& m, Pfn head) {
    bool whole = m.compound(head).mapcount < 0;
    for (int i = 0; i < m.hpage_nr(); ++i) whole &= m.page(Pfn(head + i)).mapcount >= 0;
    return whole;
  }
  // `once`: the op unmaps in one step, so that what it counts had PTEs or has them now, or has
  // joined; and what PTEs still map whole does not join.
  bool queues(bool once) const {
    const std::uint64_t joined = queued_blocks(m) & ~before.queued;
    const int count = of(Event::thp_deferred_split_page);
    const int most =
        std::popcount(joined | before.pte_mapped) + pmds(before.huge, &Entry::is_table);
    for (std::uint64_t left = joined; left != 0; left &= left - 1) {
      const Pfn head = Pfn(std::countr_zero(left) << m.geometry.order);
      if (test(m, head, PG_swapcache)) return false;
      if (once && !before.migrating && is_whole_below_tables(m, head)) return false;
    }
    return std::popcount(joined) <= count && (!once || before.migrating || count <= most);
  }
  bool pmd_splits() const {
    const int count = of(Event::thp_split_pmd);
    return pmds(before.huge, &Entry::is_table) <= count &&
           count <= std::popcount(unsigned(before.huge | before.empty));
  }

  bool writes() const {
    int pages = -before.written, large = -before.written_large;
    count_written(m, pages, large);
    return of(Event::pswpout) == pages && of(Event::thp_swpout) == large;
  }
  bool counts_fallbacks() const {
    const bool split = before.folio != kNoPfn && !folio_test_large(m, before.folio);
    const bool failed = used_up(&Injections::fail_swap_cluster) && split;
    const int fallbacks = of(Event::thp_swpout_fallback);
    return before.by_pmd ? !failed || fallbacks == 1 : fallbacks == 0;
  }
  bool swaps_the_head() const {
    if (of(Event::thp_swpout_fallback) == 0 || before.folio == kNoPfn) return true;
    return !before.slots_left || test(m, before.folio, PG_swapcache | PG_mlocked) ||
           !is_mapped(m, before.folio);
  }
  // Not counted is what a split frees, and what goes when reclaim puts back what nobody has.
  bool reclaims() const {
    const bool splits = before.folio != kNoPfn && before.large != 0;
    const bool exact = !before.slots_idle && !splits && before.inject == Injections{};
    const int freed = before.frames - frames_in_use(m), said = std::max(result, 0);
    return exact ? freed == said : freed >= said;
  }
  bool reads(const Entry& now) const {
    const bool swapped = before.entry.is_swap() && before.below_table;
    if (!swapped || before.cached) return of(Event::pswpin) == 0;
    return now.is_swap() || of(Event::pswpin) == 1;
  }

  // One folio, to its end. A huge page that is split on the way has failed, wherever its pages go.
  bool migrates(bool large, bool moved) const {
    const bool split = large && of(Event::thp_split_page) > 0;
    if (of(Event::thp_migration_split) != split) return false;
    if (split)
      return of(Event::thp_migration_fail) == 1 &&
             (result == 0) == (of(Event::pgmigrate_fail) == 0);
    if (!moved) return of(Event::pgmigrate_fail) > 0 && of(Event::thp_migration_fail) == large;
    return of(Event::pgmigrate_success) == (large ? m.hpage_nr() : 1) &&
           of(Event::thp_migration_success) == large;
  }
  bool ends_migration() const { return migrates(before.migrating_large != 0, result == 0); }
  bool moves() const {
    const bool large =
        before.folio != kNoPfn && (before.large >> (before.folio >> m.geometry.order) & 1) != 0;
    const bool tried = m.reason == Reason::migrated || m.reason == Reason::migrate_EAGAIN ||
                       m.reason == Reason::migrate_ENOMEM;
    return !tried || migrates(large, m.reason == Reason::migrated);
  }
  bool migrates_nothing() const {
    return of(Event::pgmigrate_success) + of(Event::pgmigrate_fail) +
               of(Event::thp_migration_success) + of(Event::thp_migration_fail) ==
           0;
  }

  bool reuses(Pfn now) const {
    if (!before.entry.is_present() || !before.below_table) return true;
    const bool reused = !before.entry.has(kWrite) && now == before.entry.frame;
    return of(Event::pgreuse) == reused;
  }
};

}  // namespace thp
