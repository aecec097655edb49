// What swapping out and swapping in must do: expected of MADV_PAGEOUT and of a read fault.
#include <algorithm>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

int slots_in_use(const Machine& m) {
  int used = 0;
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) used += is_in_use(m.swap(Slot(slot)));
  return used;
}

// Does nothing but this swap entry, and the swap cache perhaps, need the slot? No if its page is of
// a large folio, or on its way to the disk.
bool is_sole_user(const Machine& m, const SwapSlot& slot) {
  if (slot.count != 1) return false;
  if (slot.cache >= m.frames()) return true;
  return !folio_test_large(m, page_folio(m, slot.cache)) && !test(m, slot.cache, PG_writeback);
}

// A huge page that is advised, and nothing else is.
void expect_huge_pageout(const Machine& m, const Recount& recount, const MadvisePageout& op,
                         Answers& a) {
  const Pfn folio = mapped_frame(m, op.mm.id, op.range.first);
  const int i = pmd_index(m, op.range.first);
  if (folio == kNoPfn || m.pmd(op.mm.id, i).is_table() || op.range.size() != m.hpage_nr()) return;
  if (op.range.first != pmd_first(m, op.range.first) || !test(m, folio, PG_lru)) return;
  if (test(m, folio, PG_writeback | PG_unevictable)) return;
  if (!certainly_swaps_whole(m, folio, recount.folio(m, folio))) return;
  a.before = folio;
  a.expect(Then::swapped_whole);
}

// A small page of the VMA's family, at its own index; a page just read belongs to nobody yet.
bool is_at_home(const Machine& m, Pfn pfn, const Vma& vma, int page) {
  if (test(m, pfn, PG_head | PG_tail) || m.inject != Injections{}) return false;
  if (!test(m, pfn, PG_anon)) return true;
  const std::uint8_t of_page = m.page(pfn).anon_vma;
  return of_page < kMaxAnonVmas && vma.anon_vma < kMaxAnonVmas &&
         m.anon_vmas[of_page].root == m.anon_vmas[vma.anon_vma].root &&
         m.page(pfn).index == vma.index_of(page);
}

}  // namespace

// v6.1 include/linux/swap.h: vm_swap_full(): more than half.
bool is_swap_full(const Machine& m) {
  const int slots = m.geometry.swap_slots();
  return 2 * slots_in_use(m) > slots;
}

bool is_mapped(const Machine& m, Pfn folio) {
  const bool large = folio_test_large(m, folio);
  bool mapped = large && m.compound(folio).mapcount >= 0;
  for (int sub = 0; sub < folio_nr_pages(m, folio); ++sub)
    mapped |= m.page(Pfn(folio + sub)).mapcount >= 0;
  return mapped;
}

// v6.1 mm/swapfile.c: scan_swap_map_slots() may pass by the one slot where it begins.
bool has_free_slots(const Machine& m, int wanted) {
  return m.swap_on && m.geometry.swap_slots() - slots_in_use(m) > wanted;
}

bool certainly_swaps_whole(const Machine& m, Pfn folio, const FolioCount& count) {
  const bool free = m.swap_on && m.swap_device.nr_free > 0 && m.inject.fail_swap_cluster == 0;
  return folio_test_large(m, folio) && count.pmds == 1 && count.ptes == 0 && !held(count) &&
         test(m, folio, PG_swapbacked) && (count.cache_slots > 0 || free);
}

void expect_pageout(const Machine& m, const Recount& recount, const MadvisePageout& op,
                    Answers& a) {
  if (!nothing_interferes(m)) return;
  expect_huge_pageout(m, recount, op, a);
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
  a.expect(Answers::Then::unmapped);  // in the range that expect_in_range() knows
}

