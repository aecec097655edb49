// Faults by PTE, copying at fork, zapping. v6.1 mm/memory.c.
#pragma once
#include "model/mm/huge_memory.h"

namespace thp {

enum class Access : std::uint8_t { read, write, unshare };

// handle_mm_fault(): one round of the fault on `page` of a VMA that permits the access. `done` may
// have to be retried: callers loop until the entry serves the access.
Fault handle_mm_fault(Machine& m, int mm, Vma& vma, int page, Access access);

// The sub-page that serves an access at `page`, or kNoPfn. m.zero_pfn() and sub-pages of the huge
// zero page count; swap and migration entries do not.
Pfn follow_pfn(const Machine& m, int mm, int page);
bool entry_writable(const Machine& m, int mm, int page);
// What a hardware access leaves in the entry: young, and with a write dirty and soft-dirty.
void touch_entry(Machine& m, int mm, int page, bool write);

void pte_alloc(Machine& m, int mm, int pmd);  // a page table where the PMD is none
bool copy_page_range(Machine& m, int dst_mm, int src_mm, Vma& dst, Vma& src);  // false: -ENOMEM
void zap_page_range(Machine& m, int mm, const Vma& vma, int start, int end,
                    bool even_cows = true);  // else only pages of its file
// Zaps what maps pages [start, end) of a file, wherever; `even_cows`: private copies, too.
void unmap_mapping_range(Machine& m, int inode, int start, int end, bool even_cows);
void free_pgtables(Machine& m, int mm);  // page tables that no VMA needs any more
Fault do_fault(Machine& m, int mm, Vma& vma, int page, bool write);  // of a file, where none was
void do_set_pte(Machine& m, int mm, const Vma& vma, int page, Pfn pfn, bool write);
bool do_set_pmd(Machine& m, int mm, const Vma& vma, int page, Pfn folio, bool write);
Fault do_wp_page(Machine& m, int mm, Vma& vma, int page, bool unshare);
// A charged order-0 page that holds `content`, or kNoPfn; and its first mapping.
Pfn new_anon_page(Machine& m, std::uint8_t content);
void map_new_anon_page(Machine& m, int mm, const Vma& vma, int page, Pfn pfn, std::uint8_t bits);
Fault wp_page_shared(Machine& m, int mm, Vma& vma, int page);
// The write bit, if the VMA may be written.
inline std::uint8_t maybe_mkwrite(const Vma& vma) { return vma.has(VM_WRITE) ? kWrite : 0; }
void wp_page_reuse(Machine& m, int mm, const Vma& vma, int page);
Fault do_swap_page(Machine& m, int mm, Vma& vma, int page, Access access);
void migration_entry_wait(Machine& m, Pfn pfn);  // lets the migration in flight finish

}  // namespace thp
