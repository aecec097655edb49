// Files of memory: memfd_create(). v6.1 mm/shmem.c. Offsets and sizes are in pages.
#pragma once
#include "model/machine.h"

namespace thp {

// enum sgp_type: who asks for a page of a file.
enum class Sgp : std::uint8_t {
  read,    // no allocation: a hole stays one
  cache,   // a fault: a page, and it is cleared; as `read`, not beyond the size
  write,   // the caller fills the page, or clears what it does not fill
  falloc,  // as write, but makes a page up to date that was allocated before
};

// What shmem_get_folio() answers: the folio of the index, locked and with a reference; kNoPfn for a
// hole that is only read, or with an error: -EINVAL, -ENOMEM.
struct ShmemFolio {
  Pfn folio = kNoPfn;
  int error = 0;
};
// For a fault on a VMA of an address space, or, without one, for a call on the file.
ShmemFolio shmem_get_folio(Machine& m, int inode, int index, Sgp sgp, int mm = -1,
                           const Vma* vma = nullptr);
void shmem_recalc_inode(Machine& m, int inode);
void shmem_uncharge(Machine& m, int inode);  // a page that a split drops beyond the end
void clear_folio(Machine& m, Pfn folio);     // zeroes it: up to date

// Takes what is in [start, end) out of the file; `unfalloc`: only what a failed fallocate() added.
// An end beyond m.pages(): all that follows.
void shmem_undo_range(Machine& m, int inode, int start, int end, bool unfalloc = false);

// --- Calls. `inode` is alive, and open.
void shmem_file_setup(Machine& m, int inode);           // it is not: memfd_create()
int shmem_file_read(Machine& m, int inode, int index);  // the byte, or kEof
int shmem_file_write(Machine& m, int inode, int index, std::uint8_t value);      // 0, -ENOMEM
int shmem_fallocate(Machine& m, int inode, int start, int end, bool keep_size);  // 0, -ENOMEM
void shmem_punch_hole(Machine& m, int inode, int start, int end);
void shmem_setattr(Machine& m, int inode, int size);  // ftruncate()
void shmem_evict_inode(Machine& m, int inode);
void shmem_enabled_store(Machine& m, ShmemHuge huge);  // sysfs

}  // namespace thp
