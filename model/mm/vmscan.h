// Reclaim of single folios. v6.1 mm/vmscan.c, mm/page_io.c.
#pragma once
#include <boost/container/small_vector.hpp>

#include "model/machine.h"

namespace thp {

using FolioList = boost::container::small_vector<Pfn, 16>;

// reclaim_pages(): shrink_folio_list() over isolated folios, in the order of their isolation. Each
// is freed or put back to the LRU; the list is empty then. An unevictable folio does not belong in
// it. m.reason is the verdict on the last one. Returns pages freed.
int reclaim_folio_list(Machine& m, FolioList& folios);

// --- Writing to swap is asynchronous: PG_writeback stays until the write completes.
void end_writeback(Machine& m);                    // all writes to swap complete
void folio_wait_writeback(Machine& m, Pfn folio);  // the one of this folio does

}  // namespace thp
