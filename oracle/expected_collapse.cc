// What madvise_collapse() must do: succeed, fail, and say why.
#include <algorithm>
#include <cerrno>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

// What collapse will make of the block below a PMD.
enum class Block : std::uint8_t { perhaps, collapsed, collapses, read_only };

Block block_of(const Machine& m, const Recount& recount, int mm, int i) {
  const Entry& pmd = m.pmd(mm, i);
  if (pmd.is_present() || pmd.is_zero()) return Block::collapsed;
  if (!pmd.is_table()) return Block::perhaps;
  bool writable = false, ordinary = true, there = true;
  for (int page = i * m.hpage_nr(); page < (i + 1) * m.hpage_nr(); ++page) {
    const Entry& pte = m.pte(mm, page);
    if (pte.is_none() || pte.is_zero()) continue;
    const Pfn pfn = mapped_frame(m, mm, page);
    there &= pfn != kNoPfn;
    if (pfn == kNoPfn) continue;
    writable |= pte.has(kWrite);
    ordinary &= !folio_test_large(m, pfn) && test(m, pfn, PG_lru) &&
                recount.folio(m, page_folio(m, pfn)).references(false) == 1;
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

}  // namespace

void expect_collapse(const Machine& m, const Recount& recount, const MadviseCollapse& op,
                     Answers& a) {
  const Vma* vma = collapsible(m, op.mm.id, op.range);
  if (vma == nullptr) return;
  const int nr = m.hpage_nr();
  const int first = (op.range.first + nr - 1) / nr, end = op.range.end / nr;
  if (!suits(m, *vma) || first > end) return a.result(kCollapseSaysWhy, -EINVAL, -EINVAL);
  a.explains = first < end;
  bool all = true, read_only = false;
  int wanted = 0;
  for (int i = first; i < end; ++i) {
    const Block block = block_of(m, recount, op.mm.id, i);
    all &= block == Block::collapsed || block == Block::collapses;
    read_only |= block == Block::read_only;
    wanted += block == Block::collapses;
  }
  const bool certain = wanted == 0 || (m.inject == Injections{} && free_blocks(m) > wanted);
  if (all && certain) a.result(kCollapses, 0, 0);
  if (read_only) a.must_fail(kReadOnlyNotCollapsed);
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

}  // namespace thp
