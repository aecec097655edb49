// What no op may lose of a page, or bring about: looked at before it and after.
#include "oracle/expected_rules.h"

namespace thp {
namespace {

// Calls visit(bit, mm, page) for at most 64 pages, evenly spread.
template <class Visit>
void for_each_sample(const Machine& m, Visit visit) {
  const int pages = m.pages(), stride = (pages * m.geometry.mms + 63) / 64;
  std::uint64_t bit = 1;
  for (int mm = 0, page = 0; mm < m.geometry.mms; ++mm, page -= pages)
    for (; page < pages; page += stride, bit <<= 1) visit(bit, mm, page);
}

bool is_exclusive(const Machine& m, const Entry& entry) {
  if (entry.is_swap()) return entry.has(kExclusive);
  if (entry.is_migration()) return entry.has(kExclusive | kWrite);
  return entry.is_present() && entry.frame < m.frames() && test(m, entry.frame, PG_anon_exclusive);
}

// A page whose entry is clean may be dirty by itself.
bool is_dirty(const Machine& m, const Entry& entry) {
  return entry.has(kDirty) ||
         (entry.frame < m.frames() && test(m, page_folio(m, entry.frame), PG_dirty));
}

// Has the folio no other page that might make it dirty, nor a slot to lose?
bool is_alone(const Machine& m, int mm, int page) {
  const Pfn folio = page_folio(m, entry_of(m, mm, page).frame);
  const bool by_pmd = !m.pmd(mm, pmd_index(m, page)).is_table();
  return by_pmd == folio_test_large(m, folio) && !test(m, folio, PG_swapcache);
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
bool is_pinned_page(const Machine& m, int mm, int page) {
  const Pfn pfn = mapped_frame(m, mm, page);
  return m.mms[std::size_t(mm)].has_pinned && pfn != kNoPfn && is_pinned(m, page_folio(m, pfn));
}

}  // namespace

Attributes attributes_of(const Machine& m) {
  Attributes a;
  for_each_sample(m, [&](std::uint64_t bit, int mm, int page) {
    const Entry& entry = entry_of(m, mm, page);
    if (entry.is_none()) return void(a.absent |= bit);
    a.there |= bit;
    if (entry.is_zero()) return;
    if (is_exclusive(m, entry)) a.exclusive |= bit;
    if (entry.has(kSoftDirty)) a.soft_dirty |= bit;
    if (entry.is_swap()) return void(a.swapped |= bit);
    a.mapped |= bit;
    (entry.has(kWrite) ? a.writable : a.closed) |= bit;
    if (entry.has(kYoung)) a.young |= bit;
    if (is_dirty(m, entry))
      a.dirty |= bit;
    else if (is_alone(m, mm, page) && is_exclusive(m, entry))
      a.clean |= bit;
    if (!is_writable_pte(m, mm, page)) return;
    a.open |= bit;
    if (is_pinned_page(m, mm, page)) a.pinned |= bit;
  });
  a.cached = swapped_slots(m, true);
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    a.unpinned |= std::uint64_t(m.mms[std::size_t(mm)].has_pinned == 0) << mm;
  return a;
}

Attributes lost_attributes(const Machine& m, const Attributes& before) {
  const Attributes now = attributes_of(m);
  const std::uint64_t kept = now.mapped | now.swapped;
  Attributes lost;
  lost.there = before.there & now.absent;
  lost.absent = before.absent & now.there;
  lost.exclusive = before.exclusive & kept & ~now.exclusive;
  lost.soft_dirty = before.soft_dirty & kept & ~now.soft_dirty;
  lost.pinned = before.pinned & kept & ~now.open;
  lost.writable = before.writable & now.mapped & ~now.writable;
  lost.closed = before.closed & now.writable;
  lost.young = before.young & now.mapped & ~now.young;
  lost.dirty = before.dirty & now.mapped & ~now.dirty;
  lost.clean = before.clean & now.dirty;
  lost.unpinned = before.unpinned & ~now.unpinned;
  if (before.cached != 0) lost.cached = before.cached & swapped_slots(m, false);
  return lost;
}

// Of large machines not every page is looked at, and so not where it goes.
Attributes moved_by(const Machine& m, int mm, int from, int to, int count) {
  Attributes moved;
  if (m.pages() * m.geometry.mms > 64) return moved;
  const Attributes now = attributes_of(m);
  const std::uint64_t pages = sampled(m, mm, from, from + count);
  for (const auto which :
       {&Attributes::there, &Attributes::exclusive, &Attributes::soft_dirty, &Attributes::writable,
        &Attributes::closed, &Attributes::young, &Attributes::dirty}) {
    const std::uint64_t bits = now.*which & pages;
    moved.*which = to > from ? bits << (to - from) : bits >> (from - to);
  }
  return moved;
}

bool carried(const Machine& m, const Answers& a) {
  const Attributes lost = lost_attributes(m, a.carried);
  return (lost.there | lost.exclusive | lost.soft_dirty | lost.writable | lost.closed | lost.young |
          lost.dirty) == 0;
}

std::uint64_t sampled(const Machine& m, int mm, int first, int end) {
  std::uint64_t bits = 0;
  for_each_sample(m, [&](std::uint64_t bit, int of, int page) {
    if (of == mm && first <= page && page < end) bits |= bit;
  });
  return bits;
}

std::uint64_t pinned_pages(const Machine& m, int mm) {
  std::uint64_t pages = 0;
  for_each_sample(m, [&](std::uint64_t bit, int of, int page) {
    if (of == mm && is_pinned_page(m, mm, page)) pages |= bit;
  });
  return pages;
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
