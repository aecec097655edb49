// mremap() of a page that nobody touched, since clear_refs, over one that was stored to: the place
// is zeroes now, and pagemap tells no change. As corpus/regressions/moved_hole_is_soft_clean.
#include "ci/defects/soft_dirty.h"

using namespace thp::defects;

namespace {

int demonstrate(bool hole) {
  map_at(kMemory, 4 * kPage, PROT_READ | PROT_WRITE);
  kMemory[0] = kStored;
  if (!hole) kMemory[kPage] = kStored + 2;
  clear_refs();
  move(kMemory + kPage, kPage, kPage, kMemory);
  return told(kMemory, hole ? "a hole" : "a page");
}

}  // namespace

int main() { show(demonstrate); }
