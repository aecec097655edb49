// What ops do to ranges of pages, and which pages an op has touched.
#include <algorithm>

#include "oracle/flat/flat_memory.h"

namespace thp {

FlatMemory::Summary FlatMemory::summary(int mm, PageRange range) const {
  Summary s{0xff, 0};
  for (const std::uint8_t state : states(mm, range.first, range.end)) {
    s.all &= state;
    s.any |= state;
  }
  return s;
}

int FlatMemory::first_hole(int mm, PageRange range) const {
  if ((summary(mm, range).all & kMapped) != 0) return range.end;
  int page = range.first;
  while (mapped(mm, page)) ++page;
  return page;
}

void FlatMemory::touch(int mm, int first, int end) {
  Touched& touched = touched_[std::size_t(mm)];
  if (first == end) return;
  const bool none = touched.first == touched.end;
  touched.first = none ? first : std::min(touched.first, first);
  touched.end = none ? end : std::max(touched.end, end);
}

bool FlatMemory::nothing_touched() const {
  return !holders_touched_ && !files_touched_ &&
         std::ranges::all_of(touched_, [](const Touched& touched) { return touched.nothing(); });
}

void FlatMemory::store(int mm, int page, int value) {
  Cell cell = at(mm, page);
  cell.value = std::uint8_t(value);
  cell.state = std::uint8_t((cell.state & ~kLazy) | kTouched);
  touch(mm, page, page + 1);
  if (!is_window(mm, page)) return;
  Window& window = windows_[index(mm, page)];
  window.is_copied = window.is_private;
  if (window.is_copied) return;
  file_values(window.inode, window.index, window.index + 1)[0] = std::uint8_t(value);
  file_changed(window.inode, window.index, window.index + 1);
}

void FlatMemory::store_by_processor(int mm, int page, int value) {
  store(mm, page, value);
  soft_dirty_.stored(mm, page);
}

void FlatMemory::store_by_device(int mm, int page, int value) {
  store(mm, page, value);
  soft_dirty_.stored_by_device(mm, page, value);
}

void FlatMemory::found_discarded(int mm, int page) {
  Cell cell = at(mm, page);
  cell.value = 0;
  cell.state &= std::uint8_t(~(kLazy | kTouched));
  soft_dirty_.discarded(mm, page);
}

// Of pages that are mapped; others have no state.
void FlatMemory::mark(int mm, int first, int end, std::uint8_t clear, std::uint8_t set) {
  touched_[std::size_t(mm)].vmas |= first < end;
  for (std::uint8_t& state : states(mm, first, end)) {
    const auto mapped = std::uint8_t(0 - (state & kMapped));
    state = std::uint8_t((state & ~clear) | (set & mapped));
  }
}

// Zeroes the pages; of their state only `keep` remains. Whoever held them is on its own. A window
// that stays shows its file again.
void FlatMemory::discard(int mm, int first, int end, std::uint8_t keep) {
  touch(mm, first, end);
  touched_[std::size_t(mm)].vmas |= (keep & kMapped) == 0 && first < end;
  detach(mm, first, end);
  const bool windows = (summary(mm, {first, end}).any & kWindow) != 0 && first < end;
  std::ranges::fill(values(mm, first, end), std::uint8_t{0});
  for (std::uint8_t& state : states(mm, first, end)) state &= keep;
  if ((keep & kMapped) == 0) {
    soft_dirty_.unmapped(mm, first, end);
    for (int inode = 0; windows && inode < inodes_; ++inode) evict_if_unused(inode);
    return;
  }
  for (int page = first; page < end; ++page) {
    soft_dirty_.discarded(mm, page);
    if (!maps_a_file(mm, page)) continue;
    windows_[index(mm, page)].is_copied = false;
    show(mm, page);
  }
}

void FlatMemory::detach(int mm, int first, int end) {
  const auto lies_there = [=](const View& view) {
    return view.mm == mm && view.page >= first && view.page < end;
  };
  for_each_view([&](View& view, int) {
    if (!lies_there(view)) return;
    view.companions = 0;
    for_each_view([&](const View& other, int h) {
      if (other.mm == mm && other.page == view.page) view.companions |= std::uint8_t(1 << h);
    });
  });
  for_each_view([&](View& view, int) {
    if (lies_there(view)) view.mm = -1;
  });
}

void FlatMemory::move(int mm, PageRange from, int to) {
  unmap(mm, to, to + from.size());
  touch(mm, from.first, from.end);
  const auto move_bytes = [](auto source, auto target) {
    for (std::size_t i = 0; i < source.size(); ++i) target[i] = source[i];
    std::ranges::fill(source, std::uint8_t{0});
  };
  move_bytes(values(mm, from.first, from.end), values(mm, to, to + from.size()));
  move_bytes(states(mm, from.first, from.end), states(mm, to, to + from.size()));
  soft_dirty_.unmapped(mm, from.first, from.end);
  for_each_view([&](View& view, int) {
    if (view.mm == mm && view.page >= from.first && view.page < from.end)
      view.page = std::uint16_t(view.page - from.first + to);
  });
}

}  // namespace thp
