// What swapping out and swapping in must do: expected of MADV_PAGEOUT and of a read fault.
#include "oracle/expected_rules.h"

namespace thp {
namespace {

int slots_in_use(const Machine& m) {
  int used = 0;
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) used += is_in_use(m.swap(Slot(slot)));
  return used;
}

// v6.1 include/linux/swap.h: vm_swap_full(): more than half.
bool is_swap_full(const Machine& m) {
  const int slots = m.geometry.swap_slots();
  return 2 * slots_in_use(m) > slots;
}

// Does nothing but this swap entry, and the swap cache perhaps, need the slot? No if its page is of
// a large folio, or on its way to the disk.
bool is_sole_user(const Machine& m, const SwapSlot& slot) {
  if (slot.count != 1) return false;
  if (slot.cache >= m.frames()) return true;
  return !folio_test_large(m, page_folio(m, slot.cache)) && !test(m, slot.cache, PG_writeback);
}

}  // namespace

// v6.1 mm/swapfile.c: scan_swap_map_slots() may pass by the one slot where it begins.
bool has_free_slots(const Machine& m, int wanted) {
  return m.swap_on && m.geometry.swap_slots() - slots_in_use(m) > wanted;
}

void expect_pageout(const Machine& m, const Recount& recount, const MadvisePageout& op,
                    Answers& a) {
  if (!nothing_interferes(m)) return;
  int need_slots = 0;
  for (int page = op.range.first; page < op.range.end; ++page) {
    const Pfn pfn = mapped_frame(m, op.mm.id, page);
    if (pfn == kNoPfn) continue;
    const FolioCount count = recount.folio(m, page_folio(m, pfn));
    const bool ordinary = test(m, page_folio(m, pfn), PG_swapbacked) && !held(count);
    if (!ordinary || !is_reclaimable(m, pfn, count)) return;
    need_slots += count.cache_slots == 0;
  }
  if (need_slots > 0 && !has_free_slots(m, need_slots)) return;
  a.then = Answers::Then::unmapped;
  a.mm = op.mm.id;
  a.first = op.range.first;
  a.end = op.range.end;
}

void expect_swap_in(const Machine& m, int mm, int page, Answers& a) {
  const Entry& entry = entry_of(m, mm, page);
  const Vma* vma = vma_at(m, mm, page);
  if (!entry.is_swap() || entry.frame >= m.geometry.swap_slots() || vma == nullptr) return;
  const SwapSlot& slot = m.swap(entry.frame);
  const bool locked = vma->has(VM_LOCKED);
  a.then = Answers::Then::swapped_in;
  a.refaults = slot.cache == kNoPfn && !locked;
  a.leaves_cache = is_sole_user(m, slot) && (locked || is_swap_full(m));
}

AnswerRuleId broken_by_swap_in(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  if (pfn == kNoPfn) return kRules;
  const Pfn folio = page_folio(m, pfn);
  if (a.refaults && !test(m, folio, PG_active)) return kRefaultIsActive;
  return a.leaves_cache && test(m, folio, PG_swapcache) ? kLeavesSwapCache : kRules;
}

}  // namespace thp
