// The shrinker's last step: the explorer looks for the first of all shortest traces with the same
// failure. What comes from another engine or seed ends as the same trace.
#pragma once
#include <functional>
#include <optional>

#include "model/trace/trace.h"
#include "oracle/judge.h"

namespace thp {

struct Shortest {
  Trace trace;
  Violation violation;
  bool of_all_ops;  // no shorter one in these geometries; false: none of the same kinds of op
};

// The first in the order of length, geometry (fewer PMDs, then fewer address spaces than `trace`
// has), ops and arguments, as the judge sees it. Nothing: there were too many to look at, as when
// the failure needs a large order, or go_on() said false.
std::optional<Shortest> shortest(const Trace& trace, const Violation& violation,
                                 const std::function<bool()>& go_on);

}  // namespace thp
