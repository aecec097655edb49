// The search for a smaller failing trace: delta debugging, then one argument at a time.
#include "properties/shrink.h"

#include <algorithm>

#include "properties/shortest.h"
#include "properties/simpler.h"

namespace thp {
namespace {

class Shrinker {
 public:
  Shrinker(const Trace& trace, const Violation& violation, const ShrinkOptions& options)
      : options_(options), best_{.trace = trace, .violation = violation} {}

  Shrunk run() {
    if (!adopt(best_.trace)) return best_;
    bool changed = true;
    while (changed) {
      changed = drop_ops();
      changed |= lower_geometry();
      changed |= rename();
      changed |= simplify_args();
    }
    if (exhausted()) return best_;
    best_.size = Shrunk::Size::minimal;
    if (options_.explore) explore();
    return best_;
  }

 private:
  bool exhausted() const { return best_.judgings >= options_.max_judgings || !options_.go_on(); }

  // Takes the candidate if it fails in the same way; cuts what comes after the failure.
  bool adopt(const Trace& candidate) {
    if (exhausted()) return false;
    ++best_.judgings;
    const std::optional<Violation> violation = options_.judge(candidate);
    if (!violation || !violation->same_failure(best_.violation)) return false;
    best_.trace = candidate;
    best_.trace.ops.resize(std::min(candidate.ops.size(), violation->op + 1));
    best_.violation = *violation;
    if (options_.progress) options_.progress(best_.trace, best_.judgings);
    return true;
  }

  // ddmin: halves, quarters, ..., single ops, from the back: later ops depend on earlier ones.
  bool drop_ops() {
    bool changed = false;
    for (std::size_t chunk = std::max<std::size_t>(ops() / 2, 1); chunk > 0; chunk /= 2) {
      for (std::size_t end = ops(); end > 0;) {
        const std::size_t begin = end > chunk ? end - chunk : 0;
        changed |= adopt(without_ops(best_.trace, begin, end));
        end = std::min(begin, ops());
      }
    }
    return changed;
  }

  bool lower_geometry() {
    bool changed = false;
    while (adopt_first(simpler_geometries(best_.trace))) changed = true;
    return changed;
  }

  bool adopt_first(const std::vector<Trace>& candidates) {
    return std::ranges::any_of(candidates, [&](const Trace& trace) { return adopt(trace); });
  }

  bool rename() {
    const auto renamed_so = [&](bool values, bool mms, bool holders) {
      const Trace other = renamed(best_.trace, values, mms, holders);
      return !(other == best_.trace) && adopt(other);
    };
    if (renamed_so(true, true, true)) return true;
    bool changed = renamed_so(true, false, false);
    changed |= renamed_so(false, true, false);
    changed |= renamed_so(false, false, true);
    return changed;
  }

  bool simplify_args() {
    bool changed = false;
    for (std::size_t at = 0; at < ops(); ++at) {
      Op op = best_.trace.ops[at];
      const auto simplify = [&](auto& arg) {
        while (simplify_arg(at, op, arg)) changed = true;
      };
      visit_op([&](auto& o) { visit_args(o, simplify); }, op);
    }
    return changed;
  }

  // `arg` is a member of `op`, the copy of op `at`; it keeps its value where nothing is adopted.
  template <class Arg>
  bool simplify_arg(std::size_t at, const Op& op, Arg& arg) {
    const Arg was = arg;
    for (const Arg& candidate : simpler(best_.trace.geometry, was)) {
      if (at >= ops()) break;  // an earlier adoption has cut the trace here
      arg = candidate;
      Trace other = best_.trace;
      other.ops[at] = op;
      if (adopt(other)) return true;
    }
    arg = was;
    return false;
  }

  void explore() {
    const auto found = shortest(best_.trace, best_.violation, options_.go_on);
    if (!found) return;
    best_.trace = found->trace;
    best_.violation = found->violation;
    best_.size = found->of_all_ops ? Shrunk::Size::shortest : Shrunk::Size::shortest_of_its_ops;
  }

  std::size_t ops() const { return best_.trace.ops.size(); }

  const ShrinkOptions& options_;
  Shrunk best_;
};

}  // namespace

std::string_view words_for(Shrunk::Size size) {
  constexpr std::string_view kWords[] = {"not minimal", "1-minimal", "a shortest one of its ops",
                                         "a shortest one"};
  return kWords[std::size_t(size)];
}

Shrunk shrink(const Trace& trace, const Violation& violation, const ShrinkOptions& options) {
  return Shrinker(trace, violation, options).run();
}

}  // namespace thp
