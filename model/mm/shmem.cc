// The page behind an index of a file of memory: found, or allocated. v6.1 mm/shmem.c.
// Left out: userfaultfd, seals, memory policies, quotas, the size of a mount.
#include "model/mm/shmem.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "model/mm/filemap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/shmem_shrink.h"
#include "model/mm/swap.h"

namespace thp {
namespace {

// What is in a page that nobody has cleared or filled yet.
constexpr std::uint8_t kStale = 0xee;

// v6.1 mm/shmem.c: shmem_alloc_hugefolio(). Not where a page of the block is there already.
Pfn shmem_alloc_hugefolio(Machine& m, int inode, int index) {
  for (int i = 0; i < m.hpage_nr(); ++i)
    if (!m.cell(inode, pmd_first(m, index) + i).is_none()) return kNoPfn;
  const Pfn folio = alloc_huge(m);
  if (folio == kNoPfn) count_vm_event(m, Event::thp_file_fallback);
  return folio;
}

// v6.1 mm/shmem.c: shmem_alloc_and_acct_folio(). Not cleared, unlike anonymous memory.
Pfn shmem_alloc_folio(Machine& m, int inode, int index, bool huge) {
  const Pfn folio = huge ? shmem_alloc_hugefolio(m, inode, index) : alloc_page(m);
  if (folio == kNoPfn) return kNoPfn;
  set(m, folio, PG_locked | PG_swapbacked);
  for (int i = 0; i < folio_nr_pages(m, folio); ++i) m.page(Pfn(folio + i)).content = kStale;
  return folio;
}

// v6.1 mm/shmem.c: shmem_add_to_page_cache(). A reference for each index; -ENOMEM where it cannot
// be charged.
int shmem_add_to_page_cache(Machine& m, Pfn folio, int inode, int index) {
  const int nr = folio_nr_pages(m, folio);
  Page& page = m.page(folio);
  page_ref_add(m, folio, nr);
  page.inode = std::uint8_t(inode);
  page.index = std::uint16_t(index);
  if (!mem_cgroup_charge(m, folio)) {
    if (nr > 1) count_vm_event(m, Event::thp_file_fallback);
    if (nr > 1) count_vm_event(m, Event::thp_file_fallback_charge);
    page.inode = kNoInode;
    page_ref_add(m, folio, -nr);
    return -ENOMEM;
  }
  for (int i = 0; i < nr; ++i) m.set_cell(inode, index + i, {CellKind::folio, 0, Pfn(folio + i)});
  m.inodes[std::size_t(inode)].nrpages += nr;
  m.nr_shmem += nr;
  if (nr == 1) return 0;
  m.nr_shmem_thps += nr;
  count_vm_event(m, Event::thp_file_alloc);
  return 0;
}

// One try of the second half of shmem_get_folio_gfp(): a folio, huge or not, for a hole.
ShmemFolio shmem_fill_hole(Machine& m, int inode, int index, Sgp sgp, bool huge) {
  const Pfn folio = shmem_alloc_folio(m, inode, index, huge);
  if (folio == kNoPfn) return {kNoPfn, -ENOMEM};
  const int nr = folio_nr_pages(m, folio), first = index & ~(nr - 1);
  if (sgp == Sgp::write) set(m, folio, PG_referenced);
  if (const int error = shmem_add_to_page_cache(m, folio, inode, first); error != 0) {
    unlock_and_put(m, folio);
    return {kNoPfn, error};
  }
  folio_add_lru(m, folio);
  Inode& file = m.inodes[std::size_t(inode)];
  file.alloced += nr;
  shmem_recalc_inode(m, inode);
  if (nr > 1 && file.i_size < first + nr - 1) shrinklist_add(m, inode);
  if (sgp == Sgp::cache) clear_folio(m, folio);
  return {folio, 0};
}

// v6.1 mm/shmem.c: shmem_is_huge(). `vma` is nullptr for a call on the file. Of a file that grows
// by a write it sees the old size.
bool shmem_is_huge(const Machine& m, int mm, const Vma* vma, int inode, int index) {
  if (vma != nullptr && (vma->has(VM_NOHUGEPAGE) || m.mms[std::size_t(mm)].thp_disabled != 0))
    return false;
  if (m.shmem_enabled == ShmemHuge::deny) return false;
  if (m.shmem_enabled == ShmemHuge::force) return true;
  const int next_block = pmd_first(m, index) + m.hpage_nr();
  switch (m.shm_mnt.huge) {
    case ShmemHuge::always:
      return true;
    case ShmemHuge::within_size:
      if (m.inodes[std::size_t(inode)].i_size >= next_block) return true;
      [[fallthrough]];
    case ShmemHuge::advise:
      return vma != nullptr && vma->has(VM_HUGEPAGE);
    default:
      return false;
  }
}

}  // namespace

// v6.1 mm/shmem.c: shmem_recalc_inode(). What left the page cache behind its back no longer counts.
void shmem_recalc_inode(Machine& m, int inode) {
  Inode& file = m.inodes[std::size_t(inode)];
  file.alloced = std::min(file.alloced, file.nrpages);
}

// v6.1 mm/shmem.c: shmem_uncharge()
void shmem_uncharge(Machine& m, int inode) {
  --m.inodes[std::size_t(inode)].alloced;
  shmem_recalc_inode(m, inode);
}

void clear_folio(Machine& m, Pfn folio) {
  for (int i = 0; i < folio_nr_pages(m, folio); ++i) {
    m.page(Pfn(folio + i)).content = 0;
    m.stamps.frame(Pfn(folio + i));
  }
  set(m, folio, PG_uptodate);
}

// v6.1 mm/shmem.c: shmem_get_folio_gfp(). Who writes a new folio, or allocates it for later, leaves
// it not up to date: it is not seen, and a failed fallocate() knows it by that.
ShmemFolio shmem_get_folio(Machine& m, int inode, int index, Sgp sgp, int mm, const Vma* vma) {
  if (sgp <= Sgp::cache && index >= m.inodes[std::size_t(inode)].i_size) return {kNoPfn, -EINVAL};
  const Pfn folio = filemap_lock_folio(m, inode, index);
  if (folio == kNoPfn) {
    if (sgp == Sgp::read) return {};
    if (shmem_is_huge(m, mm, vma, inode, index))
      if (const ShmemFolio huge = shmem_fill_hole(m, inode, index, sgp, true); huge.error == 0)
        return huge;
    return shmem_fill_hole(m, inode, index, sgp, false);
  }
  if (sgp == Sgp::write) folio_mark_accessed(m, folio);
  if (test(m, folio, PG_uptodate)) return {folio, 0};
  if (sgp == Sgp::read) {
    unlock_and_put(m, folio);
    return {};
  }
  if (sgp != Sgp::write) clear_folio(m, folio);
  return {folio, 0};
}

}  // namespace thp
