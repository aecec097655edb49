// Greedy descent: of the candidates that show the same difference, the one with the fewest ops.
#include "fuzz/live_shrink.h"

#include <algorithm>

#include "properties/live_candidates.h"
#include "properties/live_traces.h"

namespace thp::live {
namespace {

constexpr std::size_t kMostCandidates = 300;

void cut(ShrunkDivergence& shrunk) {
  shrunk.trace.ops.resize(std::min(shrunk.trace.ops.size(), shrunk.divergence.op + 1));
}

std::vector<Trace> runnable(std::vector<Trace> traces) {
  std::erase_if(traces, [](const Trace& trace) { return !for_kernel(trace); });
  return traces;
}

}  // namespace

ShrunkDivergence shrink_divergence(const Guest& guest, const Trace& trace,
                                   const Divergence& divergence, int max_rounds) {
  ShrunkDivergence best{.trace = trace, .divergence = divergence};
  cut(best);
  for (; best.rounds < max_rounds && !best.minimal; ++best.rounds) {
    const std::vector<Trace> all = runnable(candidates(best.trace, kMostCandidates));
    const GuestRun run = run_traces(guest, all);
    ShrunkDivergence next = best;
    best.minimal = true;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto found = examine(all[i], run.traces[i].ops).divergence;
      if (!found || !found->same(best.divergence, all[i], best.trace)) continue;
      const bool shorter = found->op < next.divergence.op;
      if (!shorter && !best.minimal) continue;  // the simplest of those as short
      next.trace = all[i];
      next.divergence = *found;
      cut(next);
      best.minimal = false;
    }
    if (!best.minimal) {
      best.trace = next.trace;
      best.divergence = next.divergence;
    }
  }
  return best;
}

}  // namespace thp::live
