// States that traces must come by. Part of sometimes.cc.
#pragma once
#include <algorithm>
#include <bit>

#include "oracle/sometimes/sometimes.h"

namespace thp {

// How many pages of a large folio in the swap cache some swap PTE still stands for.
inline int swapped_pages(const TheFolio& f) {
  int pages = 0;
  if (f.has(PG_swapcache) && f.large)
    for (int i = 0; i < f.m.hpage_nr(); ++i) {
      const int slot = f.page.private_slot + i;
      pages += slot < f.m.geometry.swap_slots() && f.r.slot(slot).ptes > 0;
    }
  return pages;
}

// Large folios are what this is about: rows that speak of small ones say so.
inline constexpr Sometimes kFolioStates[] = {
    {"double_mapped", "A folio is mapped by PMDs and by PTEs, and DoubleMap.",
     [](const TheFolio& f) {
       return f.large && f.compound().double_map && f.count.pmds > 0 && f.count.ptes > 0;
     }},
    {"double_map_without_ptes", "DoubleMap outlives the last PTE.",
     [](const TheFolio& f) { return f.large && f.compound().double_map && f.count.ptes == 0; }},
    {"mapped_both_ways_after_migration", "PMDs and PTEs map a folio that is not DoubleMap.",
     [](const TheFolio& f) {
       return f.large && !f.compound().double_map && f.count.pmds > 0 && f.count.ptes > 0;
     }},
    {"file_page_of_two", "Two PTEs map a page of a file.",
     [](const TheFolio& f) { return f.is_of_a_file() && f.count.ptes >= 2; }},
    {"locked_file_page", "A page of a file is locked in memory.",
     [](const TheFolio& f) { return f.is_of_a_file() && f.has(PG_mlocked); }},
    {"allocated_file_page", "A page of a file is allocated, but nobody has filled it.",
     [](const TheFolio& f) { return f.is_of_a_file() && !f.has(PG_uptodate); }},
    {"clean_file_page", "A page of a file was only read.",
     [](const TheFolio& f) { return f.is_of_a_file() && f.count.ptes > 0 && !f.has(PG_dirty); }},
    {"file_mapped_both_ways", "A PMD and PTEs map a huge page of a file.",
     [](const TheFolio& f) { return f.is_of_a_file() && f.count.pmds > 0 && f.count.ptes > 0; }},
    {"unmapped_file_double_map", "PTEs have mapped a huge page of a file that nobody maps now.",
     [](const TheFolio& f) {
       return f.large && f.is_of_a_file() && f.compound().double_map && !f.count.mapped_anywhere();
     }},
    {"held_huge_page_out_of_its_file", "Somebody holds a huge page that its file has lost.",
     [](const TheFolio& f) {
       return f.large && !f.is_of_a_file() && !f.has(PG_anon) && f.count.isolations > 0;
     }},
    {"two_pmds", "Two PMDs map one folio.", [](const TheFolio& f) { return f.count.pmds == 2; }},
    {"three_pmds", "Three PMDs map one folio.",
     [](const TheFolio& f) { return f.count.pmds >= 3; }},
    {"page_mapped_twice", "One sub-page has more PTEs than another that has some.",
     [](const TheFolio& f) {
       return f.large && f.count.mapped > 0 && f.count.ptes % f.count.mapped != 0;
     }},
    {"one_page_holds_all", "One PTE alone keeps a huge page.",
     [](const TheFolio& f) { return f.large && f.references() == 1 && f.count.ptes == 1; }},
    {"queued_whole", "A folio of which every page is mapped is queued for splitting.",
     [](const TheFolio& f) {
       return f.large && f.compound().deferred && f.count.pmds == 0 &&
              f.count.mapped == f.m.hpage_nr();
     }},
    {"queued_with_pmd", "A folio that a PMD maps is queued for splitting.",
     [](const TheFolio& f) { return f.large && f.compound().deferred && f.count.pmds > 0; }},
    {"queued_unmapped", "A folio that nothing maps is queued, and held by others.",
     [](const TheFolio& f) {
       return f.large && f.compound().deferred && !f.count.mapped_anywhere() && !f.in_flight();
     }},
    {"queued_in_swap_cache", "A queued folio is in the swap cache.",
     [](const TheFolio& f) { return f.large && f.compound().deferred && f.has(PG_swapcache); }},
    {"queued_and_pinned", "A queued folio is pinned: it can't be split.",
     [](const TheFolio& f) { return f.large && f.compound().deferred && f.count.pins > 0; }},
    {"partly_mapped_unqueued",
     "A partly mapped folio is not queued: it was in the swap cache or moved.",
     [](const TheFolio& f) {
       return f.large && !f.compound().deferred && f.count.pmds == 0 && f.count.mapped > 0 &&
              f.count.mapped < f.m.hpage_nr();
     }},
    {"huge_cached_and_mapped", "A folio in the swap cache is mapped by a PMD.",
     [](const TheFolio& f) { return f.large && f.has(PG_swapcache) && f.count.pmds > 0; }},
    {"huge_partly_swapped",
     "A folio in the swap cache has PTEs for some pages, swap PTEs for others.",
     [](const TheFolio& f) { return f.count.mapped > 0 && swapped_pages(f) > 0; }},
    {"huge_swapped", "Swap PTEs alone stand for a folio that is whole in the swap cache.",
     [](const TheFolio& f) { return !f.count.mapped_anywhere() && swapped_pages(f) > 0; }},
    {"huge_cached_for_nobody", "A folio is in the swap cache though no swap PTE needs it.",
     [](const TheFolio& f) { return f.large && f.has(PG_swapcache) && swapped_pages(f) == 0; }},
    {"huge_under_writeback", "A huge page is under writeback.",
     [](const TheFolio& f) { return f.large && f.has(PG_writeback); }},
    {"mapped_under_writeback", "A page under writeback is mapped again.",
     [](const TheFolio& f) { return f.has(PG_writeback) && f.count.mapped_anywhere(); }},
    {"huge_lazyfree", "A folio is lazily freed while a PMD maps it.",
     [](const TheFolio& f) {
       return f.large && f.has(PG_anon) && !f.has(PG_swapbacked) && f.count.pmds > 0;
     }},
    {"small_lazyfree", "A small page is lazily freed.",
     [](const TheFolio& f) {
       return !f.large && f.has(PG_anon) && !f.has(PG_swapbacked) && f.count.ptes > 0;
     }},
    {"pinned_pmd", "A folio that a PMD maps is pinned.",
     [](const TheFolio& f) { return f.count.pins > 0 && f.count.pmds > 0; }},
    {"pinned_ptes", "A folio that PTEs map is pinned.",
     [](const TheFolio& f) { return f.large && f.count.pins > 0 && f.count.ptes > 0; }},
    {"pinned_orphan", "A pinned huge page is mapped by nobody any more.",
     [](const TheFolio& f) {
       return f.large && f.has(PG_anon) && f.count.pins > 0 && !f.count.mapped_anywhere();
     }},
    {"pinned_twice", "A huge page is pinned twice.",
     [](const TheFolio& f) { return f.large && f.count.pins >= 2; }},
    {"small_pinned_orphan", "A pinned small page is mapped by nobody any more.",
     [](const TheFolio& f) { return !f.large && f.count.pins > 0 && !f.count.mapped_anywhere(); }},
    {"got_orphan", "Only a plain reference keeps a huge page.",
     [](const TheFolio& f) {
       return f.large && f.has(PG_anon) && f.count.gets > 0 && f.references() == f.count.gets;
     }},
    {"isolated_orphan", "Only its isolation keeps a huge page.",
     [](const TheFolio& f) { return f.large && f.count.isolations == f.references(); }},
    {"huge_zero_pinned", "The huge zero page is pinned.",
     [](const TheFolio& f) { return f.large && f.count.pointer > 0 && f.count.pins > 0; }},
    {"huge_zero_outlives_its_pointer",
     "The shrinker gave the huge zero page up, but it is pinned or got.",
     [](const TheFolio& f) {
       return f.large && !f.compound().transhuge && f.count.pointer == 0 && f.references() > 0;
     }},
    {"huge_mlocked", "A huge page is mlocked.",
     [](const TheFolio& f) { return f.large && f.has(PG_mlocked) && f.count.pmds > 0; }},
    {"migrating_pmds_of_two", "Migration PMDs in two address spaces lead to one folio.",
     [](const TheFolio& f) { return f.count.migration_pmds >= 2; }},
    {"migrating_both_ways", "Migration PMDs and migration PTEs lead to one folio.",
     [](const TheFolio& f) { return f.count.migration_pmds > 0 && f.count.migration_ptes > 0; }},
    {"migrating_for_nobody", "All entries that led to a migrating folio are gone.",
     [](const TheFolio& f) {
       return f.m.migration.src == f.head && f.count.migration_pmds + f.count.migration_ptes == 0;
     }},
    {"migrating_from_swap_cache", "A huge page migrates that is in the swap cache.",
     [](const TheFolio& f) { return f.large && f.in_flight() && f.has(PG_swapcache); }},
    {"migrating_queued", "A queued folio migrates.",
     [](const TheFolio& f) { return f.large && f.in_flight() && f.compound().deferred; }},
    {"exclusive_ptes_of_huge", "PTEs map pages of a huge page exclusively.",
     [](const TheFolio& f) { return f.large && f.count.ptes > 0 && f.has(PG_anon_exclusive); }},
};

inline constexpr Sometimes kEntryStates[] = {
    {"out_of_line", "A PTE maps a page of a huge page at another offset than its own.",
     [](const TheEntry& e) {
       const int mask = e.m.hpage_nr() - 1;
       const bool large = e.entry.is_present() && test(e.m, e.entry.frame, PG_head | PG_tail);
       return large && !e.huge && (e.entry.frame & mask) != (e.page & mask);
     }},
    {"across_two_tables", "Two page tables of one address space map one huge page.",
     [](const TheEntry& e) {
       const bool first = (e.page & (e.m.hpage_nr() - 1)) == 0;
       if (e.huge || e.page == 0 || !first || !e.entry.is_present()) return false;
       const Entry left = e.m.pte(e.mm, e.page - 1);
       return left.is_present() && left.frame + 1 == e.entry.frame &&
              test(e.m, e.entry.frame, PG_tail);
     }},
    {"at_two_addresses", "Two address spaces map one page of a huge page at different addresses.",
     [](const TheEntry& e) {
       if (e.huge || !e.entry.is_present() || e.r.frame(e.entry.frame).ptes < 2) return false;
       if (!test(e.m, e.entry.frame, PG_head | PG_tail)) return false;
       int others = 0;
       for (int mm = 0; mm < e.m.geometry.mms; ++mm)
         others += e.m.pte(mm, e.page).is_present() && e.m.pte(mm, e.page).frame == e.entry.frame;
       return others < e.r.frame(e.entry.frame).ptes;
     }},
    {"read_only_exclusive_pmd", "A PMD maps an exclusive huge page read-only.",
     [](const TheEntry& e) {
       return e.huge && e.entry.is_present() && !e.entry.has(kWrite) &&
              test(e.m, e.entry.frame, PG_anon_exclusive);
     }},
    {"writable_migration_entry", "A migration entry will be writable again.",
     [](const TheEntry& e) { return e.entry.is_migration() && e.entry.has(kWrite); }},
    {"exclusive_migration_entry", "A migration entry is readable-exclusive.",
     [](const TheEntry& e) { return e.entry.is_migration() && e.entry.has(kExclusive); }},
    {"shared_migration_entry", "A migration entry is readable only.",
     [](const TheEntry& e) {
       return e.entry.is_migration() && !e.entry.has(kExclusive) && !e.entry.has(kWrite);
     }},
    {"exclusive_swap_entry", "A swap PTE remembers that its page was exclusive.",
     [](const TheEntry& e) { return e.entry.is_swap() && e.entry.has(kExclusive); }},
    {"zero_pte", "A PTE maps the zero page.",
     [](const TheEntry& e) { return !e.huge && e.entry.is_zero(); }},
    {"stale_exclusive", "An unmapped page of a huge page that is mapped still says AnonExclusive.",
     [](const TheEntry& e) {
       if (e.huge || !e.entry.is_present() || !test(e.m, e.entry.frame, PG_tail)) return false;
       const Pfn left = Pfn(e.entry.frame - 1);
       return e.r.frame(left).ptes == 0 && test(e.m, left, PG_anon_exclusive);
     }},
    {"huge_in_a_grandchild", "A VMA of a process whose parent was forked too maps a huge page.",
     [](const TheEntry& e) {
       return e.huge && e.entry.is_present() && e.vma != nullptr &&
              std::popcount(e.vma->chain) >= 3;
     }},
    {"moved_huge", "A huge PMD was moved away from where it was faulted in.",
     [](const TheEntry& e) {
       return e.huge && e.entry.is_present() && e.vma != nullptr && e.vma->pgoff != e.vma->start;
     }},
};

inline constexpr Sometimes kSlotStates[] = {
    {"shared_slot", "Two swap PTEs hold one slot.",
     [](const TheSlot& s) { return s.count.ptes >= 2; }},
    {"only_on_disk", "A swapped page is on the device only.",
     [](const TheSlot& s) { return s.count.ptes > 0 && s.slot.cache == kNoPfn; }},
    {"freed_in_a_huge_cluster", "No swap PTE holds a slot any more, but its cluster is still huge.",
     [](const TheSlot& s) {
       return s.count.ptes == 0 && s.cached() && s.m.cluster_huge(s.id >> s.m.geometry.order);
     }},
    {"swapped_and_mapped", "A page is mapped in one address space and swapped out in another.",
     [](const TheSlot& s) {
       return s.count.ptes > 0 && s.cached() && s.r.frame(s.slot.cache).ptes > 0;
     }},
};

template <const Defect& defect>
bool struck(const TheMachine& t) {
  return t.m.strikes.has(defect);
}

inline constexpr Sometimes kMachineStates[] = {
    {"stranded_migration_entries", "A defect of 6.1: the end of a migration leaves entries behind.",
     [](const TheMachine& t) { return t.m.defect == &kStrandedMigrationEntries; }},
    {"lazyfree_of_a_shared_page", "A defect of 6.1: MADV_FREE gives away what others map, too.",
     [](const TheMachine& t) { return t.m.defect == &kLazyfreeOfASharedPage; }},
    {"lazyfree_of_a_swapped_page",
     "A defect of 6.1: MADV_FREE gives away a huge page of the swap cache.",
     [](const TheMachine& t) { return t.m.defect == &kLazyfreeOfASwappedPage; }},
    {"failed_mlock_keeps_locks", "A defect of 6.1: a failed mlock() has changed locks.",
     struck<kFailedMlockKeepsLocks>},
    {"moved_table_is_soft_clean", "A defect of 6.1: a page table moves, and marks nothing.",
     struck<kMovedTableIsSoftClean>},
    {"moved_hole_is_soft_clean", "A defect of 6.1: mremap() moves a hole, and marks nothing.",
     struck<kMovedHoleIsSoftClean>},
    {"grown_region_is_soft_clean", "A defect of 6.1: mremap() adds memory, and marks nothing.",
     struck<kGrownRegionIsSoftClean>},
    {"merge_loses_soft_dirty", "A defect of 6.1: a merge of VMAs forgets what was soft-dirty.",
     struck<kMergeLosesSoftDirty>},
    {"open_entry_stays_open", "A defect of 6.1: clear_refs leaves an entry writable.",
     struck<kOpenEntryStaysOpen>},
    {"split_zero_page_is_soft_clean", "A defect of 6.1: a split forgets that a zero page is new.",
     struck<kSplitZeroPageIsSoftClean>},
    {"drift", "NR_ANON_MAPPED has drifted.",
     [](const TheMachine& t) { return t.m.anon_mapped_drift > 0; }},
    {"huge_zero_in_two", "Two address spaces map the huge zero page.",
     [](const TheMachine& t) {
       int mms = 0;
       for (int mm = 0; mm < t.m.geometry.mms; ++mm) mms += t.r.mm(mm).huge_zero > 0;
       return mms >= 2;
     }},
    {"huge_zero_unused", "The huge zero page waits for its shrinker.",
     [](const TheMachine& t) { return t.m.huge_zero_refcount == 1; }},
    {"huge_zero_of_the_dead_parent", "A child alone uses the huge zero page.",
     [](const TheMachine& t) { return !t.m.mms[0].alive && t.m.huge_zero_refcount == 2; }},
    {"two_queued", "Two folios are queued for splitting.",
     [](const TheMachine& t) { return t.m.deferred_len >= 2; }},
    {"memory_full", "No block of memory is free.",
     [](const TheMachine& t) {
       return std::ranges::none_of(t.r.used_frames(), [](int used) { return used == 0; });
     }},
    {"swap_full", "Every slot of the device is in use.",
     [](const TheMachine& t) {
       for (int i = 0; i < t.m.geometry.swap_slots(); ++i)
         if (t.m.swap(Slot(i)).count == 0 && t.m.swap(Slot(i)).cache == kNoPfn) return false;
       return t.m.swap_on && t.m.geometry.swap_slots() > 0;
     }},
    {"closed_file_mapped", "A file that is closed is mapped still.",
     [](const TheMachine& t) {
       return std::ranges::any_of(t.m.inodes, [](const Inode& i) { return i.alive && !i.open; });
     }},
    {"page_beyond_the_size", "A file has a page beyond its size.",
     [](const TheMachine& t) {
       for (int id = 0; id < t.m.geometry.inodes; ++id)
         for (int index = t.m.inodes[std::size_t(id)].i_size; index < t.m.pages(); ++index)
           if (t.m.cell(id, index).is_folio()) return true;
       return false;
     }},
    {"two_on_the_shrinklist", "Two files may have a huge page that reaches beyond their end.",
     [](const TheMachine& t) { return t.m.shm_mnt.shrinklist_len == 2; }},
    {"many_vmas", "An address space has four VMAs or more.",
     [](const TheMachine& t) {
       return std::ranges::any_of(t.m.mms, [](const Mm& mm) { return mm.map_count >= 4; });
     }},
    {"childs_anon_vma_outlives_parent",
     "The parent's VMAs are gone, its anon_vma serves the child.",
     [](const TheMachine& t) {
       return std::ranges::any_of(t.m.anon_vmas, [](const AnonVma& a) {
         return a.used && a.num_active_vmas == 0 && a.num_children > 0;
       });
     }},
};

}  // namespace thp
