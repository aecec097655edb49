// Frames and references: the only code that allocates, frees, or changes a _refcount.
// v6.1 mm/page_alloc.c, mm/swap.c, include/linux/mm.h, include/linux/page_ref.h.
#pragma once
#include "model/machine.h"

namespace thp {

// --- Allocation. kNoPfn when memory is exhausted or a failure is injected.
Pfn alloc_huge(Machine& m);       // vma_alloc_folio(HPAGE_PMD_ORDER): a head with refcount 1
Pfn alloc_huge_zero(Machine& m);  // plain alloc_pages(): COMPOUND_PAGE_DTOR
Pfn alloc_page(Machine& m);       // order 0, refcount 1, zeroed content, no flags
bool mem_cgroup_charge(Machine& m, Pfn folio);  // false where a failed charge is injected

// --- References of the folio that holds `pfn`.
inline int page_count(const Machine& m, Pfn pfn) { return m.page(page_folio(m, pfn)).refcount; }
void get_page(Machine& m, Pfn pfn, int refs = 1);
void put_page(Machine& m, Pfn pfn, int refs = 1);           // frees at zero: __folio_put()
bool page_ref_freeze(Machine& m, Pfn folio, int expected);  // an injected speculative ref fails it
void page_ref_unfreeze(Machine& m, Pfn pfn, int count);
void page_ref_add(Machine& m, Pfn folio, int refs);  // no free at zero
void destroy_folio(Machine& m, Pfn folio);  // destroy_large_folio() or free of a frozen small page

// --- Pins: try_grab_page(FOLL_PIN) and gup_put_folio(). The 4K zero page takes none (6.1.192).
void pin_page(Machine& m, Pfn pfn);
void unpin_page(Machine& m, Pfn pfn);
bool folio_maybe_dma_pinned(const Machine& m, Pfn folio);

// --- PG_locked. A sleeping lock lets the migration that holds the page finish first.
bool trylock_page(Machine& m, Pfn pfn);  // an injected contention fails it
void lock_page(Machine& m, Pfn pfn);     // the caller holds a reference
void unlock_page(Machine& m, Pfn pfn);
inline void unlock_and_put(Machine& m, Pfn pfn) {
  unlock_page(m, pfn);
  put_page(m, pfn);
}

// --- LRU. Lists have no order here; PG_lru says that a folio is on one.
void folio_add_lru(Machine& m, Pfn folio);
bool folio_isolate_lru(Machine& m, Pfn folio);  // false if not PG_lru; takes a reference
void folio_putback_lru(Machine& m, Pfn folio);  // drops the isolation's reference

}  // namespace thp
