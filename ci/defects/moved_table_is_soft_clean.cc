// mremap() of a whole page table since clear_refs: other bytes at the place, and pagemap tells no
// change. A page less is moved by PTEs, and told. As corpus/regressions/moved_table_is_soft_clean.
#include "ci/defects/soft_dirty.h"

using namespace thp::defects;

namespace {

int demonstrate(bool whole) {
  map_at(kMemory, 2 * kHuge, PROT_READ | PROT_WRITE);
  must(madvise(kMemory, 2 * kHuge, MADV_NOHUGEPAGE) == 0, "MADV_NOHUGEPAGE");
  kMemory[0] = kStored;
  kMemory[kHuge] = kStored + 2;
  clear_refs();
  const std::size_t size = whole ? kHuge : kHuge - kPage;
  move(kMemory + kHuge, size, size, kMemory);
  return told(kMemory, whole ? "the whole table" : "a page less");
}

}  // namespace

int main() { show(demonstrate); }
