// What MADV_PAGEOUT must have unmapped.
#include "oracle/rules/transitions_of_reclaim.h"

namespace thp {
namespace {

// Advice looks at it: the page tables of its process alone map it, once.
bool is_own(const Transition& t, Pfn pfn, Pfn asked) {
  return t.count(page_folio(t.before, pfn)).pmds + t.counts.frame(asked).ptes == 1;
}

// Advice for a part of it splits it: nobody holds it, and nothing is in the way.
bool splits(const Transition& t, Pfn folio) {
  const Machine& m = t.before;
  return m.inject == Injections{} && !held(t.count(folio)) && test(m, folio, PG_lru) &&
         !test(m, folio, PG_writeback | PG_unevictable) && !mapped_behind_a_huge_pmd(m, folio);
}

// How the walk over one page table goes on: it leaves it at a huge page that it does not split.
struct Walk {
  const Transition& t;
  int mm;
  PageRange range;
  bool left = false, whole = false;  // it; a PMD that is advised whole
  Pfn asked = kNoPfn;                // the last folio of which splits() was asked
  bool answer = false;

  bool splits(Pfn folio) {
    if (asked != folio) answer = thp::splits(t, folio);
    asked = folio;
    return answer;
  }

  void look_at(int page, Pfn pfn) {
    const Machine& m = t.before;
    const int first = pmd_first(m, page);
    if (page == first) left = whole = false;
    if (pfn == kNoPfn) return;
    const Pfn folio = page_folio(m, pfn);
    if (!folio_test_large(m, folio)) return;
    const bool by_pmd = !m.pmd(mm, pmd_index(m, page)).is_table();
    const Vma* vma = vma_at(m, mm, page);
    const int end = std::min<int>(range.end, vma->end);
    whole =
        by_pmd && std::max<int>(range.first, vma->start) <= first && first + m.hpage_nr() <= end;
    left |= !whole && (!is_own(t, pfn, by_pmd ? folio : pfn) || !splits(folio));
  }
  // A page that reclaim must unmap whatever its neighbours are, given a slot.
  bool must_go(Pfn pfn) {
    const Pfn folio = page_folio(t.before, pfn);
    return !left && !whole && test(t.before, folio, PG_swapbacked) && is_own(t, pfn, pfn) &&
           splits(folio) && nothing_interferes(t.before, folio);
  }
};

}  // namespace

bool pageout_leaves_some(const MadvisePageout& op, const Transition& t) {
  const Machine& m = t.before;
  int need_slots = 0;
  bool some = false;
  Walk walk{.t = t, .mm = op.mm.id, .range = op.range};
  for (int page = op.range.first; page < op.range.end; ++page) {
    const Pfn pfn = mapped_frame(m, op.mm.id, page);
    walk.look_at(page, pfn);
    if (pfn == kNoPfn) continue;
    need_slots += !test(m, page_folio(m, pfn), PG_swapcache);
    if (!some && entry_of(t.after, op.mm.id, page).is_present()) some = walk.must_go(pfn);
  }
  return some && (need_slots == 0 || has_free_slots(m, need_slots));
}

}  // namespace thp
