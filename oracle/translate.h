// From an address to what serves it, looked up by the oracle itself.
#pragma once
#include "model/machine.h"

namespace thp {

// A PMD that maps a huge page, the huge zero page, or one that migrates.
inline bool is_huge(const Entry& pmd) { return !pmd.is_none() && !pmd.is_table(); }

inline bool maps_a_file(const Machine& m, const Entry& entry) {
  return entry.is_present() && entry.frame < m.frames() && is_file_page(m, entry.frame);
}

// The huge page behind an index of a file; kNoPfn: there is a small page, or none.
inline Pfn huge_page_behind(const Machine& m, Cell cell) {
  if (!cell.is_folio() || cell.frame >= m.frames()) return kNoPfn;
  const Pfn folio = page_folio(m, cell.frame);
  return folio_test_large(m, folio) ? folio : kNoPfn;
}

inline bool is_in_use(const SwapSlot& slot) { return slot.count != 0 || slot.cache != kNoPfn; }

// The entry that translates a page: its PMD, or its PTE where there is a table.
inline const Entry& entry_of(const Machine& m, int mm, int page) {
  const Entry& pmd = m.pmd(mm, pmd_index(m, page));
  return pmd.is_table() ? m.pte(mm, page) : pmd;
}

// How far the page lies behind the frame in its entry.
inline int offset_in_entry(const Machine& m, int mm, int page) {
  return m.pmd(mm, pmd_index(m, page)).is_table() ? 0 : page - pmd_first(m, page);
}

// The sub-page mapped at a page; kNoPfn if none is, or a zero page.
inline Pfn mapped_frame(const Machine& m, int mm, int page) {
  const Entry& entry = entry_of(m, mm, page);
  const int pfn = entry.frame + offset_in_entry(m, mm, page);
  return entry.is_present() && pfn < m.frames() ? Pfn(pfn) : kNoPfn;
}

// How often the kernel tells that a page is mapped: v6.1 include/linux/mm.h: page_mapcount(). What
// is told of a huge page's part that only migration entries lead to is 0, too.
inline int told_mapcount(const Machine& m, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  const int own = m.page(pfn).mapcount + 1;
  if (!folio_test_large(m, folio) || !test(m, folio, PG_anon)) return own;
  return own + m.compound(folio).mapcount + 1 - m.compound(folio).double_map;
}

// sysctl_max_map_count: three less than there is room for. Where each page has room for a VMA of
// its own there is no limit.
inline int map_count_limit(const Machine& m) {
  return m.max_map_count() < m.pages() ? m.max_map_count() - 3 : m.pages() + 1;
}

// mm->locked_vm and NR_MLOCK, which the model does not keep.
inline int locked_vm(const Machine& m, int mm) {
  int pages = 0;
  for (const Vma& vma : m.vmas(mm))
    if (vma.has(VM_LOCKED)) pages += vma.end - vma.start;
  return pages;
}
inline int nr_mlock(const Machine& m) {
  int pages = 0;
  for (int pfn = 0; pfn < m.frames(); ++pfn) pages += test(m, page_folio(m, Pfn(pfn)), PG_mlocked);
  return pages;
}

inline const Vma* vma_at(const Machine& m, int mm, int page) {
  for (const Vma& vma : m.vmas(mm))
    if (vma.covers(page)) return &vma;
  return nullptr;
}

// A page of a file's mapping that the file does not reach to.
inline bool is_beyond_its_file(const Machine& m, int mm, int page) {
  const Vma* vma = vma_at(m, mm, page);
  return vma != nullptr && !vma->is_anonymous() &&
         vma->index_of(page) >= m.inodes[vma->file].i_size;
}

}  // namespace thp
