// Traces of small geometries at the real one's order.
#pragma once
#include "model/trace/trace.h"

namespace thp {

// The same ops where a huge page has 1 << kMaxOrder pages: ranges scale, a single page becomes the
// first of its block, swap slots scale, and memory, counted in huge pages, stays as it is.
Trace lifted(const Trace& trace);

}  // namespace thp
