// Part of generate_trace().
#pragma once
#include "model/trace/generate.h"

namespace thp {

// At most kMaxSetupOps ops of the kinds in `mask`.
void set_up(Choose choose, const OpMask& mask, Growing& g);

// Part of it: files, where the geometry has any.
void create_files(Choose choose, const OpMask& mask, Growing& g);
void map_files(Choose choose, const OpMask& mask, Growing& g);

// Part of it: fills what A has mapped from 0 on, with small pages, huge ones or many VMAs.
void populate(Choose choose, const OpMask& mask, Growing& g);

// Part of it: may move pages, so that the edges of blocks fall elsewhere among them, and see what
// comes of that.
void move_blocks(Choose choose, const OpMask& mask, Growing& g);

// Part of it: clear_refs, and what a tracker should be told of then.
void track(Choose choose, const OpMask& mask, Growing& g);

}  // namespace thp
