// The rules, each with its source.
#include <array>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

constexpr std::array<AnswerRule, kRules> kTable = {{
    {"a large folio that somebody holds is not split",
     "mm/huge_memory.c: can_split_folio(): a reference beyond mappings and swap cache"},
    {"split_folio splits a folio that only mappings and the swap cache refer to",
     "mm/huge_memory.c: split_huge_pages_pid(), split_huge_page_to_list()"},
    {"a folio that is held, unmapped or under writeback is not split",
     "mm/huge_memory.c: split_huge_page_to_list(): -EBUSY, -EAGAIN"},
    {"an attempt to split a folio that is held does not even split its PMDs",
     "mm/huge_memory.c: split_huge_page_to_list(): can_split_folio() comes first"},
    {"shrink_deferred splits every queued folio that can be split, and says how many",
     "mm/huge_memory.c: deferred_split_scan()"},
    {"an access to a page that nobody else refers to does not move it",
     "mm/memory.c: do_wp_page(), mm/huge_memory.c: do_huge_pmd_wp_page(): reuse"},
    {"a store to a page that somebody else refers to, or a pin of it, gets another page",
     "mm/memory.c: do_wp_page(), mm/huge_memory.c: do_huge_pmd_wp_page(): copy"},
    {"a coherent pin holds the frame that its owner maps",
     "include/linux/mm.h: gup_must_unshare(), page_needs_cow_for_dma()"},
    {"after mlock() every page of the range is there, writable ones unshared",
     "mm/gup.c: populate_vma_page_range()"},
    {"reclaim takes no page out of a locked VMA", "mm/rmap.c: try_to_unmap_one(): VM_LOCKED"},
    {"after madvise_collapse succeeded, every huge page's range in it is mapped by a PMD",
     "mm/khugepaged.c: madvise_collapse()"},
    {"madvise_collapse fails over a page that somebody holds",
     "mm/khugepaged.c: is_refcount_suitable(), SCAN_PAGE_COUNT"},
    {"reclaim frees no folio that somebody holds",
     "mm/vmscan.c: shrink_folio_list(), __remove_mapping()"},
    {"a folio is isolated once", "mm/vmscan.c: folio_isolate_lru()"},
    {"a folio that somebody holds does not migrate",
     "mm/migrate.c: folio_migrate_mapping(): -EAGAIN"},
    {"migrate_end without a migration is EINVAL", "the op's own"},
    {"swapon succeeds while swap is off, if the device has slots",
     "mm/swapfile.c: sys_swapon(): -EBUSY; read_swap_header(): -EINVAL"},
    {"swapoff fails while swap is off", "mm/swapfile.c: sys_swapoff(): -EINVAL"},
    {"after swapoff no page is swapped out or cached, and without swapped pages it succeeds",
     "mm/swapfile.c: try_to_unuse()"},
    {"after writeback_end nothing is under writeback", "mm/page_io.c: end_swap_bio_write()"},
    {"the huge zero page is freed when no address space uses it, and only then",
     "mm/huge_memory.c: shrink_huge_zero_page_scan()"},
    {"a folio that only mappings and the swap cache refer to migrates, if there is memory",
     "mm/migrate.c: folio_expected_refs(), migrate_pages()"},
    {"after munlock() a page is mlocked only where another locked VMA maps it",
     "mm/mlock.c: munlock_folio(), __munlock_page()"},
    {"after clear_refs only a pinned page is soft-dirty, or writable",
     "fs/proc/task_mmu.c: clear_soft_dirty(), clear_soft_dirty_pmd(), pte_is_pinned()"},
    {"a page that mremap() has moved is soft-dirty, unless a whole page table moved",
     "mm/mremap.c: move_soft_dirty_pte(), move_normal_pmd(); mm/huge_memory.c: move_huge_pmd()"},
    {"reclaim unmaps a page that nobody holds, locks or has used, if there is a slot for it",
     "mm/vmscan.c: shrink_folio_list()"},
    {"a page that was stored to since MADV_FREE is an ordinary one, once reclaim has seen it",
     "mm/rmap.c: try_to_unmap_one(): folio_set_swapbacked()"},
    {"no fault maps a huge page where VM_NOHUGEPAGE or the setting forbids it",
     "mm/huge_memory.c: hugepage_vma_check()"},
    {"munmap() of the middle of a VMA fails if there are sysctl_max_map_count VMAs",
     "mm/mmap.c: do_mas_align_munmap()"},
    {"a page that is exclusive stays so, except over fork()",
     "include/linux/rmap.h: page_try_share_anon_rmap(); mm/memory.c: do_swap_page()"},
    {"a page that is soft-dirty stays so until that is cleared",
     "include/linux/pgtable.h: pte_swp_mksoft_dirty()"},
    {"a writable PTE of a pinned page stays so, except over mprotect() and mmap()",
     "fs/proc/task_mmu.c: pte_is_pinned(); mm/memory.c: page_needs_cow_for_dma()"},
}};

}  // namespace

std::span<const AnswerRule> answer_rules() { return kTable; }

}  // namespace thp
