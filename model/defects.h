// What is known to be wrong in Linux 6.1 itself. The machine does what the kernel does up to the
// moment a defect strikes; what comes after it says nothing, so the judge ends the trace there.
#pragma once
#include <array>

namespace thp {

struct Defect {
  const char* name;
  const char* sentence;
  const char* source;
};

inline constexpr Defect kStrandedMigrationEntries{
    "stranded_migration_entries",
    "The end of a migration looks for its entries up to the first huge PMD: where a collapse has "
    "put one over part of a misaligned folio's range, those behind it stay for ever, and lead to "
    "a freed page.",
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

inline constexpr std::array kDefects{&kStrandedMigrationEntries, &kLazyfreeOfASharedPage,
                                     &kLazyfreeOfASwappedPage};

}  // namespace thp
