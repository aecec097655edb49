// Collapse, its second half: the pages below one page table are isolated and copied.
// v6.1 mm/khugepaged.c, the anonymous half.
#include <algorithm>

#include "model/mm/huge_memory.h"
#include "model/mm/khugepaged.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"
#include "model/mm/vmscan.h"

namespace thp {
namespace {

bool none_or_zero(Entry pte) { return pte.is_none() || pte.is_zero(); }

// v6.1 mm/khugepaged.c: release_pte_page()
void release_pte_page(Machine& m, Pfn folio) {
  unlock_page(m, folio);
  folio_putback_lru(m, folio);
}

// v6.1 mm/khugepaged.c: release_pte_pages(), of pages [first, end)
void release_pte_pages(Machine& m, int mm, int first, int end, const FolioList& compound_pages) {
  for (int page = end - 1; page >= first; --page) {
    const Entry pte = m.pte(mm, page);
    if (!none_or_zero(pte) && !test(m, pte.frame, PG_head | PG_tail))
      release_pte_page(m, pte.frame);
  }
  for (const Pfn folio : compound_pages) release_pte_page(m, folio);
}

// The part of __collapse_huge_page_isolate() for a folio that it meets for the first time.
Reason lock_and_isolate(Machine& m, Pfn folio) {
  if (!trylock_page(m, folio)) return Reason::SCAN_PAGE_LOCK;
  const bool suitable = is_refcount_suitable(m, folio);
  if (suitable && folio_isolate_lru(m, folio)) return Reason::SCAN_SUCCEED;
  unlock_page(m, folio);
  return suitable ? Reason::SCAN_DEL_PAGE_LRU : Reason::SCAN_PAGE_COUNT;
}

// v6.1 mm/khugepaged.c: __collapse_huge_page_isolate(). On success every folio below the table is
// locked and off the LRU, a compound one once, however many of its sub-pages are mapped here.
Reason isolate_pages(Machine& m, int mm, int first, FolioList& compound_pages) {
  const int end = first + m.hpage_nr();
  Reason result = Reason::SCAN_SUCCEED;
  bool writable = false;
  int page = first;
  for (; page < end; ++page) {
    const Entry pte = m.pte(mm, page);
    if (none_or_zero(pte)) continue;
    if (!pte.is_present()) {
      result = Reason::SCAN_PTE_NON_PRESENT;
      break;
    }
    const Pfn folio = page_folio(m, pte.frame);
    const bool compound = folio_test_large(m, folio);
    if (!compound || std::ranges::find(compound_pages, folio) == compound_pages.end()) {
      result = lock_and_isolate(m, folio);
      if (result != Reason::SCAN_SUCCEED) break;
      if (compound) compound_pages.push_back(folio);
    }
    writable |= pte.has(kWrite);
  }
  if (page == end && !writable) result = Reason::SCAN_PAGE_RO;
  if (result != Reason::SCAN_SUCCEED) release_pte_pages(m, mm, first, page, compound_pages);
  return result;
}

// v6.1 mm/khugepaged.c: __collapse_huge_page_copy(). Compound sources are let go at the end; those
// that nobody else maps are freed then, after the last PTE queued them for splitting.
void copy_pages(Machine& m, int mm, const Vma& vma, int first, Pfn hpage,
                const FolioList& compound_pages) {
  for (int i = 0; i < m.hpage_nr(); ++i) {
    const Entry pte = m.pte(mm, first + i);
    if (none_or_zero(pte)) {
      ++m.mms[std::size_t(mm)].anon_pages;
      m.set_pte(mm, first + i, {});
      continue;
    }
    m.page(Pfn(hpage + i)).content = m.page(pte.frame).content;
    if (!test(m, pte.frame, PG_head | PG_tail)) release_pte_page(m, pte.frame);
    m.set_pte(mm, first + i, {});
    page_remove_rmap(m, pte.frame, vma, false);
    free_page_and_swap_cache(m, pte.frame);
  }
  for (const Pfn folio : compound_pages) {
    unlock_page(m, folio);
    free_swap_cache(m, folio);
    folio_putback_lru(m, folio);
  }
}

}  // namespace

// v6.1 mm/khugepaged.c: is_refcount_suitable(). Every reference is a mapping's or the swap cache's.
bool is_refcount_suitable(const Machine& m, Pfn folio) {
  const int cache_refs = folio_test_swapcache(m, folio) ? folio_nr_pages(m, folio) : 0;
  return m.page(folio).refcount == total_mapcount(m, folio) + cache_refs;
}

// v6.1 mm/khugepaged.c: collapse_huge_page(), under the mmap write lock. The table is out of the
// page tables while its pages are isolated and copied; then it is the huge PMD's deposit.
Reason replace_table(Machine& m, int mm, const Vma& vma, int first, Pfn hpage) {
  const int i = pmd_index(m, first);
  const Entry table = m.pmd(mm, i);
  m.set_pmd(mm, i, {});  // pmdp_collapse_flush()
  FolioList compound_pages;
  const Reason result = isolate_pages(m, mm, first, compound_pages);
  if (result != Reason::SCAN_SUCCEED) {
    m.set_pmd(mm, i, table);
    return result;
  }
  copy_pages(m, mm, vma, first, hpage, compound_pages);
  set(m, hpage, PG_uptodate);
  page_add_new_anon_rmap(m, hpage, vma, first, true);
  lru_cache_add_inactive_or_unevictable(m, hpage, vma);
  pgtable_trans_huge_deposit(m, mm);
  const int write = vma.has(VM_WRITE) ? kWrite : 0;
  m.set_pmd(mm, i, {EntryKind::present, std::uint8_t(kYoung | kMkDirty | write), hpage});
  return result;
}

}  // namespace thp
