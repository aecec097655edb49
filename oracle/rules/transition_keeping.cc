// What was shared, and what was used, before and after.
#include "oracle/rules/transitions_of_keeping.h"

namespace thp {
namespace {

constexpr Bits kUse = PG_active | PG_referenced;

// The same page, evictable before and after, that is less active now.
bool is_less_active(const Transition& t, Pfn pfn) {
  const Page &was = t.before.page(pfn), &is = t.after.page(pfn);
  constexpr Bits kListed = PG_anon | PG_lru, kAsked = kListed | PG_unevictable;
  return (was.flags & ~is.flags & kUse) != 0 && (was.flags & kAsked) == kListed &&
         (is.flags & kAsked) == kListed && was.anon_vma == is.anon_vma && was.index == is.index;
}

// Is the folio mapped, or in the swap cache, in what the op names?
bool is_named(const Transition& t, const Named& named, Pfn folio) {
  const Machine& m = t.before;
  if (named.folio == folio) return true;
  for (const PageRange range : {named.pages, named.target})
    for (int page = range.first; page < std::min(range.end, m.pages()); ++page) {
      const Entry& entry = entry_of(m, named.mm, page);
      const bool cached = entry.is_swap() && entry.frame < m.geometry.swap_slots();
      const Pfn pfn = cached ? m.swap(entry.frame).cache : mapped_frame(m, named.mm, page);
      if (pfn < m.frames() && page_folio(m, pfn) == folio) return true;
    }
  return false;
}

}  // namespace

bool others_stay_active(const Transition& t) {
  if ((t.changed.delta().lost_flags() & kUse) == 0) return true;
  std::optional<Named> named;
  for (const std::uint16_t pfn : t.changed.delta().frames()) {
    if (pfn >= t.after.frames() || !is_less_active(t, pfn)) continue;
    if (!named) named = named_by(t);
    if (!is_named(t, *named, page_folio(t.before, pfn))) return false;
  }
  return true;
}

// What the swap cache has as the tail of a huge page is copied, and what belongs elsewhere.
bool share_a_page_after_swapoff(const Transition& t, int slot) {
  const Machine& m = t.before;
  if (m.swap(Slot(slot)).cache != kNoPfn) return true;
  Pfn shared = kNoPfn;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int page = 0; page < m.pages(); ++page) {
      const Entry& was = entry_of(m, mm, page);
      if (!was.is_swap() || was.frame != slot) continue;
      const Pfn now = mapped_frame(t.after, mm, page);
      if (shared != kNoPfn && now != shared) return false;
      shared = now;
    }
  return true;
}

bool split_pages_stay_active(const Transition& t) {
  const int nr = t.after.hpage_nr();
  std::uint64_t split = large_blocks_of(t.before) & ~large_blocks_of(t.after);
  for (; split != 0; split &= split - 1) {
    const Pfn head = Pfn(std::countr_zero(split) << t.after.geometry.order);
    const Bits used = t.before.page(head).flags & kUse;
    for (int i = 0; i < nr; ++i) {
      const Bits flags = t.after.page(Pfn(head + i)).flags;
      const bool listed = (flags & (PG_lru | PG_unevictable)) == PG_lru;
      if (listed && (flags & used) != used) return false;
    }
  }
  return true;
}

}  // namespace thp
