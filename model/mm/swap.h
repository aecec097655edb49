// Where a folio stands among the LRU lists. v6.1 mm/swap.c, without the multi-generational LRU
// (built in, but off in Debian's 6.1) and without batches: what they defer happens at once.
#pragma once
#include "model/machine.h"

namespace thp {

void folio_mark_accessed(Machine& m, Pfn folio);  // a system call has used it
void deactivate_page(Machine& m, Pfn folio);      // MADV_COLD
void mark_page_lazyfree(Machine& m, Pfn folio);   // MADV_FREE: it may be discarded while clean

}  // namespace thp
