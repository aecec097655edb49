// Observations by names that the model and the kernel share.
#pragma once
#include <string>

#include "oracle/live/observation.h"

namespace thp::live {

// Frames and swap slots numbered in their order of appearance: in entries, then in holders, then in
// files, then what only the swap cache holds. A folio takes as many numbers as it has pages. Frames
// that belong to no folio seen are kNoFrame of holders. Sorted, in runs as long as can be.
Observation renamed(const Observation& observation);

// One fact a line, `?` for what nobody could read. Meant to be read by people and compared by
// words.
std::string text(const Observation& observation);

}  // namespace thp::live
