// What the traces of these files cost: nanoseconds of CPU time for an op, the least of some rounds,
// for each way to run them a line. It includes the judge alone, so that `ci/bench --against`
// compiles it with another tree's headers and libraries, too. With --fit it lists the files of
// which each op is judged: there no defect strikes, and every rule holds.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/judge.h"

using namespace thp;

namespace {

constexpr double kEnough = 0.2e9;  // of all rounds together

double cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}

Trace read_trace(const char* path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator(file), {}};
  const auto parsed = parse_trace(text);
  if (!parsed) std::exit((std::fprintf(stderr, "%s: no trace of this tree\n", path), 2));
  return parsed->trace;
}

bool is_fit(const Trace& trace) {
  Judge whole;
  return !judge(trace, whole) && whole.machine().defect == nullptr;
}

template <class Run>
void measure(const char* what, const std::vector<Trace>& traces, Run run) {
  std::size_t ops = 0;
  for (const Trace& trace : traces) ops += trace.ops.size();
  double least = std::numeric_limits<double>::max();
  for (double all = 0; all < kEnough;) {
    const double begin = cpu_time();
    for (const Trace& trace : traces) run(trace);
    const double took = cpu_time() - begin;
    least = std::min(least, took);
    all += took;
  }
  std::printf("%s %.1f\n", what, least / double(ops));
}

void measure_judge(const char* what, const std::vector<Trace>& traces, Judge::Mode mode) {
  Judge of_mode({}, mode);
  measure(what, traces, [&](const Trace& trace) { (void)judge(trace, of_mode); });
}

}  // namespace

int main(int argc, char** argv) {
  const bool list = argc > 1 && argv[1] == std::string_view("--fit");
  std::vector<Trace> traces;
  for (int i = 1 + list; i < argc; ++i) {
    traces.push_back(read_trace(argv[i]));
    if (list && is_fit(traces.back())) std::puts(argv[i]);
  }
  if (list) return 0;
  Machine machine;
  measure("stepped", traces, [&](const Trace& trace) {
    machine.reset(trace.geometry);
    for (const Op& op : trace.ops) (void)step(machine, op);
  });
  measure_judge("incremental", traces, Judge::Mode::incremental);
  measure_judge("full", traces, Judge::Mode::full);
}
