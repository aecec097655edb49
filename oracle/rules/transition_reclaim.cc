// What MADV_PAGEOUT must have unmapped.
#include "oracle/rules/transitions_of_reclaim.h"

namespace thp {
namespace {

// A small page that reclaim must unmap whatever its neighbours are, given a slot.
bool must_go(const Transition& t, Pfn pfn) {
  const Machine& m = t.before;
  const FolioCount count = t.count(page_folio(m, pfn));
  return test(m, pfn, PG_swapbacked) && !held(count) && is_reclaimable(m, pfn, count) &&
         nothing_interferes(m, pfn);
}

}  // namespace

// At a huge page below a page table that it cannot split the walk leaves the table: of what lies
// behind one nothing is said.
bool pageout_leaves_some(const MadvisePageout& op, const Transition& t) {
  const Machine& m = t.before;
  int need_slots = 0;
  bool some = false, behind_a_huge_page = false;
  for (int page = op.range.first; page < op.range.end; ++page) {
    if (page == pmd_first(m, page)) behind_a_huge_page = false;
    const Pfn pfn = mapped_frame(m, op.mm.id, page);
    if (pfn == kNoPfn) continue;
    need_slots += !test(m, page_folio(m, pfn), PG_swapcache);
    behind_a_huge_page |= folio_test_large(m, page_folio(m, pfn));
    if (!behind_a_huge_page && must_go(t, pfn))
      some |= entry_of(t.after, op.mm.id, page).is_present();
  }
  return some && (need_slots == 0 || has_free_slots(m, need_slots));
}

}  // namespace thp
