// Files first, then random traces: the k-th of seed S is the first of seed S + k.
#include "fuzz/live_input.h"

#include <fmt/format.h>

#include "properties/live_traces.h"

namespace thp::live {
namespace {

constexpr std::size_t kFew = 20;  // traces whose ops are told one by one

}  // namespace

Input read_input(const Files& files, std::uint64_t random, std::uint64_t seed,
                 const LiveShape& shape) {
  Input input;
  for (const std::string& file : files) {
    const auto trace = read_trace(file);
    if (!trace) {
      fmt::print(stderr, "{}\n", trace.error());
      input.status = kNoTrace;
      continue;
    }
    auto live = for_kernel(trace->trace);
    if (!live) {
      ++input.left_out;
      fmt::print(stderr, "{}: left out: {}\n", file, live.error());
      continue;
    }
    const std::vector<std::string> replaced = replaced_for_kernel(trace->trace);
    input.replaced += !replaced.empty();
    input.expects += trace->expects.size();
    for (const std::string& line : replaced)
      if (files.size() <= kFew) fmt::print("{}: in the place of {}\n", file, line);
    input.traces.push_back(*std::move(live));
    input.names.push_back(file);
  }
  for (std::uint64_t i = 0; i < random; ++i) {
    input.traces.push_back(random_trace(seed + i, shape));
    input.names.push_back(fmt::format("seed {}", seed + i));
  }
  return input;
}

}  // namespace thp::live
