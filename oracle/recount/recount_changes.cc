// From what has changed to what is to be judged again: folios, their other frames, and the entries
// that lead to them. Part of Recount::update().
#include <bit>

#include "oracle/recount/recount.h"

namespace thp {

std::uint32_t Recount::rmap_of(const Page& page) {
  return std::uint32_t(page.anon_vma) << 16 | page.index;
}

// What the invariants of a folio's single frames depend on, beside those frames.
std::uint8_t Recount::shape_of(const Machine& m, int block) const {
  const Pfn head = Pfn(block << geometry_.order);
  const Bits flags = m.page(head).flags;
  const auto bit = [](bool is, int n) { return std::uint8_t(is ? 1 << n : 0); };
  return std::uint8_t(bit(flags & PG_head, 0) | bit(flags & PG_swapcache, 1) |
                      bit(flags & PG_anon, 2) | bit(m.compound(head).double_map, 3) |
                      bit(blocks_[std::size_t(block)].pmds > 0, 4));
}

// A new shape of a folio changes what is asked of each of its frames.
void Recount::update_blocks(const Machine& was, const Machine& m, bool compounds_changed) {
  for (int i = 0; i < (compounds_changed ? geometry_.frame_blocks() : 0); ++i) {
    const Pfn head = Pfn(i << geometry_.order);
    const Compound& now = m.compound(head);
    if (was.compound(head) == now) continue;
    changed_frames_.add(head);
    const std::uint64_t bit = std::uint64_t{1} << i;
    deferred_ = now.deferred ? deferred_ | bit : deferred_ & ~bit;
  }
  std::uint64_t blocks = 0;
  for (const std::uint16_t pfn : changed_frames_.list())
    if (pfn < geometry_.frames()) blocks |= std::uint64_t{1} << block_of(pfn);
  for (; blocks != 0; blocks &= blocks - 1) {
    const int i = std::countr_zero(blocks);
    const std::uint8_t now = shape_of(m, i);
    if (shape_[std::size_t(i)] != now)
      for (int page = 0; page < geometry_.hpage_nr(); ++page)
        changed_frames_.add((i << geometry_.order) + page);
    shape_[std::size_t(i)] = now;
    note_wanderer(m, i);
  }
}

// Entries depend on the folio that they lead to: on its anon_vma and index, and whether it is
// pinned. A new page was mapped by the one entry that was made with it; not so one of the swap
// cache.
void Recount::update_frames(const Machine& was, const Machine& m) {
  for (const std::uint16_t pfn : changed_frames_.list()) {
    if (pfn >= geometry_.frames()) continue;
    const std::uint32_t before = rmap_of(was.page(pfn)), now = rmap_of(m.page(pfn));
    const bool fresh = before == rmap_of(Page{}) && !test(m, pfn, PG_swapcache);
    if (before != now && !fresh) lead_to_changed_ |= std::uint64_t{1} << block_of(pfn);
    used_frames_[block_of(pfn)] += std::uint16_t(in_use(m.page(pfn)) - in_use(was.page(pfn)));
  }
}

void Recount::update_entries_of_folios(const Machine& m) {
  if (lead_to_changed_ == 0) return;
  const auto leads_there = [&](Entry entry) {
    int pfn = kNoPfn;
    if (entry.is_present() || entry.is_migration()) pfn = entry.frame;
    if (entry.is_swap() && entry.frame < geometry_.swap_slots()) pfn = m.swap(entry.frame).cache;
    return pfn < geometry_.frames() && (lead_to_changed_ >> block_of(pfn) & 1) != 0;
  };
  const int ptes = geometry_.mms * geometry_.pages(), pmds = geometry_.mms * geometry_.pmds;
  for (int i = 0; i < ptes; ++i)
    if (leads_there((&m.pte(0, 0))[i])) changed_entries_.add(i);
  for (int i = 0; i < pmds; ++i)
    if (leads_there((&m.pmd(0, 0))[i])) changed_entries_.add(ptes + i);
}

void Recount::update_folios(const Machine& m) {
  for (const std::uint16_t pfn : changed_frames_.list()) {
    if (pfn > geometry_.frames()) continue;
    const Pfn folio = page_folio(m, pfn);
    changed_folios_.add(folio);
    update_cells_of(m, pfn);
    if (test(m, folio, PG_swapcache)) changed_slots_.add(slot_at(m.page(pfn).private_slot));
  }
}

}  // namespace thp
