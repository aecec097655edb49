// Traces as text, through the judge. A find is shrunk and written down before the abort. The
// mutator of traces is in trace_mutator.cc.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "oracle/judge.h"
#include "oracle/sometimes/sometimes.h"
#include "properties/finds.h"

using namespace thp;

namespace {

// With THP_SOMETIMES set: how many of the states that must be reached the inputs reach, told at the
// end. A second walk; for files, not for fuzzing.
class Tally {
 public:
  ~Tally() {
    if (asked_) std::printf("sometimes: %zu/%zu\n", reached_.count(), sometimes().size());
  }
  void add(const Trace& trace) {
    if (asked_) reached_.add(trace, judge_);
  }

 private:
  const bool asked_ = std::getenv("THP_SOMETIMES") != nullptr;
  Judge judge_{{}, Judge::Mode::incremental};
  Reached reached_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = parse_trace({reinterpret_cast<const char*>(data), size});
  if (!file) return -1;
  // An incremental judge says the same in a third of the time: see trace_properties.cc.
  static Judge quick({}, Judge::Mode::incremental);
  if (const auto violation = judge(file->trace, quick)) {
    record_find(file->trace, judge(file->trace).value_or(*violation));
    std::abort();
  }
  static Tally tally;
  tally.add(file->trace);
  return 0;
}
