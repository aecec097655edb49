// What page caches hold: that of a file, and the swap cache.
#pragma once
#include <vector>

#include "oracle/live/guest/folios.h"
#include "oracle/live/guest/kernel.h"
#include "oracle/live/observation.h"

namespace thp::live {

// The inode behind a descriptor of the controller, and so of all; 0: there is none.
std::uint64_t find_inode(const Kernel& kernel, int descriptor);

// Adds what a file of memory says of itself, and its cells.
void append_inode(const Kernel& kernel, std::uint64_t inode, int id, FilesSeen& files);

// Adds what the swap cache holds: the frames in the page cache of swap type 0.
void append_swap_cache(const Kernel& kernel, std::vector<FrameRange>& frames);

}  // namespace thp::live
