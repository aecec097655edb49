// Address spaces: VMAs, their merging and splitting, fork and exit.
// v6.1 mm/mmap.c, mm/mprotect.c, mm/mremap.c, mm/mlock.c, kernel/fork.c, fs/proc/task_mmu.c.
#pragma once
#include "model/machine.h"

namespace thp {

Vma* find_vma(Machine& m, int mm, int page);    // the first that ends above page, or nullptr
Vma* vma_lookup(Machine& m, int mm, int page);  // the one that covers page, or nullptr

// System calls: 0 or -errno.
int do_mmap(Machine& m, int mm, int start, int end, std::uint32_t prot);  // MAP_FIXED
// Of a file that is open, from page `offset` of it on.
int do_mmap_file(Machine& m, int mm, int start, int end, std::uint32_t prot, bool shared, int inode,
                 int offset);
// Without MAP_FIXED. -EEXIST: something is there, and what is mapped elsewhere is unmapped at once.
int do_mmap_hint(Machine& m, int mm, int start, int end, std::uint32_t prot);
int do_munmap(Machine& m, int mm, int start, int end);
void fput(Machine& m, int inode);  // evicts a file that is neither open nor mapped any more
int do_mprotect(Machine& m, int mm, int start, int end, std::uint32_t prot);
// MREMAP_FIXED, to `new_len` pages
int do_mremap(Machine& m, int mm, int start, int end, int new_start, int new_len);
int do_mremap_dontunmap(Machine& m, int mm, int start, int end, int new_start);
int do_mremap_resize(Machine& m, int mm, int start, int end, int new_len);  // in place
int do_mlock(Machine& m, int mm, int start, int end);
int do_munlock(Machine& m, int mm, int start, int end);
int dup_mm(Machine& m, int parent, int child);  // fork
void exit_mm(Machine& m, int mm);
void clear_soft_dirty(Machine& m, int mm);  // echo 4 > /proc/PID/clear_refs

// Gives [start, end), inside the VMA at index `i`, new flags: merges or splits as vma_merge() and
// __split_vma() would. Returns the index of the VMA that now covers start, or -errno.
int vma_modify(Machine& m, int mm, int i, int start, int end, std::uint32_t flags);

// PG_mlocked. v6.1 mm/mlock.c.
void mlock_new_page(Machine& m, Pfn folio);
void mlock_vma_page(Machine& m, Pfn pfn, const Vma& vma, bool compound);
void mlock_file_page(Machine& m, Pfn pfn, const Vma& vma, bool compound);
void munlock_vma_page(Machine& m, Pfn pfn, const Vma& vma, bool compound);
void lru_cache_add_inactive_or_unevictable(Machine& m, Pfn folio, const Vma& vma);

}  // namespace thp
