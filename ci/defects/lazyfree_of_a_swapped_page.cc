// MADV_FREE of a huge page in the swap cache: what C has swapped out is lost. As the trace
// corpus/regressions/lazyfree_swapped.trace.
#include "ci/defects/demonstration.h"

using namespace thp::defects;

namespace {

char* const kPageAt = kMemory + kHuge;  // of two huge pages the second is used

int map_and_store() {
  map_memory(2 * kHuge);
  std::memset(kPageAt, kStored, kHuge);
  return mprotect(kMemory, 2 * kHuge, PROT_READ);
}

int read_back() { return *static_cast<volatile char*>(kPageAt); }

// What C reads in the end.
int demonstrate(bool gives_away) {
  Process a, b, c;
  a.start();
  must(a.run(map_and_store) == 0, "mprotect");
  b.start_from(a);
  c.start_from(a);
  // The rmap finds A and C before B; A's mapping of the huge page is by PTEs then, and locked.
  must(b.run([] { return munmap(kMemory, kPage); }) == 0, "munmap");
  must(a.run([] { return mlock(kMemory, kHuge + kPage); }) == 0, "mlock");
  reclaim_until_swapped(c, kPageAt);
  std::printf("C has it swapped out; A: %s, B: %s\n", a.where(kPageAt), b.where(kPageAt));
  a.exit();
  if (gives_away) must(b.run([] { return madvise(kPageAt, kHuge, MADV_FREE); }) == 0, "MADV_FREE");
  reclaim_until_swapped(b, kPageAt);
  const int seen = c.run(read_back);
  std::printf("%s MADV_FREE in B, C reads %d\n", gives_away ? "with" : "without", seen);
  b.exit();
  c.exit();
  return seen;
}

}  // namespace

int main() { show(demonstrate); }
