// Where a folio stands among the LRU lists. v6.1 mm/swap.c.
#include "model/mm/swap.h"

namespace thp {

// v6.1 mm/swap.c: deactivate_page(), lru_deactivate_fn()
void deactivate_page(Machine& m, Pfn folio) {
  if (!test(m, folio, PG_lru) || test(m, folio, PG_unevictable)) return;
  if (test(m, folio, PG_active)) clear(m, folio, PG_active | PG_referenced);
}

// v6.1 mm/swap.c: mark_page_lazyfree(), lru_lazyfree_fn()
void mark_page_lazyfree(Machine& m, Pfn folio) {
  if (!test(m, folio, PG_lru) || !test(m, folio, PG_anon) || !test(m, folio, PG_swapbacked)) return;
  if (folio_test_swapcache(m, folio) || test(m, folio, PG_unevictable)) return;
  clear(m, folio, PG_active | PG_referenced | PG_swapbacked);
}

}  // namespace thp
