// From what differs to the pages that rules are asked of.
#include "oracle/rules/changes.h"

#include <bit>

#include "oracle/rules/certainties.h"

namespace thp {
namespace {

// Flags that traits depend on.
constexpr Bits kTold = PG_anon_exclusive | PG_dirty | PG_swapcache | PG_head | PG_tail;

bool tells_more(const Machine& before, const Machine& after, int pfn) {
  if (pfn >= after.frames()) return false;
  const Pfn head = page_folio(after, Pfn(pfn));
  return ((before.page(Pfn(pfn)).flags ^ after.page(Pfn(pfn)).flags) & kTold) != 0 ||
         ((before.page(head).flags ^ after.page(head).flags) & kTold) != 0;
}

}  // namespace

Traits traits_of(const Machine& m, int mm, Entry entry, bool by_pte) {
  if (entry.is_none() || entry.is_table()) return 0;
  if (entry.is_zero()) return kThere;
  Traits traits = kThere | (entry.has(kSoftDirty) ? kSoftly : 0);
  if (entry.is_swap()) return traits | kSwapped | (entry.has(kExclusive) ? kSoleOwner : 0);
  const bool write = entry.has(kWrite), exists = entry.frame < m.frames();
  const Pfn folio = exists ? page_folio(m, entry.frame) : kNoPfn;
  const bool exclusive = entry.is_migration() ? entry.has(kExclusive | kWrite)
                                              : exists && test(m, entry.frame, PG_anon_exclusive);
  traits |= kMapped | (write ? kOpen : 0) | (entry.has(kYoung) ? kUsed : 0) |
            (exclusive ? kSoleOwner : 0);
  const bool dirty = entry.has(kDirty) || (exists && test(m, folio, PG_dirty));
  if (dirty)
    traits |= kDirtied;
  else if (exclusive && exists && by_pte != folio_test_large(m, folio) &&
           !test(m, folio, PG_swapcache))
    traits |= kClean;
  if (by_pte && entry.is_present() && write) traits |= kOpenPte;
  if (entry.is_present() && m.mms[std::size_t(mm)].has_pinned && exists && is_pinned(m, folio))
    traits |= kPinned;
  return traits;
}

Traits traits_of(const Machine& m, int mm, int page) {
  return traits_of(m, mm, entry_of(m, mm, page), m.pmd(mm, pmd_index(m, page)).is_table());
}

void Changes::reset(const Geometry& g) {
  delta_.reset(g);
  clear();
  of_mm_ = g.pages();
  marked_.resize(std::size_t(g.mms * g.pages()), 0);
  pages_.reserve(std::size_t(g.mms * g.pages()));
}

void Changes::clear() {
  for (const Pages& pages : pages_) marked_[std::size_t(pages.mm * of_mm_ + pages.first)] = 0;
  pages_.clear();
}

void Changes::add(int mm, int page, int count) {
  std::uint8_t& marked = marked_[std::size_t(mm * of_mm_ + page)];
  if (marked != 0) return;
  marked = 1;
  pages_.push_back({std::uint8_t(mm), std::uint16_t(page), std::uint16_t(count)});
}

void Changes::add_below(const Machine& before, const Machine& after, int mm, int i) {
  const int first = i << after.geometry.order, nr = after.hpage_nr();
  if (!before.pmd(mm, i).is_table() && !after.pmd(mm, i).is_table()) return add(mm, first, nr);
  for (int page = first; page < first + nr; ++page) {
    const bool none = entry_of(before, mm, page).is_none() && entry_of(after, mm, page).is_none();
    if (!none) add(mm, page, 1);
  }
}

void Changes::add_led_to(const Machine& before, const Machine& after, std::uint64_t blocks) {
  const int order = after.geometry.order;
  for (int mm = 0; mm < after.geometry.mms; ++mm)
    for (int i = 0; i < after.geometry.pmds; ++i) {
      const Entry& pmd = after.pmd(mm, i);
      const auto leads_there = [&](const Entry& entry) {
        return (entry.is_present() || entry.is_migration()) && entry.frame < after.frames() &&
               (blocks >> (entry.frame >> order) & 1) != 0 &&
               tells_more(before, after, entry.frame);
      };
      if (!pmd.is_table()) {
        if (leads_there(pmd)) add_below(before, after, mm, i);
        continue;
      }
      for (int page = i << order; page < (i + 1) << order; ++page)
        if (leads_there(after.pte(mm, page))) add(mm, page, 1);
    }
}

void Changes::find(const Machine& before, const Machine& after) {
  clear();
  delta_.find(before, after);
  another_ = delta_.counted() || before.inject != after.inject || before.enabled != after.enabled ||
             before.use_zero_page != after.use_zero_page ||
             before.shmem_enabled != after.shmem_enabled;
  anything_ = another_ || before.events != after.events;
  if (!delta_.counted()) return;
  for (std::uint64_t left = pmds(); left != 0; left &= left - 1) {
    const int bit = std::countr_zero(left);
    add_below(before, after, bit / Geometry::kMaxPmds, bit % Geometry::kMaxPmds);
  }
  for (const std::uint16_t id : delta_.ptes()) {
    const int mm = id / of_mm_, page = id % of_mm_;
    const int bit = mm * Geometry::kMaxPmds + pmd_index(after, page);
    if ((pmds() >> bit & 1) == 0) add(mm, page, 1);
  }
  std::uint64_t blocks = 0;
  for (const std::uint16_t pfn : delta_.frames()) {
    const Page &old = before.page(pfn), &now = after.page(pfn);
    const bool stays = old.refcount + now.refcount != 0 || (old.flags & now.flags) != 0;
    if (stays && old.flags != 0 && ((old.flags ^ now.flags) & kTold) != 0)
      blocks |= std::uint64_t{1} << (pfn >> after.geometry.order);
  }
  if (blocks != 0) add_led_to(before, after, blocks);
}

}  // namespace thp
