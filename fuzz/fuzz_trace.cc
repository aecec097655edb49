// Traces as text, through the judge. A find is shrunk and written down before the abort. The
// mutator of traces is in trace_mutator.cc.
#include <cstdint>
#include <cstdlib>

#include "oracle/judge.h"
#include "properties/finds.h"

using namespace thp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = parse_trace({reinterpret_cast<const char*>(data), size});
  if (!file) return -1;
  // An incremental judge says the same in a third of the time: see trace_properties.cc.
  static Judge quick({}, Judge::Mode::incremental);
  if (const auto violation = judge(file->trace, quick)) {
    record_find(file->trace, judge(file->trace).value_or(*violation));
    std::abort();
  }
  return 0;
}
