// Fault-around: mapping what is in the page cache already. v6.1 mm/filemap.c.
#include <algorithm>

#include "model/args.h"
#include "model/mm/filemap.h"
#include "model/mm/memory.h"
#include "model/mm/page_alloc.h"

namespace thp {
namespace {

// v6.1 mm/filemap.c: next_uptodate_page(). The folio behind the index, if it can be mapped as it
// is: locked, and with a reference. `next` becomes the index behind the folio.
Pfn next_uptodate_page(Machine& m, int inode, int index, int& next) {
  next = index + 1;
  const Cell cell = index < m.pages() ? m.cell(inode, index) : Cell{};
  if (!cell.is_folio()) return kNoPfn;
  const Pfn folio = page_folio(m, cell.frame);
  next = m.page(folio).index + folio_nr_pages(m, folio);
  if (test(m, folio, PG_locked) || !test(m, folio, PG_uptodate) || !trylock_page(m, folio))
    return kNoPfn;
  if (index < m.inodes[std::size_t(inode)].i_size) {
    get_page(m, folio);
    return folio;
  }
  unlock_page(m, folio);
  return kNoPfn;
}

// v6.1 mm/filemap.c: filemap_map_pmd(), before there are any PTEs. true: nothing is left to do.
bool filemap_map_pmd(Machine& m, int mm, const Vma& vma, int page, Pfn folio) {
  const Entry pmd = m.pmd(mm, pmd_index(m, page));
  const bool huge = !pmd.is_none() && !pmd.is_table();
  if (huge) put_page(m, folio);
  return huge || (pmd.is_none() && do_set_pmd(m, mm, vma, page, folio, false));
}

// Pages of an address space that show one folio, from its page `pfn` on. true: so does `fault`.
bool map_pages_of(Machine& m, int mm, const Vma& vma, PageRange pages, Pfn pfn, int fault) {
  bool mapped = false;
  for (int page = pages.first; page < pages.end; ++page, ++pfn) {
    if (!m.pte(mm, page).is_none()) continue;
    get_page(m, pfn);
    do_set_pte(m, mm, vma, page, pfn, false);
    mapped = mapped || page == fault;
  }
  return mapped;
}

}  // namespace

// v6.1 mm/filemap.c: filemap_map_pages(). Only the first folio may be mapped by a PMD.
bool filemap_map_pages(Machine& m, int mm, const Vma& vma, int start, int end, int page) {
  const int shift = vma.start - vma.pgoff, size = m.inodes[vma.file].i_size;
  bool first = true, mapped = false;
  for (int index = start - shift, next; index + shift < end; index = next) {
    const Pfn folio = next_uptodate_page(m, vma.file, index, next);
    if (folio == kNoPfn) continue;
    const bool by_pmd = first && filemap_map_pmd(m, mm, vma, page, folio);
    if (!by_pmd) {
      pte_alloc(m, mm, pmd_index(m, page));
      const Pfn pfn = folio_file_page(m, folio, index);
      const int until = std::min({next, size, end - shift});
      mapped |= map_pages_of(m, mm, vma, {index + shift, until + shift}, pfn, page);
      put_page(m, folio);
    }
    unlock_page(m, folio);
    if (by_pmd) return true;
    first = false;
  }
  return mapped;
}

}  // namespace thp
