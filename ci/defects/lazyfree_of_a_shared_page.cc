// MADV_FREE of a page that is clean since it was copied for a read-only pin: what a child has of it
// is lost. As the trace corpus/regressions/lazyfree_unshared.trace.
#include <sys/uio.h>

#include "ci/defects/demonstration.h"

using namespace thp::defects;

namespace {

int map_and_store() {
  map_memory(kPage);
  std::memset(kMemory, kStored, kPage);
  return 0;
}

int read_back() { return *static_cast<volatile char*>(kMemory); }

// Pins the page for reading, for a moment.
void pin(const Process& process) {
  char byte = 0;
  const iovec to{&byte, 1}, from{kMemory, 1};
  must(process_vm_readv(process.pid(), &to, 1, &from, 1, 0) == 1 && byte == kStored,
       "process_vm_readv");
}

// What the child reads in the end.
int demonstrate(bool is_pinned) {
  Process parent, first, child;
  parent.start();
  parent.run(map_and_store);
  first.start_from(parent);
  if (is_pinned) pin(parent);
  first.exit();
  child.start_from(parent);
  must(parent.run([] { return madvise(kMemory, kPage, MADV_FREE); }) == 0, "MADV_FREE");
  for (int pass = 0; pass < 8; ++pass) reclaim();
  const int seen = child.run(read_back);
  std::printf("%s the pin, the child reads %d\n", is_pinned ? "with" : "without", seen);
  child.exit();
  parent.exit();
  return seen;
}

}  // namespace

int main() { show(demonstrate); }
