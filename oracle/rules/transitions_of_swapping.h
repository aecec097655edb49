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
    {"swapped_in_locked_page_is_mlocked",
     "A small page that is swapped in to a locked VMA is mlocked.",
     promise(k6_1, "mm/unevictable-lru.rst, Detecting Unevictable Pages"),
     "mm/rmap.c: page_add_anon_rmap(): mlock_vma_page()",
     [](const SwapIn& in) { return !in.locked || in.has_mapped(PG_mlocked | PG_head); }},
    {"cached_page_is_mapped_itself",
     "A load maps the small page of the swap cache itself, if its index and its family are the "
     "VMA's. So does a store, if nobody else refers to it.",
     choice(k6_1), "mm/ksm.c: ksm_might_need_to_copy()",
     [](const SwapIn& in) { return !in.itself || in.now() == in.slot.cache; }},
    {"read_page_keeps_its_slot",
     "A page that a load reads back keeps its slot, unless it is locked or swap is more than half "
     "full.",
     choice(k6_1), "mm/memory.c: should_try_to_free_swap()",
     [](const SwapIn& in) { return !in.stays || in.has_mapped(PG_swapcache); }},
    {"page_read_back_alone_is_exclusive",
     "A page that is read back is exclusive, if nobody else refers to it then.", choice(k6_1),
     "mm/memory.c: do_swap_page(): folio_ref_count() == 1",
     [](const SwapIn& in) {
       const Machine& m = in.t.after;
       const Pfn now = in.now();
       const bool alone = now != kNoPfn && m.page(page_folio(m, now)).refcount == 1;
       return !alone || (traits_of(m, in.mm, in.page) & kSoleOwner) != 0;
     }},
};

inline constexpr OpRule kSwapRules[] = {
    // What collapse copies leaves the swap cache; what it reads for that may stay there.
    {"unneeded_slot_is_given_back",
     "A page that a call, split_folio, a copying store or a collapse leaves unmapped, without "
     "a swap entry, leaves the swap cache.",
     choice(k6_1), "mm/swap_state.c: free_swap_cache(); mm/swapfile.c: __try_to_reclaim_swap()",
     where_changed(after<Unmaps, SplitFolio>(
         [](const auto&, const Transition& t) { return no_slot_gets_idle(t); })),
     where_changed(after<Store>([](const Store&, const Transition& t) {
       return t.page.frame_was == kNoPfn || no_slot_gets_idle(t);
     })),
     where_changed(after<Collapses>([](const auto& op, const Transition& t) {
       return no_slot_gets_idle(t, [&](int slot) {
         for (int page = op.range.first; page < op.range.end; ++page)
           if (const Entry& entry = entry_of(t.before, op.mm.id, page); entry.is_swap())
             if (share_a_cached_folio(t.before, slot, entry.frame)) return true;
         return false;
       });
     }))},
    {"swap_is_switched_once",
     "swapon() succeeds exactly while swap is off and the device has slots; swapoff() fails while "
     "swap is off.",
     promise(kEvery, "swapon(2), ERRORS"),
     "mm/swapfile.c: sys_swapon(): -EBUSY; read_swap_header(): -EINVAL",
     over<Swapon>([](const Swapon&, const Transition& t) {
       const bool empty = t.before.geometry.swap_slots() == 0;
       const int expected = t.before.swap_on ? -EBUSY : empty ? -EINVAL : 0;
       return t.result == expected && (expected != 0 || t.after.swap_on);
     }),
     over<Swapoff>([](const Swapoff&, const Transition& t) {
       return t.before.swap_on || t.result == -EINVAL;
     })},
    {"swapoff_empties_the_device",
     "After swapoff() no page is swapped out or cached; without swapped pages it succeeds.",
     promise(kEvery, "swapon(2), DESCRIPTION"), "mm/swapfile.c: try_to_unuse()",
     over<Swapoff>([](const Swapoff&, const Transition& t) {
       const Machine& m = t.after;
       int swapped = 0;
       for (int mm = 0; mm < m.geometry.mms; ++mm) swapped += t.counts.mm(mm).swap_entries;
       if (t.before.swap_on && swapped == 0 && t.result != 0) return false;
       if (!t.succeeded()) return true;
       for (int slot = 0; slot < m.geometry.swap_slots(); ++slot)
         if (is_in_use(m.swap(Slot(slot)))) return false;
       return !m.swap_on;
     })},
    {"writeback_ends", "After writeback_end nothing is under writeback.", choice(kEvery),
     "mm/page_io.c: end_swap_bio_write()",
     after<WritebackEnd>([](const WritebackEnd&, const Transition& t) {
       for (int slot = 0; slot < t.after.geometry.swap_slots(); ++slot) {
         const Pfn cache = t.after.swap(Slot(slot)).cache;
         if (cache < t.after.frames() && test(t.after, page_folio(t.after, cache), PG_writeback))
           return false;
       }
       return true;
     })},
};

}  // namespace thp
