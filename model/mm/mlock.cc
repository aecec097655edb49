// mlock(), munlock() and what PG_mlocked means for a folio. v6.1 mm/mlock.c, mm/internal.h,
// mm/swap.c. Left out: RLIMIT_MEMLOCK, MLOCK_ONFAULT, mlockall(); the per-CPU batches, which are
// drained at once, as the kernel does for THPs, but for what faults on files can tell of them.
#include "model/mm/gup.h"
#include "model/mm/mmap.h"
#include "model/mm/mmap_vma.h"
#include "model/mm/page_alloc.h"

namespace thp {
namespace {

// v6.1 mm/mlock.c: __mlock_page(). Off the LRU only the flag can be set: mlock_count lives in
// page->lru.
void mlock_folio(Machine& m, Pfn folio) {
  set(m, folio, PG_mlocked);
  if (!test(m, folio, PG_lru)) return;
  Page& page = m.page(folio);
  page.mlock_count = std::uint8_t(test(m, folio, PG_unevictable) ? page.mlock_count + 1 : 1);
  clear(m, folio, PG_active);
  set(m, folio, PG_unevictable);
}

// v6.1 mm/mlock.c: __munlock_page(). On the LRU the last of the counted locks unlocks, off it the
// first does: the count may be too low, and reclaim puts that right.
void munlock_folio(Machine& m, Pfn folio) {
  Page& page = m.page(folio);
  const bool on_lru = test(m, folio, PG_lru);
  m.stamps.frame(folio);
  if (on_lru && test(m, folio, PG_unevictable)) {
    if (page.mlock_count > 0) --page.mlock_count;
    if (page.mlock_count > 0) return;
  }
  clear(m, folio, on_lru ? PG_mlocked | PG_unevictable : PG_mlocked);
}

void mlock_or_munlock(Machine& m, const Vma& vma, Pfn folio) {
  if (vma.has(VM_LOCKED))
    mlock_folio(m, folio);
  else
    munlock_folio(m, folio);
}

// v6.1 mm/mlock.c: mlock_vma_pages_range(), mlock_pte_range(). By PTE a THP is never locked.
void mlock_vma_pages_range(Machine& m, int mm, const Vma& vma, int start, int end) {
  for (int page = start; page < end;) {
    const int next = std::min(pmd_first(m, page) + m.hpage_nr(), end);
    const Entry pmd = m.pmd(mm, pmd_index(m, page));
    if (pmd.is_present()) mlock_or_munlock(m, vma, pmd.frame);
    for (int p = page; pmd.is_table() && p < next; ++p) {
      const Entry pte = m.pte(mm, p);
      if (pte.is_present() && !test(m, pte.frame, PG_head | PG_tail))
        mlock_or_munlock(m, vma, pte.frame);
    }
    page = next;
  }
}

// v6.1 mm/mlock.c: mlock_fixup(). The index of the VMA that covers start then, or -ENOMEM.
int mlock_fixup(Machine& m, int mm, int i, int start, int end, std::uint32_t newflags) {
  if (newflags == m.vmas(mm)[i].flags) return i;
  i = vma_modify(m, mm, i, start, end, newflags);
  if (i >= 0) mlock_vma_pages_range(m, mm, m.vmas(mm)[i], start, end);
  return i;
}

// v6.1 mm/mlock.c: apply_vma_lock_flags(). `changed` becomes what lies before its end, or a
// failure, if a lock has changed there.
int apply_vma_lock_flags(Machine& m, int mm, int start, int end, std::uint32_t locked,
                         PageRange& changed) {
  return fixup_vmas(m, mm, start, end, [&](int i, int first, int last) {
    const std::uint32_t was = m.vmas(mm)[i].flags, kept = was & ~std::uint32_t{VM_LOCKED};
    i = mlock_fixup(m, mm, i, first, last, kept | locked);
    if (i >= 0 && (kept | locked) != was) changed = {start, last};
    return i;
  });
}

// See defects.h.
int failed(Machine& m, int mm, PageRange changed, int error) {
  if (error != 0 && changed.size() > 0)
    m.strikes.add(kFailedMlockKeepsLocks, mm, changed.first, changed.end);
  return error;
}

// v6.1 mm/mlock.c: __mlock_posix_error_return()
int mlock_posix_error_return(int error) {
  return error == -EFAULT ? -ENOMEM : error == -ENOMEM ? -EAGAIN : error;
}

}  // namespace

// v6.1 mm/mlock.c: do_mlock(). Also after a failure to populate the VMAs stay locked.
int do_mlock(Machine& m, int mm, int start, int end) {
  PageRange changed{start, start};
  int error = apply_vma_lock_flags(m, mm, start, end, VM_LOCKED, changed);
  if (error == 0) error = mlock_posix_error_return(populate(m, mm, start, end));
  return failed(m, mm, changed, error);
}

// v6.1 mm/mlock.c: sys_munlock()
int do_munlock(Machine& m, int mm, int start, int end) {
  PageRange changed{start, start};
  const int error = apply_vma_lock_flags(m, mm, start, end, 0, changed);
  return failed(m, mm, changed, error);
}

// v6.1 mm/mlock.c: mlock_new_page(), __mlock_new_page()
void mlock_new_page(Machine& m, Pfn folio) {
  vm_bug_on(m, test(m, folio, PG_lru), "__mlock_new_page: the page is on the LRU");
  set(m, folio, PG_mlocked | PG_unevictable | PG_lru);
  m.page(folio).mlock_count = 1;
}

// v6.1 mm/internal.h: mlock_vma_page(), mlock_vma_folio()
void mlock_vma_page(Machine& m, Pfn pfn, const Vma& vma, bool compound) {
  const Pfn folio = page_folio(m, pfn);
  if (vma.has(VM_LOCKED) && (compound || !folio_test_large(m, folio))) mlock_folio(m, folio);
}

// v6.1 mm/mlock.c: mlock_folio(): the batch. A full one is done at once.
static void mlock_pagevec_add(Machine& m, Pfn folio) {
  m.mlock_pvec.push_back(folio);
  if (m.mlock_pvec.size() == Machine::kPagevecSize) m.mlock_pvec.clear();
}

// The same of a page of a file, which the caller may be about to mark as used.
void mlock_file_page(Machine& m, Pfn pfn, const Vma& vma, bool compound) {
  const bool large = folio_test_large(m, page_folio(m, pfn));
  if (!vma.has(VM_LOCKED) || (large && !compound)) return;
  const bool was_evictable = !test(m, pfn, PG_unevictable);
  mlock_vma_page(m, pfn, vma, compound);
  if (large)
    m.mlock_pvec.clear();
  else
    mlock_pagevec_add(m, was_evictable ? pfn : kNoPfn);
}

// v6.1 mm/internal.h: munlock_vma_page()
void munlock_vma_page(Machine& m, Pfn pfn, const Vma& vma, bool compound) {
  const Pfn folio = page_folio(m, pfn);
  if (vma.has(VM_LOCKED) && (compound || !folio_test_large(m, folio))) munlock_folio(m, folio);
}

// v6.1 mm/swap.c: folio_add_lru_vma()
void lru_cache_add_inactive_or_unevictable(Machine& m, Pfn folio, const Vma& vma) {
  if (!vma.has(VM_LOCKED)) return folio_add_lru(m, folio);
  mlock_new_page(m, folio);
  mlock_pagevec_add(m, kNoPfn);
}

}  // namespace thp
