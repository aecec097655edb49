// mremap() to a fixed address, or in place. v6.1 mm/mremap.c, mm/mmap.c.
// Left out: mremap() to where the kernel likes, userfaultfd; tables above the PMD. Page tables
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
    if (m.pmd(mm, from).is_none())  // pmd_trans_unstable(): of a file
      return strike(m, kMovedHoleIsSoftClean, mm, new_page, new_page + extent);
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
// then the neighbour may be the old VMA itself, unless that is to be kept. That of a file stays.
void copy_vma(Machine& m, int mm, int start, int new_start, int new_end, bool keep) {
  const Vma old = *vma_lookup(m, mm, start);
  const bool faulted_in = old.anon_vma != kNoAnonVma || !old.is_anonymous();
  const bool beside_itself = new_start == old.end || old.start == new_end;
  Vma area = vm_area_dup(old);
  area.start = std::uint16_t(new_start);
  area.end = std::uint16_t(new_end);
  area.pgoff = std::uint16_t(faulted_in ? old.index_of(start) : new_start);
  const int next = find_vma_index(m, mm, new_start);
  const SoftDirtyNeighbours around(m, mm, new_start, new_end);
  const bool apart = keep && !faulted_in && beside_itself;
  const int merged = apart ? -1 : vma_merge(m, mm, next - 1, area);
  if (merged >= 0) {
    around.strike(m);
    vm_bug_on(m, faulted_in && m.vmas(mm)[merged].covers(old.start),
              "copy_vma: merged with itself although faulted in");
    return;
  }
  anon_vma_clone(m, area, old);
  vma_interval_tree_insert(m, m.insert_vma(mm, next, area));
}

// v6.1 mm/mremap.c: move_vma(): MREMAP_DONTUNMAP and VM_LOCKED. Its callers leave room for both.
void split_locked(Machine& m, int mm, int start, int end) {
  if (!vma_lookup(m, mm, start)->has(VM_LOCKED)) return;
  const auto split = [&](int page) {
    const int i = find_vma_index(m, mm, page);
    if (m.vmas(mm)[i].start < page) split_vma_unchecked(m, mm, i, page);
  };
  split(start);
  if (vma_lookup(m, mm, start)->end > end) split(end);
}

// v6.1 mm/mremap.c: move_vma(): MREMAP_DONTUNMAP, once its pages have moved. What it leaves as a
// VMA of its own is as if nothing had ever been there.
void leave_empty(Machine& m, int mm, int start, int end) {
  Vma& vma = *vma_lookup(m, mm, start);
  vma.flags &= ~std::uint32_t{VM_LOCKED};
  if (vma.start != start || vma.end != end) return;
  unlink_anon_vmas(m, vma);
  if (vma.is_anonymous()) vma.pgoff = vma.start;
}

// v6.1 mm/mremap.c: move_vma()
int move_vma(Machine& m, int mm, int start, int end, int new_start, int new_end, bool dontunmap) {
  if (map_count(m, mm) >= sysctl_max_map_count(m) - 3) return -ENOMEM;
  if (dontunmap) split_locked(m, mm, start, end);
  copy_vma(m, mm, start, new_start, new_end, dontunmap);
  move_page_tables(m, mm, *vma_lookup(m, mm, start), start, new_start, end - start);
  const int moved_end = new_start + end - start;
  if (moved_end < new_end) strike(m, kGrownRegionIsSoftClean, mm, moved_end, new_end);
  if (dontunmap)
    leave_empty(m, mm, start, end);
  else
    do_munmap(m, mm, start, end);
  return 0;
}

// v6.1 mm/mremap.c: sys_mremap(), mremap_to(), vma_to_resize(). What was mapped at the new place,
// and what lies beyond a lesser size, is gone even if the old range then turns out to leave its
// VMA.
int mremap_to(Machine& m, int mm, int start, int end, int new_start, int new_len, bool dontunmap) {
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
  const int error = move_vma(m, mm, start, start + kept, new_start, new_end, dontunmap);
  if (error == 0 && locked && new_len > kept) populate(m, mm, new_start + kept, new_end);
  return error;
}

// v6.1 mm/mremap.c: sys_mremap(), vma_expandable(): the part that is new is as the VMA, and merges
// with what follows it.
int expand_in_place(Machine& m, int mm, int end, int new_end) {
  const Vma* next = find_vma(m, mm, end);
  if (new_end > m.pages() || (next != nullptr && next->start < new_end)) return -ENOMEM;
  const int i = find_vma_index(m, mm, end - 1);
  Vma area = m.vmas(mm)[i];
  area.pgoff = std::uint16_t(area.index_of(end));
  area.start = std::uint16_t(end);
  area.end = std::uint16_t(new_end);
  const SoftDirtyNeighbours around(m, mm, end, new_end);
  vm_bug_on(m, vma_merge(m, mm, i, area) < 0, "mremap: a VMA does not merge with its own end");
  around.strike(m);
  strike(m, kGrownRegionIsSoftClean, mm, end, new_end);
  if (area.has(VM_LOCKED)) populate(m, mm, end, new_end);
  return 0;
}

}  // namespace

int do_mremap(Machine& m, int mm, int start, int end, int new_start, int new_len) {
  return mremap_to(m, mm, start, end, new_start, new_len, false);
}

int do_mremap_dontunmap(Machine& m, int mm, int start, int end, int new_start) {
  return mremap_to(m, mm, start, end, new_start, end - start, true);
}

// v6.1 mm/mremap.c: sys_mremap() without MREMAP_MAYMOVE. Shrinking asks nobody whether the range is
// one VMA.
int do_mremap_resize(Machine& m, int mm, int start, int end, int new_len) {
  const Vma* vma = vma_lookup(m, mm, start);
  if (vma == nullptr) return -EFAULT;
  const int new_end = start + new_len;
  if (new_end == end) return 0;
  if (new_end < end) return do_munmap(m, mm, new_end, end);
  if (end > vma->end) return -EFAULT;
  return end == vma->end ? expand_in_place(m, mm, end, new_end) : -ENOMEM;
}

}  // namespace thp
