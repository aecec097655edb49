// The page behind an index of a file of memory: found, or allocated. v6.1 mm/shmem.c.
// Left out: userfaultfd, seals, memory policies, quotas.
#include "model/mm/shmem.h"

#include <cerrno>
#include <utility>

#include "model/mm/filemap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/swap.h"

namespace thp {
namespace {

// What is in a page that nobody has cleared or filled yet.
constexpr std::uint8_t kStale = 0xee;

// v6.1 mm/shmem.c: shmem_alloc_and_acct_folio(). Not cleared, unlike anonymous memory.
Pfn shmem_alloc_folio(Machine& m) {
  const Pfn folio = alloc_page(m);
  if (folio == kNoPfn) return kNoPfn;
  set(m, folio, PG_locked | PG_swapbacked);
  m.page(folio).content = kStale;
  return folio;
}

// v6.1 mm/shmem.c: shmem_add_to_page_cache(). A reference for each index; -ENOMEM where it cannot
// be charged.
int shmem_add_to_page_cache(Machine& m, Pfn folio, int inode, int index) {
  Page& page = m.page(folio);
  page_ref_add(m, folio, 1);
  page.inode = std::uint8_t(inode);
  page.index = std::uint16_t(index);
  if (!mem_cgroup_charge(m, folio)) {
    page.inode = kNoInode;
    page_ref_add(m, folio, -1);
    return -ENOMEM;
  }
  m.set_cell(inode, index, {CellKind::folio, 0, folio});
  ++m.inodes[std::size_t(inode)].nrpages;
  ++m.nr_shmem;
  return 0;
}

void clear_folio(Machine& m, Pfn folio) {
  m.page(folio).content = 0;
  set(m, folio, PG_uptodate);
}

// The second half of shmem_get_folio_gfp(): a page for a hole.
ShmemFolio shmem_fill_hole(Machine& m, int inode, int index, Sgp sgp) {
  const Pfn folio = shmem_alloc_folio(m);
  if (folio == kNoPfn) return {kNoPfn, -ENOMEM};
  if (sgp == Sgp::write) set(m, folio, PG_referenced);
  if (const int error = shmem_add_to_page_cache(m, folio, inode, index); error != 0) {
    unlock_page(m, folio);
    put_page(m, folio);
    return {kNoPfn, error};
  }
  folio_add_lru(m, folio);
  ++m.inodes[std::size_t(inode)].alloced;
  shmem_recalc_inode(m, inode);
  if (sgp == Sgp::cache) clear_folio(m, folio);
  return {folio, 0};
}

}  // namespace

// v6.1 mm/shmem.c: shmem_recalc_inode(). What left the page cache behind its back no longer counts.
void shmem_recalc_inode(Machine& m, int inode) {
  Inode& file = m.inodes[std::size_t(inode)];
  file.alloced = std::min(file.alloced, file.nrpages);
}

// v6.1 mm/shmem.c: shmem_get_folio_gfp(). Who writes a new page, or allocates it for later, leaves
// it not up to date: it is not seen, and a failed fallocate() knows it by that.
ShmemFolio shmem_get_folio(Machine& m, int inode, int index, Sgp sgp) {
  if (sgp <= Sgp::cache && index >= m.inodes[std::size_t(inode)].i_size) return {kNoPfn, -EINVAL};
  const Pfn folio = filemap_lock_folio(m, inode, index);
  if (folio == kNoPfn)
    return sgp == Sgp::read ? ShmemFolio{} : shmem_fill_hole(m, inode, index, sgp);
  if (sgp == Sgp::write) folio_mark_accessed(m, folio);
  if (test(m, folio, PG_uptodate)) return {folio, 0};
  if (sgp == Sgp::read) {
    unlock_page(m, folio);
    put_page(m, folio);
    return {};
  }
  if (sgp != Sgp::write) clear_folio(m, folio);
  return {folio, 0};
}

}  // namespace thp
