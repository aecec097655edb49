// Taking the swap device away: every page comes back. v6.1 mm/swapfile.c. Left out: shmem, the
// memory check of swapoff(), signals.
#include <algorithm>
#include <cerrno>

#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"
#include "model/mm/vmscan.h"

namespace thp {
namespace {

// A mapping of what the swap entry stood for: old, read-only, and exclusive if the entry was.
// v6.1 mm/swapfile.c: unuse_pte(). 0 or -ENOMEM.
int unuse_pte(Machine& m, int mm, const Vma& vma, int page, Pfn swapcache) {
  const Pfn pfn = ksm_might_need_to_copy(m, swapcache, vma, page);
  if (pfn == kNoPfn) return -ENOMEM;
  const Entry entry = m.pte(mm, page);
  vm_bug_on(m, test(m, page_folio(m, pfn), PG_anon) && test(m, pfn, PG_anon_exclusive),
            "unuse_pte: PageAnonExclusive in the swap cache");
  --m.mms[std::size_t(mm)].swap_entries;
  ++m.mms[std::size_t(mm)].anon_pages;
  get_page(m, pfn);
  if (pfn == swapcache) {
    vm_bug_on(m, test(m, page_folio(m, pfn), PG_writeback), "unuse_pte: under writeback");
    page_add_anon_rmap(m, pfn, vma, page, false, entry.has(kExclusive));
  } else {
    page_add_new_anon_rmap(m, pfn, vma, page, false);
    lru_cache_add_inactive_or_unevictable(m, pfn, vma);
  }
  m.set_pte(mm, page, {EntryKind::present, std::uint8_t(entry.bits & kSoftDirty), pfn});
  swap_free(m, entry.frame);
  if (pfn != swapcache) {
    unlock_page(m, pfn);
    put_page(m, pfn);
  }
  return 0;
}

// One PTE of v6.1 mm/swapfile.c: unuse_pte_range(). The reference comes before the lock: a
// migration that holds the lock sees it, and gives up.
int unuse_swap_pte(Machine& m, int mm, const Vma& vma, int page) {
  const Slot slot = m.pte(mm, page).frame;
  Pfn pfn = swap_cache_get_page(m, slot);
  if (pfn == kNoPfn) pfn = swapin_readahead(m, slot);
  if (pfn == kNoPfn) return -ENOMEM;
  lock_page(m, pfn);
  const Pfn folio = page_folio(m, pfn);
  folio_wait_writeback(m, folio);
  const int error = unuse_pte(m, mm, vma, page, pfn);
  if (error == 0) folio_free_swap(m, folio);
  unlock_page(m, folio);
  put_page(m, folio);
  return error;
}

// v6.1 mm/swapfile.c: unuse_mm(), unuse_vma()
int unuse_mm(Machine& m, int mm) {
  for (const Vma& vma : m.vmas(mm)) {
    if (vma.anon_vma == kNoAnonVma) continue;
    for (int page = vma.start; page < vma.end; ++page) {
      if (!m.pmd(mm, pmd_index(m, page)).is_table() || !m.pte(mm, page).is_swap()) continue;
      if (const int error = unuse_swap_pte(m, mm, vma, page)) return error;
    }
  }
  return 0;
}

// What no page table refers to any more, but the swap cache still holds.
void unuse_swap_cache(Machine& m) {
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) {
    const Pfn page = filemap_get_page(m, Slot(slot));
    if (page == kNoPfn) continue;
    lock_page(m, page);
    const Pfn folio = page_folio(m, page);
    folio_wait_writeback(m, folio);
    folio_free_swap(m, folio);
    unlock_page(m, folio);
    put_page(m, folio);
  }
}

// v6.1 mm/swapfile.c: try_to_unuse(). The kernel retries for ever; alone, one pass is enough.
int try_to_unuse(Machine& m) {
  for (int i = 0; i < m.mmlist.count && swap_in_use(m); ++i)
    if (const int error = unuse_mm(m, m.mmlist.ids[std::size_t(i)])) return error;
  unuse_swap_cache(m);
  vm_bug_on(m, swap_in_use(m), "try_to_unuse: a slot that nothing refers to stays in use");
  return 0;
}

}  // namespace

// v6.1 mm/rmap.c: try_to_unmap_one(); mm/memory.c: copy_nonpresent_pte(): list_add().
void mmlist_add(Machine& m, int mm, int behind) {
  const auto begin = m.mmlist.ids.begin(), end = begin + m.mmlist.count;
  if (std::find(begin, end, mm) != end) return;
  const auto place = behind < 0 ? begin : std::find(begin, end, behind) + 1;
  std::move_backward(place, end, end + 1);
  *place = std::uint8_t(mm);
  ++m.mmlist.count;
}

// v6.1 kernel/fork.c: __mmput().
void mmlist_del(Machine& m, int mm) {
  const auto begin = m.mmlist.ids.begin(), end = begin + m.mmlist.count;
  const auto place = std::find(begin, end, mm);
  if (place == end) return;
  std::move(place + 1, end, place);
  m.mmlist.ids[--m.mmlist.count] = 0;
}

// v6.1 mm/swapfile.c: swapoff(), drain_mmlist(). While it reads back, nothing new is swapped out.
int sys_swapoff(Machine& m) {
  if (!m.swap_on) return -EINVAL;
  m.swap_on = false;
  const int error = try_to_unuse(m);
  if (error != 0)
    m.swap_on = true;
  else
    m.mmlist = {};
  return error;
}

}  // namespace thp
