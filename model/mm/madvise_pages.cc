// MADV_FREE, MADV_COLD and MADV_PAGEOUT of the pages of one VMA. v6.1 mm/madvise.c.
// Left out: page_idle, the TLB, files. Advice on a part of a THP that only this address space maps
// splits the folio first; where the split fails, the rest of the page table gets no advice.
#include <algorithm>

#include "model/mm/huge_memory.h"
#include "model/mm/madvise.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swap.h"
#include "model/mm/swapfile.h"
#include "model/mm/vmscan.h"

namespace thp {
namespace {

// v6.1 mm/pagewalk.c: walk_pmd_range(). Calls pmd_entry(page, next) for each block of the range.
template <class PmdEntry>
void walk_page_range(const Machine& m, int start, int end, PmdEntry pmd_entry) {
  for (int page = start; page < end;) {
    const int next = std::min(pmd_first(m, page) + m.hpage_nr(), end);
    pmd_entry(page, next);
    page = next;
  }
}

void clear_bits(Machine& m, int mm, int page, std::uint8_t bits) {
  Entry pte = m.pte(mm, page);
  if (!pte.has(bits)) return;
  pte.bits &= std::uint8_t(~bits);
  m.set_pte(mm, page, pte);
}

// --- MADV_FREE.

// Takes the folio out of the swap cache and makes it clean, if this address space alone maps it.
bool clean_folio(Machine& m, Pfn folio) {
  if (!trylock_page(m, folio)) return false;
  const bool ours = total_mapcount(m, folio) == 1;
  const bool clean = ours && (!folio_test_swapcache(m, folio) || folio_free_swap(m, folio));
  if (clean) clear(m, folio, PG_dirty);
  unlock_page(m, folio);
  return clean;
}

// See defects.h. What any of its PTEs knows to be dirty, reclaim keeps. True also of a page given
// away before the fork, although nothing is lost then: the trace ends early.
bool is_clean_and_shared(Machine& m, Pfn folio) {
  constexpr Bits kTaken = PG_lru | PG_swapbacked;
  const bool taken = (m.page(folio).flags & kTaken) == kTaken && !test(m, folio, PG_unevictable);
  if (!taken || test(m, folio, PG_dirty | PG_swapcache) || total_mapcount(m, folio) == 1)
    return false;
  bool clean = true;
  rmap_walk(m, folio, [&](int mm, const Vma&, int page) {
    const Entry pte = m.pte(mm, page);
    return clean &= !(pte.is_present() && pte.frame == folio && pte.has(kDirty));
  });
  return clean;
}

// One PTE of madvise_free_pte_range(). false: the walk of this page table ends. Swapped-out pages
// are gone at once. Of a THP it asks how often its first page is mapped.
bool madvise_free_pte(Machine& m, int mm, int page) {
  const Entry pte = m.pte(mm, page);
  if (pte.is_swap()) {
    free_swap_and_cache(m, pte.frame);
    m.set_pte(mm, page, {});
    --m.mms[std::size_t(mm)].swap_entries;
    return true;
  }
  if (!pte.is_present()) return true;
  const Pfn folio = page_folio(m, pte.frame);
  if (folio_test_large(m, folio)) {
    if (page_mapcount(m, folio) != 1) return false;  // folio_estimated_sharers()
    return trylock_and_split(m, folio) && madvise_free_pte(m, mm, page);
  }
  if (is_clean_and_shared(m, folio)) m.defect = &kLazyfreeOfASharedPage;
  const bool in_use = folio_test_swapcache(m, folio) || test(m, folio, PG_dirty);
  if (in_use && !clean_folio(m, folio)) return true;
  clear_bits(m, mm, page, kYoung | kDirty);
  mark_page_lazyfree(m, folio);
  return true;
}

// v6.1 mm/madvise.c: madvise_free_pte_range()
void madvise_free_pte_range(Machine& m, int mm, const Vma& vma, int page, int end) {
  const int i = pmd_index(m, page);
  if (m.pmd(mm, i).is_present() && madvise_free_huge_pmd(m, mm, vma, page, end)) return;
  if (!m.pmd(mm, i).is_table()) return;  // pmd_trans_unstable()
  while (page < end && madvise_free_pte(m, mm, page)) ++page;
}

// --- MADV_COLD and MADV_PAGEOUT.

// Old and unreferenced already, the folio goes to the inactive list, or to be reclaimed.
void deactivate_or_isolate(Machine& m, Pfn folio, bool pageout, FolioList& folios) {
  clear(m, folio, PG_referenced);
  if (!pageout) {
    deactivate_page(m, folio);
  } else if (folio_isolate_lru(m, folio)) {
    if (test(m, folio, PG_unevictable))
      folio_putback_lru(m, folio);
    else
      folios.push_back(folio);
  }
}

// The huge PMD in madvise_cold_or_pageout_pte_range(). true: go on by PTEs, the folio is split. To
// ask for the head's mapcount misses those who map only tails, by PTEs.
bool madvise_cold_huge_pmd(Machine& m, int mm, int page, int end, bool pageout, FolioList& folios) {
  const int i = pmd_index(m, page);
  Entry pmd = m.pmd(mm, i);
  const Pfn folio = pmd.frame;
  if (page_mapcount(m, folio) != 1) return false;
  if (end - page != m.hpage_nr()) {
    get_page(m, folio);
    lock_page(m, folio);
    const bool split = split_huge_page(m, folio) == 0;
    unlock_page(m, folio);
    put_page(m, folio);
    return split;
  }
  if (pmd.has(kYoung)) {
    pmd.bits &= std::uint8_t(~kYoung);
    m.set_pmd(mm, i, pmd);
  }
  deactivate_or_isolate(m, folio, pageout, folios);
  return false;
}

// One PTE of madvise_cold_or_pageout_pte_range(). false: the walk of this page table ends.
bool madvise_cold_pte(Machine& m, int mm, int page, bool pageout, FolioList& folios) {
  const Entry pte = m.pte(mm, page);
  if (!pte.is_present()) return true;
  if (test(m, pte.frame, PG_head | PG_tail)) {
    if (page_mapcount(m, pte.frame) != 1) return false;
    return trylock_and_split(m, pte.frame) && madvise_cold_pte(m, mm, page, pageout, folios);
  }
  if (!test(m, pte.frame, PG_lru) || page_mapcount(m, pte.frame) != 1) return true;
  clear_bits(m, mm, page, kYoung);
  deactivate_or_isolate(m, pte.frame, pageout, folios);
  return true;
}

// v6.1 mm/madvise.c: madvise_cold_or_pageout_pte_range(). A failed split may leave a page table,
// which gets no advice.
void madvise_cold_or_pageout_pte_range(Machine& m, int mm, int page, int end, bool pageout) {
  const Entry pmd = m.pmd(mm, pmd_index(m, page));
  FolioList folios;
  bool by_ptes = pmd.is_table();
  if (pmd.is_present()) by_ptes = madvise_cold_huge_pmd(m, mm, page, end, pageout, folios);
  while (by_ptes && page < end) by_ptes = madvise_cold_pte(m, mm, page++, pageout, folios);
  if (!folios.empty()) reclaim_folio_list(m, folios);
}

}  // namespace

// v6.1 mm/madvise.c: madvise_free_single_vma()
void madvise_free_page_range(Machine& m, int mm, const Vma& vma, int start, int end) {
  walk_page_range(m, start, end,
                  [&](int page, int next) { madvise_free_pte_range(m, mm, vma, page, next); });
}

// v6.1 mm/madvise.c: madvise_cold_page_range(), madvise_pageout_page_range()
void madvise_cold_or_pageout_page_range(Machine& m, int mm, int start, int end, bool pageout) {
  walk_page_range(m, start, end, [&](int page, int next) {
    madvise_cold_or_pageout_pte_range(m, mm, page, next, pageout);
  });
}

}  // namespace thp
