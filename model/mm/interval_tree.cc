// The order in which a file knows its VMAs: by their first page of it, and among equals by turn.
// v6.1 mm/interval_tree.c, of address_space->i_mmap. The tree is every VMA with that file.
#include "model/mm/mmap_vma.h"

namespace thp {
namespace {

template <class Visit>
void for_each_equal(Machine& m, const Vma& vma, Visit visit) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (Vma& other : m.vmas(mm))
      if (&other != &vma && other.file == vma.file && other.pgoff == vma.pgoff) visit(other);
}

}  // namespace

void vma_interval_tree_insert(Machine& m, Vma& vma) {
  vma.file_turn = 0;
  if (!vma.is_anonymous()) for_each_equal(m, vma, [&](const Vma&) { ++vma.file_turn; });
}

void vma_interval_tree_insert_after(Machine& m, Vma& vma, const Vma& prev) {
  if (vma.is_anonymous()) return;
  vma.file_turn = std::uint8_t(prev.file_turn + 1);
  for_each_equal(m, vma, [&](Vma& other) { other.file_turn += other.file_turn > prev.file_turn; });
}

void vma_interval_tree_remove(Machine& m, Vma& vma) {
  if (vma.is_anonymous()) return;
  for_each_equal(m, vma, [&](Vma& other) { other.file_turn -= other.file_turn > vma.file_turn; });
  vma.file_turn = 0;
}

}  // namespace thp
