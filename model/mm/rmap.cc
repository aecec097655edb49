// Mapcounts. v6.1 mm/rmap.c, include/linux/rmap.h, mm/util.c, include/linux/mm.h.
// Two kinds of counters say who maps an anonymous THP: compound_mapcount counts PMDs, each
// sub-page's _mapcount counts PTEs; both start at -1. A flag, PageDoubleMap, says that every
// _mapcount stands one too high, so that losing a PTE can't unmap a sub-page that some PMD maps.
#include "model/mm/rmap.h"

#include "model/mm/huge_memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"

namespace thp {
namespace {

// atomic_inc_and_test(): true when the first mapping appears.
bool inc_mapcount(Machine& m, Pfn pfn) {
  m.stamps.frame(pfn);
  return ++m.page(pfn).mapcount == 0;
}

// atomic_add_negative(-1): true when the last mapping goes.
bool dec_mapcount(Machine& m, Pfn pfn) {
  m.stamps.frame(pfn);
  return --m.page(pfn).mapcount < 0;
}

bool inc_compound_mapcount(Machine& m, Pfn head) {
  m.stamps.frame(head);
  return ++m.compound(head).mapcount == 0;
}

bool dec_compound_mapcount(Machine& m, Pfn head) {
  m.stamps.frame(head);
  return --m.compound(head).mapcount < 0;
}

// The same of each page of a folio: how many of them that maps, or unmaps.
int inc_mapcounts(Machine& m, Pfn head) {
  int mapped = 0;
  for (int i = 0; i < m.hpage_nr(); ++i) mapped += inc_mapcount(m, Pfn(head + i));
  return mapped;
}
int dec_mapcounts(Machine& m, Pfn head) {
  int unmapped = 0;
  for (int i = 0; i < m.hpage_nr(); ++i) unmapped += dec_mapcount(m, Pfn(head + i));
  return unmapped;
}

// TestClearPageDoubleMap() and the end of its extra mapcounts; how many sub-pages that unmapped.
int clear_double_map(Machine& m, Pfn head) {
  m.compound(head).double_map = 0;
  return dec_mapcounts(m, head);
}

// v6.1 mm/rmap.c: __page_set_anon_rmap()
void page_set_anon_rmap(Machine& m, Pfn pfn, const Vma& vma, int page, bool exclusive) {
  const Pfn folio = page_folio(m, pfn);
  vm_bug_on(m, vma.anon_vma == kNoAnonVma, "__page_set_anon_rmap: no anon_vma");
  if (!test(m, folio, PG_anon)) {
    set(m, folio, PG_anon);
    m.page(folio).anon_vma =
        exclusive ? vma.anon_vma : std::uint8_t(anon_vma_root(m, vma.anon_vma));
    m.page(folio).index = std::uint16_t(vma.index_of(page));
  }
  if (exclusive) set(m, pfn, PG_anon_exclusive);
}

// v6.1 mm/rmap.c: __page_check_anon_rmap()
void page_check_anon_rmap(Machine& m, Pfn pfn, const Vma& vma, int page) {
  const Pfn folio = page_folio(m, pfn);
  vm_bug_on(m, anon_vma_root(m, m.page(folio).anon_vma) != anon_vma_root(m, vma.anon_vma),
            "__page_check_anon_rmap: the anon_vma has another root");
  vm_bug_on(m, m.page(folio).index + (pfn - folio) != vma.index_of(page),
            "__page_check_anon_rmap: the index is not the address's");
}

// v6.1 mm/rmap.c: page_remove_anon_compound_rmap()
void page_remove_anon_compound_rmap(Machine& m, Pfn head) {
  if (!dec_compound_mapcount(m, head)) return;
  m.nr_anon_thps -= m.hpage_nr();
  int unmapped = m.hpage_nr();
  if (m.compound(head).double_map) {
    unmapped = clear_double_map(m, head);
    if (unmapped > 0 && unmapped < m.hpage_nr()) deferred_split_huge_page(m, head);
  }
  m.nr_anon_mapped -= unmapped;
}

// v6.1 mm/rmap.c: page_add_file_rmap() of a PMD, which counts in the _mapcount of each page, too.
// DoubleMap, which says that PTEs map a folio of a
// file, too, goes only with the first PMD of one that nothing else maps.
void page_add_file_compound_rmap(Machine& m, Pfn head) {
  const int mapped = inc_mapcounts(m, head);
  m.nr_file_mapped += mapped;
  if (!inc_compound_mapcount(m, head)) return;
  vm_bug_on(m, !test(m, head, PG_locked), "page_add_file_rmap: page not locked");
  if (mapped == m.hpage_nr()) m.compound(head).double_map = 0;
  m.nr_shmem_pmdmapped += m.hpage_nr();
}

// v6.1 mm/rmap.c: page_remove_file_rmap()
void page_remove_file_rmap(Machine& m, Pfn pfn, bool compound) {
  if (!compound) {
    m.nr_file_mapped -= dec_mapcount(m, pfn);
    return;
  }
  m.nr_file_mapped -= dec_mapcounts(m, pfn);
  if (dec_compound_mapcount(m, pfn)) m.nr_shmem_pmdmapped -= m.hpage_nr();
}

}  // namespace

// v6.1 include/linux/mm.h: page_mapcount(); mm/util.c: __page_mapcount(). Of a file the _mapcount
// says all.
int page_mapcount(const Machine& m, Pfn pfn) {
  const int mapped = m.page(pfn).mapcount + 1;
  const Pfn folio = page_folio(m, pfn);
  if (!folio_test_large(m, folio) || !test(m, folio, PG_anon)) return mapped;
  return mapped + compound_mapcount(m, folio) - m.compound(folio).double_map;
}

// v6.1 mm/util.c: folio_mapcount()
int total_mapcount(const Machine& m, Pfn folio) {
  if (!folio_test_large(m, folio)) return m.page(folio).mapcount + 1;
  int total = compound_mapcount(m, folio);
  for (int i = 0; i < m.hpage_nr(); ++i) total += m.page(Pfn(folio + i)).mapcount + 1;
  if (!test(m, folio, PG_anon)) return total - compound_mapcount(m, folio) * m.hpage_nr();
  return total - (m.compound(folio).double_map ? m.hpage_nr() : 0);
}

// v6.1 mm/util.c: folio_mapped()
bool folio_mapped(const Machine& m, Pfn folio) {
  if (folio_test_large(m, folio) && compound_mapcount(m, folio) > 0) return true;
  for (int i = 0; i < folio_nr_pages(m, folio); ++i)
    if (m.page(Pfn(folio + i)).mapcount >= 0) return true;
  return false;
}

// v6.1 mm/rmap.c: page_add_new_anon_rmap(); the counters are stored to, not incremented
void page_add_new_anon_rmap(Machine& m, Pfn pfn, const Vma& vma, int page, bool compound) {
  vm_bug_on(m, !vma.covers(page), "page_add_new_anon_rmap: the address is outside the VMA");
  set(m, pfn, PG_swapbacked);
  if (compound) {
    m.compound(pfn).mapcount = 0;
    m.compound(pfn).pincount = 0;
    m.nr_anon_thps += m.hpage_nr();
  } else {
    m.page(pfn).mapcount = 0;
  }
  m.nr_anon_mapped += compound ? m.hpage_nr() : 1;
  page_set_anon_rmap(m, pfn, vma, page, true);
}

// v6.1 mm/rmap.c: page_add_anon_rmap(). The first PTE mapping counts in NR_ANON_MAPPED even where a
// PMD maps the same sub-page.
void page_add_anon_rmap(Machine& m, Pfn pfn, const Vma& vma, int page, bool compound,
                        bool exclusive) {
  vm_bug_on(m, !test(m, page_folio(m, pfn), PG_locked), "page_add_anon_rmap: page not locked");
  const bool first = compound ? inc_compound_mapcount(m, pfn) : inc_mapcount(m, pfn);
  vm_bug_on(m, !first && exclusive, "page_add_anon_rmap: exclusive, but mapped already");
  vm_bug_on(m, !first && test(m, pfn, PG_anon_exclusive),
            "page_add_anon_rmap: PageAnonExclusive, but mapped already");
  if (first) {
    if (compound) m.nr_anon_thps += m.hpage_nr();
    m.nr_anon_mapped += compound ? m.hpage_nr() : 1;
    page_set_anon_rmap(m, pfn, vma, page, exclusive);
  } else {
    page_check_anon_rmap(m, pfn, vma, page);
  }
  mlock_vma_page(m, pfn, vma, compound);
}

// v6.1 mm/rmap.c: page_add_file_rmap()
void page_add_file_rmap(Machine& m, Pfn pfn, const Vma& vma, bool compound) {
  const Pfn folio = page_folio(m, pfn);
  if (compound) {
    page_add_file_compound_rmap(m, pfn);
  } else {
    if (folio_test_large(m, folio)) m.compound(folio).double_map = 1;
    m.nr_file_mapped += inc_mapcount(m, pfn);
  }
  mlock_file_page(m, pfn, vma, compound);
}

// v6.1 include/linux/rmap.h: page_dup_file_rmap(), of a PTE. It is mapped already, and DoubleMap.
void page_dup_file_rmap(Machine& m, Pfn pfn) { inc_mapcount(m, pfn); }

// v6.1 mm/rmap.c: page_remove_rmap()
void page_remove_rmap(Machine& m, Pfn pfn, const Vma& vma, bool compound) {
  if (!test(m, page_folio(m, pfn), PG_anon)) {
    page_remove_file_rmap(m, pfn, compound);
  } else if (compound) {
    page_remove_anon_compound_rmap(m, pfn);
  } else if (dec_mapcount(m, pfn)) {
    --m.nr_anon_mapped;
    const Pfn folio = page_folio(m, pfn);
    if (folio_test_large(m, folio)) deferred_split_huge_page(m, folio);
  }
  munlock_vma_page(m, pfn, vma, compound);
}

// v6.1 mm/rmap.c: page_move_anon_rmap(). The folio's anon_vma, the sub-page's AnonExclusive.
void page_move_anon_rmap(Machine& m, Pfn pfn, const Vma& vma) {
  const Pfn folio = page_folio(m, pfn);
  vm_bug_on(m, !test(m, folio, PG_locked), "page_move_anon_rmap: folio not locked");
  vm_bug_on(m, vma.anon_vma == kNoAnonVma, "page_move_anon_rmap: no anon_vma");
  m.stamps.frame(folio);
  m.page(folio).anon_vma = vma.anon_vma;
  set(m, pfn, PG_anon_exclusive);
}

// v6.1 include/linux/rmap.h: page_try_dup_anon_rmap(); include/linux/mm.h: page_needs_cow_for_dma()
bool page_try_dup_anon_rmap(Machine& m, Pfn pfn, bool compound, int src_mm) {
  vm_bug_on(m, !test(m, page_folio(m, pfn), PG_anon), "page_try_dup_anon_rmap: not anonymous");
  if (test(m, pfn, PG_anon_exclusive)) {
    const bool has_pinned = m.mms[std::size_t(src_mm)].has_pinned;
    if (has_pinned && folio_maybe_dma_pinned(m, page_folio(m, pfn))) return false;
    clear(m, pfn, PG_anon_exclusive);
  }
  if (compound)
    inc_compound_mapcount(m, pfn);
  else
    inc_mapcount(m, pfn);
  return true;
}

// v6.1 include/linux/rmap.h: page_try_share_anon_rmap()
bool page_try_share_anon_rmap(Machine& m, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  vm_bug_on(m, !test(m, folio, PG_anon) || !test(m, pfn, PG_anon_exclusive),
            "page_try_share_anon_rmap: not an exclusive anonymous page");
  if (folio_maybe_dma_pinned(m, folio)) return false;
  clear(m, pfn, PG_anon_exclusive);
  return true;
}

// v6.1 mm/huge_memory.c: __split_huge_pmd_locked(). N PTE maps first, then one PMD map less.
// NR_ANON_MAPPED does not move. Where DoubleMap was clear and some sub-pages had PTE maps already
// (the folio was migrated while mapped both ways), their count was in it twice: the surplus stays.
void rmap_split_pmd(Machine& m, Pfn head) {
  const int mapped_twice = m.hpage_nr() - inc_mapcounts(m, head);
  if (!m.compound(head).double_map) {
    m.anon_mapped_drift += mapped_twice;
    if (compound_mapcount(m, head) > 1) {
      m.compound(head).double_map = 1;
      inc_mapcounts(m, head);
    }
  }
  if (!dec_compound_mapcount(m, head)) return;
  m.nr_anon_thps -= m.hpage_nr();
  if (m.compound(head).double_map) clear_double_map(m, head);
}

}  // namespace thp
