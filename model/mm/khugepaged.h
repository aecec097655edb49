// Collapse. v6.1 mm/khugepaged.c.
#pragma once
#include "model/machine.h"

namespace thp {

// madvise_collapse() of pages [start, end), which lie in the VMA of `start`. 0 or -errno; m.reason
// is the SCAN_* verdict that decided it: the last failure, else the last block's.
int madvise_collapse(Machine& m, int mm, int start, int end);

// --- One block, of pages [first, first + hpage_nr()) (khugepaged_pages.cc).
bool is_refcount_suitable(const Machine& m, Pfn folio);
// The part of collapse_huge_page() under the mmap write lock: `hpage` takes the place of the table
// and of all that it maps. On failure nothing has changed.
Reason replace_table(Machine& m, int mm, const Vma& vma, int first, Pfn hpage);

}  // namespace thp
