// What an op is about: the page that reclaim looks at, one that is read back, one that moves.
#include "oracle/rules/transition_subjects.h"

namespace thp {
namespace {

// A small page of the VMA's family, at its own index; a page just read belongs to nobody yet.
bool belongs_here(const Machine& m, Pfn pfn, const Vma& vma, int page) {
  if (test(m, pfn, PG_head | PG_tail) || m.inject != Injections{}) return false;
  if (!test(m, pfn, PG_anon)) return true;
  const std::uint8_t of_page = m.page(pfn).anon_vma;
  return of_page < kMaxAnonVmas && vma.anon_vma < kMaxAnonVmas &&
         m.anon_vmas[of_page].root == m.anon_vmas[vma.anon_vma].root &&
         m.page(pfn).index == vma.index_of(page);
}

// What reclaim comes to at the page: what is mapped there, or what the swap cache has for it.
Pfn found_by_reclaim(const Machine& m, const Entry& entry, Pfn mapped) {
  if (!entry.is_swap() || entry.frame >= m.geometry.swap_slots()) return mapped;
  const Pfn cached = m.swap(entry.frame).cache;
  return cached < m.frames() ? cached : kNoPfn;
}

// Nobody else has the slot or the small page that is cached for it, nor will.
bool is_last_of_slot(const Transition& t, const Entry& entry) {
  const SwapSlot& slot = t.before.swap(entry.frame);
  return slot.count == 1 && !test(t.before, slot.cache, PG_writeback) &&
         t.count(slot.cache).references(false) == 1;
}

}  // namespace

std::optional<Scan> scan_of(const Reclaim& op, const Transition& t) {
  const Machine& m = t.before;
  const Entry entry = t.page.was;
  if (m.mms[std::size_t(op.mm.id)].alive == 0) return {};
  const Pfn pfn = found_by_reclaim(m, entry, t.page.frame_was);
  if (pfn == kNoPfn) return {};
  const Pfn folio = page_folio(m, pfn);
  return Scan{t, m, op.mm.id, op.page.number, entry, pfn, folio, t.count(folio)};
}

std::optional<SwapIn> swap_in_of(int mm, int page, bool write, const Transition& t) {
  const Machine& m = t.before;
  const Entry entry = entry_of(m, mm, page);
  const Vma* vma = entry.is_swap() ? vma_at(m, mm, page) : nullptr;
  if (vma == nullptr || entry.frame >= m.geometry.swap_slots()) return {};
  SwapIn in{.t = t, .mm = mm, .page = page, .slot = m.swap(entry.frame), .write = write};
  in.locked = vma->has(VM_LOCKED);
  const bool from_disk = in.slot.cache >= m.frames();
  in.itself = !from_disk && belongs_here(m, in.slot.cache, *vma, page) &&
              (!write || is_last_of_slot(t, entry));
  // One that comes back from a migration may be locked then.
  const bool may_be_locked = !from_disk && (test(m, in.slot.cache, PG_mlocked) ||
                                            page_folio(m, in.slot.cache) == m.migration.src);
  in.stays = !in.locked && !write && t.nothing_injected() && !is_swap_full(m) &&
             (from_disk || (in.itself && !may_be_locked));
  return in;
}

Move move_of(const Mremap& op, const Transition& t) {
  const int size = op.range.size(), to = op.to.number;
  const int wanted = op.size.of(op.range);
  const int end = std::min(to + std::min(size, wanted), t.before.pages());
  return {t, op.mm.id, op.range.first, to, end, to - op.range.first, wanted};
}

Pfn movable(const MovePages& op, const Transition& t) {
  const bool any = vma_at(t.before, op.mm.id, op.page.number) && !t.before.migration.in_flight();
  return any ? t.page.frame_was : kNoPfn;
}

bool must_migrate(const MovePages& op, const Transition& t) {
  const Pfn pfn = movable(op, t);
  return pfn != kNoPfn && !held(t.count(page_folio(t.before, pfn))) &&
         vma_at(t.before, op.mm.id, op.page.number)->has(VM_READ) &&
         certainly_migrates(t.before, pfn);
}

bool must_migrate_whole(const MovePages& op, const Transition& t) {
  return must_migrate(op, t) &&
         !(folio_test_large(t.before, page_folio(t.before, t.page.frame_was)) &&
           t.before.inject.fail_huge_alloc != 0);
}

}  // namespace thp
