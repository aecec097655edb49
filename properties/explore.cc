// States are not kept: the path to one is stepped again, which costs little as neighbours share
// most of theirs. A state costs its fingerprint, its parent and its op.
#include "properties/explore.h"

#include <xxhash.h>

#include <algorithm>
#include <deque>

#include "properties/canonical.h"
#include "properties/seen_states.h"

namespace thp {
namespace {

class Explorer {
 public:
  Explorer(const Scope& scope, const ExploreOptions& options)
      : scope_(scope),
        options_(options),
        moves_(all_moves(scope.geometry, scope.ops, scope.holders)),
        after_(scope.geometry) {}

  Explored run() {
    explored_.moves = moves_.size();
    explored_.end = begin() ? walk() : End::violation;
    measure();
    return std::move(explored_);
  }

 private:
  using End = Explored::End;

  // The state after what every trace begins with; false: it breaks something.
  bool begin() {
    Judge& judge = path_.emplace_back(scope_.geometry);
    ids_.push_back(tree_.add(0, 0));
    Trace trace{.geometry = scope_.geometry, .ops = {}};
    for (const Op& op : scope_.first) {
      trace.ops.push_back(op);
      if (const auto broken = judge.step(op)) {
        explored_.find = {trace, *broken};
        return false;
      }
    }
    judge.check_state();
    seen_.insert(fingerprint(judge));
    if (options_.visit) options_.visit(judge.machine());
    return true;
  }

  // One level after the other: states are numbered in the order of their depth.
  End walk() {
    StateId state = 0;
    for (int depth = 0; state < tree_.size(); ++depth) {
      if (scope_.depth != 0 && depth == scope_.depth) return End::depth;
      for (const StateId end = StateId(tree_.size()); state < end; ++state) {
        if (!has_memory()) return End::memory;
        if (expand(state)) return End::violation;
        if (tree_.size() > end) explored_.depth = depth + 1;
        if (state % 256 == 0 && !go_on()) return End::interrupted;
      }
    }
    return End::fixpoint;
  }

  bool go_on() {
    measure();
    return !options_.go_on || options_.go_on(explored_);
  }

  void measure() {
    explored_.states = tree_.size();
    explored_.visited_bytes = seen_.bytes();
    explored_.tree_bytes = tree_.bytes();
  }

  // For all that the next state may lead to?
  bool has_memory() const {
    const std::size_t most = moves_.size();
    return seen_.bytes_with(most) + tree_.bytes() + most * Discoveries::kEach <=
               options_.max_bytes &&
           tree_.size() + most < std::size_t{1} << 32;
  }

  // True: a violation.
  bool expand(StateId state) {
    const Judge& before = judge_at(state);
    const int value = value_at(before.machine());
    for (std::size_t i = 0; i < moves_.size(); ++i) {
      const Op op = with_value(moves_[i], value);
      ++explored_.transitions;
      if (const auto broken = after_.step_from(before, op)) return found(op, *broken);
      if (after_.machine().defect != nullptr) {
        ++explored_.defects;
        continue;
      }
      note_outcome(op);
      if (after_.is_where(before) || !seen_.insert(fingerprint(after_))) continue;
      if (const auto broken = after_.check_state()) return found(op, *broken);
      tree_.add(state, std::uint16_t(i));
      look_at(before, op);
      if (options_.visit) options_.visit(after_.machine());
    }
    return false;
  }

  int value_at(const Machine& m) const { return scope_.exact ? 1 : fresh_value(m); }

  void note_outcome(const Op& op) {
    const int result = answer_but_for_names(op, after_.result());
    const Reason reason = after_.machine().reason;
    std::vector<Outcome>& known = explored_.outcomes[op.index()];
    for (Outcome& outcome : known) {
      if (outcome.result != result || outcome.reason != reason) continue;
      ++outcome.transitions;
      return;
    }
    known.push_back({result, reason, 1});
  }

  void look_at(const Judge& before, const Op& op) {
    explored_.reached.begin(before.machine());
    explored_.reached.update(after_.machine(), after_.recount(), op, after_.result());
    const auto used = after_.machine().used_frames();
    explored_.memory_full += std::ranges::find(used, std::uint16_t{0}) == used.end();
  }

  std::uint64_t fingerprint(const Judge& judge) {
    if (scope_.exact) return hash(canonical_.exactly(judge.machine()));
    std::uint64_t least = ~std::uint64_t{0};
    Orders orders(judge.machine());
    do {
      least = std::min(least, hash(canonical_.of(judge.machine(), judge.memory(), *orders)));
    } while (orders.next());
    return least;
  }

  static std::uint64_t hash(std::span<const std::uint32_t> words) {
    return XXH3_64bits(words.data(), words.size_bytes());
  }

  // The judge after the ops that led to a state; what it shares with the last one asked for is
  // there already.
  const Judge& judge_at(StateId state) {
    missing_.clear();
    for (StateId at = state; !is_on_path(at); at = tree_.parent(at)) missing_.push_back(at);
    const StateId shared = missing_.empty() ? state : tree_.parent(missing_.back());
    while (ids_[depth_] != shared) --depth_;
    for (; !missing_.empty(); missing_.pop_back()) step_to(missing_.back());
    return path_[depth_];
  }

  bool is_on_path(StateId state) const {
    return std::find(ids_.begin(), ids_.begin() + long(depth_) + 1, state) !=
           ids_.begin() + long(depth_) + 1;
  }

  void step_to(StateId state) {
    const Judge& before = path_[depth_];
    const Op op = op_to(state, before);
    if (++depth_ == path_.size()) {
      path_.emplace_back(scope_.geometry);
      ids_.push_back(0);
    }
    ids_[depth_] = state;
    path_[depth_].step_from(path_[depth_ - 1], op);
    path_[depth_].count_state();
  }

  Op op_to(StateId state, const Judge& before) const {
    return with_value(moves_[tree_.move(state)], value_at(before.machine()));
  }

  // The path to the state that is expanded, and this op; with what the judge says of the whole, as
  // it looks in another order than an explorer.
  bool found(const Op& op, const Violation& broken) {
    Trace trace;
    trace.geometry = scope_.geometry;
    trace.ops = scope_.first;
    for (std::size_t i = 1; i <= depth_; ++i) trace.ops.push_back(op_to(ids_[i], path_[i - 1]));
    trace.ops.push_back(op);
    explored_.find = {trace, judge(trace).value_or(broken)};
    return true;
  }

  const Scope& scope_;
  const ExploreOptions& options_;
  const std::vector<Op> moves_;
  Fingerprints seen_;
  Discoveries tree_;
  Canonical canonical_;
  Judge after_;
  std::deque<Judge> path_;    // from the first state to the one that is expanded
  std::vector<StateId> ids_;  // theirs
  std::size_t depth_ = 0;     // of the last of them
  std::vector<StateId> missing_;
  Explored explored_;
};

}  // namespace

Explored explore(const Scope& scope, const ExploreOptions& options) {
  return Explorer(scope, options).run();
}

}  // namespace thp
