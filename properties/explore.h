// The explorer: every state that the ops of a scope lead to, breadth first, each once. Every
// transition's answer and every new state are judged, so that a violation comes with a shortest
// trace, and of these the first in the order of ops and arguments.
// States are the same that differ in names only (properties/canonical.h). That is exact as long as
// memory lasts; in how many states it did not is told. What the recount remembers (which folios
// have wandered) is what it was on the first path.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "model/trace/trace.h"
#include "oracle/judge.h"
#include "oracle/sometimes/sometimes.h"
#include "properties/moves.h"
#include "properties/outcomes.h"

namespace thp {

struct Scope {
  Geometry geometry;
  OpSet ops = OpSet().set();
  int holders = 1;             // h0 and on
  int depth = 0;               // ops of a trace at most; 0: to the fixpoint
  std::vector<Op> first = {};  // what every trace begins with
  bool exact = false;          // states differ by names too, and each store stores 1
};

struct Explored {
  enum class End { fixpoint, depth, transitions, memory, interrupted, violation };
  End end = End::fixpoint;
  std::uint64_t states = 0, transitions = 0;
  std::uint64_t defects = 0;      // transitions into a defect of the kernel: not followed
  std::uint64_t memory_full = 0;  // states with no free block, where names are not all that differs
  int depth = 0;                  // of the deepest state
  // A sum over all transitions: their answers, and the states that they lead to. Machines that
  // agree in it, and in the number of states, do the same in this scope.
  std::uint64_t digest = 0;
  std::size_t moves = 0;  // ops with arguments in the scope
  std::size_t visited_bytes = 0, tree_bytes = 0;
  Reached reached;    // of new states, and of the steps that first led there
  Outcomes outcomes;  // of all transitions; pairs of every sequence, if ExploreOptions ask for it
  struct Find {
    Trace trace;
    Violation violation;
  };
  std::optional<Find> find;
};

struct ExploreOptions {
  std::size_t max_bytes = std::size_t{2} << 30;
  std::uint64_t max_transitions = 0;  // it ends soon after so many; 0: after any number
  // The violation that is looked for; others are not followed. Without it: any.
  std::function<bool(const Violation&)> wanted = {};
  // Called often, with what there is so far; false ends it there.
  std::function<bool(const Explored&)> go_on = {};
  // Each state, some more than once. Then there is one thread only.
  std::function<void(const Machine&)> visit = {};
  // At the end, each transition as a trace, unless a violation ended it.
  std::function<void(const Trace&)> each = {};
  // At the end, each outcome with the first of the shortest traces that end with it.
  std::function<void(int kind, const Outcome&, const Trace&)> show = {};
  // With it, pairs of ops are looked for, and each is shown with such a trace at the end.
  std::function<void(int kind, int next, const Trace&)> show_pair = {};
  int threads = 1;  // the result is the same with any number
};

Explored explore(const Scope& scope, const ExploreOptions& options = {});

}  // namespace thp
