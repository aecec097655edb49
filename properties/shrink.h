// The shrinker: a short, plain trace with the same failure. Deterministic; knows no engine.
#pragma once
#include <functional>
#include <optional>

#include "model/trace.h"
#include "oracle/judge.h"

namespace thp {

struct ShrinkOptions {
  std::function<std::optional<Violation>(const Trace&)> judge = [](const Trace& trace) {
    return thp::judge(trace);
  };
  int max_judgings = 20'000;
  std::function<void(const Trace& best, int judgings)> progress;  // after each step down
};

struct Shrunk {
  Trace trace;          // ends with the op after which the failure shows
  Violation violation;  // same_failure() as the one given
  int judgings = 0;
  bool minimal = false;  // no op can go and no argument be simpler; false: out of judgings
};

// Delta debugging over ops, then geometry, then arguments towards nth(0), to a fixpoint. A trace
// on which the judge does not repeat `violation` comes back as it was, not minimal.
Shrunk shrink(const Trace& trace, const Violation& violation, const ShrinkOptions& options = {});

}  // namespace thp
