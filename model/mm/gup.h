// get_user_pages: faulting in on behalf of the kernel, references and pins. v6.1 mm/gup.c.
#pragma once
#include "model/machine.h"

namespace thp {

struct GupFlags {
  bool write = false, pin = false, get = false, force = false;
};

// One page by the slow path, faulting as needed. Returns its sub-page with the reference taken, or
// -errno (-EFAULT outside or against protection, -ENOMEM).
int get_user_page(Machine& m, int mm, int page, GupFlags flags);
// follow_page(FOLL_GET | FOLL_DUMP): a sub-page with a reference, -EFAULT, or -ENOENT for NULL.
int follow_page_get(Machine& m, int mm, int page);
// Faults in pages [start, end) of one VMA: how many before the first failure, or -errno if none.
// The first is mlock()'s, the second MADV_POPULATE_*'s: -EINVAL where the VMA does not permit it.
int populate_vma_page_range(Machine& m, int mm, const Vma& vma, int start, int end);
int faultin_vma_page_range(Machine& m, int mm, const Vma& vma, int start, int end, bool write);
// __mm_populate() of mlock(): 0 or -errno.
int populate(Machine& m, int mm, int start, int end);

}  // namespace thp
