// Doing an op: one overload each, by a system call or an access of the op's process. Results are in
// the model's convention; what is the harness's own (a holder that is taken, a process that is
// dead) is answered as in model/ops.cc, without a system call.
#pragma once
#include <array>
#include <string>

#include "model/trace/trace.h"
#include "oracle/live/guest/holders.h"
#include "oracle/live/guest/snapshot.h"

namespace thp::live {

// What ops act on.
struct Guest {
  const Kernel& kernel;
  Observer& observer;
  std::string swap_device;  // its path
  Geometry geometry{};
  Holders holders{};
  std::array<int, Geometry::kMaxInodes> files = {-1, -1};  // their descriptors
  bool swap_is_on = false;
  bool settings_changed = false;  // enabled or use_zero_page
};

// A live op of the alphabet; see live_ops.h.
int execute(Guest& guest, const Op& op);

// Address space A, new; and nothing left of a trace.
void begin_trace(Guest& guest, const Trace& trace);
void end_trace(Guest& guest);

}  // namespace thp::live
