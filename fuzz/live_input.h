// The traces that a command line names, made ready for a kernel.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/thp.h"
#include "properties/live_traces.h"

namespace thp::live {

struct Input {
  std::vector<Trace> traces;
  std::vector<std::string> names;  // file, or "seed 17"
  int left_out = 0;                // files whose trace no kernel can run; told to standard error
  int replaced = 0;                // files with ops that have no call: see for_kernel()
  std::size_t expects = 0;         // `expect` lines of all files; they are of the model
  int status = kHolds;             // kNoTrace: some file is none; told to standard error
};
Input read_input(const Files& files, std::uint64_t random, std::uint64_t seed,
                 const LiveShape& shape = {});

}  // namespace thp::live
