// The shrinker: a short, plain trace with the same failure. Deterministic; knows no engine.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "model/trace/trace.h"
#include "oracle/judge.h"

namespace thp {

struct ShrinkOptions {
  std::function<std::optional<Violation>(const Trace&)> judge = [](const Trace& trace) {
    return thp::judge(trace);
  };
  int max_judgings = 20'000;
  bool explore = false;  // end with the explorer (shortest.h), which judges as thp::judge() does
  std::function<void(const Trace& best, int judgings)> progress = {};  // after each step down
  std::function<bool()> go_on = [] { return true; };  // asked often; false: what is best so far
};

struct Shrunk {
  Trace trace;          // ends with the op after which the failure shows
  Violation violation;  // same_failure() as the one given
  int judgings = 0;
  // How small it is. Minimal: no op can go and no argument be simpler. Shortest: of all traces, or
  // of all that have its kinds of op, with this failure in its geometry or a simpler one.
  enum class Size : std::uint8_t { out_of_judgings, minimal, shortest_of_its_ops, shortest };
  Size size = Size::out_of_judgings;
};
std::string_view words_for(Shrunk::Size size);

// Delta debugging over ops, then geometry, then arguments towards nth(0), to a fixpoint; then the
// explorer, if it is asked for. A trace on which the judge does not repeat `violation` comes back
// as it was.
Shrunk shrink(const Trace& trace, const Violation& violation, const ShrinkOptions& options = {});

}  // namespace thp
