// Traces that a real kernel can run: which those are, and random ones.
#pragma once
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "model/trace/generate.h"
#include "model/trace/trace.h"

namespace thp::live {

// The trace lifted to the kernel's order, with all the memory that a model may have; ops without a
// call give way to the nearest one that has one, or are taken out. Or why no kernel can run it:
// "op 3, fork: more anon_vmas than a model has".
std::expected<Trace, std::string> for_kernel(const Trace& trace);
// Which ops gave way, and to what, a line each: "op 3, reclaim A 1: madvise_pageout A 1..2".
std::vector<std::string> replaced_for_kernel(const Trace& trace);

// The same, as far as a kernel can run it, and what that has cost.
struct LiveTrace {
  struct Change {
    std::size_t op;             // of the trace that was given
    std::optional<Op> instead;  // none: it is left out
  };
  Trace trace;
  std::vector<Change> changes;
  std::string ends;  // why, and before which op, as of for_kernel(); empty: it is complete
};
LiveTrace as_far_as_a_kernel_can(const Trace& trace);

struct LiveShape {
  int max_ops = 12;
  OpMask mask;  // of those ops that have a call
};
// A trace at the kernel's order, of ops that have a call, pages drawn from where edges are.
Trace random_trace(Choose choose, const LiveShape& shape = {});
Trace random_trace(std::uint64_t seed, const LiveShape& shape = {});

}  // namespace thp::live
