// Part of generate_trace().
#pragma once
#include "model/generate.h"

namespace thp {

// At most kMaxSetupOps ops of the kinds in `mask`.
void set_up(Choose choose, const OpMask& mask, Growing& g);

}  // namespace thp
