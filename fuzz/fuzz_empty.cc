// The floor: a target that does nothing, for ci/bench to set libFuzzer's own cost beside.
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }
