// One thread of the explorer: it goes to states and tries every op there. It reads what is known
// and changes none of it, so that several can walk at once; what they report is taken in order.
#pragma once
#include <deque>
#include <vector>

#include "properties/canonical.h"
#include "properties/explore.h"
#include "properties/seen_states.h"

namespace thp {

class Walker {
 public:
  Walker(const Scope& scope, const ExploreOptions& options, const std::vector<Op>& moves,
         const Fingerprints& seen, const Discoveries& tree);

  // Goes to the first state, of which the fingerprint is told.
  std::uint64_t begin();

  struct Discovery {
    std::uint64_t fingerprint;
    StateId parent;
    std::uint16_t move;
    bool memory_full;
  };
  // An op that changes the machine, right after one that does.
  struct Pair {
    StateId from;
    std::uint16_t move, next;
  };
  struct Report {
    std::vector<Discovery> discoveries;  // not known before the walk; some may be there twice
    std::uint64_t transitions = 0, defects = 0;
    std::uint64_t digest = 0;
    Outcomes outcomes;
    std::vector<Pair> pairs;             // not known to this walker before
    Reached reached;                     // since the first walk
    std::optional<Explored::Find> find;  // there the walk ended
  };
  // Every op from each of these states; `pairs`: and which ops could follow those.
  void walk(StateId first, StateId end, bool pairs);
  const Report& report() const { return report_; }

  // What led to a state, and one op more.
  Trace trace_to(StateId state, std::uint16_t move);
  Trace trace_to(const Pair& pair);

 private:
  bool expand(StateId state, bool pairs);
  void look_for_pairs(StateId state, std::uint16_t move);
  void add_to_digest(StateId state, std::size_t move, std::uint64_t print);
  void discover(const Judge& before, const Op& op, Discovery discovery);
  std::uint64_t fingerprint(const Judge& judge);
  const Judge& judge_at(StateId state);
  bool is_on_path(StateId state) const;
  void step_to(StateId state);
  int value_at(const Machine& m) const;
  Op op_to(StateId state, const Judge& before) const;
  bool found(const Op& op, const Violation& broken);
  Trace path_and(const Op& op) const;

  const Scope& scope_;
  const ExploreOptions& options_;
  const std::vector<Op>& moves_;
  const Fingerprints& seen_;
  const Discoveries& tree_;
  Canonical canonical_;
  Judge after_;
  std::deque<Judge> path_;    // from the first state to the one that is expanded
  std::vector<StateId> ids_;  // theirs
  std::size_t depth_ = 0;     // of the last of them
  std::vector<StateId> missing_;
  Report report_;
  Outcomes pairs_;  // those that it has met
  Machine follower_;
};

}  // namespace thp
