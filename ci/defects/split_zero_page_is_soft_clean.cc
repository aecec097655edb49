// A huge zero page that mremap() has moved, since clear_refs, over memory that was stored to is
// told changed, until a store to its second page splits it. As
// corpus/regressions/split_zero_page_is_soft_clean.
#include "ci/defects/soft_dirty.h"

using namespace thp::defects;

namespace {

int demonstrate(bool split) {
  map_at(kMemory, 2 * kHuge, PROT_READ | PROT_WRITE);
  kMemory[0] = kStored;
  must(thp::live::write_file("/sys/kernel/mm/transparent_hugepage/use_zero_page", "1") == 0,
       "use_zero_page");
  must(static_cast<volatile char*>(kMemory)[kHuge] == 0, "load");
  clear_refs();
  move(kMemory + kHuge, kHuge, kHuge, kMemory);
  if (split) static_cast<volatile char*>(kMemory)[kPage] = 1;
  return told(kMemory, split ? "a split" : "no split");
}

}  // namespace

int main() { show(demonstrate); }
