// The entries by which one VMA maps a folio, or would again once its migration ends.
// v6.1 mm/page_vma_mapped.c. Left out: page-table locks, hugetlb, device entries.
#pragma once
#include <algorithm>

#include "model/args.h"

namespace thp {

enum class Walk : std::uint8_t { present, migration };  // migration: PVMW_MIGRATION

// v6.1 mm/page_vma_mapped.c: page_vma_mapped_walk(), check_pmd(), check_pte()
// Calls visit(page, pmd_mapped) -> bool "go on" for each PMD or PTE of `vma`, from address `page`
// (what rmap_walk() hands out) upwards, that maps a sub-page of `folio`. A visitor may change
// the entry it was called for. A huge PMD ends the walk whatever it maps: also where the folio,
// moved to a misaligned address, has further sub-pages below the next PMD. Returns the pages that
// it has not come to for that reason.
template <class Visit>
PageRange page_vma_mapped_walk(Machine& m, int mm, const Vma& vma, int page, Pfn folio, Walk walk,
                               Visit visit) {
  const EntryKind kind = walk == Walk::migration ? EntryKind::migration : EntryKind::present;
  const int nr_pages = folio_nr_pages(m, folio);
  const int last_index = m.page(folio).index + nr_pages;
  const int end =
      nr_pages == 1 ? page + 1 : std::min<int>(vma.end, vma.start + last_index - vma.pgoff);
  const auto maps = [&](const Entry& entry, int pages) {
    return entry.is(kind) && entry.frame < folio + nr_pages && entry.frame + pages > folio;
  };
  while (page < end) {
    const Entry pmd = m.pmd(mm, pmd_index(m, page));
    if (pmd.is_none()) {
      page = pmd_first(m, page) + m.hpage_nr();
      continue;
    }
    if (!pmd.is_table()) {
      if (maps(pmd, m.hpage_nr())) visit(page, true);
      return {std::min(pmd_first(m, page) + m.hpage_nr(), end), end};
    }
    if (maps(m.pte(mm, page), 1) && !visit(page, false)) return {end, end};
    ++page;
  }
  return {end, end};
}

}  // namespace thp
