// Where a folio stands among the LRU lists. v6.1 mm/swap.c.
#include "model/mm/swap.h"

#include <algorithm>

namespace thp {

// v6.1 mm/swap.c: folio_mark_accessed(), folio_activate_fn(). An isolated folio only forgets its
// first use; so does one whose mlock() waits in a batch, as that will make it inactive again. The
// zero page's marks mean nothing.
void folio_mark_accessed(Machine& m, Pfn folio) {
  if (is_zero_page(m, folio)) return;
  if (!test(m, folio, PG_referenced)) return set(m, folio, PG_referenced);
  const bool waits = std::ranges::find(m.mlock_pvec, folio) != m.mlock_pvec.end();
  if (!waits && test(m, folio, PG_unevictable | PG_active)) return;
  if (!waits && test(m, folio, PG_lru)) set(m, folio, PG_active);
  clear(m, folio, PG_referenced);
}

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
