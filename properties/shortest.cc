// First among all ops, as long as that is quick; then among the kinds that the trace has.
#include "properties/shortest.h"

#include <algorithm>

#include "properties/explore.h"
#include "properties/jobs.h"
#include "properties/simpler.h"

namespace thp {
namespace {

// Work is counted, not timed: everywhere the same trace comes out.
constexpr std::uint64_t kMostOfAllOps = 1'500'000, kMostOfItsOps = 500'000;

OpSet kinds_of(const Trace& trace) {
  OpSet kinds;
  for (const Op& op : trace.ops) kinds.set(op.index());
  return kinds;
}

int holders_of(const Trace& trace) {
  int holders = 1;
  const auto count = [&]<class Arg>(const Arg& arg) {
    if constexpr (std::is_same_v<Arg, HolderId>) holders = std::max(holders, arg.id + 1);
  };
  for (const Op& op : trace.ops) visit_op([&](const auto& o) { visit_args(o, count); }, op);
  return holders;
}

// No larger than this one.
std::vector<Geometry> geometries_up_to(const Geometry& most) {
  std::vector<Geometry> all;
  for (int inodes = 0; inodes <= most.inodes; ++inodes)
    for (int pmds = 1; pmds <= most.pmds; ++pmds)
      for (int mms = 1; mms <= most.mms; ++mms) {
        Geometry geometry = most;
        geometry.inodes = inodes;
        geometry.pmds = pmds;
        geometry.mms = mms;
        if (geometry.is_valid()) all.push_back(geometry);
      }
  return all;
}

// Depth by depth through all geometries; nothing: not within so many transitions.
std::optional<Explored::Find> first_of(const Trace& trace, const Violation& violation,
                                       const OpSet& kinds, std::uint64_t most,
                                       const std::function<bool()>& go_on) {
  const ExploreOptions options{
      .max_transitions = most,
      .wanted = [&](const Violation& other) { return other.same_failure(violation); },
      .go_on = [&](const Explored&) { return go_on(); },
      .threads = jobs()};
  for (int depth = 1; depth <= int(trace.ops.size()); ++depth) {
    for (const Geometry& geometry : geometries_up_to(trace.geometry)) {
      const Scope scope{geometry, kinds, holders_of(trace), depth};
      const Explored explored = explore(scope, options);
      if (explored.find) return explored.find;
      if (explored.end != Explored::End::depth && explored.end != Explored::End::fixpoint)
        return {};
    }
  }
  return {};
}

// Values as names again, where the failure allows it.
Shortest tidied(const Explored::Find& find, bool of_all_ops) {
  const Trace other = renamed(find.trace, true, false, false);
  const auto violation = judge(other);
  if (violation && violation->same_failure(find.violation)) return {other, *violation, of_all_ops};
  return {find.trace, find.violation, of_all_ops};
}

}  // namespace

std::optional<Shortest> shortest(const Trace& trace, const Violation& violation,
                                 const std::function<bool()>& go_on) {
  if (const auto find = first_of(trace, violation, OpSet().set(), kMostOfAllOps, go_on))
    return tidied(*find, true);
  if (const auto find = first_of(trace, violation, kinds_of(trace), kMostOfItsOps, go_on))
    return tidied(*find, false);
  return {};
}

}  // namespace thp
