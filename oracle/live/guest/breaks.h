// What a guest breaks on purpose, so that the way from a broken kernel to its page is seen to work.
#pragma once
#include "model/trace/trace.h"

namespace thp::live {

// With thp.break=panic, warning or silence on the kernel's command line, a trace of one op, `exit`,
// does just that. All others, and without it all, run as they are.
void break_if_asked(const Trace& trace);

}  // namespace thp::live
