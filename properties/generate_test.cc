// Generated ops and traces: within bounds, repeatable, and mostly about what exists.
#include "model/trace/generate.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <string>

#include "oracle/judge.h"
#include "oracle/sometimes/sometimes.h"
#include "properties/check.h"

using namespace thp;

namespace {

struct Random {
  std::minstd_rand engine;
  explicit Random(unsigned seed) : engine(seed + 1) { engine.discard(3); }
  int operator()(int n) { return int(engine() / 8 % unsigned(n)); }
};

int kind_of(const Op& op) { return int(op.index()); }

void traces_are_well_formed() {
  std::set<std::string> distinct;
  for (unsigned seed = 0; seed < 500; ++seed) {
    Random random(seed), again(seed);
    const Trace trace = generate_trace(random);
    check(trace == generate_trace(again), "the same choices make the same trace");
    check(trace.geometry.is_valid(), "the geometry is valid");
    check(trace.ops.size() <= std::size_t(TraceShape{}.max_ops + kMaxSetupOps),
          "the trace is short");
    for (const Op& op : trace.ops) check(in_geometry(op, trace.geometry), print(op));
    const auto parsed = parse_trace(print(trace));
    check(parsed && parsed->trace == trace, print(trace));
    distinct.insert(print(trace));
  }
  check(distinct.size() > 490, "traces differ");
}

void any_source_of_choices_ends() {
  const auto first = [](int) { return 0; };
  const auto last = [](int n) { return n - 1; };
  check(generate_trace(first).geometry == Geometry{.order = 1, .pmds = 1, .mms = 1},
        "the first choices are the simplest");
  check(!generate_trace(last).ops.empty(), "the last choices end too");
}

void sets_up_large_memory_in_few_ops() {
  const Geometry geometry{.order = 9, .pmds = 4, .mms = 4, .swap = 600};
  for (unsigned seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const Trace trace = generate_trace(random, {.geometry = geometry, .mask = {}, .max_ops = 0});
    check(trace.ops.size() <= std::size_t(kMaxSetupOps), "the set-up is short");
    for (const Op& op : trace.ops) check(in_geometry(op, geometry), print(op));
  }
}

void keeps_to_its_shape() {
  OpMask mask;
  mask.weights = {};
  for (const char* name : {"fork", "exit", "pin"}) mask.weights[std::size_t(op_kind(name))] = 7;
  const Geometry geometry{.order = 9, .pmds = 1, .mms = 4};
  for (unsigned seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const Trace trace = generate_trace(random, {.geometry = geometry, .mask = mask, .max_ops = 20});
    check(trace.geometry == geometry && trace.ops.size() <= std::size_t(20 + kMaxSetupOps),
          "geometry and length are kept");
    for (const Op& op : trace.ops) check(mask.has(kind_of(op)), print(op));
  }
  check(op_kind("no_such_op") == -1 && op_name(op_kind("fork")) == "fork", "kinds have names");
}

// Of `draws` ops of one kind, how many satisfy `holds`?
template <class T>
int share(const Machine& m, int draws, bool (*holds)(const T&)) {
  OpMask mask;
  mask.weights = {};
  mask.weights[Op(std::in_place_type<T>).index()] = 1;
  Random random(1);
  int count = 0;
  for (int i = 0; i < draws; ++i) count += holds(std::get<T>(generate_op(random, m, mask)));
  return count;
}

void draws_what_exists() {
  Machine m({.order = 2, .pmds = 2, .mms = 3});
  step(m, Mmap{{0}, {1, 4}});
  step(m, Fork{{0}, {2}});
  m.holders[3] = {HolderKind::pin, 1, 0};
  m.holders[5] = {HolderKind::isolation, 0, 0};
  const auto mostly = [](int count, std::string_view what) {
    check(count > 650 && count < 1000, std::string(what) + ": " + std::to_string(count));
  };
  mostly(share<Unpin>(m, 1000, [](const Unpin& o) { return o.holder.id == 3; }), "pins");
  mostly(share<Putback>(m, 1000, [](const Putback& o) { return o.holder.id == 5; }), "isolations");
  mostly(share<Pin>(m, 1000, [](const Pin& o) { return o.holder.id == 0; }), "free holders");
  mostly(share<Fork>(m, 1000, [](const Fork& o) { return o.mm.id != 1 && o.child.id == 1; }),
         "address spaces");
  mostly(share<Mmap>(m, 1000, [](const Mmap& o) { return o.range.first % 4 <= 1; }), "edges");
}

// The alphabet is the product of its domains, each op once.
void alphabet_is_complete() {
  const Geometry geometry{.order = 1, .pmds = 1, .mms = 2};
  std::set<std::string> ops;
  int visits = 0, stores = 0;
  for_each_op(geometry, [&](const Op& op) {
    ++visits;
    stores += is_op<Store>(op);
    ops.insert(print(op));
  });
  check(int(ops.size()) == visits, "no op is visited twice");
  check(stores == 2 * 2 * 1, "stores: address spaces, pages, one value");
  OpMask only_enabled;
  only_enabled.weights = {};
  only_enabled.weights[std::size_t(op_kind("enabled"))] = 1;
  int policies = 0;
  for_each_op(geometry, [&](const Op&) { ++policies; }, {.mask = only_enabled});
  check(policies == 3, "the policies");
}

// Not vacuous: in some trace, every kind of op does what it is for.
void every_op_succeeds_somewhere() {
  std::array<int, kOpKinds> successes{};
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const Trace trace = generate_trace(random);
    Machine m(trace.geometry);
    for (const Op& op : trace.ops) successes[op.index()] += step(m, op) >= 0;
  }
  for (int kind = 0; kind < kOpKinds; ++kind)
    check(successes[std::size_t(kind)] > 20,
          std::string(op_name(kind)) + ": " + std::to_string(successes[std::size_t(kind)]));
}

// Reach, not luck: what `sometimes` lists is reached by traces drawn at random, but for defects,
// and one state that a few of 10000 come to.
void reaches_what_must_be_reached() {
  constexpr std::string_view kRare[] = {"stranded_migration_entries", "lazyfree_of_a_shared_page",
                                        "lazyfree_of_a_swapped_page", "queued_in_swap_cache"};
  const auto rows = sometimes();
  Reached reached;
  const auto is_missing = [&](std::size_t i) {
    return !reached.has(i) && std::ranges::find(kRare, rows[i].name) == std::end(kRare);
  };
  Judge judge({}, Judge::Mode::incremental);
  std::size_t first = 0;  // of those that are missing
  for (unsigned seed = 0; seed < 20000 && first < rows.size(); ++seed) {
    Random random(seed);
    reached.add(generate_trace(random), judge);
    while (first < rows.size() && !is_missing(first)) ++first;
  }
  for (std::size_t i = first; i < rows.size(); ++i)
    check(!is_missing(i), std::string(rows[i].name) + " is reached");
}

}  // namespace

int generate_test(int, char*[]) {
  traces_are_well_formed();
  any_source_of_choices_ends();
  sets_up_large_memory_in_few_ops();
  keeps_to_its_shape();
  draws_what_exists();
  alphabet_is_complete();
  every_op_succeeds_somewhere();
  reaches_what_must_be_reached();
  return failures();
}
