// mlock() of a range with a hole fails, and what lies before the hole stays locked. As
// corpus/regressions/failed_mlock_keeps_locks.
#include "ci/defects/demonstration.h"

using namespace thp::defects;

namespace {

int locked_kib() {
  std::array<char, 4096> text{};
  const int fd = open("/proc/self/status", O_RDONLY);
  must(read(fd, text.data(), text.size() - 1) > 0, "status");
  close(fd);
  const char* const line = std::strstr(text.data(), "VmLck:");
  must(line != nullptr, "VmLck");
  return std::atoi(line + std::strlen("VmLck:"));
}

int demonstrate(bool fails) {
  map_memory(2 * kPage);
  if (fails) must(mlock(kMemory, 3 * kPage) == -1 && errno == ENOMEM, "mlock fails");
  const int kib = locked_kib();
  std::printf("with %s: %d KiB are locked\n", fails ? "the failed mlock()" : "none", kib);
  must(munmap(kMemory, 2 * kPage) == 0, "munmap");
  return kib == 0 ? kStored : 0;
}

}  // namespace

int main() { show(demonstrate); }
