// The candidates of one round of shrinking where judging costs a boot: many at once.
#pragma once
#include <vector>

#include "model/trace/trace.h"

namespace thp::live {

// Traces simpler than this one, the simplest first: without parts of it, in less geometry of the
// same order, with simpler arguments. At most `most`.
std::vector<Trace> candidates(const Trace& trace, std::size_t most);

}  // namespace thp::live
