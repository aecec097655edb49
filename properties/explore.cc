// Level by level, a batch of states at a time: walkers try every op, each from its share of them,
// and their reports are taken in order. So nothing depends on how many walkers there are.
#include "properties/explore.h"

#include <algorithm>
#include <deque>
#include <thread>

#include "properties/walker.h"

namespace thp {
namespace {

class Explorer {
 public:
  Explorer(const Scope& scope, const ExploreOptions& options)
      : scope_(scope),
        options_(options),
        moves_(all_moves(scope.geometry, scope.ops, scope.holders)) {
    const int walkers = options.visit ? 1 : std::max(options.threads, 1);
    for (int i = 0; i < walkers; ++i) walkers_.emplace_back(scope_, options_, moves_, seen_, tree_);
  }

  Explored run() {
    explored_.moves = moves_.size();
    explored_.end = begin() ? walk() : End::violation;
    measure();
    if (options_.each && explored_.end != End::violation) show_transitions();
    if (options_.show) show_outcomes();
    if (options_.show_pair) show_pairs();
    return std::move(explored_);
  }

 private:
  using End = Explored::End;
  static constexpr std::size_t kBatch = 1 << 16;  // transitions

  // The state after what every trace begins with; false: it breaks something.
  bool begin() {
    Trace trace{.geometry = scope_.geometry, .ops = scope_.first};
    if (const auto broken = judge(trace)) {
      explored_.find = {trace, *broken};
      return false;
    }
    for (Walker& walker : walkers_) seen_.insert(walker.begin());
    tree_.add(0, 0);
    if (options_.visit) visit_first();
    return true;
  }

  void visit_first() {
    Machine m(scope_.geometry);
    for (const Op& op : scope_.first) step(m, op);
    options_.visit(m);
  }

  // States are numbered in the order of their depth.
  End walk() {
    StateId state = 0;
    for (int depth = 0; state < tree_.size(); ++depth) {
      if (scope_.depth != 0 && depth == scope_.depth) return End::depth;
      for (const StateId end = StateId(tree_.size()); state < end;) {
        const StateId last = std::min(state + states_of_a_batch(), end);
        walk_batch(state, last, options_.show_pair && has_two_ops_left(depth));
        if (const auto ended = take_reports()) return *ended;
        state = expanded_ = last;
        if (tree_.size() > end) explored_.depth = depth + 1;
        if (!go_on()) return End::interrupted;
        if (has_enough()) return End::transitions;
      }
    }
    return End::fixpoint;
  }

  StateId states_of_a_batch() const {
    const std::uint64_t left =
        options_.max_transitions == 0 ? kBatch : options_.max_transitions - explored_.transitions;
    return StateId(std::min<std::uint64_t>(kBatch, left) /
                   std::max<std::size_t>(moves_.size(), 1)) +
           1;
  }
  bool has_enough() const {
    return options_.max_transitions != 0 && explored_.transitions >= options_.max_transitions;
  }

  bool has_two_ops_left(int depth) const { return scope_.depth == 0 || depth + 2 <= scope_.depth; }

  // The first walker is this thread.
  void walk_batch(StateId first, StateId end, bool pairs) {
    const auto share = [&](std::size_t i) {
      return first + StateId((end - first) * i / walkers_.size());
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < walkers_.size(); ++i)
      threads.emplace_back([&, i] { walkers_[i].walk(share(i), share(i + 1), pairs); });
    walkers_[0].walk(first, share(1), pairs);
  }

  std::optional<End> take_reports() {
    for (Walker& walker : walkers_) {
      const Walker::Report& report = walker.report();
      explored_.transitions += report.transitions;
      explored_.defects += report.defects;
      explored_.digest += report.digest;
      explored_.outcomes.add(report.outcomes);
      explored_.reached |= report.reached;
      take(report.pairs);
      if (!take(report.discoveries)) return End::memory;
      if (!report.find) continue;
      explored_.find = report.find;
      return End::violation;
    }
    return {};
  }

  // False: memory is full.
  bool take(const std::vector<Walker::Discovery>& discoveries) {
    for (std::size_t i = 0; i < discoveries.size(); ++i) {
      if (i + kAhead < discoveries.size()) seen_.prefetch(discoveries[i + kAhead].fingerprint);
      const Walker::Discovery& d = discoveries[i];
      if (!has_memory()) return false;
      if (!seen_.insert(d.fingerprint)) continue;
      tree_.add(d.parent, d.move);
      explored_.memory_full += d.memory_full;
    }
    return true;
  }

  void take(const std::vector<Walker::Pair>& pairs) {
    for (const Walker::Pair& pair : pairs) {
      const int kind = int(moves_[pair.move].index()), next = int(moves_[pair.next].index());
      if (explored_.outcomes.has_pair(kind, next)) continue;
      explored_.outcomes.add_pair(kind, next);
      pairs_.push_back(pair);
    }
  }

  bool has_memory() const {
    return seen_.bytes_with(1) + tree_.bytes() + Discoveries::kEach <= options_.max_bytes &&
           tree_.size() + 1 < std::size_t{1} << 32;
  }

  void show_transitions() {
    for (StateId state = 0; state < expanded_; ++state)
      for (std::size_t move = 0; move < moves_.size(); ++move)
        options_.each(walkers_[0].trace_to(state, std::uint16_t(move)));
  }

  void show_outcomes() {
    for (int kind = 0; kind < kOpKinds; ++kind)
      for (const Outcome& outcome : explored_.outcomes.of(kind))
        options_.show(kind, outcome, walkers_[0].trace_to(outcome.from, outcome.move));
  }

  void show_pairs() {
    for (const Walker::Pair& pair : pairs_)
      options_.show_pair(int(moves_[pair.move].index()), int(moves_[pair.next].index()),
                         walkers_[0].trace_to(pair));
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

  static constexpr std::size_t kAhead = 16;
  const Scope& scope_;
  const ExploreOptions& options_;
  const std::vector<Op> moves_;
  Fingerprints seen_;
  Discoveries tree_;
  StateId expanded_ = 0;  // states from which every op was tried
  std::deque<Walker> walkers_;
  std::vector<Walker::Pair> pairs_;  // the first of each two kinds
  Explored explored_;
};

}  // namespace

Explored explore(const Scope& scope, const ExploreOptions& options) {
  return Explorer(scope, options).run();
}

}  // namespace thp
