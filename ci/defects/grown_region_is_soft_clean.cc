// What mremap() adds to a mapping since clear_refs is told unchanged; what it moves is told. As
// corpus/regressions/grown_region_is_soft_clean.
#include "ci/defects/soft_dirty.h"

using namespace thp::defects;

namespace {

int demonstrate(bool grown) {
  map_at(kMemory, 2 * kPage, PROT_READ | PROT_WRITE);
  kMemory[0] = kStored;
  char* const to = kMemory + 8 * kPage;
  map_at(to, 2 * kPage, PROT_READ | PROT_WRITE);
  to[kPage] = kStored;
  clear_refs();
  move(kMemory, kPage, 2 * kPage, to);
  return told(to + (grown ? kPage : 0), grown ? "what was added" : "what was moved");
}

}  // namespace

int main() { show(demonstrate); }
