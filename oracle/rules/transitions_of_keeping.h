// Rules about what an op gives up without need: a place in the queue, a page that several shared,
// what was noticed about its use. Part of transitions.cc.
#pragma once
#include "oracle/rules/transitions.h"
#include "oracle/rules/transitions_of_counters.h"
#include "oracle/rules/transitions_of_ranges.h"

namespace thp {

// Do all that had this slot map one page now?
bool share_a_page_after_swapoff(const Transition& t, int slot);
// Are the pages of the huge pages that were split as active, and as referenced, as those were?
bool split_pages_stay_active(const Transition& t);
// And those that the op does not name?
bool others_stay_active(const Transition& t);

inline constexpr OpRule kKeepRules[] = {
    // Other ops may free a huge page and get its frames for another one.
    {"queued_folio_stays_queued",
     "A huge page that is queued for splitting stays so over what splits, unmaps or reclaims, "
     "until it is split or freed.",
     choice(k6_1), "mm/huge_memory.c: deferred_split_scan(): list_splice_tail()",
     where_changed(over<Splits, Unmaps, Walks, Swaps>([](const auto&, const Transition& t) {
       if (t.before.deferred_len == 0 || !t.changed.delta().compounds()) return true;
       const std::uint64_t left = blocks_queued(t.before) & ~blocks_queued(t.after);
       return (left & large_blocks_of(t.after)) == 0;
     }))},
    {"swapoff_shares_as_before",
     "After swapoff() those who shared a slot share a page, but for parts of a huge page.",
     choice(k6_1), "mm/swapfile.c: unuse_pte()",
     after<Swapoff>([](const Swapoff&, const Transition& t) {
       for (int slot = 0; slot < t.before.geometry.swap_slots(); ++slot)
         if (t.before.swap(Slot(slot)).count > 1 && !share_a_page_after_swapoff(t, slot))
           return false;
       return true;
     })},
    // Writeback ends on the inactive list; what is locked is on no list of either kind.
    {"active_page_stays_active",
     "What an op does not mean is as active and as referenced as it was. So is what is split off, "
     "or put back on its list, and over MADV_COLD a small page that others map, too.",
     choice(k6_1),
     "mm/huge_memory.c: __split_huge_page_tail(); mm/vmscan.c: folio_putback_lru(); "
     "mm/madvise.c: page_mapcount() != 1",
     where_changed(over<Looks, Takes, Calls, Reclaim>(
         [](const auto&, const Transition& t) { return others_stay_active(t); })),
     where_changed(
         over<Splits>([](const auto&, const Transition& t) { return split_pages_stay_active(t); })),
     where_changed(over<Putback>([](const Putback& op, const Transition& t) {
       const Pfn pfn = t.before.holders[std::size_t(op.holder.id)].pfn;
       return !t.succeeded() || pfn >= t.before.frames() || !test(t.before, pfn, PG_active) ||
              test(t.after, pfn, PG_active | PG_mlocked) || t.after.page(pfn).flags == 0;
     })),
     where_changed(over<MadviseCold>([](const MadviseCold& op, const Transition& t) {
       for (int page = op.range.first; page < op.range.end; ++page) {
         const Pfn pfn = mapped_frame(t.before, op.mm.id, page);
         if (pfn == kNoPfn || test(t.before, pfn, PG_head | PG_tail)) continue;
         const bool asked = test(t.before, pfn, PG_active) && t.counts.frame(pfn).ptes > 1;
         if (asked && !test(t.after, pfn, PG_active | PG_unevictable)) return false;
       }
       return true;
     }))},
};

}  // namespace thp
