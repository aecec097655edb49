// Collapse: the pages below a page table are copied into one huge page. v6.1 mm/khugepaged.c, the
// anonymous half. Left out: files, userfaultfd, NUMA, and khugepaged's own limits (max_ptes_*, the
// young test), which MADV_COLLAPSE ignores. Whether the VMA still suits is asked again wherever the
// kernel had dropped the mmap lock, although nothing can have changed it here.
#include "model/mm/khugepaged.h"

#include <algorithm>
#include <cerrno>

#include "model/mm/huge_memory.h"
#include "model/mm/memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"

namespace thp {
namespace {

struct CollapseControl {
  bool is_khugepaged = false;
};

// v6.1 mm/khugepaged.c: hugepage_vma_revalidate()
Reason hugepage_vma_revalidate(Machine& m, int mm, int page, bool expect_anon, Vma*& vma,
                               CollapseControl cc) {
  if (!m.mms[std::size_t(mm)].alive) return Reason::SCAN_ANY_PROCESS;
  vma = find_vma(m, mm, page);
  if (vma == nullptr) return Reason::SCAN_VMA_NULL;
  if (!transhuge_vma_suitable(m, *vma, page)) return Reason::SCAN_ADDRESS_RANGE;
  if (!hugepage_vma_check(m, mm, *vma, false, cc.is_khugepaged)) return Reason::SCAN_VMA_CHECK;
  if (expect_anon && vma->anon_vma == kNoAnonVma) return Reason::SCAN_PAGE_ANON;
  return Reason::SCAN_SUCCEED;
}

// v6.1 mm/khugepaged.c: find_pmd_or_thp_or_none(). A table of PMDs always exists here.
Reason find_pmd_or_thp_or_none(const Machine& m, int mm, int page) {
  switch (m.pmd(mm, pmd_index(m, page)).kind) {
    case EntryKind::none:
      return Reason::SCAN_PMD_NONE;
    case EntryKind::present:
    case EntryKind::zero:
      return Reason::SCAN_PMD_MAPPED;
    case EntryKind::table:
      return Reason::SCAN_SUCCEED;
    default:
      return Reason::SCAN_PMD_NULL;  // a migration entry
  }
}

// v6.1 mm/khugepaged.c: __collapse_huge_page_swapin(). What was swapped in stays, also where a
// later entry makes it fail.
Reason swap_in_pages(Machine& m, int mm, Vma& vma, int first) {
  for (int page = first; page < first + m.hpage_nr(); ++page) {
    const Entry pte = m.pte(mm, page);
    if (!pte.is_swap() && !pte.is_migration()) continue;
    const Fault fault = do_swap_page(m, mm, vma, page, Access::read);
    if (fault == Fault::retry) return Reason::SCAN_PAGE_LOCK;
    if (fault == Fault::oom) return Reason::SCAN_FAIL;
  }
  return Reason::SCAN_SUCCEED;
}

// v6.1 mm/khugepaged.c: alloc_charge_hpage(), hpage_collapse_alloc_page()
Reason alloc_charge_hpage(Machine& m, Pfn& hpage) {
  hpage = alloc_huge(m);
  const bool ok = hpage != kNoPfn;
  count_vm_event(m, ok ? Event::thp_collapse_alloc : Event::thp_collapse_alloc_failed);
  if (!ok) return Reason::SCAN_ALLOC_HUGE_PAGE_FAIL;
  return mem_cgroup_charge(m, hpage) ? Reason::SCAN_SUCCEED : Reason::SCAN_CGROUP_CHARGE_FAIL;
}

// v6.1 mm/khugepaged.c: collapse_huge_page()
Reason collapse_huge_page(Machine& m, int mm, int first, bool unmapped, CollapseControl cc) {
  Pfn hpage = kNoPfn;
  Vma* vma = nullptr;
  Reason result = Reason::SCAN_FAIL;
  const auto ok = [&result](Reason r) { return (result = r) == Reason::SCAN_SUCCEED; };
  const bool collapsed = ok(alloc_charge_hpage(m, hpage)) &&
                         ok(hugepage_vma_revalidate(m, mm, first, true, vma, cc)) &&
                         ok(find_pmd_or_thp_or_none(m, mm, first)) &&
                         (!unmapped || ok(swap_in_pages(m, mm, *vma, first))) &&
                         ok(hugepage_vma_revalidate(m, mm, first, true, vma, cc)) &&
                         ok(find_pmd_or_thp_or_none(m, mm, first)) &&
                         ok(replace_table(m, mm, *vma, first, hpage));
  if (!collapsed && hpage != kNoPfn) put_page(m, hpage);
  return result;
}

// v6.1 mm/khugepaged.c: hpage_collapse_scan_pmd(). `mmap_locked` tells whether it came so far as to
// drop the lock.
Reason hpage_collapse_scan_pmd(Machine& m, int mm, int first, bool& mmap_locked,
                               CollapseControl cc) {
  const Reason found = find_pmd_or_thp_or_none(m, mm, first);
  if (found != Reason::SCAN_SUCCEED) return found;
  bool writable = false, unmapped = false;
  for (int page = first; page < first + m.hpage_nr(); ++page) {
    const Entry pte = m.pte(mm, page);
    if (pte.is_none() || pte.is_zero()) continue;
    if (!pte.is_present()) {
      unmapped = true;
      continue;
    }
    writable |= pte.has(kWrite);
    const Pfn folio = page_folio(m, pte.frame);
    if (!test(m, folio, PG_lru)) return Reason::SCAN_PAGE_LRU;
    if (test(m, folio, PG_locked)) return Reason::SCAN_PAGE_LOCK;
    if (!test(m, folio, PG_anon)) return Reason::SCAN_PAGE_ANON;
    if (!is_refcount_suitable(m, folio)) return Reason::SCAN_PAGE_COUNT;
  }
  if (!writable) return Reason::SCAN_PAGE_RO;
  mmap_locked = false;
  return collapse_huge_page(m, mm, first, unmapped, cc);
}

// v6.1 mm/khugepaged.c: madvise_collapse_errno()
int madvise_collapse_errno(Reason reason) {
  switch (reason) {
    case Reason::SCAN_ALLOC_HUGE_PAGE_FAIL:
      return -ENOMEM;
    case Reason::SCAN_CGROUP_CHARGE_FAIL:
      return -EBUSY;
    case Reason::SCAN_PAGE_COUNT:
    case Reason::SCAN_PAGE_LOCK:
    case Reason::SCAN_PAGE_LRU:
    case Reason::SCAN_DEL_PAGE_LRU:
      return -EAGAIN;
    default:
      return -EINVAL;
  }
}

// After these madvise_collapse() still tries the next block.
bool goes_on_after(Reason reason) {
  switch (reason) {
    case Reason::SCAN_PMD_NULL:
    case Reason::SCAN_PTE_NON_PRESENT:
    case Reason::SCAN_PAGE_RO:
    case Reason::SCAN_PAGE_COUNT:
    case Reason::SCAN_PAGE_LOCK:
    case Reason::SCAN_PAGE_LRU:
    case Reason::SCAN_DEL_PAGE_LRU:
      return true;
    default:
      return false;
  }
}

}  // namespace

// v6.1 mm/khugepaged.c: madvise_collapse(). A range within one block, without its edges, is
// -EINVAL; one that has an edge but no whole block is 0.
int madvise_collapse(Machine& m, int mm, int start, int end) {
  Vma* vma = find_vma(m, mm, start);
  if (!hugepage_vma_check(m, mm, *vma, false, false)) return -EINVAL;
  const int nr = m.hpage_nr();
  const int hstart = pmd_first(m, start + nr - 1);
  int hend = pmd_first(m, end), thps = 0;
  Reason result = Reason::none, last_fail = Reason::SCAN_FAIL;
  bool mmap_locked = true;
  for (int page = hstart; page < hend; page += nr) {
    if (!mmap_locked) {
      result = hugepage_vma_revalidate(m, mm, page, false, vma, {});
      if (result != Reason::SCAN_SUCCEED) {
        last_fail = result;
        break;
      }
      mmap_locked = true;
      hend = std::min(hend, pmd_first(m, vma->end));
    }
    result = hpage_collapse_scan_pmd(m, mm, page, mmap_locked, {});
    if (result == Reason::SCAN_SUCCEED || result == Reason::SCAN_PMD_MAPPED) {
      ++thps;
      continue;
    }
    last_fail = result;
    if (!goes_on_after(result)) break;
  }
  const bool all = thps == (hend - hstart) / nr;
  if (hstart < hend) m.reason = all ? result : last_fail;  // a VMA before may have said something
  return all ? 0 : madvise_collapse_errno(last_fail);
}

}  // namespace thp
