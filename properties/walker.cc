// States are not kept: the path to one is stepped again, which costs little as neighbours share
// most of theirs.
#include "properties/walker.h"

#include <xxhash.h>

#include <algorithm>
#include <array>

namespace thp {
namespace {

std::uint64_t hash_of(std::span<const std::uint32_t> words) {
  return XXH3_64bits(words.data(), words.size_bytes());
}

bool is_memory_full(const Machine& m) {
  const auto used = m.used_frames();
  return std::ranges::find(used, std::uint16_t{0}) == used.end();
}

}  // namespace

Walker::Walker(const Scope& scope, const ExploreOptions& options, const std::vector<Op>& moves,
               const Fingerprints& seen, const Discoveries& tree)
    : scope_(scope),
      options_(options),
      moves_(moves),
      seen_(seen),
      tree_(tree),
      after_(scope.geometry),
      follower_(scope.geometry) {}

std::uint64_t Walker::begin() {
  Judge& judge = path_.emplace_back(scope_.geometry);
  ids_.push_back(0);
  for (const Op& op : scope_.first) judge.step(op);
  judge.check_state();
  return fingerprint(judge);
}

void Walker::walk(StateId first, StateId end, bool pairs) {
  const Reached reached = report_.reached;
  report_ = {};
  report_.reached = reached;
  for (StateId state = first; state < end; ++state)
    if (expand(state, pairs)) break;
}

// True: a violation.
bool Walker::expand(StateId state, bool pairs) {
  const Judge& before = judge_at(state);
  const int value = value_at(before.machine());
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    const Op op = with_value(moves_[i], value);
    ++report_.transitions;
    if (const auto broken = after_.step_from(before, op, i > 0 && after_.stayed())) {
      if (found(op, *broken)) return true;
      continue;
    }
    if (after_.machine().defect != nullptr) {
      ++report_.defects;
      continue;
    }
    report_.outcomes.add(int(op.index()), {answer_but_for_names(op, after_.result()),
                                           after_.machine().reason, 1, state, std::uint16_t(i)});
    if (after_.stayed()) {
      add_to_digest(state, i, 0);
      continue;
    }
    if (pairs && !(after_.machine() == before.machine())) look_for_pairs(state, std::uint16_t(i));
    const std::uint64_t print = fingerprint(after_);
    add_to_digest(state, i, print);
    if (seen_.contains(print)) continue;
    if (const auto broken = after_.check_state()) {
      if (found(op, *broken)) return true;
      continue;
    }
    discover(before, op, {print, state, std::uint16_t(i), is_memory_full(after_.machine())});
    if (options_.visit) options_.visit(after_.machine());
  }
  return false;
}

// From where, by which op, with which answer and counters, to where; `print` is 0 for an op that
// changes nothing.
void Walker::add_to_digest(StateId state, std::size_t move, std::uint64_t print) {
  const auto& events = after_.machine().events;
  std::array<std::uint32_t, kEvents + 5> words{state, std::uint32_t(move),
                                               std::uint32_t(after_.result()), std::uint32_t(print),
                                               std::uint32_t(print >> 32)};
  std::ranges::copy(events, words.begin() + 5);
  report_.digest += hash_of(words);
}

// Of the ops that have not yet been seen to follow one like this move: those that change the state
// that it has led to.
void Walker::look_for_pairs(StateId state, std::uint16_t move) {
  const Machine& m = after_.machine();
  const int kind = int(moves_[move].index()), value = value_at(m);
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    const int next = int(moves_[i].index());
    if (pairs_.has_pair(kind, next)) continue;
    follower_ = m;
    step(follower_, with_value(moves_[i], value));
    if (follower_.defect != nullptr || follower_ == m) continue;
    pairs_.add_pair(kind, next);
    report_.pairs.push_back({state, move, std::uint16_t(i)});
  }
}

void Walker::discover(const Judge& before, const Op& op, Discovery discovery) {
  report_.discoveries.push_back(discovery);
  report_.reached.begin(before.machine());
  report_.reached.look(after_.machine(), after_.recount(), op, after_.result());
}

// The least of all orders that address spaces and holders may come in.
std::uint64_t Walker::fingerprint(const Judge& judge) {
  if (scope_.exact) return hash_of(canonical_.exactly(judge.machine()));
  std::uint64_t least = ~std::uint64_t{0};
  Orders orders(judge.machine());
  do {
    least = std::min(least, hash_of(canonical_.of(judge.machine(), judge.memory(), *orders)));
  } while (orders.next());
  return least;
}

// The judge after the ops that led to a state; what it shares with the last one asked for is there
// already.
const Judge& Walker::judge_at(StateId state) {
  missing_.clear();
  for (StateId at = state; !is_on_path(at); at = tree_.parent(at)) missing_.push_back(at);
  const StateId shared = missing_.empty() ? state : tree_.parent(missing_.back());
  while (ids_[depth_] != shared) --depth_;
  for (; !missing_.empty(); missing_.pop_back()) step_to(missing_.back());
  return path_[depth_];
}

bool Walker::is_on_path(StateId state) const {
  const auto end = ids_.begin() + long(depth_) + 1;
  return std::find(ids_.begin(), end, state) != end;
}

void Walker::step_to(StateId state) {
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

int Walker::value_at(const Machine& m) const { return scope_.exact ? 1 : fresh_value(m); }

Op Walker::op_to(StateId state, const Judge& before) const {
  return with_value(moves_[tree_.move(state)], value_at(before.machine()));
}

// The path to the state that is expanded, and this op; with what the judge says of the whole, as it
// looks in another order than an explorer. False: it is not what is looked for.
bool Walker::found(const Op& op, const Violation& broken) {
  const Trace trace = path_and(op);
  const Violation violation = judge(trace).value_or(broken);
  if (options_.wanted && !options_.wanted(violation)) return false;
  report_.find = {trace, violation};
  return true;
}

Trace Walker::trace_to(StateId state, std::uint16_t move) {
  const Judge& before = judge_at(state);
  return path_and(with_value(moves_[move], value_at(before.machine())));
}

Trace Walker::trace_to(const Pair& pair) {
  Trace trace = trace_to(pair.from, pair.move);
  Machine m(scope_.geometry);
  for (const Op& op : trace.ops) step(m, op);
  trace.ops.push_back(with_value(moves_[pair.next], value_at(m)));
  return trace;
}

// From the first state to the one that it is at.
Trace Walker::path_and(const Op& op) const {
  Trace trace{.geometry = scope_.geometry, .ops = scope_.first};
  for (std::size_t i = 1; i <= depth_; ++i) trace.ops.push_back(op_to(ids_[i], path_[i - 1]));
  trace.ops.push_back(op);
  return trace;
}

}  // namespace thp
