// The same counts from what has changed: they were taken from the machine before the op, and every
// difference to it is uncounted and counted. recount_changes.cc tells what else that could make
// false.
#include <bit>

#include "oracle/recount/recount.h"

namespace thp {
namespace {

// The parts of a VMA that its entries depend on, at a page.
struct Hands {
  std::uint64_t chain;
  std::uint32_t flags;
  int index_shift;
  bool operator==(const Hands&) const = default;
};

Hands hands_of(const Vma& vma) {
  return {vma.chain, vma.flags & (VM_READ | VM_WRITE), vma.pgoff - vma.start};
}

}  // namespace

void Recount::update(const Machine& was, const Machine& m, const Delta& delta) {
  changed_frames_.clear();
  changed_folios_.clear();
  changed_entries_.clear();
  changed_slots_.clear();
  changed_cells_.clear();
  lead_to_changed_ = 0;
  all_changed_ = false;
  anything_changed_ = delta.counted();
  vmas_changed_ = delta.vmas() != 0 || delta.anon_vmas();
  device_changed_ = delta.device() || delta.slots();
  files_changed_ = delta.inodes() != 0 || !delta.cells().empty();
  changed_vmas_ = delta.vmas();
  changed_mms_ = was.mmlist == m.mmlist ? delta.mms() : ~0u;
  note_history(m);
  if (!anything_changed_) return;
  for (const std::uint16_t pfn : delta.frames()) changed_frames_.add(pfn);
  update_entries(was, m, delta);
  update_holders(was, m, delta.holders());
  update_cells(was, m, delta);
  update_swap(was, m, delta.slots());
  for (unsigned left = changed_vmas_; left != 0; left &= left - 1)
    update_vmas(was, m, std::countr_zero(left));
  update_blocks(was, m, delta.compounds());
  update_frames(was, m);
  update_entries_of_folios(m);
  update_folios(m);
}

void Recount::target_changed(Entry entry, int pages) {
  if (entry.is_swap()) changed_slots_.add(slot_at(entry.frame));
  if (!entry.is_present() && !entry.is_migration()) return;
  const int first = frame_at(entry.frame);
  for (int pfn = first; pfn < std::min(first + pages, nowhere() + 1); ++pfn)
    changed_frames_.add(pfn);
}

void Recount::entries_changed(const Machine& m, int mm, int first, int end) {
  for (int page = first; page < end; ++page)
    if (!m.pte(mm, page).is_none()) changed_entries_.add(pte_id(mm, page));
  for (int i = pmd_index(m, first); i <= pmd_index(m, end - 1); ++i)
    if (!m.pmd(mm, i).is_none()) changed_entries_.add(pmd_id(mm, i));
}

void Recount::update_pte(const Machine& was, const Machine& m, int mm, int page) {
  const Entry before = was.pte(mm, page), now = m.pte(mm, page);
  count_pte(was, mm, before, -1);
  count_pte(m, mm, now, 1);
  changed_mms_ |= 1u << mm;
  changed_entries_.add(pte_id(mm, page));
  target_changed(before, 1);
  target_changed(now, 1);
}

// A PMD that becomes or stops being a table changes what may stand below it.
void Recount::update_pmd(const Machine& was, const Machine& m, int mm, int i) {
  const Entry before = was.pmd(mm, i), now = m.pmd(mm, i);
  count_pmd(was, mm, before, -1);
  count_pmd(m, mm, now, 1);
  changed_mms_ |= 1u << mm;
  changed_entries_.add(pmd_id(mm, i));
  const int first = i << geometry_.order;
  if (before.is_table() != now.is_table())
    entries_changed(m, mm, first, first + geometry_.hpage_nr());
  target_changed(before, 1);
  target_changed(now, 1);
}

void Recount::update_entries(const Machine& was, const Machine& m, const Delta& delta) {
  for (const std::uint16_t id : delta.ptes())
    update_pte(was, m, id / geometry_.pages(), id % geometry_.pages());
  for (std::uint64_t left = delta.pmds(); left != 0; left &= left - 1) {
    const int bit = std::countr_zero(left);
    update_pmd(was, m, bit / Geometry::kMaxPmds, bit % Geometry::kMaxPmds);
  }
}

void Recount::update_holders(const Machine& was, const Machine& m, unsigned changed) {
  for (; changed != 0; changed &= changed - 1) {
    const Holder& before = was.holders[std::size_t(std::countr_zero(changed))];
    const Holder& now = m.holders[std::size_t(std::countr_zero(changed))];
    count_holder(before, -1);
    count_holder(now, 1);
    if (now.kind == HolderKind::pin && now.pfn < geometry_.frames())
      lead_to_changed_ |= std::uint64_t{1} << block_of(now.pfn);
    for (const Holder& holder : {before, now})
      if (holder.kind != HolderKind::none) changed_frames_.add(frame_at(holder.pfn));
  }
  const Migration now = m.migration;
  if (was.migration != now)
    for (const Pfn pfn : {was.migration.src, was.migration.dst, now.src, now.dst})
      if (pfn != kNoPfn) changed_frames_.add(frame_at(pfn));
  const Pfn zero_before = was.huge_zero_page;
  if (zero_before != m.huge_zero_page)
    for (const Pfn pfn : {zero_before, m.huge_zero_page})
      if (pfn != kNoPfn) changed_frames_.add(frame_at(pfn));
}

void Recount::update_cells(const Machine& was, const Machine& m, const Delta& delta) {
  for (const std::uint16_t id : delta.cells()) {
    const int inode = id / geometry_.pages(), index = id % geometry_.pages();
    const Cell before = was.cell(inode, index), now = m.cell(inode, index);
    count_cell(inode, before, -1);
    count_cell(inode, now, 1);
    changed_cells_.add(id);
    for (const Cell cell : {before, now})
      if (cell.is_folio()) changed_frames_.add(frame_at(cell.frame));
  }
}

// The cell that a page of a file says is its own.
void Recount::update_cells_of(const Machine& m, int pfn) {
  const Pfn folio = page_folio(m, Pfn(pfn));
  const Page& head = m.page(folio);
  if (head.inode >= geometry_.inodes) return;
  files_changed_ = true;
  const int index = head.index + pfn - folio;
  if (index < geometry_.pages()) changed_cells_.add(head.inode * geometry_.pages() + index);
}

void Recount::slot_changed(const Machine& m, int slot) {
  changed_slots_.add(slot);
  const Pfn cache = slot < geometry_.swap_slots() ? m.swap(Slot(slot)).cache : kNoPfn;
  if (cache != kNoPfn) changed_frames_.add(frame_at(cache));
}

void Recount::update_swap(const Machine& was, const Machine& m, bool changed) {
  for (const std::uint16_t slot : changed_slots_.list()) slot_changed(m, slot);
  for (int i = 0; i < (changed ? geometry_.swap_slots() : 0); ++i) {
    const SwapSlot& before = was.swap(Slot(i));
    const SwapSlot& now = m.swap(Slot(i));
    if (before == now) continue;
    count_slot(i, before, -1);
    count_slot(i, now, 1);
    if (before.cache != kNoPfn) changed_frames_.add(frame_at(before.cache));
    slot_changed(m, i);
  }
}

// Entries depend on the VMA around them: where that changed, they are to be judged again.
void Recount::update_vmas(const Machine& old, const Machine& m, int mm) {
  const std::span<const Vma> before = old.vmas(mm);
  const std::span<const Vma> now = m.vmas(mm);
  const auto around = [](std::span<const Vma> vmas, int page) {
    while (!vmas.empty() && vmas.front().end <= page) vmas = vmas.subspan(1);
    return vmas;
  };
  for (int page = 0, next = 0; page < geometry_.pages(); page = next) {
    const auto was = around(before, page), is = around(now, page);
    next = geometry_.pages();
    for (const auto& vmas : {was, is})
      if (!vmas.empty())
        next = std::min<int>(next, vmas[0].covers(page) ? vmas[0].end : vmas[0].start);
    const bool was_there = !was.empty() && was[0].covers(page);
    const bool is_there = !is.empty() && is[0].covers(page);
    if (was_there != is_there || (was_there && hands_of(was[0]) != hands_of(is[0])))
      entries_changed(m, mm, page, next);
    if (next <= page) break;  // VMAs out of order: an invariant's business
  }
  for (const Vma& vma : now) changed_entries_.add(pmd_id(mm, pmd_index(m, vma.start)));
  for (const Vma& vma : now) changed_entries_.add(pmd_id(mm, pmd_index(m, vma.end - 1)));
}

}  // namespace thp
