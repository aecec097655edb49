// mremap() to a fixed address. v6.1 mm/mremap.c, mm/mmap.c.
// Left out: mremap() in place, MREMAP_DONTUNMAP, userfaultfd; tables above the PMD. Page tables
// never fail to allocate, so the way back after a failed move is not taken. The move does not fault
// anything in, locked or not: only what has grown is populated.
#include "model/mm/gup.h"
#include "model/mm/huge_memory.h"
#include "model/mm/memory.h"
#include "model/mm/mmap.h"
#include "model/mm/mmap_vma.h"
#include "model/mm/rmap.h"

namespace thp {
namespace {

// See defects.h: a place that is other memory now, and that neither its entry nor its VMA tells so.
void strike(Machine& m, const Defect& defect, int mm, int first, int end) {
  if (!vma_lookup(m, mm, first)->has(VM_SOFTDIRTY)) m.strikes.add(defect, mm, first, end);
}

// v6.1 mm/mremap.c: move_ptes(), move_soft_dirty_pte()
void move_ptes(Machine& m, int mm, int old_page, int new_page, int count) {
  for (int n = 0; n < count; ++n) {
    Entry entry = m.pte(mm, old_page + n);
    if (entry.is_none()) {
      strike(m, kMovedHoleIsSoftClean, mm, new_page + n, new_page + n + 1);
      continue;
    }
    entry.bits |= kSoftDirty;
    m.set_pte(mm, old_page + n, {});
    m.set_pte(mm, new_page + n, entry);
  }
}

// v6.1 mm/mremap.c: move_normal_pmd(). The page table goes over whole: nothing becomes soft-dirty.
bool move_normal_pmd(Machine& m, int mm, int old_page, int new_page) {
  const int from = pmd_index(m, old_page), to = pmd_index(m, new_page);
  if (!m.pmd(mm, to).is_none()) return false;
  m.set_pmd(mm, to, m.pmd(mm, from));
  for (int n = 0; n < m.hpage_nr(); ++n) {
    const Entry entry = m.pte(mm, old_page + n);
    if (!entry.has(kSoftDirty))
      strike(m, kMovedTableIsSoftClean, mm, new_page + n, new_page + n + 1);
    m.set_pte(mm, new_page + n, entry);
    m.set_pte(mm, old_page + n, {});
  }
  m.set_pmd(mm, from, {});
  return true;
}

// v6.1 mm/mremap.c: move_page_tables(), the part below one old and one new PMD. Only from block to
// block does a huge PMD, or a page table, move as one.
void move_extent(Machine& m, int mm, const Vma& vma, int old_page, int new_page, int extent) {
  const int from = pmd_index(m, old_page), to = pmd_index(m, new_page);
  if (m.pmd(mm, from).is_none())
    return strike(m, kMovedHoleIsSoftClean, mm, new_page, new_page + extent);
  vm_bug_on(m, m.pmd(mm, to).is_present() || m.pmd(mm, to).is_zero(),
            "alloc_new_pmd: the new PMD is huge");
  const bool whole = extent == m.hpage_nr();
  if (!m.pmd(mm, from).is_table()) {
    if (whole && move_huge_pmd(m, mm, from, to)) return;
    split_huge_pmd(m, mm, vma, old_page);
  } else if (whole && move_normal_pmd(m, mm, old_page, new_page)) {
    return;
  }
  pte_alloc(m, mm, to);
  move_ptes(m, mm, old_page, new_page, extent);
}

// v6.1 mm/mremap.c: move_page_tables(), get_extent()
void move_page_tables(Machine& m, int mm, const Vma& vma, int old_page, int new_page, int len) {
  const auto to_next_pmd = [&m](int page) { return pmd_first(m, page) + m.hpage_nr() - page; };
  while (len > 0) {
    const int extent = std::min({len, to_next_pmd(old_page), to_next_pmd(new_page)});
    move_extent(m, mm, vma, old_page, new_page, extent);
    old_page += extent;
    new_page += extent;
    len -= extent;
  }
}

// v6.1 mm/mmap.c: copy_vma(). Makes a VMA for the new place, or lets a neighbour there take it in.
// The linear index moves along with the pages; where there never were any it starts afresh, and
// then the neighbour may be the old VMA itself.
void copy_vma(Machine& m, int mm, int start, int new_start, int new_end) {
  const Vma old = *vma_lookup(m, mm, start);
  const bool faulted_in = old.anon_vma != kNoAnonVma;
  Vma area = vm_area_dup(old);
  area.start = std::uint16_t(new_start);
  area.end = std::uint16_t(new_end);
  area.pgoff = std::uint16_t(faulted_in ? old.index_of(start) : new_start);
  const int next = find_vma_index(m, mm, new_start);
  const SoftDirtyNeighbours around(m, mm, new_start, new_end);
  const int merged = vma_merge(m, mm, next - 1, area);
  if (merged >= 0) {
    around.strike(m);
    vm_bug_on(m, faulted_in && m.vmas(mm)[merged].covers(old.start),
              "copy_vma: merged with itself although faulted in");
    return;
  }
  anon_vma_clone(m, area, old);
  m.insert_vma(mm, next, area);
}

// v6.1 mm/mremap.c: move_vma()
int move_vma(Machine& m, int mm, int start, int end, int new_start, int new_end) {
  if (map_count(m, mm) >= sysctl_max_map_count(m) - 3) return -ENOMEM;
  copy_vma(m, mm, start, new_start, new_end);
  move_page_tables(m, mm, *vma_lookup(m, mm, start), start, new_start, end - start);
  const int moved_end = new_start + end - start;
  if (moved_end < new_end) strike(m, kGrownRegionIsSoftClean, mm, moved_end, new_end);
  do_munmap(m, mm, start, end);
  return 0;
}

}  // namespace

// v6.1 mm/mremap.c: sys_mremap(), mremap_to(), vma_to_resize(). What was mapped at the new place,
// and what lies beyond a lesser size, is gone even if the old range then turns out to leave its
// VMA.
int do_mremap(Machine& m, int mm, int start, int end, int new_start, int new_len) {
  if (vma_lookup(m, mm, start) == nullptr) return -EFAULT;
  const int new_end = new_start + new_len, kept = std::min(end - start, new_len);
  if (new_end > m.pages()) return -EINVAL;  // TASK_SIZE
  if (end > new_start && new_end > start) return -EINVAL;
  if (map_count(m, mm) + 2 >= sysctl_max_map_count(m) - 3) return -ENOMEM;
  if (const int error = do_munmap(m, mm, new_start, new_end); error != 0) return error;
  if (end > start + kept)
    if (const int error = do_munmap(m, mm, start + kept, end); error != 0) return error;
  const Vma& vma = *vma_lookup(m, mm, start);
  if (start + kept > vma.end) return -EFAULT;
  const bool locked = vma.has(VM_LOCKED);
  const int error = move_vma(m, mm, start, start + kept, new_start, new_end);
  if (error == 0 && locked && new_len > kept) populate(m, mm, new_start + kept, new_end);
  return error;
}

}  // namespace thp