// Of a write the reference of the fault and that of the swap cache must be the only ones.
void expect_swap_in(const Machine& m, const Recount& recount, int mm, int page, bool write,
                    Answers& a) {
  const Entry& entry = entry_of(m, mm, page);
  const Vma* vma = vma_at(m, mm, page);
  if (!entry.is_swap() || entry.frame >= m.geometry.swap_slots() || vma == nullptr) return;
  const SwapSlot& slot = m.swap(entry.frame);
  const bool locked = vma->has(VM_LOCKED), is_read = slot.cache >= m.frames();
  if (is_read && !locked && !write) a.expect(Then::refaulted);  // a store may copy it
  if (locked) a.expect(Then::mlocked);
  const bool alone = is_read || recount.folio(m, slot.cache).references(false) == 1;
  if (is_sole_user(m, slot) && (locked || is_swap_full(m) || (write && alone)))
    a.expect(Then::out_of_cache);
  const bool is_kept = !locked && !write && m.inject == Injections{} && !is_swap_full(m);
  if (is_read && is_kept) a.expect(Then::stays_cached);
  if (is_read) return;
  a.before = slot.cache;
  const bool is_itself = !write && is_at_home(m, slot.cache, *vma, page);
  if (is_itself) a.expect(Then::cached_itself);
  // One that comes back from a migration may be locked then.
  const bool may_be_locked =
      test(m, slot.cache, PG_mlocked) || page_folio(m, slot.cache) == m.migration.src;
  if (is_itself && is_kept && !may_be_locked) a.expect(Then::stays_cached);
  if (test(m, slot.cache, PG_tail) && test(m, page_folio(m, slot.cache), PG_anon))
    a.expect(Then::copied_from_tail);
}

// Nothing but the swap cache and one mapping refers to it: a store may keep it.
void expect_dirty_out_of_cache(const Machine& m, Answers& a) {
  if (a.before != kNoPfn && test(m, page_folio(m, a.before), PG_swapcache))
    a.expect(Then::dirty_out_of_cache);
}

bool refaulted(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn == kNoPfn || test(m, page_folio(m, pfn), PG_active);
}

bool out_of_cache(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn == kNoPfn || !test(m, page_folio(m, pfn), PG_swapcache);
}

bool cached_itself(const Machine& m, const Answers& a) {
  return mapped_frame(m, a.mm, a.first) == a.before;
}

// The lock of a page that is unmapped is free, if no failure waits for it and no migration.
void expect_none_idle(const Machine& m, Answers& a) {
  if (m.inject.contend_page_lock != 0 || m.migration.in_flight()) return;
  a.idle = idle_slots(m);
  a.expect(Then::none_idle);
}

bool stays_cached(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn == kNoPfn || test(m, page_folio(m, pfn), PG_swapcache);
}

bool dirty_out_of_cache(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn != a.before || test(m, page_folio(m, pfn), PG_swapcache | PG_dirty);
}

bool mlocked(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn == kNoPfn || folio_test_large(m, page_folio(m, pfn)) || test(m, pfn, PG_mlocked);
}

bool copied_from_tail(const Machine& m, const Answers& a) {
  return mapped_frame(m, a.mm, a.first) != a.before;
}

bool is_idle_but_for_mapping(const Machine& m, Pfn folio) {
  for (int sub = 0; sub < folio_nr_pages(m, folio); ++sub)
    if (m.swap(m.page(Pfn(folio + sub)).private_slot).count != 0) return false;
  return !test(m, folio, PG_writeback);
}

namespace {

// One that only the swap cache has, for a page that nobody maps.
bool is_idle(const Machine& m, int slot) {
  const Pfn cached = m.swap(Slot(slot)).cache;
  if (cached >= m.frames()) return false;
  const Pfn folio = page_folio(m, cached);
  return is_idle_but_for_mapping(m, folio) && !is_mapped(m, folio);
}

}  // namespace

// Of the first 64.
std::uint64_t idle_slots(const Machine& m) {
  std::uint64_t idle = 0;
  for (int i = 0; m.swap_on && i < std::min(m.geometry.swap_slots(), 64); ++i)
    idle |= std::uint64_t{is_idle(m, i)} << i;
  return idle;
}

bool has_idle_slots(const Machine& m) {
  bool any = false;
  for (int i = 0; m.swap_on && !any && i < m.geometry.swap_slots(); ++i) any = is_idle(m, i);
  return any;
}

}  // namespace thp
