// fork(): a second address space with the same pages. v6.1 kernel/fork.c.
// Left out: everything of a process but its memory; VM_WIPEONFORK.
#include "model/mm/memory.h"
#include "model/mm/mmap.h"
#include "model/mm/mmap_vma.h"
#include "model/mm/rmap.h"

namespace thp {
namespace {

// v6.1 mm/memory.c: vma_needs_copy(). Without an anon_vma there are zero pages at most, and a fault
// will bring those again.
bool vma_needs_copy(const Vma& vma) { return vma.anon_vma != kNoAnonVma; }

// v6.1 kernel/fork.c: dup_mmap(), the loop's body. Memory locks are not inherited. false: -ENOMEM.
bool dup_vma(Machine& m, int parent, int child, Vma& vma) {
  Vma copy = vm_area_dup(vma);
  if (!anon_vma_fork(m, copy, vma)) return false;
  copy.flags &= ~std::uint32_t{VM_LOCKED};
  Vma& dst = m.insert_vma(child, map_count(m, child), copy);
  vma_interval_tree_insert_after(m, dst, vma);
  return !vma_needs_copy(vma) || copy_page_range(m, child, parent, dst, vma);
}

}  // namespace

// v6.1 kernel/fork.c: dup_mm(), mm_init(). `child` is a dead address space. Of mm->flags only those
// in MMF_INIT_MASK pass on: MMF_DISABLE_THP, neither MMF_HUGE_ZERO_PAGE nor MMF_HAS_PINNED.
int dup_mm(Machine& m, int parent, int child) {
  m.mms[std::size_t(child)] =
      Mm{.alive = 1, .thp_disabled = m.mms[std::size_t(parent)].thp_disabled};
  for (Vma& vma : m.vmas(parent)) {
    if (vma.has(VM_DONTCOPY) || dup_vma(m, parent, child, vma)) continue;
    exit_mm(m, child);
    return -ENOMEM;
  }
  return 0;
}

}  // namespace thp
