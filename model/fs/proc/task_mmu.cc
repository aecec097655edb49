// echo 4 > /proc/PID/clear_refs: every page is clean to the soft-dirty tracker, and the next write
// to it will fault. v6.1 fs/proc/task_mmu.c. Left out: its other functions.
#include <algorithm>

#include "model/mm/mmap.h"
#include "model/mm/mmap_vma.h"
#include "model/mm/page_alloc.h"

namespace thp {
namespace {

// v6.1 fs/proc/task_mmu.c: pte_is_pinned(). What a device may be writing stays writable, lest a
// write fault copy it away.
bool pte_is_pinned(const Machine& m, int mm, const Entry& pte) {
  return pte.is_present() && pte.has(kWrite) && m.mms[std::size_t(mm)].has_pinned &&
         folio_maybe_dma_pinned(m, page_folio(m, pte.frame));
}

// Present, an entry becomes read-only too; that of a swapped or migrating page keeps what it says.
Entry soft_clean(Entry entry) {
  const bool present = entry.is_present() || entry.is_zero();
  entry.bits &= std::uint8_t(~(present ? kSoftDirty | kWrite : kSoftDirty));
  return entry;
}

// See defects.h.
void strike_if_open(Machine& m, int mm, const Entry& entry, int first, int end) {
  if (entry.has(kWrite) && !entry.has(kSoftDirty))
    m.strikes.add(kOpenEntryStaysOpen, mm, first, end);
}

// v6.1 fs/proc/task_mmu.c: clear_refs_pte_range(), clear_soft_dirty(), clear_soft_dirty_pmd(). A
// huge PMD becomes read-only even where it is pinned.
void clear_refs_pte_range(Machine& m, int mm, int start, int end) {
  const int i = pmd_index(m, start);
  const Entry pmd = m.pmd(mm, i);
  if (pmd.is_none()) return;
  if (!pmd.is_table()) {
    if (soft_clean(pmd) != pmd) m.set_pmd(mm, i, soft_clean(pmd));
    strike_if_open(m, mm, m.pmd(mm, i), start, end);
    return;
  }
  for (int page = start; page < end; ++page) {
    const Entry pte = m.pte(mm, page);
    if (soft_clean(pte) != pte && !pte_is_pinned(m, mm, pte)) m.set_pte(mm, page, soft_clean(pte));
    strike_if_open(m, mm, m.pte(mm, page), page, page + 1);
  }
}

}  // namespace

// v6.1 fs/proc/task_mmu.c: clear_refs_write(), CLEAR_REFS_SOFT_DIRTY
void clear_soft_dirty(Machine& m, int mm) {
  for (Vma& vma : m.vmas(mm)) {
    vma.flags &= ~std::uint32_t{VM_SOFTDIRTY};
    vma_set_page_prot(vma);
  }
  for (const Vma& vma : m.vmas(mm)) {
    for (int page = vma.start, next; page < vma.end; page = next) {
      next = std::min(pmd_first(m, page) + m.hpage_nr(), int(vma.end));
      clear_refs_pte_range(m, mm, page, next);
    }
  }
}

}  // namespace thp
