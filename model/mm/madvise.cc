// madvise(). v6.1 mm/madvise.c. Left out: the mmap lock, signals, files, the registration with
// khugepaged, advice that has nothing to do with huge pages. MADV_FREE, MADV_COLD and MADV_PAGEOUT
// of page tables are in madvise_pages.cc.
#include "model/mm/madvise.h"

#include <algorithm>
#include <cerrno>

#include "model/mm/gup.h"
#include "model/mm/khugepaged.h"
#include "model/mm/memory.h"
#include "model/mm/mmap.h"

namespace thp {
namespace {

// v6.1 mm/khugepaged.c: hugepage_madvise(); mm/madvise.c: madvise_vma_behavior()
std::uint32_t new_flags(std::uint32_t flags, Advice advice) {
  switch (advice) {
    case Advice::hugepage:
      return (flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE;
    case Advice::nohugepage:
      return (flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE;
    case Advice::dontfork:
      return flags | VM_DONTCOPY;
    case Advice::dofork:
      return flags & ~VM_DONTCOPY;
    default:
      return flags;
  }
}

// v6.1 mm/madvise.c: madvise_update_vma(). Too many VMAs: -EAGAIN, as for any want of memory; a VMA
// may have been split already.
int madvise_update_vma(Machine& m, int mm, const Vma& vma, int start, int end, Advice advice) {
  const int i = int(&vma - m.vmas(mm).data());
  const int updated = vma_modify(m, mm, i, start, end, new_flags(vma.flags, advice));
  return updated >= 0 ? 0 : -EAGAIN;
}

// v6.1 mm/madvise.c: madvise_dontneed_free(), madvise_cold(), madvise_pageout(). Paging out asks
// for no swap device: without one reclaim finds no room, and keeps the pages.
int madvise_pages(Machine& m, int mm, const Vma& vma, int start, int end, Advice advice) {
  if (vma.has(VM_LOCKED)) return -EINVAL;
  if (advice == Advice::free && !vma.is_anonymous()) return -EINVAL;
  if (advice == Advice::pageout && !vma.is_anonymous()) return not_modelled(m);
  if (advice == Advice::dontneed)
    zap_page_range(m, mm, vma, start, end);
  else if (advice == Advice::free)
    madvise_free_page_range(m, mm, vma, start, end);
  else
    madvise_cold_or_pageout_page_range(m, mm, start, end, advice == Advice::pageout);
  return 0;
}

// v6.1 mm/madvise.c: madvise_populate(). Where a round ended early the next begins.
int madvise_populate(Machine& m, int mm, int start, int end, bool write) {
  while (start < end) {
    const Vma& vma = *find_vma(m, mm, start);
    const int pages = faultin_vma_page_range(m, mm, vma, start, end, write);
    if (pages < 0) return pages;
    start += pages;
  }
  return 0;
}

// v6.1 mm/madvise.c: madvise_vma_behavior()
int madvise_vma_behavior(Machine& m, int mm, const Vma& vma, int start, int end, Advice advice) {
  switch (advice) {
    case Advice::hugepage:
    case Advice::nohugepage:
    case Advice::dontfork:
    case Advice::dofork:
      return madvise_update_vma(m, mm, vma, start, end, advice);
    case Advice::collapse:
      if (!vma.is_anonymous()) return not_modelled(m);
      return madvise_collapse(m, mm, start, end);
    case Advice::populate_read:
    case Advice::populate_write:
      return madvise_populate(m, mm, start, end, advice == Advice::populate_write);
    default:
      return madvise_pages(m, mm, vma, start, end, advice);
  }
}

}  // namespace

// v6.1 mm/madvise.c: do_madvise(), madvise_walk_vmas(). Holes are passed over and answered with
// -ENOMEM in the end; the first error of a VMA ends the walk. Either way what was done stays.
int do_madvise(Machine& m, int mm, int start, int end, Advice advice) {
  int unmapped_error = 0;
  while (start < end) {
    const Vma* vma = find_vma(m, mm, start);
    if (vma == nullptr) return -ENOMEM;
    if (start < vma->start) {
      unmapped_error = -ENOMEM;
      start = vma->start;
      if (start >= end) break;
    }
    const int vma_end = std::min(end, int(vma->end));
    const int error = madvise_vma_behavior(m, mm, *vma, start, vma_end, advice);
    if (error != 0) return error;
    start = vma_end;
  }
  return unmapped_error;
}

}  // namespace thp
