// Small scopes are enough: a trace of the corpus fails at order 9, lifted, exactly if it fails at
// its own order, and breaks the same rule. Says nothing much of a sound machine: ci/canary
// runs it on one with a planted defect, which has no exception, and ci/mutate on all mutants, which
// have some (ci/mutants/README.md).
#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/trace/lift.h"
#include "oracle/judge.h"
#include "properties/check.h"

using namespace thp;

namespace {

std::string broken_by(const Trace& trace) {
  const auto violation = judge(trace, Judge::Mode::incremental);
  return violation ? std::string(violation->broken) : "nothing";
}

}  // namespace

int transfer_test(int, char*[]) {
  int traces = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("corpus")) {
    if (entry.path().extension() != ".trace") continue;
    std::ifstream in(entry.path());
    const auto file = parse_trace(std::string(std::istreambuf_iterator<char>(in), {}));
    if (!file) continue;
    const std::string small = broken_by(file->trace), large = broken_by(lifted(file->trace));
    traces += file->trace.geometry.order < Geometry::kMaxOrder;
    check(small == large,
          entry.path().string() + ": breaks " + small + ", and " + large + " at order 9");
  }
  check(traces > 100, "the corpus is there");
  return failures();
}
