// A mapping of a file of memory, stored to beyond the end of the file: of small pages that is
// SIGBUS, of a huge page it is in the file once that grows. As the trace
// corpus/regressions/huge_page_beyond_the_end.trace, where that ends.
#include <csetjmp>
#include <csignal>

#include "ci/defects/demonstration.h"

using namespace thp::defects;

namespace {

constexpr const char* kShmemEnabled = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
constexpr std::size_t kBeyond = 256 * kPage;

sigjmp_buf before_the_store;
void at_bus_error(int) { siglongjmp(before_the_store, 1); }

// true: it was no SIGBUS.
bool store(char* where) {
  if (sigsetjmp(before_the_store, 1) != 0) return false;
  *static_cast<volatile char*>(where) = kStored;
  return true;
}

// What the file has there in the end.
int store_and_grow() {
  const int file = memfd_create("file", 0);
  must(file >= 0 && ftruncate(file, kPage) == 0, "memfd_create");
  void* const memory =
      mmap(kMemory, kHuge, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0);
  must(memory == kMemory, "mmap");
  must(std::signal(SIGBUS, at_bus_error) != SIG_ERR && store(kMemory), "store");
  const bool stored = store(kMemory + kBeyond);
  must(ftruncate(file, kHuge) == 0, "ftruncate");
  char read = -1;
  must(pread(file, &read, 1, kBeyond) == 1, "pread");
  std::printf("with %s: a store beyond the end %s, the file has %d there once it grows\n",
              (stored ? "a huge page" : "small pages"), (stored ? "succeeds" : "is SIGBUS"), read);
  return read;
}

int demonstrate(const char* shmem_enabled) {
  must(thp::live::write_file(kShmemEnabled, shmem_enabled) == 0, kShmemEnabled);
  Process process;
  process.start();
  const int read = process.run(store_and_grow);
  process.exit();
  return read;
}

}  // namespace

int main() {
  const Guest guest;
  const bool sound = demonstrate("never") == 0, stays = demonstrate("always") == kStored;
  std::printf("SHOWN %s\n", sound && stays ? "yes" : "no");
}
