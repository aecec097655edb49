// What no op may lose of a page, or bring about: looked at before it and after.
#include "oracle/expected_rules.h"

namespace thp {
namespace {

// Calls visit(bit, mm, page) for at most 64 pages, evenly spread.
template <class Visit>
void for_each_sample(const Machine& m, Visit visit) {
  const int pages = m.pages() * m.geometry.mms, stride = (pages + 63) / 64;
  for (int n = 0, bit = 0; n < pages; n += stride, ++bit)
    visit(std::uint64_t{1} << bit, n / m.pages(), n % m.pages());
}

bool is_exclusive(const Machine& m, const Entry& entry) {
  if (entry.is_swap()) return entry.has(kExclusive);
  if (entry.is_migration()) return entry.has(kExclusive | kWrite);
  return entry.is_present() && entry.frame < m.frames() && test(m, entry.frame, PG_anon_exclusive);
}

bool is_writable_pte(const Machine& m, int mm, int page) {
  const Entry& entry = entry_of(m, mm, page);
  return m.pmd(mm, pmd_index(m, page)).is_table() && entry.is_present() && entry.has(kWrite);
}

// Of the first 64 slots: are these in use, and cached or not?
std::uint64_t swapped_slots(const Machine& m, bool cached) {
  std::uint64_t slots = 0;
  for (int i = 0; m.swap_on && i < std::min(m.geometry.swap_slots(), 64); ++i) {
    const SwapSlot& slot = m.swap(Slot(i));
    if (slot.count > 0 && (slot.cache != kNoPfn) == cached) slots |= std::uint64_t{1} << i;
  }
  return slots;
}

// Only of an address space that ever pinned does the kernel ask.
bool is_pinned_pte(const Machine& m, int mm, int page) {
  const Pfn pfn = mapped_frame(m, mm, page);
  return m.mms[std::size_t(mm)].has_pinned && pfn != kNoPfn && is_pinned(m, page_folio(m, pfn)) &&
         is_writable_pte(m, mm, page);
}

}  // namespace

Attributes attributes_of(const Machine& m) {
  Attributes a;
  for_each_sample(m, [&](std::uint64_t bit, int mm, int page) {
    const Entry& entry = entry_of(m, mm, page);
    if (entry.is_none() || entry.is_zero()) return;
    if (is_exclusive(m, entry)) a.exclusive |= bit;
    if (entry.has(kSoftDirty)) a.soft_dirty |= bit;
    if (is_pinned_pte(m, mm, page)) a.pinned |= bit;
  });
  a.cached = swapped_slots(m, true);
  return a;
}

Attributes lost_attributes(const Machine& m, const Attributes& before) {
  Attributes lost;
  if (before.cached != 0) lost.cached = before.cached & swapped_slots(m, false);
  if ((before.exclusive | before.soft_dirty | before.pinned) == 0) return lost;
  for_each_sample(m, [&](std::uint64_t bit, int mm, int page) {
    const Entry& entry = entry_of(m, mm, page);
    if (entry.is_none() || entry.is_zero()) return;
    if (!is_exclusive(m, entry)) lost.exclusive |= bit & before.exclusive;
    if (!entry.has(kSoftDirty)) lost.soft_dirty |= bit & before.soft_dirty;
    if (!is_writable_pte(m, mm, page)) lost.pinned |= bit & before.pinned;
  });
  return lost;
}

bool is_pinned(const Machine& m, Pfn folio) {
  return std::ranges::any_of(m.holders, [&](const Holder& holder) {
    return holder.kind == HolderKind::pin && page_folio(m, holder.pfn) == folio;
  });
}

std::uint8_t holders_of_large(const Machine& m) {
  unsigned holders = 0;
  for (std::size_t h = 0; h < m.holders.size(); ++h) {
    const Holder& holder = m.holders[h];
    if (holder.kind == HolderKind::none || holder.pfn >= m.frames()) continue;
    holders |= unsigned(folio_test_large(m, page_folio(m, holder.pfn))) << h;
  }
  return std::uint8_t(holders);
}

std::uint16_t small_pmds(const Machine& m) {
  unsigned small = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int i = 0; i < m.geometry.pmds; ++i) {
      const unsigned bit = 1U << (mm * Geometry::kMaxPmds + i);
      small |= is_huge(m.pmd(mm, i)) ? 0 : bit;
    }
  return std::uint16_t(small);
}

}  // namespace thp
