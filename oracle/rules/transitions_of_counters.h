// Rules about what /proc/vmstat counts: the op's work shows in the state, so that what it
// counted can be laid beside what there was before and is now. Part of transitions.cc.
#pragma once
#include <bit>

#include "oracle/rules/transitions.h"

namespace thp {

// PMDs that were like this, and are like that now.
template <class Was, class Is>
int count_pmds(const Transition& t, Was was, Is is) {
  int count = 0;
  for_each_pmd(t.changed.pmds(), [&](int mm, int i) {
    count += was(t.before.pmd(mm, i)) && is(t.after.pmd(mm, i), mm, i);
  });
  return count;
}
inline bool was_none(const Entry& pmd) { return pmd.is_none(); }
inline bool is_anon_now(const Transition& t, const Entry& pmd) {
  return pmd.is_present() && !is_file_page(t.after, pmd.frame);
}
inline bool is_table_now(const Entry& pmd, int, int) { return pmd.is_table(); }

inline int count_split(const Transition& t) {
  return std::popcount(large_blocks_of(t.before) & ~large_blocks_of(t.after));
}
inline std::uint64_t blocks_queued(const Machine& m) {
  std::uint64_t queued = 0;
  for (const Pfn head : m.deferred_queue())
    if (head < m.frames()) queued |= block_bit(m, head);
  return queued;
}
// No PMD maps it, and PTEs all its pages.
inline bool is_mapped_by_all_ptes(const Machine& m, Pfn head) {
  bool whole = m.compound(head).mapcount < 0;
  for (int i = 0; i < m.hpage_nr(); ++i) whole &= m.page(Pfn(head + i)).mapcount >= 0;
  return whole;
}
// Pages under writeback, or huge pages.
inline int count_written_of(const Machine& m, bool large) {
  int count = 0;
  for (int slot = 0; m.nr_swapcache > 0 && slot < m.geometry.swap_slots(); ++slot) {
    const Pfn cache = m.swap(Slot(slot)).cache;
    if (cache >= m.frames() || !test(m, page_folio(m, cache), PG_writeback)) continue;
    count += !large || folio_test_large(m, cache);
  }
  return count;
}
// Huge faults that got no huge page: PMDs that are page tables now where a huge page might be.
inline int count_fallbacks(const Transition& t) {
  return count_pmds(t, was_none, [&](const Entry& pmd, int mm, int i) {
    const int first = i * t.after.hpage_nr();
    const Vma* vma = vma_at(t.after, mm, first);
    const bool whole = vma != nullptr && vma->end >= first + t.after.hpage_nr();
    return pmd.is_table() && whole && may_be_huge(t.after, mm, i, true);
  });
}

// Is there a huge page in this address space that may not be split, or a failure to come?
inline bool may_fail_to_split(const Transition& t, int mm) {
  const Machine& m = t.before;
  if (m.inject != Injections{} || m.migration.in_flight()) return true;
  for (int page = 0; page < m.pages(); ++page) {
    const Pfn pfn = mapped_frame(m, mm, page);
    const Pfn folio = pfn == kNoPfn ? kNoPfn : page_folio(m, pfn);
    if (folio == kNoPfn || !folio_test_large(m, folio)) continue;
    if (held(t.count(folio)) || mapped_behind_a_huge_pmd(m, folio)) return true;
  }
  return false;
}

// What of the queue was tried: all but what is under writeback.
inline int count_tried_of_queue(const Machine& m) {
  return int(std::ranges::count_if(m.deferred_queue(),
                                   [&](Pfn head) { return !test(m, head, PG_writeback); }));
}

inline constexpr OpRule kCounterRules[] = {
    {"zero_page_counters",
     "thp_zero_page_alloc counts each huge zero page that is made; thp_zero_page_alloc_failed each "
     "that a load could not have.",
     promise(kEvery, "admin-guide/mm/transhuge.rst, Monitoring usage"),
     "mm/huge_memory.c: get_huge_zero_page()",
     over_any(count(
         [](const Transition& t) {
           return int(t.after.huge_zero_page != kNoPfn && t.before.huge_zero_page == kNoPfn);
         },
         [](const Transition& t) { return t.grown(Event::thp_zero_page_alloc); })),
     // A load faults for reading: it needs the huge zero page first, if that is wanted.
     over<Load>([](const Load& op, const Transition& t) {
       const Vma* vma = vma_at(t.after, op.mm.id, op.page.number);
       const bool of_a_file = vma != nullptr && !vma->is_anonymous();
       const bool failed =
           t.used_up(&Injections::fail_huge_alloc) && t.after.use_zero_page && !of_a_file;
       const int count = t.grown(Event::thp_zero_page_alloc_failed);
       return t.before.migration.in_flight() || count == failed ||
              (count == 1 && free_blocks(t.before) == 0);
     })},
    {"fault_counters",
     "thp_fault_alloc counts the huge pages that faults map, thp_fault_fallback what they could "
     "not, thp_fault_fallback_charge what could not be charged.",
     promise(kEvery, "admin-guide/mm/transhuge.rst, Monitoring usage"),
     "mm/huge_memory.c: do_huge_pmd_anonymous_page(), __do_huge_pmd_anonymous_page()",
     over<Looks, Takes, Mlock, Populates>(count(
         [](const auto&, const Transition& t) {
           return t.before.migration.in_flight()
                      ? kAnyCount
                      : count_pmds(t, was_none,
                                   [&](const Entry& pmd, int, int) { return is_anon_now(t, pmd); });
         },
         [](const auto&, const Transition& t) { return t.grown(Event::thp_fault_alloc); })),
     over<Looks, Takes, Mlock, Populates>(count(
         [](const auto&, const Transition& t) {
           return t.before.migration.in_flight() ? kAnyCount : count_fallbacks(t);
         },
         [](const auto&, const Transition& t) { return t.grown(Event::thp_fault_fallback); })),
     over<Looks, Takes>(count(
         [](const auto&, const Transition& t) {
           if (t.before.migration.in_flight() || free_blocks(t.before) == 0) return kAnyCount;
           const bool charge =
               t.used_up(&Injections::fail_charge) && !t.used_up(&Injections::fail_huge_alloc);
           return int(charge && count_fallbacks(t) > 0);
         },
         [](const auto&, const Transition& t) {
           return t.grown(Event::thp_fault_fallback_charge);
         }))},
    {"split_counters",
     "thp_split_page counts the huge pages that are split; of the queue thp_split_page_failed "
     "counts all others that the shrinker tries. Advice and split_folio count a failure only where "
     "somebody holds a huge page, or a failure is injected.",
     promise(kEvery, "admin-guide/mm/transhuge.rst, Monitoring usage"),
     "mm/huge_memory.c: split_huge_page_to_list()",
     over<Splits>(
         count([](const auto&, const Transition& t) { return count_split(t); },
               [](const auto&, const Transition& t) { return t.grown(Event::thp_split_page); })),
     over<ShrinkDeferred>(
         count([](const auto&, const Transition& t) { return t.grown(Event::thp_split_page); },
               [](const auto&, const Transition& t) { return t.result; })),
     over<SplitFolio, Walks>([](const auto& op, const Transition& t) {
       return t.grown(Event::thp_split_page_failed) == 0 || may_fail_to_split(t, op.mm.id);
     }),
     // Every folio of the queue is tried, but for one whose lock is taken.
     over<ShrinkDeferred>(count(
         [](const auto&, const Transition& t) {
           const bool locked =
               t.before.migration.in_flight() || t.before.inject.contend_page_lock != 0;
           return locked ? kAnyCount : count_tried_of_queue(t.before);
         },
         [](const auto&, const Transition& t) {
           return t.grown(Event::thp_split_page) + t.grown(Event::thp_split_page_failed);
         }))},
    // What is unmapped in one step and counted had PTEs or has them now, or has joined; and what
    // PTEs still map whole does not join.
    {"queue_counter",
     "thp_deferred_split_page counts at least what joins the queue, and nothing in the swap "
     "cache does. Unmapping adds nothing that stays mapped whole.",
     promise(k6_1, "admin-guide/mm/transhuge.rst, Monitoring usage"),
     "mm/huge_memory.c: deferred_split_huge_page(); mm/rmap.c: page_remove_anon_compound_rmap()",
     over_any([](const Transition& t) {
       const Machine& m = t.after;
       const int count = t.grown(Event::thp_deferred_split_page);
       if (count == 0 && (m.deferred_len == 0 || !t.changed.unstamped())) return true;
       const std::uint64_t joined = blocks_queued(m) & ~blocks_queued(t.before);
       const bool migrating = t.before.migration.in_flight();
       const bool once = !migrating && t.over<Unmaps>();
       for (std::uint64_t left = joined; left != 0; left &= left - 1) {
         const Pfn head = Pfn(std::countr_zero(left) << m.geometry.order);
         if (test(m, head, PG_swapcache) || (once && is_mapped_by_all_ptes(m, head))) return false;
       }
       if (!once) return std::popcount(joined) <= count;
       std::uint64_t pte_mapped = large_blocks_of(t.before);
       for (std::uint64_t left = pte_mapped; left != 0; left &= left - 1)
         if (t.counts.block(std::countr_zero(left)).ptes == 0) pte_mapped &= ~(left & -left);
       return std::popcount(joined) <= count &&
              count <= std::popcount(joined | pte_mapped) + count_pmds(t, is_huge, is_table_now);
     })},
    // A table that is unmapped whole afterwards, or that another PMD takes the place of, is not
    // seen; and what faults maps a huge page first may have to be split at once.
    {"pmd_split_counter",
     "thp_split_pmd counts the huge PMDs that become page tables, and at most each of a file that "
     "changes: a split leaves nothing of it. In a block that had nothing it counts one more at "
     "most. Over mmap(), munmap(), mremap() and exit() it counts at most all PMDs, over a collapse "
     "none.",
     promise(kEvery, "admin-guide/mm/transhuge.rst, Monitoring usage"),
     "mm/huge_memory.c: __split_huge_pmd_locked()", over_any([](const Transition& t) {
       const int count = t.grown(Event::thp_split_pmd);
       if (t.over<Collapses>() && !t.before.migration.in_flight()) return count == 0;
       const int became = count_pmds(t, is_huge, is_table_now);
       const bool unseen = t.over<Mmap, Munmap, Remaps, Exit, Collapses>();
       if (!t.over<Mmap, Remaps, Collapses>() && count < became) return false;
       if (!unseen) {
         const auto of_a_file = [&](const Entry& pmd) { return maps_a_file(t.before, pmd); };
         const int gone =
             count_pmds(t, of_a_file, [](const Entry& pmd, int, int) { return !pmd.is_table(); });
         const int made = became + gone < count ? count_pmds(t, was_none, is_table_now) : 0;
         return count <= became + gone + made;
       }
       int most = 0;
       for (int mm = 0; count > 0 && mm < t.before.geometry.mms; ++mm)
         for (int i = 0; i < t.before.geometry.pmds; ++i) most += !t.before.pmd(mm, i).is_table();
       return count <= most;
     })},
    {"swap_out_counters",
     "pswpout counts the pages that reclaim writes to swap, thp_swpout the huge pages, and "
     "thp_swpout_fallback those that had to be split for it; Linux only if a PMD maps one.",
     promise(k6_1, "admin-guide/mm/transhuge.rst, Monitoring usage"),
     "mm/page_io.c: count_swpout_vm_event(); mm/vmscan.c: shrink_folio_list()",
     over<WritesOut>(count(
         [](const auto&, const Transition& t) {
           return count_written_of(t.after, false) - count_written_of(t.before, false);
         },
         [](const auto&, const Transition& t) { return t.grown(Event::pswpout); })),
     over<WritesOut>(count(
         [](const auto&, const Transition& t) {
           return count_written_of(t.after, true) - count_written_of(t.before, true);
         },
         [](const auto&, const Transition& t) { return t.grown(Event::thp_swpout); })),
     over<Reclaim>(count(
         [](const Reclaim&, const Transition& t) {
           const Pfn pfn = t.page.frame_was;
           const Pfn folio = pfn == kNoPfn ? kNoPfn : page_folio(t.before, pfn);
           if (folio == kNoPfn || !folio_test_large(t.before, folio)) return 0;
           const bool split = !folio_test_large(t.after, folio);
           if (!split) return 0;
           if (pmds_of(t.before, folio) == 0) return kAnyCount;
           return t.used_up(&Injections::fail_swap_cluster) ? 1 : kAnyCount;
         },
         [](const Reclaim&, const Transition& t) { return t.grown(Event::thp_swpout_fallback); }))},
    {"swap_in_counter", "pswpin counts the pages that an access reads from the disk.", choice(k6_1),
     "mm/page_io.c: swap_readpage()",
     over<Looks, Takes>(count(
         [](const auto&, const Transition& t) {
           const Entry was = t.page.was;
           if (!was.is_swap() || t.before.swap(was.frame).cache != kNoPfn) return 0;
           return t.page.is.is_swap() ? kAnyCount : 1;
         },
         [](const auto&, const Transition& t) { return t.grown(Event::pswpin); }))},
};

}  // namespace thp
