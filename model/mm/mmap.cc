// mmap() and munmap(). v6.1 mm/mmap.c.
// Left out: limits other than the number of VMAs, MAP_POPULATE, mlockall()'s VM_LOCKED.
#include "model/mm/mmap.h"

#include "model/mm/memory.h"
#include "model/mm/mmap_vma.h"
#include "model/mm/rmap.h"
#include "model/mm/shmem.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// v6.1 mm/mmap.c: unmap_region(), remove_mt(). `count` VMAs from index `first` on go. They leave
// the array, and with it the reach of rmap walks, only when nothing of theirs is mapped any more.
void unmap_region(Machine& m, int mm, int first, int count) {
  const auto vmas = m.vmas(mm).subspan(std::size_t(first), std::size_t(count));
  for (const Vma& vma : vmas) zap_page_range(m, mm, vma, vma.start, vma.end);
  for (Vma& vma : vmas) {
    unlink_anon_vmas(m, vma);
    vma_interval_tree_remove(m, vma);
  }
  for (int n = 0; n < count; ++n) {
    const std::uint8_t file = m.vmas(mm)[first].file;
    m.erase_vma(mm, first);
    if (file != kNoInode) fput(m, file);
  }
  free_pgtables(m, mm);
}

// The second half of mmap_region(): the range is empty now; a neighbour takes it in, or a new VMA
// does. Other than vma_merge(), it asks the next VMA first, and then offers the previous one that
// VMA's anon_vma. Returns the VMA's index.
int expand_or_insert(Machine& m, int mm, Vma area) {
  const auto vmas = m.vmas(mm);
  const int next = find_vma_index(m, mm, area.end), prev = next - 1;
  const bool with_next = next < int(vmas.size()) && vmas[next].start == area.end &&
                         can_vma_merge_before(vmas[next], area);
  if (with_next) area.anon_vma = vmas[next].anon_vma;
  const int end = with_next ? vmas[next].end : area.end;
  if (prev >= 0 && vmas[prev].end == area.start && can_vma_merge_after(vmas[prev], area))
    return vma_adjust(m, mm, prev, vmas[prev].start, end, vmas[prev].pgoff, prev);
  if (with_next) return vma_adjust(m, mm, next, area.start, end, area.pgoff, next);
  vma_interval_tree_insert(m, m.insert_vma(mm, next, area));
  return next;
}

}  // namespace

// v6.1 mm/mmap.c: do_mmap(), mmap_region(). New, or grown, a VMA counts as soft-dirty.
static int mmap_region(Machine& m, int mm, const Vma& area) {
  if (map_count(m, mm) > sysctl_max_map_count(m)) return -ENOMEM;
  if (do_munmap(m, mm, area.start, area.end) != 0) return -ENOMEM;
  const int i = expand_or_insert(m, mm, area);
  Vma& vma = m.vmas(mm)[i];
  vma.flags |= VM_SOFTDIRTY;
  vma_set_page_prot(vma);
  return 0;
}

// v6.1 mm/mmap.c: accountable_mapping(): memory of a shared mapping is the file's.
static std::uint32_t accounted(std::uint32_t flags) {
  return flags | ((flags & (VM_WRITE | VM_SHARED)) == VM_WRITE ? VM_ACCOUNT : 0u);
}

int do_mmap(Machine& m, int mm, int start, int end, std::uint32_t prot) {
  return mmap_region(m, mm,
                     {.flags = accounted(prot),
                      .start = std::uint16_t(start),
                      .end = std::uint16_t(end),
                      .pgoff = std::uint16_t(start)});
}

int do_mmap_file(Machine& m, int mm, int start, int end, std::uint32_t prot, bool shared, int inode,
                 int offset) {
  return mmap_region(m, mm,
                     {.flags = accounted(prot | (shared ? VM_SHARED : 0u)),
                      .start = std::uint16_t(start),
                      .end = std::uint16_t(end),
                      .pgoff = std::uint16_t(offset),
                      .file = std::uint8_t(inode)});
}

// v6.1 fs/file_table.c: fput(), __fput(), of a file that nobody else has opened
void fput(Machine& m, int inode) {
  if (m.inodes[std::size_t(inode)].open != 0) return;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      if (vma.file == inode) return;
  shmem_evict_inode(m, inode);
}

// v6.1 arch/x86/kernel/sys_x86_64.c: arch_get_unmapped_area_topdown(). Elsewhere is far above.
int do_mmap_hint(Machine& m, int mm, int start, int end, std::uint32_t prot) {
  if (map_count(m, mm) > sysctl_max_map_count(m)) return -ENOMEM;
  const Vma* vma = find_vma(m, mm, start);
  return vma != nullptr && vma->start < end ? -EEXIST : do_mmap(m, mm, start, end, prot);
}

// v6.1 mm/mmap.c: do_munmap(), do_mas_align_munmap(). Only cutting a hole into one VMA can fail.
int do_munmap(Machine& m, int mm, int start, int end) {
  int first = find_vma_index(m, mm, start);
  const auto reached = [&](int i) { return i < map_count(m, mm) && m.vmas(mm)[i].start < end; };
  if (!reached(first)) return 0;
  if (const Vma& vma = m.vmas(mm)[first]; start > vma.start) {
    if (end < vma.end && map_count(m, mm) >= sysctl_max_map_count(m)) return -ENOMEM;
    split_vma_unchecked(m, mm, first++, start);
  }
  int last = first;
  for (; reached(last); ++last)
    if (m.vmas(mm)[last].end > end) split_vma_unchecked(m, mm, last, end);
  unmap_region(m, mm, first, last - first);
  return 0;
}

// v6.1 kernel/fork.c: __mmput(), check_mm(); mm/mmap.c: exit_mmap()
void exit_mm(Machine& m, int mm) {
  unmap_region(m, mm, 0, map_count(m, mm));
  mm_put_huge_zero_page(m, mm);
  Mm& space = m.mms[std::size_t(mm)];
  vm_bug_on(m, space.anon_pages != 0, "check_mm: Bad rss-counter state type:MM_ANONPAGES");
  vm_bug_on(m, space.shmem_pages != 0, "check_mm: Bad rss-counter state type:MM_SHMEMPAGES");
  vm_bug_on(m, space.swap_entries != 0, "check_mm: Bad rss-counter state type:MM_SWAPENTS");
  vm_bug_on(m, space.nr_ptes != 0, "check_mm: non-zero pgtables_bytes");
  vm_bug_on(m, space.deposits != 0, "check_mm: deposited page tables are left");
  space = {};
  mmlist_del(m, mm);
}

}  // namespace thp
