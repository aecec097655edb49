// Rules about what an op has changed: pages, PMDs, swap slots, holders, address spaces. Which ops
// are excepted stands in the predicate, as in the sentence. Part of transitions.cc.
#pragma once
#include "oracle/rules/transitions.h"
#include "oracle/rules/transitions_of_files.h"

namespace thp {

// A locked VMA is populated when it becomes writable, or grows.
inline bool populates(const PageStep& p) {
  return populates_locked(p.t) && (p.in_blocks_of<Mprotect>() || p.grown_here());
}

inline bool writes(const PageStep& p) {
  const auto* pin = std::get_if<Pin>(&p.t.op);
  return p.of_mm_of<Store, StoreForced>() ||
         p.in_blocks_of<Collapses, Mlock, MadvisePopulateWrite>() || populates(p) ||
         (pin != nullptr && pin->mode == PinMode::w && pin->mm.id == p.mm);
}

// Does anybody else map the page, or the head of what a PMD maps?
inline bool is_shared(const PageStep& p) {
  const Entry& was = entry_of(p.t.before, p.mm, p.first);
  if (!was.is_present() || was.frame >= p.t.before.frames()) return false;
  const int pmds = p.t.count(page_folio(p.t.before, was.frame)).pmds;
  return pmds + p.t.counts.frame(was.frame).ptes > 1;
}

// A child does not get what MADV_DONTFORK keeps from it.
inline bool is_shared_by_fork(const PageStep& p) {
  const auto* fork = std::get_if<Fork>(&p.t.op);
  const Vma* vma = fork ? vma_at(p.t.before, p.mm, p.first) : nullptr;
  return vma != nullptr && fork->mm.id == p.mm && !vma->has(VM_DONTCOPY);
}

inline bool is_child(const PageStep& p) {
  const auto* fork = std::get_if<Fork>(&p.t.op);
  return fork != nullptr && fork->child.id == p.mm;
}

inline constexpr RuleOf<PageStep> kPageRules[] = {
    {"wanted_page_is_kept",
     "A mapped page that was stored to since MADV_FREE is dirty or swap-backed, so that it cannot "
     "be discarded.",
     promise(kEvery, "madvise(2), MADV_FREE"),
     "mm/rmap.c: try_to_unmap_one(): folio_set_swapbacked(); mm/madvise.c: "
     "madvise_free_pte_range()",
     [](const PageStep& p) {
       if ((p.has & kMapped) == 0 || (p.has & kDirtied) != 0) return true;
       const Pfn pfn = entry_of(p.t.after, p.mm, p.first).frame;
       if (pfn >= p.t.after.frames()) return true;
       if (test(p.t.after, page_folio(p.t.after, pfn), PG_swapbacked)) return true;
       for (int page = p.first; page < p.end; ++page)
         if (p.t.memory.wanted(p.mm, page)) return false;
       return true;
     }},
    {"exclusive_page_stays_so",
     "An exclusive page stays exclusive until its process forks, and the child gets it.",
     choice(k6_1), "include/linux/rmap.h: page_try_share_anon_rmap(); mm/memory.c: do_swap_page()",
     [](const PageStep& p) { return p.keeps(kSoleOwner) || is_shared_by_fork(p) || p.moved(); }},
    {"pinned_pte_stays_writable",
     "A writable PTE of a pinned page stays writable, except over mprotect() and mmap().",
     choice(kEvery), "fs/proc/task_mmu.c: pte_is_pinned(); mm/memory.c: page_needs_cow_for_dma()",
     [](const PageStep& p) {
       constexpr Traits kBoth = kPinned | kOpenPte;
       const bool lost = (p.had & kBoth) == kBoth && p.is_kept() && (p.has & kOpenPte) == 0;
       return !lost || p.in<Mprotect, Mmap>() || p.moved();
     }},
    {"page_stays_unless_taken",
     "A page that is there stays there, but for what unmaps or reclaims it or cuts it off its "
     "file, MADV_FREE if it is swapped out, and a split of a huge page of a file.",
     choice(kEvery), "mm/huge_memory.c: __split_huge_pmd_locked(); mm/mremap.c: move_ptes()",
     [](const PageStep& p) {
       return (p.had & kThere) == 0 || (p.has & kThere) != 0 ||
              p.over<WritesOut, Unmaps, Remaps>() || is_cut_off(p.t, p.mm, p.first) ||
              is_unmapped_by_a_split(p.t, p.mm, p.first) ||
              ((p.had & kSwapped) != 0 && p.over<MadviseFree>());
     }},
    {"writable_entry_stays_writable",
     "A writable entry stays so, except over mprotect() that forbids writing, clear_refs, and "
     "fork() if it is not pinned and the child gets it.",
     choice(k6_1),
     "mm/huge_memory.c: __split_huge_pmd_locked(); mm/migrate.c: remove_migration_pte(); "
     "include/linux/mm.h: page_needs_cow_for_dma()",
     [](const PageStep& p) {
       const auto* mprotect = std::get_if<Mprotect>(&p.t.op);
       return p.keeps_mapped(kOpen) || p.of_mm_of<Clears>() || p.moved() ||
              (mprotect != nullptr && mprotect->prot != Protection::rw) ||
              (is_shared_by_fork(p) && (p.had & kPinned) == 0);
     }},
    {"young_entry_stays_young",
     "A young entry stays so, except over reclaim, MADV_FREE, and MADV_COLD if nobody else maps "
     "it.",
     choice(k6_1),
     "mm/huge_memory.c: __split_huge_pmd_locked(); mm/migrate.c: remove_migration_pte()",
     [](const PageStep& p) {
       return p.keeps_mapped(kUsed) || p.over<WritesOut>() || p.in<MadviseFree>() ||
              (p.in<MadviseCold>() && !is_shared(p)) || p.moved();
     }},
    // What a pin for reading copies to unshare a page is clean: see kLazyfreeOfASharedPage in
    // model/defects.h.
    {"dirty_page_stays_dirty",
     "A dirty page stays so until it is written to swap or given away, or copied for a pin "
     "that only reads.",
     promise(kEvery, "admin-guide/mm/pagemap.rst, DIRTY; madvise(2), MADV_FREE"),
     "mm/huge_memory.c: __split_huge_pmd_locked(); mm/rmap.c: try_to_migrate_one(): "
     "folio_mark_dirty()",
     [](const PageStep& p) {
       return p.keeps_mapped(kDirtied) || p.over<WritesOut>() || p.in<MadviseFree>() ||
              (p.in<Pin>() && !writes(p)) || p.moved();
     }},
    {"stored_file_page_stays_dirty",
     "A page of a file that an entry tells as dirty is dirty while the file has it: it may not be "
     "dropped.",
     promise(kEvery, "mmap(2), MAP_SHARED"),
     "mm/memory.c: zap_pte_range(); mm/huge_memory.c: zap_huge_pmd(), __split_huge_pmd_locked(); "
     "mm/rmap.c: try_to_unmap_one(): folio_mark_dirty()",
     [](const PageStep& p) { return is_dirty_while_cached(p.t, p.mm, p.first); }},
    // A fault brings a whole huge page, and a copy of one page splits what is around it.
    {"nothing_appears_unasked",
     "Where nothing is nothing appears, but by a fault, fork(), mremap(), a collapse and what "
     "populates.",
     choice(kEvery), "mm/memory.c: handle_mm_fault(); mm/gup.c: populate_vma_page_range()",
     [](const PageStep& p) {
       return (p.had & kThere) != 0 || (p.has & kThere) == 0 || p.moved_here() || is_child(p) ||
              p.over<Looks, Takes, Collapses, Mlock, Populates>() || populates(p);
     }},
    {"closed_entry_stays_closed",
     "An entry that is not writable stays so, but for stores, pins for writing, a collapse, "
     "what populates, and mprotect().",
     choice(k6_1),
     "mm/memory.c: do_swap_page(), do_wp_page(): FAULT_FLAG_WRITE; mm/migrate.c: "
     "remove_migration_pte()",
     [](const PageStep& p) {
       const bool read_back = (p.had & kSwapped) != 0 && p.in<Load>() && p.t.succeeded();
       return !(p.was_closed() || read_back) || (p.has & kOpen) == 0 || writes(p) ||
              p.in<Mprotect>() || p.moved();
     }},
    {"clean_page_stays_clean",
     "A clean page that is nobody else's stays so until it is stored to, pinned for writing, "
     "populated, collapsed or reclaimed.",
     choice(k6_1),
     "mm/huge_memory.c: __split_huge_pmd_locked(): pmd_dirty(); mm/rmap.c: try_to_migrate_one()",
     [](const PageStep& p) {
       return (p.had & kClean) == 0 || (p.has & kDirtied) == 0 || writes(p) ||
              p.over<StoreViaPin, WritesOut>() || p.moved();
     }},
    {"locked_page_stays_in_memory",
     "A page of locked memory that is in memory stays there until it is unlocked, unmapped, moved, "
     "or cut off its file. A split unmaps a huge page of a file, which stays in the page cache.",
     promise(kEvery, "mlock(2), DESCRIPTION; mm/unevictable-lru.rst"),
     "mm/rmap.c: try_to_unmap_one(): VM_LOCKED",
     [](const PageStep& p) {
       const bool was_in = (p.had & kThere) != 0 && (p.had & kSwapped) == 0;
       const bool is_out = (p.has & kThere) == 0 || (p.has & kSwapped) != 0;
       if (!was_in || !is_out || p.moved() || !p.t.memory.locked(p.mm, p.first)) return true;
       if (is_cut_off(p.t, p.mm, p.first) || is_unmapped_by_a_split(p.t, p.mm, p.first))
         return true;
       const Vma* vma = vma_at(p.t.before, p.mm, p.first);
       return vma == nullptr || !vma->has(VM_LOCKED);
     }},
};

inline constexpr RuleOf<PmdStep> kPmdRules[] = {
    {"huge_only_where_allowed",
     "No fault or collapse maps a huge page where VM_NOHUGEPAGE, prctl(PR_SET_THP_DISABLE), or the "
     "setting that applies, forbids it; but one that a file has is mapped as it is.",
     promise(kEvery,
             "madvise(2), MADV_NOHUGEPAGE and MADV_COLLAPSE; prctl(2), PR_SET_THP_DISABLE; "
             "admin-guide/mm/transhuge.rst, Global THP controls"),
     "mm/huge_memory.c: hugepage_vma_check()",
     [](const PmdStep& p) {
       if (is_huge(p.was) || !is_huge(p.is) || p.t.over<Moves, Fork>()) return true;
       if (maps_a_file(p.t.after, p.is)) return true;
       return may_be_huge(p.t.after, p.mm, p.i, !p.t.over<Collapses>());
     }},
    {"collapsed_page_is_locked", "A huge page that a collapse brings to a locked VMA is mlocked.",
     promise(kEvery, "mm/unevictable-lru.rst, mlock() handling"),
     "mm/khugepaged.c: collapse_huge_page(): lru_cache_add_inactive_or_unevictable()",
     [](const PmdStep& p) {
       if (is_huge(p.was) || !p.is.is_present() || !p.t.over<Collapses>()) return true;
       const Vma* vma = vma_at(p.t.after, p.mm, p.i * p.t.after.hpage_nr());
       return vma == nullptr || !vma->has(VM_LOCKED) || p.is.frame >= p.t.after.frames() ||
              test(p.t.after, p.is.frame, PG_mlocked);
     }},
};

inline constexpr RuleOf<SlotStep> kSlotRules[] = {
    {"cached_page_stays_while_needed",
     "A page in the swap cache stays there while a swap entry needs its slot, but for reclaim "
     "and swapoff().",
     choice(k6_1), "mm/swapfile.c: folio_free_swap(), folio_swapped()",
     [](const SlotStep& s) {
       if (s.was.count == 0 || s.was.cache == kNoPfn || s.t.over<WritesOut>()) return true;
       return s.is.count == 0 || s.is.cache != kNoPfn || !s.t.after.swap_on;
     }},
    // Where a migration ends, its frames may be another page's by the end of the op.
    {"page_without_slot_is_dirty",
     "A page that leaves the swap cache and stays mapped is dirty, unless it is given away.",
     promise(kEvery, "admin-guide/mm/pagemap.rst, DIRTY"), "mm/swapfile.c: folio_free_swap()",
     [](const SlotStep& s) {
       const Machine& m = s.t.after;
       if (s.was.cache >= m.frames() || s.is.cache != kNoPfn) return true;
       if (s.t.before.migration.in_flight()) return true;
       const Pfn folio = page_folio(m, s.was.cache);
       if (!is_mapped(m, folio) || test(m, folio, PG_swapcache)) return true;
       return s.t.over<MadviseFree>() || test(m, folio, PG_dirty) || is_dirty_by_an_entry(m, folio);
     }},
};

inline constexpr RuleOf<HolderStep> kHolderRules[] = {
    {"held_folio_is_not_split", "A large folio that somebody holds is not split.",
     promise(kEvery, "mm/transhuge.rst, get_user_pages and follow_page"),
     "mm/huge_memory.c: can_split_folio(): a reference beyond mappings and swap cache",
     [](const HolderStep& h) {
       const auto large = [](const Machine& m, const Holder& holder) {
         return holder.pfn < m.frames() && folio_test_large(m, page_folio(m, holder.pfn));
       };
       return h.is.kind == HolderKind::none || !large(h.t.before, h.was) || large(h.t.after, h.is);
     }},
    {"pin_holds_what_its_owner_maps",
     "A pin for writing, or of a page stored to, holds the frame that its owner maps, as long "
     "as the owner has the page.",
     promise(kEvery, "core-api/pin_user_pages.rst, CASE 5"),
     "include/linux/mm.h: gup_must_unshare(), page_needs_cow_for_dma()",
     [](const HolderStep& h) {
       const auto owner = h.t.memory.coherent_owner(h.id);
       return !owner || mapped_frame(h.t.after, owner->mm, owner->page) == h.is.pfn;
     }},
    {"dontfork_keeps_the_page",
     "What somebody holds of memory that MADV_DONTFORK marks, and that is the process's own, stays "
     "the page of its place.",
     promise(kEvery, "madvise(2), MADV_DONTFORK"),
     "kernel/fork.c: dup_mmap(): VM_DONTCOPY; mm/memory.c: do_wp_page(): PageAnonExclusive",
     [](const HolderStep& h) {
       const auto owner = h.t.memory.owner(h.id);
       if (!owner || !h.t.memory.dontfork(owner->mm, owner->page) || h.t.over<Moves>()) return true;
       const Entry& was = entry_of(h.t.before, owner->mm, owner->page);
       const bool own = mapped_frame(h.t.before, owner->mm, owner->page) == h.was.pfn &&
                        was.is_present() && test(h.t.before, was.frame, PG_anon_exclusive);
       const Pfn now = mapped_frame(h.t.after, owner->mm, owner->page);
       return !own || now == kNoPfn || now == h.was.pfn;
     }},
};

}  // namespace thp
