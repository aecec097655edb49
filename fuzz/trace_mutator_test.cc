// Whatever the mutator does to a trace, the result is a trace, and it is the same for a seed.
#include "fuzz/trace_mutator.h"

#include <array>
#include <set>

#include "properties/check.h"

using namespace thp;

namespace {

bool is_trace(const Trace& trace) {
  if (!trace.geometry.is_valid()) return false;
  for (const Op& op : trace.ops)
    if (!in_geometry(op, trace.geometry)) return false;
  const auto parsed = parse_trace(print(trace));
  return parsed && parsed->trace == trace;
}

Trace generated(unsigned seed, Geometry geometry = {}) {
  SeededChoices choose(seed);
  return generate_trace(choose, {.geometry = geometry, .mask = {}});
}

void mutants_are_traces() {
  std::set<std::string> different;
  Trace trace;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    SeededChoices choose(seed), again(seed);
    const Trace mutated = mutate(trace, choose);
    check(is_trace(mutated), print(mutated));
    check(mutated == mutate(trace, again), "mutation is a function of the seed");
    different.insert(print(mutated));
    trace = mutated.ops.size() < 60 ? mutated : Trace{};
  }
  check(different.size() > 1800, "mutants differ");
}

void spliced_traces_are_traces() {
  const Geometry other{.order = 3, .pmds = 3, .mms = 4};
  for (unsigned seed = 0; seed < 500; ++seed) {
    SeededChoices choose(seed);
    const Trace a = generated(seed), b = generated(seed + 1, other);
    const Trace spliced = splice(a, b, choose);
    check(is_trace(spliced) && spliced.geometry == a.geometry, print(spliced));
    check(is_trace(splice(b, a, choose)), "into the larger geometry");
  }
}

// Cut at every size, what is printed is nothing or a trace that begins as the whole one does.
void prints_what_there_is_room_for() {
  const Trace trace = generated(7);
  const std::string whole = print(trace);
  for (std::size_t size = 0; size <= whole.size() + 1; ++size) {
    std::vector<std::uint8_t> room(size);
    const std::size_t printed = print_within(trace, room);
    const std::string_view text(reinterpret_cast<const char*>(room.data()), printed);
    check(printed <= size && whole.starts_with(text), "a part of the whole");
    check(printed == 0 || parse_trace(text).has_value(), text);
    check(size < whole.size() || text == whole, "all of it where there is room");
  }
}

}  // namespace

int main() {
  mutants_are_traces();
  spliced_traces_are_traces();
  prints_what_there_is_room_for();
  return failures();
}
