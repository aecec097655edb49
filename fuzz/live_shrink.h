// The shrinker of divergences: one boot a round, with all candidates of that round in it.
#pragma once
#include "fuzz/live_guest.h"
#include "oracle/live/examine.h"

namespace thp::live {

struct ShrunkDivergence {
  Trace trace;  // ends with the op that shows it
  Divergence divergence;
  int rounds = 0;
  bool minimal = false;  // no candidate shows it; false: out of rounds
};

ShrunkDivergence shrink_divergence(const Guest& guest, const Trace& trace,
                                   const Divergence& divergence, int max_rounds = 30);

}  // namespace thp::live
