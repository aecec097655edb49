// Traces as text, through the judge. A find is shrunk and written down before the abort.
#include <cstdlib>

#include "fuzz/trace_mutator.h"
#include "oracle/judge.h"
#include "properties/finds.h"

using namespace thp;

static auto parse(const std::uint8_t* data, std::size_t size) {
  return parse_trace({reinterpret_cast<const char*>(data), size});
}

// An incremental judge says the same in a third of the time; see trace_properties.cc.
static std::optional<Violation> judge_quickly(const Trace& trace) {
  static Judge judge({}, Judge::Mode::incremental);
  judge.reset(trace.geometry);
  for (const Op& op : trace.ops)
    if (auto violation = judge.step(op)) return violation;
  return judge.finish();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = parse(data, size);
  if (!file) return -1;
  if (const auto violation = judge_quickly(file->trace)) {
    record_find(file->trace, judge(file->trace).value_or(*violation));
    std::abort();
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  SeededChoices choose(seed);
  const auto file = parse(data, size);
  const Trace trace = file ? mutate(file->trace, choose) : generate_trace(choose);
  return print_within(trace, {data, max_size});
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size,
                                                 std::uint8_t* out, std::size_t max_size,
                                                 unsigned seed) {
  SeededChoices choose(seed);
  const auto one = parse(a, a_size), other = parse(b, b_size);
  if (!one || !other) return 0;
  return print_within(splice(one->trace, other->trace, choose), {out, max_size});
}
