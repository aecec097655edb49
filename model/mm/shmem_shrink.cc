// The shrinker of files of memory. v6.1 mm/shmem.c.
// Left out: a bound to how many files one pass looks at; two are fewer than any.
#include "model/mm/shmem_shrink.h"

#include <algorithm>

#include "model/mm/huge_memory.h"

namespace thp {
namespace {

void insert(Machine& m, int inode, int place) {
  SuperBlock& sb = m.shm_mnt;
  auto* at = sb.shrinklist.begin() + place;
  std::move_backward(at, sb.shrinklist.begin() + sb.shrinklist_len,
                     sb.shrinklist.begin() + sb.shrinklist_len + 1);
  *at = std::uint8_t(inode);
  ++sb.shrinklist_len;
  m.inodes[std::size_t(inode)].on_shrinklist = 1;
}

// What becomes of one file: its folio at the end is split, or there is none, or it could not be.
enum class Shrunk : std::uint8_t { split, nothing, failed };

Shrunk split_at_end(Machine& m, int inode) {
  const int size = m.inodes[std::size_t(inode)].i_size;
  if (size % m.hpage_nr() == 0) return Shrunk::nothing;  // both round to the same
  const Cell cell = m.cell(inode, pmd_first(m, size));
  if (!cell.is_folio()) return Shrunk::nothing;
  const Pfn folio = page_folio(m, cell.frame);
  if (!folio_test_large(m, folio)) return Shrunk::nothing;
  return trylock_and_split(m, folio) ? Shrunk::split : Shrunk::failed;
}

}  // namespace

void shrinklist_add(Machine& m, int inode) {
  if (m.inodes[std::size_t(inode)].on_shrinklist == 0) insert(m, inode, m.shm_mnt.shrinklist_len);
}

void shrinklist_del(Machine& m, int inode) {
  if (m.inodes[std::size_t(inode)].on_shrinklist == 0) return;
  SuperBlock& sb = m.shm_mnt;
  auto* end = sb.shrinklist.begin() + sb.shrinklist_len;
  std::move(std::find(sb.shrinklist.begin(), end, inode) + 1, end,
            std::find(sb.shrinklist.begin(), end, inode));
  sb.shrinklist[--sb.shrinklist_len] = 0;
  m.inodes[std::size_t(inode)].on_shrinklist = 0;
}

// v6.1 mm/shmem.c: shmem_unused_huge_shrink(). It takes the list from its end, as each file goes to
// the head of a list of its own first; so do those that could not be split, to the head of the old.
int shmem_unused_huge_shrink(Machine& m) {
  const SuperBlock listed = m.shm_mnt;
  for (int i = 0; i < listed.shrinklist_len; ++i) shrinklist_del(m, listed.shrinklist[i]);
  int split = 0;
  for (int i = listed.shrinklist_len - 1; i >= 0; --i) {
    const int inode = listed.shrinklist[std::size_t(i)];
    const Shrunk shrunk = split_at_end(m, inode);
    split += shrunk == Shrunk::split;
    if (shrunk == Shrunk::failed) insert(m, inode, 0);
  }
  return split;
}

}  // namespace thp
