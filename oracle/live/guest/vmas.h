// The VMAs of a process, from its maple tree. v6.1 lib/maple_tree.c.
#pragma once
#include <vector>

#include "oracle/live/guest/kernel.h"
#include "oracle/live/observation.h"

namespace thp::live {

// Those of the traced range, as they lie in it.
void append_vmas(const Kernel& kernel, const Space& space, int mm, int pages,
                 std::vector<VmaSeen>& vmas);

}  // namespace thp::live
