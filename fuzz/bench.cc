// What judging costs, on generated traces of 64 ops with fixed seeds: `step` runs the machine
// alone, `judge` the machine and the oracle, `parse` reads the text. Items are ops. ci/bench makes
// the table; with `--write DIR ORDER` the traces become files, for it to give to fuzz targets, or
// to another tree.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "model/trace/generate.h"
#include "model/trace/trace.h"
#include "oracle/judge.h"

using namespace thp;

namespace {

constexpr int kTraces = 100, kOps = 64;
std::int64_t allocations = 0;

// Prefixes of longer traces: every subsequence of a trace is a trace.
std::vector<Trace> traces_of(int order) {
  std::minstd_rand random(1);
  auto choose = [&](int n) { return int(random() % unsigned(n)); };
  const Geometry geometry{.order = order, .pmds = 2, .mms = 2};
  std::vector<Trace> traces;
  while (traces.size() < kTraces) {
    Trace trace = generate_trace(choose, {.geometry = geometry, .mask = {}, .max_ops = 4 * kOps});
    if (trace.ops.size() < kOps) continue;
    trace.ops.erase(trace.ops.begin() + kOps, trace.ops.end());
    traces.push_back(std::move(trace));
  }
  return traces;
}

// Runs each trace in turn by `run`; the first round is a warm-up.
template <class Run>
void measure(benchmark::State& state, Run run) {
  const std::vector<Trace> traces = traces_of(int(state.range(0)));
  for (const Trace& trace : traces) run(trace);
  const std::int64_t before = allocations;
  std::size_t next = 0;
  for (auto _ : state) run(traces[next++ % traces.size()]);
  const auto ops = state.iterations() * kOps;
  state.SetItemsProcessed(ops);
  state.counters["allocations_per_op"] = double(allocations - before) / double(ops);
}

void step(benchmark::State& state) {
  Machine machine;
  measure(state, [&](const Trace& trace) {
    machine.reset(trace.geometry);
    for (const Op& op : trace.ops) benchmark::DoNotOptimize(thp::step(machine, op));
  });
}

void judge(benchmark::State& state, Judge::Mode mode) {
  Judge judge({}, mode);
  measure(state, [&](const Trace& trace) {
    judge.reset(trace.geometry);
    for (const Op& op : trace.ops)
      if (judge.step(op)) state.SkipWithError("a generated trace is judged a violation");
    if (judge.finish()) state.SkipWithError("a generated trace is judged a violation");
  });
}

void parse(benchmark::State& state) {
  std::vector<std::string> texts;
  for (const Trace& trace : traces_of(int(state.range(0)))) texts.push_back(print(trace));
  std::size_t next = 0;
  measure(state, [&](const Trace&) {
    benchmark::DoNotOptimize(parse_trace(texts[next++ % texts.size()]));
  });
}

void orders(benchmark::internal::Benchmark* bench) { bench->Arg(1)->Arg(2)->Arg(9); }
BENCHMARK(step)->Apply(orders);
BENCHMARK_CAPTURE(judge, full, Judge::Mode::full)->Apply(orders);
BENCHMARK_CAPTURE(judge, incremental, Judge::Mode::incremental)->Apply(orders);
BENCHMARK(parse)->Apply(orders);

int write_traces(const std::filesystem::path& directory, int order) {
  std::filesystem::create_directories(directory);
  int number = 0;
  for (const Trace& trace : traces_of(order))
    std::ofstream(directory / (std::to_string(number++) + ".trace")) << print(trace);
  return 0;
}

}  // namespace

// gcc sees std::malloc() inlined behind a new-expression, and its std::free() as a mismatch.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--write")
    return write_traces(argv[2], std::atoi(argv[3]));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
