// What is known to be wrong in Linux 6.1 itself. The machine does what the kernel does. Where a
// defect strikes the trace ends, as what comes after it says nothing; or, of those that leave
// memory as it should be, the promise that it breaks is not asked of the places that it struck,
// until an op makes it anew.
#pragma once
#include <array>

namespace thp {

struct Defect {
  const char* name;
  const char* sentence;
  const char* source;
};

// --- The trace ends.

inline constexpr Defect kStrandedMigrationEntries{
    "stranded_migration_entries",
    "The end of a migration looks for its entries up to the first huge PMD: where a collapse or a "
    "fault has put one over part of a misaligned folio's range, those behind it stay for ever, and "
    "lead to a freed page.",
    "mm/page_vma_mapped.c page_vma_mapped_walk() with PVMW_MIGRATION; the next fault meets "
    "BUG_ON() in include/linux/swapops.h pfn_swap_entry_to_page()"};

inline constexpr Defect kLazyfreeOfASharedPage{
    "lazyfree_of_a_shared_page",
    "MADV_FREE asks who else maps a page only if it is dirty or in the swap cache, and trusts in "
    "the dirty bits of the others. A copy made for a read-only pin has none: after a fork, reclaim "
    "may take it from those who gave nothing away.",
    "mm/madvise.c madvise_free_pte_range(); mm/memory.c wp_page_copy() with FAULT_FLAG_UNSHARE, "
    "which does not make the PTE dirty; mm/rmap.c try_to_unmap_one(), discard"};

inline constexpr Defect kLazyfreeOfASwappedPage{
    "lazyfree_of_a_swapped_page",
    "MADV_FREE of a huge page asks how often it is mapped, but not whether it is in the swap "
    "cache: whoever has swap entries for it finds slots that were never written, once reclaim has "
    "taken the page, which is clean now.",
    "mm/huge_memory.c madvise_free_huge_pmd(), which clears the dirty flag without a "
    "try_to_free_swap() as in mm/madvise.c madvise_free_pte_range()"};

inline constexpr Defect kHugePageBeyondTheEnd{
    "huge_page_beyond_the_end",
    "A huge page of tmpfs that reaches beyond the end of its file is mapped whole: a touch of what "
    "lies beyond is no SIGBUS, as mmap(2) says, and what is stored there is in the file once it "
    "grows, where ftruncate(2) says zeroes.",
    "mm/filemap.c filemap_map_pmd(), mm/memory.c do_set_pmd(); mm/truncate.c "
    "try_folio_split_or_unmap(), which makes an exception of tmpfs"};

inline constexpr Defect kTruncationStopsShort{
    "truncation_stops_short",
    "Where a huge page across the new end of a tmpfs file cannot be split, ftruncate() leaves out "
    "what it has found locked behind it: once the file grows, the old bytes are there again, where "
    "ftruncate(2) says zeroes.",
    "mm/shmem.c shmem_undo_range(): same_folio, which takes an end of -1 for one before the folio"};

// --- The trace goes on.

inline constexpr Defect kFailedMlockKeepsLocks{
    "failed_mlock_keeps_locks",
    "mlock() or munlock() that fails, for a hole or for want of memory, has locked or unlocked "
    "what lies before it. mlock(2) says that no lock changes then.",
    "mm/mlock.c do_mlock(), apply_vma_lock_flags()"};

// Of what is told of memory, and of what is not freed: read off a state, so that none strikes.

inline constexpr Defect kHeadSpeaksForAll{
    "head_speaks_for_all",
    "Of a huge page that a PMD maps pagemap asks how often its first page is mapped, and tells all "
    "by that: once others map a part of it, what they share is told exclusive, or what is "
    "exclusive is told shared.",
    "fs/proc/task_mmu.c pagemap_pmd_range()"};

inline constexpr Defect kPartlyMappedIsForgotten{
    "partly_mapped_is_forgotten",
    "A huge page of which a part is unmapped is queued to be split, but for two cases: in the swap "
    "cache it is not queued, and a migration takes it off the queue for good. The memory that "
    "nobody can use stays until reclaim comes by.",
    "mm/huge_memory.c deferred_split_huge_page(): PageSwapCache; mm/migrate.c, which frees the "
    "source, by free_transhuge_page(), and does not queue the target"};

inline constexpr Defect kAnonPagesDrifts{
    "anon_pages_drifts",
    "AnonPages counts twice what a PMD and PTEs map without DoubleMap: where a migration puts the "
    "PMD back beside PTEs, and where the head is read back from swap while a PMD maps it. When "
    "that PMD is split, the surplus stays for ever.",
    "mm/rmap.c page_add_anon_rmap(); mm/huge_memory.c remove_migration_pmd(), "
    "__split_huge_pmd_locked()"};

// Of soft-dirty: a program that dumps only what has changed since its last clear_refs misses a
// change. clear_refs, or a new mapping, makes the promise anew.

inline constexpr Defect kMovedTableIsSoftClean{
    "moved_table_is_soft_clean",
    "mremap() of a whole page table marks nothing: where other bytes are now, the tracker is told "
    "of no change. A move by PTEs, or of a huge page, marks what it moves.",
    "mm/mremap.c move_normal_pmd(), since 2c91bd4a4e2e (5.0)"};

inline constexpr Defect kMovedHoleIsSoftClean{
    "moved_hole_is_soft_clean",
    "mremap() of memory that nothing is mapped at makes the place zeroes, and the tracker is told "
    "of no change: there is no entry to mark, and the VMA is not.",
    "mm/mremap.c move_ptes(), mm/mmap.c copy_vma()"};

inline constexpr Defect kGrownRegionIsSoftClean{
    "grown_region_is_soft_clean",
    "What mremap() adds to a mapping is not told as new, as what mmap() makes is.",
    "mm/mmap.c copy_vma()"};

inline constexpr Defect kMergeLosesSoftDirty{
    "merge_loses_soft_dirty",
    "VMAs that differ by VM_SOFTDIRTY alone become one, and that may be without it: what was "
    "mapped, or stored to, in the other part since clear_refs is told no more, nor are its next "
    "stores.",
    "mm/mmap.c is_mergeable_vma(), since 34228d473efe (3.14); mm/madvise.c madvise_update_vma(), "
    "mm/mprotect.c mprotect_fixup(), mm/mlock.c mlock_fixup()"};

inline constexpr Defect kOpenEntryStaysOpen{
    "open_entry_stays_open",
    "clear_refs leaves a writable migration entry writable, and a writable PTE of a pinned page: "
    "the next store meets no fault, and is not told.",
    "fs/proc/task_mmu.c clear_soft_dirty(), clear_soft_dirty_pmd(), pte_is_pinned()"};

inline constexpr Defect kSplitZeroPageIsSoftClean{
    "split_zero_page_is_soft_clean",
    "Where a huge zero page that mremap() has moved is split its PTEs are not soft-dirty: a place "
    "that became zeroes is told clean.",
    "mm/huge_memory.c __split_huge_zero_page_pmd()"};

inline constexpr Defect kUnmappedFilePageIsSoftClean{
    "unmapped_file_page_is_soft_clean",
    "A page of a file that the kernel unmaps for ends of its own, as where it splits a huge page "
    "or its mapping, comes back by a fault that marks nothing: what was stored is told clean.",
    "mm/huge_memory.c __split_huge_pmd_locked(), unmap_folio(); mm/rmap.c try_to_unmap_one()"};

// None of Linux, but of this model: what it does not know yet ends a trace, too.
inline constexpr Defect kNotModelled{
    "not_modelled",
    "Reclaim, migration, collapse and references of pages of files are not in the model yet.", ""};

inline constexpr std::array kDefects{
    &kFailedMlockKeepsLocks,    &kStrandedMigrationEntries, &kLazyfreeOfASharedPage,
    &kLazyfreeOfASwappedPage,   &kMovedTableIsSoftClean,    &kMovedHoleIsSoftClean,
    &kGrownRegionIsSoftClean,   &kMergeLosesSoftDirty,      &kOpenEntryStaysOpen,
    &kSplitZeroPageIsSoftClean, &kHeadSpeaksForAll,         &kPartlyMappedIsForgotten,
    &kAnonPagesDrifts,          &kHugePageBeyondTheEnd,     &kUnmappedFilePageIsSoftClean,
    &kTruncationStopsShort};

}  // namespace thp
