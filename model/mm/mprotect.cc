// mprotect(). v6.1 mm/mprotect.c.
// A PROT_NONE page keeps its entry: to the kernel it is present, and accesses are judged by the VMA
// first. Left out: protection keys, userfaultfd, NUMA hinting, accounting other than VM_ACCOUNT.
#include "model/mm/gup.h"
#include "model/mm/huge_memory.h"
#include "model/mm/mmap.h"
#include "model/mm/mmap_vma.h"

namespace thp {
namespace {

// v6.1 mm/mprotect.c: can_change_pte_writable(). Only if a write fault would do no more than that.
bool can_change_pte_writable(const Machine& m, const Vma& vma, const Entry& entry) {
  if (!entry.has(kDirty)) return false;
  const bool soft_dirty_enabled = !vma.has(VM_SOFTDIRTY);
  if (soft_dirty_enabled && !entry.has(kSoftDirty)) return false;
  return test(m, entry.frame, PG_anon_exclusive);
}

// v6.1 mm/mprotect.c: change_pte_range(), one entry. Swap entries and zero pages stay as they are.
// Of a shared VMA the protection says all: mprotect_fixup() asks vma_wants_writenotify() for the
// old one, which is never the new one.
void change_pte(Machine& m, int mm, const Vma& vma, int page) {
  const Entry old = m.pte(mm, page);
  Entry entry = old;
  if (old.is_present()) {
    entry.bits &= std::uint8_t(~kWrite);
    const bool upgrades = vma.has(VM_WRITE) && !vma.has(VM_SHARED);
    if (vma.prot_write || (upgrades && can_change_pte_writable(m, vma, entry)))
      entry.bits |= kWrite;
  } else if (old.is_migration() && old.has(kWrite)) {
    entry.bits = std::uint8_t((old.bits & ~kWrite) | kExclusive);
  }
  if (entry != old) m.set_pte(mm, page, entry);
}

// v6.1 mm/mprotect.c: change_protection(), change_pmd_range(). A huge PMD is never made writable
// again in 6.1: the next write will fault.
void change_protection(Machine& m, int mm, const Vma& vma, int start, int end) {
  for (int page = start; page < end;) {
    const int i = pmd_index(m, page);
    const int next = std::min(pmd_first(m, page) + m.hpage_nr(), end);
    const bool huge = !m.pmd(mm, i).is_none() && !m.pmd(mm, i).is_table();
    if (huge && next - page == m.hpage_nr())
      change_huge_pmd(m, mm, vma, i);
    else if (huge)
      split_huge_pmd(m, mm, vma, page);
    if (m.pmd(mm, i).is_table())
      for (int p = page; p < next; ++p) change_pte(m, mm, vma, p);
    page = next;
  }
}

// v6.1 mm/mprotect.c: mprotect_fixup(). The index of the VMA that covers start then, or -ENOMEM.
// The pages of a locked VMA that becomes writable are faulted in at once.
int mprotect_fixup(Machine& m, int mm, int i, int start, int end, std::uint32_t newflags) {
  const std::uint32_t oldflags = m.vmas(mm)[i].flags;
  if (newflags == oldflags) return i;
  const bool writable = (newflags & VM_WRITE) != 0;
  if (writable && (oldflags & VM_SHARED) == 0) newflags |= VM_ACCOUNT;
  i = vma_modify(m, mm, i, start, end, newflags);
  if (i < 0) return i;
  vma_set_page_prot(m.vmas(mm)[i]);
  change_protection(m, mm, m.vmas(mm)[i], start, end);
  if (writable && (oldflags & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED)
    populate_vma_page_range(m, mm, m.vmas(mm)[i], start, end);
  return i;
}

}  // namespace

// v6.1 mm/mprotect.c: do_mprotect_pkey()
int do_mprotect(Machine& m, int mm, int start, int end, std::uint32_t prot) {
  return fixup_vmas(m, mm, start, end, [&](int i, int first, int last) {
    const std::uint32_t kept = m.vmas(mm)[i].flags & ~(VM_READ | VM_WRITE);
    return mprotect_fixup(m, mm, i, first, last, prot | kept);
  });
}

}  // namespace thp
