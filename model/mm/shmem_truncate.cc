// Taking pages out of a file: truncate, punched holes, undoing fallocate(). v6.1 mm/shmem.c.
#include "model/mm/filemap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/shmem.h"

namespace thp {
namespace {

// One folio of the range, locked.
void undo_folio(Machine& m, Pfn folio, bool unfalloc) {
  if (!unfalloc || !test(m, folio, PG_uptodate)) truncate_inode_folio(m, folio);
  unlock_page(m, folio);
}

}  // namespace

// v6.1 mm/shmem.c: shmem_undo_range(). The first pass leaves out whoever is locked, the second
// waits.
void shmem_undo_range(Machine& m, int inode, int start, int end, bool unfalloc) {
  Inode& file = m.inodes[std::size_t(inode)];
  if (file.fallocend > start && file.fallocend <= end && !unfalloc)
    file.fallocend = std::uint16_t(start);
  for (int index = start; index < end; ++index) {
    const Cell cell = m.cell(inode, index);
    if (cell.is_none()) continue;
    get_page(m, cell.frame);
    if (trylock_page(m, cell.frame)) undo_folio(m, cell.frame, unfalloc);
    put_page(m, cell.frame);
  }
  for (int index = start; index < end; ++index) {
    const Pfn folio = filemap_lock_folio(m, inode, index);
    if (folio == kNoPfn) continue;
    undo_folio(m, folio, unfalloc);
    put_page(m, folio);
  }
  shmem_recalc_inode(m, inode);
}

}  // namespace thp
