// Raw bytes through the parser: no crash, and what was read prints to text that reads the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "model/trace/trace.h"

using namespace thp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = parse_trace({reinterpret_cast<const char*>(data), size});
  if (!file) return 0;
  const std::string text = print(file->trace);
  const auto again = parse_trace(text);
  if (again && again->trace == file->trace && print(again->trace) == text) return 0;
  std::fprintf(stderr, "printed, this does not read as the trace it was:\n%s", text.c_str());
  std::abort();
}
