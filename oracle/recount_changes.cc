// From what has changed to what is to be judged again: folios, their other frames, and the entries
// that lead to them. Part of Recount::update().
#include <bit>

#include "oracle/recount.h"

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
void Recount::update_blocks(const Machine& m) {
  const std::size_t count = std::size_t(geometry_.frame_blocks());
  const bool none = same_unstamped_ || same(shadow_.compounds.data(), &m.compound(0), count);
  for (int i = 0; i < (none ? 0 : int(count)); ++i) {
    const Pfn head = Pfn(i << geometry_.order);
    Compound& before = shadow_.compounds[std::size_t(i)];
    if (before == m.compound(head)) continue;
    changed_frames_.add(head);
    before = m.compound(head);
    const std::uint64_t bit = std::uint64_t{1} << i;
    deferred_ = before.deferred ? deferred_ | bit : deferred_ & ~bit;
  }
  std::uint64_t blocks = 0;
  for (const std::uint16_t pfn : changed_frames_.list())
    if (pfn < geometry_.frames()) blocks |= std::uint64_t{1} << block_of(pfn);
  for (; blocks != 0; blocks &= blocks - 1) {
    const int i = std::countr_zero(blocks);
    const std::uint8_t now = shape_of(m, i);
    if (shadow_.shape[std::size_t(i)] != now)
      for (int page = 0; page < geometry_.hpage_nr(); ++page)
        changed_frames_.add((i << geometry_.order) + page);
    shadow_.shape[std::size_t(i)] = now;
    note_wanderer(m, i);
  }
}

// Entries depend on the folio that they lead to: on its anon_vma and index, and whether it is
// pinned. A new page was mapped by the one entry that was made with it; not so one of the swap
// cache.
void Recount::update_frames(const Machine& m) {
  for (const std::uint16_t pfn : changed_frames_.list()) {
    if (pfn >= geometry_.frames()) continue;
    std::uint32_t& before = shadow_.rmap[pfn];
    const std::uint32_t now = rmap_of(m.page(pfn));
    const bool fresh = before == rmap_of(Page{}) && !test(m, pfn, PG_swapcache);
    if (before != now && !fresh) lead_to_changed_ |= std::uint64_t{1} << block_of(pfn);
    before = now;
    const bool used = in_use(m.page(pfn));
    used_frames_[block_of(pfn)] += std::uint16_t(used - shadow_.used[pfn]);
    shadow_.used[pfn] = used;
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
  for (std::size_t i = 0; i < shadow_.ptes.size(); ++i)
    if (leads_there(shadow_.ptes[i])) changed_entries_.add(int(i));
  for (std::size_t i = 0; i < shadow_.pmds.size(); ++i)
    if (leads_there(shadow_.pmds[i])) changed_entries_.add(int(shadow_.ptes.size() + i));
}

void Recount::update_folios(const Machine& m) {
  for (const std::uint16_t pfn : changed_frames_.list()) {
    if (pfn > geometry_.frames()) continue;
    const Pfn folio = page_folio(m, pfn);
    changed_folios_.add(folio);
    if (test(m, folio, PG_swapcache)) changed_slots_.add(slot_at(m.page(pfn).private_slot));
  }
}

}  // namespace thp
