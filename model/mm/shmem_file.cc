// The calls on a file of memory. v6.1 mm/shmem.c.
// SysV shm is such a file, too, whose VMAs never merge: ipc/shm.c is not modelled.
#include <algorithm>
#include <cerrno>

#include "model/mm/filemap.h"
#include "model/mm/memory.h"
#include "model/mm/page_alloc.h"
#include "model/mm/shmem.h"
#include "model/mm/shmem_shrink.h"
#include "model/mm/swap.h"
#include "model/mm/swapfile.h"
#include "model/ops.h"

namespace thp {
namespace {

Inode& inode_of(Machine& m, int inode) { return m.inodes[std::size_t(inode)]; }

}  // namespace

// v6.1 mm/memfd.c: memfd_create(); mm/shmem.c: shmem_file_setup()
void shmem_file_setup(Machine& m, int inode) { inode_of(m, inode) = {.alive = 1, .open = 1}; }

// v6.1 mm/shmem.c: shmem_file_read_iter(). A hole is read from the zero page, and stays a hole.
int shmem_file_read(Machine& m, int inode, int index) {
  const auto [folio, error] = shmem_get_folio(m, inode, index, Sgp::read);
  if (error == -EINVAL) return kEof;
  if (folio == kNoPfn) return 0;
  unlock_page(m, folio);
  folio_mark_accessed(m, folio);
  const int content = m.page(folio_file_page(m, folio, index)).content;
  put_page(m, folio);
  return content;
}

// v6.1 mm/filemap.c: generic_perform_write(); mm/shmem.c: shmem_write_begin(), shmem_write_end().
// The size grows only after the page is there.
int shmem_file_write(Machine& m, int inode, int index, std::uint8_t value) {
  const auto [folio, error] = shmem_get_folio(m, inode, index, Sgp::write);
  if (error != 0) return error;
  Inode& file = inode_of(m, inode);
  if (!test(m, folio, PG_uptodate)) clear_folio(m, folio);
  const Pfn page = folio_file_page(m, folio, index);
  m.page(page).content = value;
  m.stamps.frame(page);
  file.i_size = std::max(file.i_size, std::uint16_t(index + 1));
  folio_mark_dirty(m, folio);
  unlock_and_put(m, folio);
  return 0;
}

// v6.1 mm/shmem.c: shmem_fallocate(). What it has added goes again where it fails half way.
int shmem_fallocate(Machine& m, int inode, int start, int end, bool keep_size) {
  Inode& file = inode_of(m, inode);
  const std::uint16_t undo_fallocend = file.fallocend;
  file.fallocend = std::max(file.fallocend, std::uint16_t(end));
  for (int index = start; index < end;) {
    const auto [folio, error] = shmem_get_folio(m, inode, index, Sgp::falloc);
    if (error != 0) {
      file.fallocend = undo_fallocend;
      if (index > start) shmem_undo_range(m, inode, start, index, true);
      return error;
    }
    index = m.page(folio).index + folio_nr_pages(m, folio);
    folio_mark_dirty(m, folio);
    unlock_and_put(m, folio);
  }
  if (!keep_size) file.i_size = std::max(file.i_size, std::uint16_t(end));
  return 0;
}

// v6.1 mm/shmem.c: shmem_fallocate() with FALLOC_FL_PUNCH_HOLE
void shmem_punch_hole(Machine& m, int inode, int start, int end) {
  unmap_mapping_range(m, inode, start, end, false);
  shmem_undo_range(m, inode, start, end);
}

// v6.1 mm/shmem.c: shmem_setattr(). Also to the same size: what fallocate() left beyond it goes.
void shmem_setattr(Machine& m, int inode, int size) {
  Inode& file = inode_of(m, inode);
  const int old_size = file.i_size;
  file.i_size = std::uint16_t(size);
  if (size < old_size) unmap_mapping_range(m, inode, size, 2 * m.pages(), true);
  if (size <= old_size && file.alloced != 0) shmem_undo_range(m, inode, size, 2 * m.pages());
}

// v6.1 mm/shmem.c: shmem_evict_inode(), once nobody has the file open or mapped
void shmem_evict_inode(Machine& m, int inode) {
  inode_of(m, inode).i_size = 0;
  shmem_undo_range(m, inode, 0, 2 * m.pages());
  shrinklist_del(m, inode);
  vm_bug_on(m, inode_of(m, inode).alloced != 0, "shmem_evict_inode: WARN_ON(inode->i_blocks)");
  inode_of(m, inode) = {};
}

// v6.1 mm/shmem.c: shmem_enabled_store(). deny and force leave the mount its own.
void shmem_enabled_store(Machine& m, ShmemHuge huge) {
  m.shmem_enabled = huge;
  if (huge < ShmemHuge::deny) m.shm_mnt.huge = huge;
}

}  // namespace thp
