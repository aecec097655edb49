// Memory is unmapped and mapped anew since clear_refs, and told changed; mprotect() of its
// neighbour merges the two VMAs, and it is told no more. As
// corpus/regressions/soft_dirty_lost_in_a_merge.
#include "ci/defects/soft_dirty.h"

using namespace thp::defects;

namespace {

int demonstrate(bool merge) {
  char* const place = kMemory + 4 * kPage;
  map_at(kMemory, 4 * kPage, PROT_READ);
  map_at(place, 4 * kPage, PROT_READ | PROT_WRITE);
  place[0] = kStored;
  clear_refs();
  must(munmap(place, 4 * kPage) == 0, "munmap");
  map_at(place, 4 * kPage, PROT_READ | PROT_WRITE);
  if (merge) must(mprotect(kMemory, 4 * kPage, PROT_READ | PROT_WRITE) == 0, "mprotect");
  return told(place, merge ? "the merge" : "no merge");
}

}  // namespace

int main() { show(demonstrate); }
