// pagemap tells a page exclusive that a child maps, too, once the child has unmapped the first page
// of their huge page. As the trace corpus/regressions/head_speaks_for_all.trace.
#include "ci/defects/demonstration.h"

using namespace thp::defects;

namespace {

int map_and_store() {
  map_memory(kHuge);
  std::memset(kMemory, kStored, kHuge);
  return 0;
}

// What the second page holds, or something else if it is told exclusive, which it never is here.
int demonstrate(bool unmaps_the_first) {
  Process parent, child;
  parent.start();
  parent.run(map_and_store);
  child.start_from(parent);
  if (unmaps_the_first) must(child.run([] { return munmap(kMemory, kPage); }) == 0, "munmap");
  const bool told = parent.told_exclusive(kMemory + kPage);
  std::printf("%s the munmap, the second page is told %s\n", unmaps_the_first ? "with" : "without",
              told ? "exclusive" : "shared");
  child.exit();
  parent.exit();
  return told ? 0 : kStored;
}

}  // namespace

int main() { show(demonstrate); }
