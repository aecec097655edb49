// Where the fields of the kernel's structs lie.
#pragma once
#include "oracle/live/guest/kernel.h"
#include "oracle/live/guest/names.h"

namespace thp::live {

void look_up_layouts(Kernel& kernel, const Names& names);

}  // namespace thp::live
