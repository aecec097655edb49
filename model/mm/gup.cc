// get_user_pages. v6.1 mm/gup.c, mm/swap.c. The slow path; what the fast one does otherwise is
// said. Left out: FOLL_LONGTERM's migration out of movable zones, NUMA hinting.
#include "model/mm/gup.h"

#include <algorithm>
#include <cerrno>

#include "model/mm/memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/swap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// What follow_page_mask() finds: the page, or which fault would bring it.
enum class Follow : std::uint8_t { found, fault_in, unshare };

// v6.1 mm/gup.c: can_follow_write_pte(); mm/huge_memory.c: can_follow_write_pmd(). `page` is the
// sub-page of a PTE, the head of a PMD.
bool can_follow_write(const Machine& m, const Entry& entry, Pfn page, const Vma& vma,
                      GupFlags flags) {
  if (entry.has(kWrite)) return true;
  if (!flags.force || vma.has(VM_WRITE)) return false;
  if (!entry.is_present() || !test(m, page, PG_anon_exclusive)) return false;
  return vma.has(VM_SOFTDIRTY) || entry.has(kSoftDirty);
}

// v6.1 mm/gup.c: follow_page_mask(), gup_must_unshare()
Follow follow(const Machine& m, int mm, int page, const Vma& vma, GupFlags flags) {
  if (follow_pfn(m, mm, page) == kNoPfn) return Follow::fault_in;
  const Entry& pmd = m.pmd(mm, pmd_index(m, page));
  const Entry& entry = pmd.is_table() ? m.pte(mm, page) : pmd;
  if (flags.write)
    return can_follow_write(m, entry, entry.frame, vma, flags) ? Follow::found : Follow::fault_in;
  const bool shared = entry.is_present() && !test(m, entry.frame, PG_anon_exclusive);
  return flags.pin && !entry.has(kWrite) && shared ? Follow::unshare : Follow::found;
}

// v6.1 mm/gup.c: check_vma_flags(). Every mapping here is private and may be written by force.
bool check_vma_flags(const Vma& vma, GupFlags flags) {
  return flags.force || vma.has(flags.write ? VM_WRITE : VM_READ);
}

// FOLL_TOUCH. v6.1 mm/gup.c: follow_page_pte(); mm/huge_memory.c: follow_trans_huge_pmd()
void foll_touch(Machine& m, int mm, int page, bool write) {
  const Entry& pmd = m.pmd(mm, pmd_index(m, page));
  if (!pmd.is_table()) {
    huge_pmd_set_accessed(m, mm, page, write);
    return;
  }
  const Entry& pte = m.pte(mm, page);
  const Pfn folio = page_folio(m, pte.frame);
  if (write && !pte.has(kDirty) && !test(m, folio, PG_dirty)) folio_mark_dirty(m, folio);
  folio_mark_accessed(m, folio);
}

// v6.1 mm/gup.c: __get_user_pages(), faultin_page(), one page. 0 or -errno; on 0 it is there.
int faultin_page(Machine& m, int mm, int page, GupFlags flags) {
  for (int tries = 0; tries < 8; ++tries) {
    Vma* vma = vma_lookup(m, mm, page);
    if (vma == nullptr || !check_vma_flags(*vma, flags)) return -EFAULT;
    const Follow found = follow(m, mm, page, *vma, flags);
    if (found == Follow::found) return 0;
    const Access access = found == Follow::unshare ? Access::unshare
                          : flags.write            ? Access::write
                                                   : Access::read;
    const Fault fault = handle_mm_fault(m, mm, *vma, page, access);
    if (fault == Fault::oom) return -ENOMEM;
    if (fault == Fault::sigbus) return -EFAULT;
  }
  vm_bug_on(m, true, "faultin_page: the fault makes no progress");
  return -EFAULT;
}

// v6.1 mm/gup.c: __get_user_pages() with FOLL_TOUCH and without a list of pages. A huge PMD is one
// step. How many pages before the first failure, or -errno if none.
int get_user_pages(Machine& m, int mm, int start, int end, GupFlags flags) {
  for (int page = start; page < end;) {
    if (const int error = faultin_page(m, mm, page, flags); error != 0)
      return page > start ? page - start : error;
    foll_touch(m, mm, page, flags.write);
    const bool huge = !m.pmd(mm, pmd_index(m, page)).is_table();
    page = huge ? pmd_first(m, page) + m.hpage_nr() : page + 1;
  }
  return end - start;
}

}  // namespace

