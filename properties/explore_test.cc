// The explorer: scopes keep their numbers, equal states have equal futures, a limit is told.
#include "properties/explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "properties/canonical.h"
#include "properties/check.h"
#include "properties/scopes.h"

using namespace thp;

namespace {

void scopes_keep_their_numbers() {
  for (const NamedScope& named : named_scopes()) {
    if (named.run != RunBy::tests) continue;
    const Explored e = explore(scope_of(named));
    const std::string what = fmt::format("{}: {} states, {} transitions, depth {}", named.name,
                                         e.states, e.transitions, e.depth);
    check(!e.find, what + ": a violation");
    check(keeps_its_numbers(named, e), what);
  }
}

using Words = std::vector<std::uint32_t>;

// The least of its canonical forms: the explorer takes for one state what this is the same of.
Words words_of(const Judge& judge) {
  Canonical canonical;
  Words least;
  Orders orders(judge.machine());
  do {
    const auto words = canonical.of(judge.machine(), judge.memory(), *orders);
    Words form(words.begin(), words.end());
    if (least.empty() || form < least) least = std::move(form);
  } while (orders.next());
  return least;
}

// Where each op leads, and what its caller sees; ops in no order, as they name address spaces.
std::vector<Words> futures(const Judge& judge, const std::vector<Op>& moves) {
  std::vector<Words> all;
  Judge after(judge.machine().geometry);
  for (const Op& move : moves) {
    after.step_from(judge, with_value(move, fresh_value(judge.machine())));
    all.push_back(words_of(after));
    all.back().push_back(std::uint32_t(answer_but_for_names(move, after.result())));
    all.back().push_back(std::uint32_t(after.machine().reason));
    all.back().push_back(std::uint32_t(move.index()));
  }
  std::ranges::sort(all);
  return all;
}

// What makes states the same hides nothing that an op could meet: of every state that paths of two
// ops lead to under other names, each op leads to the same.
void equal_states_have_equal_futures() {
  const Geometry geometry{.order = 1, .pmds = 1, .mms = 2};
  const std::vector<Op> moves = all_moves(geometry, OpSet().set(), 1);
  Judge first(geometry), after(geometry);
  for (const char* op : {"mmap A 0..2", "swapon", "store A 0 1", "fork A B"})
    first.step(parse_op(op, geometry).value());
  std::map<Words, Judge> known{{words_of(first), first}};
  std::vector<Judge> level{first};
  std::size_t compared = 0;
  for (int depth = 0; depth < 2; ++depth) {
    std::vector<Judge> next;
    for (const Judge& before : level) {
      for (std::size_t i = 0; i < moves.size(); i += 1 + 2 * std::size_t(depth)) {
        after.step_from(before, with_value(moves[i], fresh_value(before.machine())));
        after.count_state();
        const auto [same, is_new] = known.try_emplace(words_of(after), after);
        if (is_new) {
          next.push_back(after);
        } else if (!(after.machine() == same->second.machine() &&
                     after.memory() == same->second.memory())) {
          ++compared;
          check(futures(after, moves) == futures(same->second, moves), "their futures differ");
        }
      }
    }
    level = std::move(next);
  }
  check(compared > 50, fmt::format("only {} pairs of states were compared", compared));
}

void values_are_fresh() {
  Machine m(Geometry{.order = 1, .pmds = 1, .mms = 1});
  check(fresh_value(m) == 1, "nothing is used");
  step(m, parse_op("mmap A 0..2", m.geometry).value());
  step(m, parse_op("store A 0 1", m.geometry).value());
  check(fresh_value(m) == 2, "1 is used");
  check(with_value(Store{.mm = {0}, .page = {0}, .value = {1}}, 9) ==
            Op(Store{.mm = {0}, .page = {0}, .value = {9}}),
        "the value is another one");
}

void limits_end_it() {
  Scope scope = scope_of(*find_scope("alphabet5"));
  const Explored small = explore(scope, {.max_bytes = 1 << 20});
  check(small.end == Explored::End::memory && small.states > 1000, "a megabyte is soon full");
  check(small.visited_bytes + small.tree_bytes <= 1 << 20, "and no more is taken");
  const Explored stopped = explore(
      scope, {.max_bytes = 1 << 30, .go_on = [](const Explored& e) { return e.states < 2000; }});
  check(stopped.end == Explored::End::interrupted && stopped.states >= 2000, "it can be stopped");
}

void threads_do_not_matter() {
  const Scope scope = scope_of(*find_scope("alphabet3"));
  const Explored one = explore(scope), three = explore(scope, {.threads = 3});
  check(one.states == three.states && one.transitions == three.transitions &&
            one.depth == three.depth && one.defects == three.defects &&
            one.memory_full == three.memory_full && one.reached.count() == three.reached.count(),
        "three threads find what one does");
  check(one.outcomes == three.outcomes, "and in the same order");
}

// Of a small scope, which op follows which: what the explorer says, and what all its sequences do.
void pairs_are_those_of_all_sequences() {
  Scope scope{{.order = 1, .pmds = 1, .mms = 2}, parse_op_set("mmap,store,fork,exit,pin").value()};
  scope.depth = 3;
  std::size_t shown = 0;
  const auto show = [&](int kind, int next, const Trace& trace) {
    ++shown;
    const auto& ops = trace.ops;
    check(ops.size() >= 2 && int(ops[ops.size() - 2].index()) == kind &&
              int(ops.back().index()) == next && !judge(trace),
          "a pair is shown by a trace that ends with it");
  };
  const Explored e = explore(scope, {.show_pair = show, .threads = 3});
  const std::vector<Op> moves = all_moves(scope.geometry, scope.ops, scope.holders);
  Outcomes all;
  std::vector<Op> ops;
  const auto go = [&](const auto& self) -> void {
    if (ops.size() == std::size_t(scope.depth))
      return all.add({.geometry = scope.geometry, .ops = ops});
    for (const Op& move : moves) {
      ops.push_back(with_value(move, int(ops.size()) + 1));
      self(self);
      ops.pop_back();
    }
  };
  go(go);
  check(shown == e.outcomes.pairs() && shown > 5, "each pair is shown");
  for (int kind = 0; kind < kOpKinds; ++kind)
    for (int next = 0; next < kOpKinds; ++next)
      check(e.outcomes.has_pair(kind, next) == all.has_pair(kind, next),
            fmt::format("{}, then {}", op_name(kind), op_name(next)));
}

// An op that changes only what the oracle knows is undone before the next one is tried.
// Also of the states that the limit came behind.
void each_transition_is_shown() {
  const Scope scope{.geometry = {.order = 1, .pmds = 1, .mms = 1}};
  std::uint64_t shown = 0;
  const Explored e =
      explore(scope, {.max_transitions = 5000, .each = [&](const Trace&) { ++shown; }});
  check(e.end == Explored::End::transitions && e.transitions < 5000 + e.moves, "it ends there");
  check(shown == e.transitions, fmt::format("{} of {} are shown", shown, e.transitions));
}

void each_op_starts_from_the_same_state() {
  Scope scope{{.order = 1, .pmds = 1, .mms = 2}, parse_op_set("clear_soft_dirty,store").value()};
  scope.depth = 1;
  for (const char* op : {"mmap A 0..1", "store A 0 1", "madvise_free A 0..1", "migrate_begin A 0",
                         "clear_soft_dirty A", "pin h0 A 0"})
    scope.first.push_back(parse_op(op, scope.geometry).value());
  check(!explore(scope).find, "clear_soft_dirty said that all stores are seen, for store too");
}

void op_sets_are_read() {
  check(parse_op_set("").value().all(), "nothing means all");
  check(parse_op_set("store,fork").value().count() == 2, "names mean these");
  check(parse_op_set("-store").value().count() == std::size_t(kOpKinds) - 1, "minus: all but it");
  check(!parse_op_set("store,nothing").has_value(), "there is no such op");
}

}  // namespace

int explore_test(int, char*[]) {
  scopes_keep_their_numbers();
  equal_states_have_equal_futures();
  values_are_fresh();
  limits_end_it();
  threads_do_not_matter();
  pairs_are_those_of_all_sequences();
  each_transition_is_shown();
  each_op_starts_from_the_same_state();
  op_sets_are_read();
  return failures();
}
