// Advice. v6.1 mm/madvise.c.
#pragma once
#include "model/machine.h"

namespace thp {

enum class Advice : std::uint8_t {
  hugepage,
  nohugepage,
  dontneed,
  free,
  cold,
  pageout,
  collapse,
  dontfork,
  dofork,
  populate_read,
  populate_write
};

// do_madvise() of pages [start, end): 0 or -errno.
int do_madvise(Machine& m, int mm, int start, int end, Advice advice);

// --- What it does to the pages [start, end) of one VMA (madvise_pages.cc).
void madvise_free_page_range(Machine& m, int mm, const Vma& vma, int start, int end);
void madvise_cold_or_pageout_page_range(Machine& m, int mm, int start, int end, bool pageout);

}  // namespace thp
