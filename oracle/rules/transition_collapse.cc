// What madvise_collapse() will make of a range.
#include "oracle/rules/transitions_of_collapse.h"

namespace thp {
namespace {

enum class Fate : std::uint8_t { perhaps, collapsed, collapses, read_only };

// Swapped out, so that collapse reads it back, or finds it in the swap cache and unheld.
bool can_be_read_back(const Machine& m, const Recount& recount, const Entry& pte) {
  if (!pte.is_swap() || pte.frame >= m.geometry.swap_slots()) return false;
  const Pfn cached = m.swap(pte.frame).cache;
  if (cached >= m.frames()) return true;
  return !folio_test_large(m, page_folio(m, cached)) && test(m, cached, PG_lru) &&
         !held(recount.folio(m, cached));
}

Fate fate_of(const Machine& m, const Recount& recount, int mm, int i, int& swapped) {
  const Entry& pmd = m.pmd(mm, i);
  if (pmd.is_present() || pmd.is_zero()) return Fate::collapsed;
  if (!pmd.is_table()) return Fate::perhaps;
  bool writable = false, ordinary = true, there = true;
  for (int page = i * m.hpage_nr(); page < (i + 1) * m.hpage_nr(); ++page) {
    const Entry& pte = m.pte(mm, page);
    if (pte.is_none() || pte.is_zero()) continue;
    if (can_be_read_back(m, recount, pte)) {
      ++swapped;
      continue;
    }
    const Pfn pfn = mapped_frame(m, mm, page);
    there &= pfn != kNoPfn;
    if (pfn == kNoPfn) continue;
    writable |= pte.has(kWrite);
    const Pfn folio = page_folio(m, pfn);
    ordinary &= test(m, folio, PG_lru) && !held(recount.folio(m, folio));
  }
  if (there && !writable) return Fate::read_only;
  return there && ordinary ? Fate::collapses : Fate::perhaps;
}

// v6.1 mm/khugepaged.c: madvise_collapse_errno()
int errno_for(Reason reason) {
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

}  // namespace

// A collapse asks of the VMA only whether its last whole block lies in it.
Collapse collapse_of(const MadviseCollapse& op, const Transition& t) {
  const Machine& m = t.before;
  Collapse c{.t = t, .op = op};
  const int mm = op.mm.id, nr = m.hpage_nr();
  const Vma* vma = vma_at(m, mm, op.range.first);
  if (vma == nullptr || op.range.end > vma->end) return c;
  const int first = (op.range.first + nr - 1) / nr, end = op.range.end / nr;
  const int last = vma->end / nr * nr - nr;
  const bool suits = last >= vma->start && !vma->has(VM_NOHUGEPAGE) && vma->anon_vma != kNoAnonVma;
  if (c.unsuited = !suits || first > end; c.unsuited) return c;
  c.any = true;
  c.blocks = first < end;
  int swapped = 0, wanted = 0;  // pages, PMDs
  for (int i = first; i < end; ++i) {
    const Fate fate = fate_of(m, t.counts, mm, i, swapped);
    const bool holds = held_below_a_table(m, t.counts, mm, {i * nr, (i + 1) * nr});
    c.is_held |= holds;
    c.all &= fate == Fate::collapsed || fate == Fate::collapses || holds;
    c.read_only |= fate == Fate::read_only;
    c.known &= holds || fate != Fate::perhaps;
    if (holds || fate != Fate::collapses) continue;
    c.pmds |= pmd_bit(mm, i);
    ++wanted;
  }
  c.certain = wanted == 0 || (t.nothing_injected() && free_blocks(m) > wanted + swapped);
  return c;
}

// What is swapped out, or migrates, is read back or waited for, or ends the collapse; and only a
// page table has pages to look at.
bool collapse_says_why(const MadviseCollapse& op, const Transition& t) {
  const Machine& m = t.after;
  bool table = false;
  for_each_whole_pmd(m, op.mm.id, op.range.first, op.range.end,
                     [&](int i) { table |= m.pmd(op.mm.id, i).is_table(); });
  if (m.reason == Reason::SCAN_PTE_NON_PRESENT) return false;
  if (m.reason == Reason::SCAN_PAGE_RO && !table) return false;
  return t.result == errno_for(m.reason);
}

}  // namespace thp