// v6.1 mm/gup.c: pin_user_pages(), get_user_pages_fast(), get_user_pages_remote(), of one page
int get_user_page(Machine& m, int mm, int page, GupFlags flags) {
  if (flags.pin) m.mms[std::size_t(mm)].has_pinned = 1;  // for good, and before anything can fail
  const bool there = follow_pfn(m, mm, page) != kNoPfn;
  if (const int error = faultin_page(m, mm, page, flags); error != 0) return error;
  const Pfn pfn = follow_pfn(m, mm, page);
  const Pfn folio = page_folio(m, pfn);
  if (flags.pin) {
    const Pfn mapped = m.pmd(mm, pmd_index(m, page)).is_table() ? pfn : folio;
    vm_bug_on(m, test(m, folio, PG_anon) && !test(m, mapped, PG_anon_exclusive),
              "follow_page_mask: pin of a shared page");
    pin_page(m, pfn);
  } else {
    get_page(m, pfn);
    // get_user_pages_fast() marks the folio that is there already; what it has to fault in, and the
    // 4K zero page, it takes the slow way, with FOLL_TOUCH as get_user_pages_remote().
    if (there && !flags.force && !is_zero_page(m, pfn))
      set(m, folio, PG_referenced);
    else
      foll_touch(m, mm, page, flags.write);
  }
  return pfn;
}

// v6.1 mm/gup.c: no_page_table(), with FOLL_DUMP. Behind a hole of a file there may be a page.
static int no_page_table(const Vma& vma) { return vma.is_anonymous() ? -EFAULT : -ENOENT; }

// v6.1 mm/gup.c: follow_page() with FOLL_GET | FOLL_DUMP. The entries of a PROT_NONE mapping look
// like NUMA hints and are not followed. NULL, where the caller says -ENOENT, is what a PTE gives
// that could be followed after a fault.
int follow_page_get(Machine& m, int mm, int page) {
  const Vma* vma = vma_lookup(m, mm, page);
  if (vma == nullptr) return -EFAULT;
  const Entry& pmd = m.pmd(mm, pmd_index(m, page));
  if (pmd.is_table()) {
    const Entry& pte = m.pte(mm, page);
    if (pte.is_none()) return no_page_table(*vma);
    if (pte.is_zero() && vma->has(VM_READ)) return -EFAULT;
    if (!pte.is_present() || !vma->has(VM_READ)) return -ENOENT;
  } else if (!pmd.is_present() || !vma->has(VM_READ)) {
    return no_page_table(*vma);
  }
  const Pfn pfn = follow_pfn(m, mm, page);
  get_page(m, pfn);
  return pfn;
}

// v6.1 mm/gup.c: populate_vma_page_range(). Shared memory is touched, but not dirtied.
int populate_vma_page_range(Machine& m, int mm, const Vma& vma, int start, int end) {
  const bool accessible = vma.has(VM_READ | VM_WRITE);
  return get_user_pages(m, mm, start, end,
                        {.write = vma.has(VM_WRITE) && !vma.has(VM_SHARED), .force = accessible});
}

// v6.1 mm/gup.c: faultin_vma_page_range()
int faultin_vma_page_range(Machine& m, int mm, const Vma& vma, int start, int end, bool write) {
  const GupFlags flags{.write = write};
  return check_vma_flags(vma, flags) ? get_user_pages(m, mm, start, end, flags) : -EINVAL;
}

// v6.1 mm/gup.c: __mm_populate(). Where a round ended early the next begins, so that an error
// counts only if it meets the first page of a round.
int populate(Machine& m, int mm, int start, int end) {
  while (start < end) {
    const Vma* vma = find_vma(m, mm, start);
    if (vma == nullptr || vma->start >= end) return 0;
    start = std::max(start, int(vma->start));
    const int pages = populate_vma_page_range(m, mm, *vma, start, std::min(end, int(vma->end)));
    if (pages < 0) return pages;
    start += pages;
  }
  return 0;
}

}  // namespace thp
