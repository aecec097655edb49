// Rules about swapping in and out by itself. Part of transitions.cc.
#pragma once
#include <cerrno>

#include "oracle/rules/transitions.h"

namespace thp {

// Does no slot get idle, but for these? Of a huge page of the swap cache its first slot is asked.
template <class ButFor>
bool no_slot_gets_idle(const Transition& t, ButFor is_excused) {
  const Machine &was = t.before, &is = t.after;
  if (was.inject.contend_page_lock != 0 || was.migration.in_flight()) return true;
  for (int slot = 0; is.nr_swapcache != 0 && is.swap_on && slot < is.geometry.swap_slots();
       ++slot) {
    const Pfn cached = is.swap(Slot(slot)).cache;
    if (cached >= is.frames() || page_folio(is, cached) != cached) continue;
    if (is_idle(is, slot) && !is_idle(was, slot) && !is_excused(slot)) return false;
  }
  return true;
}
inline bool no_slot_gets_idle(const Transition& t) {
  return no_slot_gets_idle(t, [](int) { return false; });
}

inline constexpr RuleOf<SwapIn> kSwapInRules[] = {
    {"refaulted_page_is_active",
     "A page that a load reads from the disk is active, unless its VMA is locked.",
     "mm/workingset.c: workingset_refault()",
     [](const SwapIn& in) {
       return in.write || !in.from_disk || in.locked || in.has_mapped(PG_active);
     }},
    {"swapped_in_locked_page_is_mlocked",
     "A small page that is swapped in to a locked VMA is mlocked.",
     "mm/rmap.c: page_add_anon_rmap(): mlock_vma_page()",
     [](const SwapIn& in) { return !in.locked || in.has_mapped(PG_mlocked | PG_head); }},
    {"cached_page_is_mapped_itself",
     "A load maps the small page of the swap cache itself, if its index and its family are the "
     "VMA's.",
     "mm/ksm.c: ksm_might_need_to_copy()",
     [](const SwapIn& in) { return !in.itself || in.now() == in.slot.cache; }},
    {"read_page_leaves_full_swap",
     "A page that is read back leaves the swap cache if nobody else needs it there and swap is "
     "more than half full, the VMA is locked, or a store has it alone.",
     "mm/memory.c: should_try_to_free_swap(); mm/swapfile.c: folio_free_swap()",
     [](const SwapIn& in) {
       return !in.leaves || in.now() == kNoPfn || !in.has_mapped(PG_swapcache);
     }},
    {"read_page_keeps_its_slot",
     "A page that a load reads back keeps its slot, unless it is locked or swap is more than half "
     "full.",
     "mm/memory.c: should_try_to_free_swap()",
     [](const SwapIn& in) { return !in.stays || in.has_mapped(PG_swapcache); }},
    {"cached_tail_is_copied",
     "A page swapped in is a copy, where the swap cache has it as the tail of a huge page.",
     "mm/ksm.c: ksm_might_need_to_copy(): a tail's index is not its own",
     [](const SwapIn& in) {
       const Machine& m = in.t.before;
       if (in.from_disk || !test(m, in.slot.cache, PG_tail)) return true;
       return !test(m, page_folio(m, in.slot.cache), PG_anon) || in.now() != in.slot.cache;
     }},
};

inline constexpr OpRule kSwapRules[] = {
    {"page_without_slot_is_dirty", "A page that loses its slot to a store is dirty.",
     "mm/swapfile.c: folio_free_swap()", after<Store>([](const Store& op, const Transition& t) {
       const Pfn pfn = t.frame_was(op);
       if (pfn == kNoPfn || pfn != t.frame_is(op)) return true;
       return !test(t.before, page_folio(t.before, pfn), PG_swapcache) ||
              test(t.after, page_folio(t.after, pfn), PG_swapcache | PG_dirty);
     })},
    // What collapse copies leaves the swap cache; what it reads for that may stay there.
    {"unneeded_slot_is_given_back",
     "A page that a call, split_folio, a copying store or a collapse leaves unmapped, without "
     "a swap entry, leaves the swap cache.",
     "mm/swap_state.c: free_swap_cache(); mm/swapfile.c: __try_to_reclaim_swap()",
     after<Unmaps, SplitFolio>(
         [](const auto&, const Transition& t) { return no_slot_gets_idle(t); }),
     after<Store>([](const Store& op, const Transition& t) {
       return t.frame_was(op) == kNoPfn || no_slot_gets_idle(t);
     }),
     after<Collapses>([](const auto& op, const Transition& t) {
       return no_slot_gets_idle(t, [&](int slot) {
         for (int page = op.range.first; page < op.range.end; ++page)
           if (const Entry& entry = entry_of(t.before, op.mm.id, page); entry.is_swap())
             if (share_a_cached_folio(t.before, slot, entry.frame)) return true;
         return false;
       });
     })},
    {"swapon_succeeds_once",
     "swapon() succeeds exactly while swap is off and the device has slots.",
     "mm/swapfile.c: sys_swapon(): -EBUSY; read_swap_header(): -EINVAL",
     over<Swapon>([](const Swapon&, const Transition& t) {
       const bool empty = t.before.geometry.swap_slots() == 0;
       const int expected = t.before.swap_on ? -EBUSY : empty ? -EINVAL : 0;
       return t.result == expected && (expected != 0 || t.after.swap_on);
     })},
    {"swapoff_of_nothing_fails", "swapoff() fails while swap is off.",
     "mm/swapfile.c: sys_swapoff(): -EINVAL",
     over<Swapoff>([](const Swapoff&, const Transition& t) {
       return t.before.swap_on || t.result == -EINVAL;
     })},
    {"swapoff_empties_the_device",
     "After swapoff() no page is swapped out or cached, and nobody is listed as one who has any; "
     "without swapped pages it succeeds.",
     "mm/swapfile.c: try_to_unuse(), drain_mmlist()",
     over<Swapoff>([](const Swapoff&, const Transition& t) {
       const Machine& m = t.after;
       int swapped = 0;
       for (int mm = 0; mm < m.geometry.mms; ++mm) swapped += t.counts.mm(mm).swap_entries;
       if (t.before.swap_on && swapped == 0 && t.result != 0) return false;
       if (!t.succeeded()) return true;
       for (int slot = 0; slot < m.geometry.swap_slots(); ++slot)
         if (is_in_use(m.swap(Slot(slot)))) return false;
       return !m.swap_on && m.mmlist.count == 0;
     })},
    {"writeback_ends", "After writeback_end nothing is under writeback.",
     "mm/page_io.c: end_swap_bio_write()",
     after<WritebackEnd>([](const WritebackEnd&, const Transition& t) {
       for (int slot = 0; slot < t.after.geometry.swap_slots(); ++slot) {
         const Pfn cache = t.after.swap(Slot(slot)).cache;
         if (cache < t.after.frames() && test(t.after, page_folio(t.after, cache), PG_writeback))
           return false;
       }
       return true;
     })},
    {"redirtied_page_stays_active",
     "An active page that is dirty again when its write ends stays active.",
     "mm/swap.c: folio_rotate_reclaimable()",
     after<WritebackEnd>([](const WritebackEnd&, const Transition& t) {
       constexpr Bits kAll = PG_writeback | PG_dirty | PG_active;
       for (const std::uint32_t pfn : t.after.stamps.frames())
         if ((t.before.page(Pfn(pfn)).flags & kAll) == kAll && !test(t.after, Pfn(pfn), PG_active))
           return false;
       return true;
     })},
};

}  // namespace thp
