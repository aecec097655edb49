// The tracker of soft-dirty pages: what it knows of each place, and what it is told.
#include "oracle/flat/soft_dirty.h"

#include <algorithm>

#include "oracle/flat/flat_rules.h"
#include "oracle/translate.h"

namespace thp {
namespace {

// Calls visit(page, entry) for each page of [first, end) that /proc/PID/pagemap tells clean. v6.1
// fs/proc/task_mmu.c: pagemap_pmd_range(), pte_to_pagemap_entry(), pagemap_pte_hole(). Stops where
// that says true.
template <class Visit>
void for_each_clean_place(const Machine& m, int mm, int first, int end, Visit visit) {
  for (const Vma& vma : m.vmas(mm)) {
    if (vma.has(VM_SOFTDIRTY)) continue;
    for (int page = std::max<int>(first, vma.start); page < std::min<int>(end, vma.end); ++page) {
      const Entry& entry = entry_of(m, mm, page);
      if (!entry.has(kSoftDirty) && visit(page, entry)) return;
    }
  }
}

}  // namespace

void SoftDirty::reset(const Geometry& g) {
  pages_ = g.pages();
  tracked_ = {};
  places_.assign(index(g.mms, 0), 0);
  bytes_.assign(index(g.mms, 0), 0);
}

// Of a process that is not tracked nothing is asked.
bool SoftDirty::operator==(const SoftDirty& other) const {
  if (tracked_ != other.tracked_) return false;
  const auto same = [&](const auto& a, const auto& b, int mm) {
    const auto at = std::ptrdiff_t(index(mm, 0));
    return std::equal(a.data() + at, a.data() + at + pages_, b.data() + at);
  };
  for (int mm = 0; mm < int(places_.size()) / pages_; ++mm)
    if (tracked_[std::size_t(mm)] &&
        !(same(places_, other.places_, mm) && same(bytes_, other.bytes_, mm)))
      return false;
  return true;
}

void SoftDirty::clear_refs(int mm, std::span<const std::uint8_t> shown) {
  tracked_[std::size_t(mm)] = true;
  std::fill_n(places_.begin() + std::ptrdiff_t(index(mm, 0)), pages_, std::uint8_t{kAsked});
  std::ranges::copy(shown, bytes_.begin() + std::ptrdiff_t(index(mm, 0)));
}

void SoftDirty::stored(int mm, int page) { places_[index(mm, page)] |= kStored; }

void SoftDirty::stored_by_device(int mm, int page, int value) {
  bytes_[index(mm, page)] = std::uint8_t(value);
}

// Then there is no entry any more that tells of the move.
void SoftDirty::may_be_discarded(int mm, int first, int end) {
  for (int page = first; page < end; ++page) places_[index(mm, page)] &= std::uint8_t(~kMoved);
}

void SoftDirty::discarded(int mm, int page) {
  places_[index(mm, page)] &= std::uint8_t(~(kStored | kMoved));
  bytes_[index(mm, page)] = 0;
}

void SoftDirty::begin(int mm, int first, int end, int place) {
  if (!tracked_[std::size_t(mm)]) place = 0;
  std::fill(places_.begin() + std::ptrdiff_t(index(mm, first)),
            places_.begin() + std::ptrdiff_t(index(mm, end)), std::uint8_t(place));
}
void SoftDirty::mapped(int mm, int first, int end) { begin(mm, first, end, kAsked | kNew); }
void SoftDirty::moved(int mm, int first, int end) { begin(mm, first, end, kAsked | kMoved); }
void SoftDirty::unmapped(int mm, int first, int end) { begin(mm, first, end, 0); }

void SoftDirty::end(int mm) {
  tracked_[std::size_t(mm)] = false;
  unmapped(mm, 0, pages_);
}

// What is still told by its entry was perhaps told by its VMA, too: a discard may end it.
void SoftDirty::forget(const Machine& m, const Strike& strike) {
  for (int page = strike.first; page < strike.end; ++page)
    places_[index(strike.mm, page)] &= std::uint8_t(~(kNew | kMoved));
  for_each_clean_place(m, strike.mm, strike.first, strike.end, [&](int page, const Entry&) {
    places_[index(strike.mm, page)] = 0;
    return false;
  });
}

Verdict SoftDirty::compare(const Machine& m, int mm, int first, int end,
                           std::span<const std::uint8_t> shown) const {
  Verdict broken;
  for_each_clean_place(m, mm, first, end, [&](int page, const Entry& entry) {
    const std::uint8_t place = places_[index(mm, page)], byte = bytes_[index(mm, page)];
    if ((place & kAsked) == 0) return false;
    const bool there = !entry.is_none() && !entry.is_zero();
    if ((place & (kNew | kMoved)) != 0)
      broken = Mismatch{&kNewPlaceIsSoftDirty, mm, page};
    else if (there && (place & kStored) != 0)
      broken = Mismatch{&kCleanPlaceIsUnchanged, mm, page};
    else if (there && shown[std::size_t(page)] != byte)
      broken = Mismatch{&kCleanPlaceIsUnchanged, mm, page, -1, byte, shown[std::size_t(page)]};
    return broken.has_value();
  });
  return broken;
}

}  // namespace thp
