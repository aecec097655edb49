// A huge zero page that mremap() has moved, since clear_refs, over memory that was stored to is
// told changed, until a store to its second page splits it. As
// corpus/regressions/split_zero_page_is_soft_clean.
#include "ci/defects/soft_dirty.h"

using namespace thp::defects;

namespace {

int demonstrate(bool split) {
  map_at(kMemory, 2 * kHuge, PROT_READ | PROT_WRITE);
  kMemory[0] = kStored;
  must(static_cast<volatile char*>(kMemory)[kHuge] == 0, "load");
  clear_refs();
  move(kMemory + kHuge, kHuge, kHuge, kMemory);
  if (split) static_cast<volatile char*>(kMemory)[kPage] = 1;
  for (int i : {1, 2, 511}) std::printf("with %d: %d\n", i, told(kMemory + i * kPage, "x"));
  return told(kMemory, split ? "a split" : "no split");
}

}  // namespace

int main() { show(demonstrate); }
