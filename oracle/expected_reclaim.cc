// What reclaim and migration of a page must do, or may not.
#include <cerrno>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

// May reclaim add the folio to the swap cache, whole?
void expect_cache(const Machine& m, Pfn folio, const FolioCount& count, Answers& a) {
  const bool large = folio_test_large(m, folio);
  a.before = folio;
  if (test(m, folio, PG_swapcache)) return;
  if (count.pins > 0 || (large && held(count)) || locked_by_pmd(m, folio)) a.expect(Then::uncached);
  if (large && count.pmds == 0) a.expect(Then::not_swapped_whole);
}

}  // namespace

std::uint16_t pmds_of(const Machine& m, Pfn folio) {
  unsigned pmds = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int i = 0; i < m.geometry.pmds; ++i)
      if (m.pmd(mm, i).is_present() && m.pmd(mm, i).frame == folio) pmds |= pmd_bit(mm, i);
  return std::uint16_t(pmds);
}

void expect_reclaim(const Machine& m, const Recount& recount, const Reclaim& op, Answers& a) {
  const int page = op.page.number;
  const Pfn pfn = mapped_frame(m, op.mm.id, page);
  if (pfn == kNoPfn) return;
  const Pfn folio = page_folio(m, pfn);
  const FolioCount count = recount.folio(m, folio);
  expect_cache(m, folio, count, a);
  expect_young_locks(m, folio, a);
  if (count.isolations + count.migration > 0) return a.result(kIsolatedOnce, -EBUSY, -EBUSY);
  if (held(count)) return a.result(kHeldNotReclaimed, Answers::kMin, 0);
  if (entry_of(m, op.mm.id, page).has(kYoung) || !certainly_unmapped(m, pfn, count)) return;
  a.expect(test(m, pfn, PG_swapbacked) ? Then::unmapped : Then::swapbacked);
  a.about(op.mm.id, page, page + 1);
}

void expect_move_pages(const Machine& m, const Recount& recount, const MovePages& op, Answers& a) {
  const Pfn pfn = mapped_frame(m, op.mm.id, op.page.number);
  const Vma* vma = vma_at(m, op.mm.id, op.page.number);
  if (vma == nullptr || m.migration.in_flight()) return;
  if (vma->has(VM_READ) && entry_of(m, op.mm.id, op.page.number).is_zero())
    a.result(kZeroDoesNotMigrate, -EFAULT, -EFAULT);
  if (pfn == kNoPfn) return;
  if (held(recount.folio(m, page_folio(m, pfn))))
    a.must_fail(kHeldNotMigrated);
  else if (vma->has(VM_READ) && certainly_migrates(m, pfn))
    a.result(kMigrates, 0, 0);
}

}  // namespace thp
