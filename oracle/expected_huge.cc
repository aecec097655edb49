// What the first access to a page maps, and which huge pages an op leaves as they are.
#include <algorithm>
#include <bit>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

bool block_is_in_vma(const Machine& m, int i, const Vma& vma) {
  return vma.start <= i * m.hpage_nr() && (i + 1) * m.hpage_nr() <= vma.end;
}

}  // namespace

void expect_fault(const Machine& m, MmId mm, PageNr page, bool write, Answers& a) {
  const Vma* vma = m.mms[std::size_t(mm.id)].alive != 0 ? vma_at(m, mm.id, page.number) : nullptr;
  if (vma == nullptr || !entry_of(m, mm.id, page.number).is_none()) return;
  const int i = pmd_index(m, page.number);
  const bool may =
      m.pmd(mm.id, i).is_none() && block_is_in_vma(m, i, *vma) && may_be_huge(m, mm.id, i, true);
  if (may && m.inject == Injections{} && free_blocks(m) > 0) a.expect(Then::huge);
  if (!write && (!may || m.use_zero_page)) a.expect(Then::zero_page);
  if (vma->has(VM_LOCKED)) a.expect(Then::locked_once);
}

bool zero_page(const Machine& m, const Answers& a) { return entry_of(m, a.mm, a.first).is_zero(); }

bool huge(const Machine& m, const Answers& a) {
  return is_huge(m.pmd(a.mm, pmd_index(m, a.first)));
}

void expect_whole(const Machine& m, int mm, PageRange range, Answers& a) {
  for (int i = 0; i < m.geometry.pmds; ++i) {
    const int first = i * m.hpage_nr(), end = first + m.hpage_nr();
    const bool all = range.first <= first && end <= range.end;
    const bool nothing = end <= range.first || range.end <= first;
    if (is_huge(m.pmd(mm, i)) && (all || nothing)) a.whole |= pmd_bit(mm, i);
  }
  a.expect(Then::whole);
}

bool whole(const Machine& m, const Answers& a) {
  for (unsigned left = a.whole; left != 0; left &= left - 1) {
    const int bit = std::countr_zero(left);
    if (m.pmd(bit / Geometry::kMaxPmds, bit % Geometry::kMaxPmds).is_table()) return false;
  }
  return true;
}

}  // namespace thp
