// Part of generate_trace().
#pragma once
#include "model/generate.h"

namespace thp {

// At most kMaxSetupOps ops of the kinds in `mask`.
void set_up(Choose choose, const OpMask& mask, Growing& g);

// What of it fills what A has mapped from 0 on: with small pages, huge ones, or VMAs.
void populate(Choose choose, const OpMask& mask, Growing& g);

// What of it may move pages to where they lie otherwise to the edges of blocks.
void move_blocks(Choose choose, const OpMask& mask, Growing& g);

}  // namespace thp
