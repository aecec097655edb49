// The huge PMD and the huge folio. v6.1 mm/huge_memory.c.
#pragma once
#include "model/machine.h"

namespace thp {

// vm_fault_t. fallback: go on by PTEs; retry: it had to wait for a page lock, nothing is mapped.
enum class Fault : std::uint8_t { done, fallback, oom, sigbus, retry };

// --- Eligibility: hugepage_vma_check() of the page fault and of MADV_COLLAPSE; the block suits.
bool hugepage_vma_check(const Machine& m, int mm, const Vma& vma, bool in_pf, bool enforce_sysfs);
bool transhuge_vma_suitable(const Machine& m, const Vma& vma, int page);

// --- Faults on a PMD.
Fault do_huge_pmd_anonymous_page(Machine& m, int mm, Vma& vma, int page, bool write);
Fault do_huge_pmd_wp_page(Machine& m, int mm, Vma& vma, int page, bool unshare);
void huge_pmd_set_accessed(Machine& m, int mm, int page, bool write);

// --- The huge zero page: counted once for each address space that has used it.
bool mm_get_huge_zero_page(Machine& m, int mm);  // false: none could be allocated
void mm_put_huge_zero_page(Machine& m, int mm);
int shrink_huge_zero_page(Machine& m);  // pages freed

// --- Whole PMDs.
void set_huge_zero_page(Machine& m, int mm, int pmd);
bool copy_huge_pmd(Machine& m, int dst_mm, int src_mm, int pmd, Vma& dst,
                   Vma& src);  // false: go on by PTEs
void zap_huge_pmd(Machine& m, int mm, const Vma& vma, int pmd);
// mprotect: takes write away, and gives it only where the protection of what is shared does.
void change_huge_pmd(Machine& m, int mm, const Vma& vma, int pmd);
bool move_huge_pmd(Machine& m, int mm, int old_pmd, int new_pmd);
bool madvise_free_huge_pmd(Machine& m, int mm, const Vma& vma, int page, int end);
void pgtable_trans_huge_deposit(Machine& m, int mm);
void pgtable_trans_huge_withdraw(Machine& m, int mm);

// --- Splitting a PMD: the mapping only. `folio`: only if the PMD maps it; kNoPfn: any.
void split_huge_pmd(Machine& m, int mm, const Vma& vma, int page, bool freeze = false,
                    Pfn folio = kNoPfn);
void vma_adjust_trans_huge(Machine& m, int mm, const Vma& vma, int start, int end, int adjust_next);

// --- Splitting a folio (huge_memory_split.cc). 0, or -EBUSY or -EAGAIN; m.reason says why. The
// folio is locked and the caller holds one reference. With `to_list`, tails carry the caller's
// isolation reference instead of going to the LRU.
bool can_split_folio(const Machine& m, Pfn folio);
int split_huge_page(Machine& m, Pfn page, bool to_list = false);
// The folio of `page`, which keeps lock and reference through the split. false: it could not be.
bool trylock_and_split(Machine& m, Pfn page);
void deferred_split_huge_page(Machine& m, Pfn head);
int deferred_split_scan(Machine& m);  // folios split
// debugfs; folios split
int split_huge_pages_pid(Machine& m, int mm, int start, int end);
int split_huge_pages_in_file(Machine& m, int inode, int start, int end);

}  // namespace thp
