// What madvise_collapse() must do: succeed, fail, and say why.
#include <algorithm>
#include <bit>
#include <cerrno>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

// What collapse will make of the block below a PMD.
enum class Block : std::uint8_t { perhaps, collapsed, collapses, read_only };

// Swapped out, and nobody else's, so that collapse reads it back.
bool is_on_disk(const Machine& m, const Entry& pte) {
  if (!pte.is_swap() || pte.frame >= m.geometry.swap_slots()) return false;
  const SwapSlot& slot = m.swap(pte.frame);
  return slot.count == 1 && slot.cache == kNoPfn;
}

Block block_of(const Machine& m, const Recount& recount, int mm, int i, int& swapped) {
  const Entry& pmd = m.pmd(mm, i);
  if (pmd.is_present() || pmd.is_zero()) return Block::collapsed;
  if (!pmd.is_table()) return Block::perhaps;
  bool writable = false, ordinary = true, there = true;
  for (int page = i * m.hpage_nr(); page < (i + 1) * m.hpage_nr(); ++page) {
    const Entry& pte = m.pte(mm, page);
    if (pte.is_none() || pte.is_zero()) continue;
    if (is_on_disk(m, pte)) {
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
  if (there && !writable) return Block::read_only;
  return there && ordinary ? Block::collapses : Block::perhaps;
}

// The VMA that has all of the range, if collapse looks below it. Of the VMA it asks whether its
// last block lies in it.
const Vma* collapsible(const Machine& m, int mm, PageRange range) {
  const Vma* vma = m.mms[std::size_t(mm)].alive != 0 ? vma_at(m, mm, range.first) : nullptr;
  return vma != nullptr && range.end <= vma->end ? vma : nullptr;
}

bool suits(const Machine& m, const Vma& vma) {
  const int nr = m.hpage_nr(), last = vma.end / nr * nr - nr;
  return last >= vma.start && !vma.has(VM_NOHUGEPAGE) && vma.anon_vma != kNoAnonVma;
}

// v6.1 mm/khugepaged.c: madvise_collapse_errno()
int errno_of(Reason reason) {
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

bool has_table(const Machine& m, const Answers& a) {
  bool table = false;
  for_each_whole_pmd(m, a.mm, a.first, a.end, [&](int i) { table |= m.pmd(a.mm, i).is_table(); });
  return table;
}

}  // namespace

// Of the first 64 slots: this one, and those of its folio in the swap cache.
std::uint64_t slots_with(const Machine& m, int slot) {
  std::uint64_t slots = slot < 64 ? std::uint64_t{1} << slot : 0;
  const Pfn cached = slot < m.geometry.swap_slots() ? m.swap(Slot(slot)).cache : kNoPfn;
  if (cached >= m.frames()) return slots;
  for (int i = 0; i < folio_nr_pages(m, page_folio(m, cached)); ++i)
    if (const int other = m.page(Pfn(page_folio(m, cached) + i)).private_slot; other < 64)
      slots |= std::uint64_t{1} << other;
  return slots;
}

// What it copies leaves the swap cache; what it reads for that may stay there.
void expect_no_idle_copies(const Machine& m, const MadviseCollapse& op, Answers& a) {
  expect_none_idle(m, a);
  for (int page = op.range.first; page < op.range.end; ++page) {
    const Entry& entry = entry_of(m, op.mm.id, page);
    if (entry.is_swap()) a.idle |= slots_with(m, entry.frame);
  }
}

void expect_collapse(const Machine& m, const Recount& recount, const MadviseCollapse& op,
                     Answers& a) {
  expect_no_idle_copies(m, op, a);
  const Vma* vma = collapsible(m, op.mm.id, op.range);
  if (vma == nullptr) return;
  const int nr = m.hpage_nr();
  const int first = (op.range.first + nr - 1) / nr, end = op.range.end / nr;
  if (!suits(m, *vma) || first > end) return a.result(kCollapseSaysWhy, -EINVAL, -EINVAL);
  a.explains = first < end;
  bool all = true, read_only = false, is_held = false;
  bool known = true;            // what becomes of each block
  int swapped = 0;              // pages
  std::uint16_t collapses = 0;  // PMDs
  for (int i = first; i < end; ++i) {
    const Block block = block_of(m, recount, op.mm.id, i, swapped);
    const PageRange pages{i * nr, (i + 1) * nr};
    const bool holds = held_below_a_table(m, recount, op.mm.id, pages);
    is_held |= holds;
    all &= holds || block == Block::collapsed || block == Block::collapses;
    read_only |= block == Block::read_only;
    known &= holds || block != Block::perhaps;
    if (!holds && block == Block::collapses) collapses |= pmd_bit(op.mm.id, i);
  }
  const int wanted = std::popcount(collapses);
  const bool certain =
      wanted == 0 || (m.inject == Injections{} && free_blocks(m) > wanted + swapped);
  if (all && certain && !is_held) a.result(kCollapses, 0, 0);
  if (all && certain && is_held) a.result(kHeldNotCollapsed, -EAGAIN, -EAGAIN);
  if (read_only) a.must_fail(kReadOnlyNotCollapsed);
  if (known && certain) a.collapses = collapses;
}

// PMDs that were small.
bool collapsed_anew(const Machine& m, const Answers& a) {
  for (int i = 0; i < m.geometry.pmds; ++i) {
    const Entry& pmd = m.pmd(a.mm, i);
    if ((a.not_huge & pmd_bit(a.mm, i)) == 0 || !pmd.is_present()) continue;
    const Vma* vma = vma_at(m, a.mm, i * m.hpage_nr());
    if (vma == nullptr || pmd.has(kWrite) != vma->has(VM_WRITE)) return false;
    if (!pmd.has(kYoung) || !pmd.has(kDirty)) return false;
    if (vma->has(VM_LOCKED) && !test(m, pmd.frame, PG_mlocked)) return false;
  }
  return true;
}

// What is swapped out, or migrates, is read back or waited for, or ends the collapse; and only a
// page table has pages to look at.
bool says_why(const Machine& m, const Answers& a, int result) {
  if (m.reason == Reason::SCAN_PTE_NON_PRESENT) return false;
  if (m.reason == Reason::SCAN_PAGE_RO && !has_table(m, a)) return false;
  return result == errno_of(m.reason);
}

}  // namespace thp
