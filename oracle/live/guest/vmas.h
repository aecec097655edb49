// The VMAs of a process, from its maple tree. v6.1 lib/maple_tree.c.
#pragma once
#include <array>
#include <vector>

#include "oracle/live/guest/kernel.h"
#include "oracle/live/observation.h"

namespace thp::live {

using Inodes = std::array<std::uint64_t, Geometry::kMaxInodes>;  // by number; 0: it is not there

// Those of the traced range, as they lie in it.
void append_vmas(const Kernel& kernel, const Space& space, int mm, int pages, const Inodes& inodes,
                 std::vector<VmaSeen>& vmas);

}  // namespace thp::live
