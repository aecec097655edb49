// The model seen as the live oracle sees the kernel.
#pragma once
#include "model/machine.h"
#include "oracle/live/observation.h"

namespace thp::live {

// What a machine shows after an op with this result: all of its contents, nothing unseen.
Observation observe(const Machine& m, int result);

bool is_under_writeback(const Machine& m);

// Ends what is under writeback, as the guest waits for it; m.reason stays.
void settle(Machine& m);

}  // namespace thp::live
