// What lies in the page tables, the swap device and the held frames, against flat memory. Looking
// faults in nothing, so that a wrong page is found before anybody stumbles over it.
#include <algorithm>
#include <utility>

#include "oracle/flat/flat_rules.h"
#include "oracle/translate.h"

namespace thp {
namespace {

int content_of(const Machine& m, int pfn) {
  return pfn < m.frames() ? m.page(Pfn(pfn)).content : pfn == m.zero_pfn() ? 0 : -1;
}

// What a load finds behind an entry, `offset` pages into it.
int content_behind(const Machine& m, const Entry& entry, int offset) {
  if (entry.is_present() || entry.is_migration()) return content_of(m, entry.frame + offset);
  if (entry.is_none() || entry.is_zero()) return 0;
  const bool exists = entry.is_swap() && entry.frame < m.geometry.swap_slots();
  return exists ? content_of_slot(m, entry.frame) : -1;
}

}  // namespace

int content_of_slot(const Machine& m, int id) {
  const SwapSlot& slot = m.swap(Slot(id));
  return slot.cache != kNoPfn ? content_of(m, slot.cache) : slot.content;
}

int visible(const Machine& m, int mm, int page) {
  return content_behind(m, entry_of(m, mm, page), offset_in_entry(m, mm, page));
}

// The content of one page, which may turn out to be discarded.
Verdict FlatMemory::see(int mm, int page, int seen) {
  Cell cell = at(mm, page);
  if (seen == cell.value) return {};
  if (seen != 0 || (cell.state & kLazy) == 0)
    return Mismatch{&kContent, mm, page, -1, cell.value, seen};
  found_discarded(mm, page);
  return {};
}

Verdict FlatMemory::compare_entry(const Machine& m, int mm, int page, const Entry& entry,
                                  int offset) {
  const int seen = content_behind(m, entry, offset);
  if (seen == value(mm, page)) return {};
  if (!mapped(mm, page)) return {};                       // whatever is there: entry_inside_a_vma
  if (entry.is_none() && is_window(mm, page)) return {};  // a fault will bring the file's page
  return see(mm, page, seen);
}

Verdict FlatMemory::compare_vmas(const Machine& m, int mm) const {
  if (alive(mm) != (m.mms[std::size_t(mm)].alive != 0)) return Mismatch{&kAlive, mm};
  int page = 0;
  const auto agree = [&](int end, std::uint8_t wanted) {
    constexpr int kShown = kOfTheVma;
    int other = 0;
    for (const std::uint8_t state : states(mm, page, end)) other |= (state & kShown) ^ wanted;
    while (other != 0 && (state(mm, page) & kShown) == wanted) ++page;
    if (other == 0) page = end;
    return other == 0;
  };
  for (const Vma& vma : m.vmas(mm)) {
    const int state = kMapped | (vma.has(VM_READ) ? kMayRead : 0) |
                      (vma.has(VM_WRITE) ? kMayWrite : 0) | (vma.has(VM_LOCKED) ? kLocked : 0) |
                      (vma.has(VM_DONTCOPY) ? kDontfork : 0) | (vma.is_anonymous() ? 0 : kWindow);
    if (vma.start < page || vma.end <= vma.start || vma.end > pages_ || !agree(vma.start, 0) ||
        !agree(vma.end, std::uint8_t(state)))
      return Mismatch{&kVmas, mm, page};
    for (page = vma.start; !vma.is_anonymous() && page < vma.end; ++page)
      if (const Window& window = windows_[index(mm, page)]; window.inode != vma.file ||
                                                            window.index != vma.index_of(page) ||
                                                            window.is_private == vma.has(VM_SHARED))
        return Mismatch{&kVmas, mm, page};
    page = vma.end;
  }
  return agree(pages_, 0) ? Verdict{} : Mismatch{&kVmas, mm, page};
}

Verdict FlatMemory::compare_holders(const Machine& m) {
  unsigned held = 0;
  for (std::size_t h = 0; h < kMaxHolders; ++h)
    held |= unsigned(m.holders[h].kind != HolderKind::none) << h;
  for (unsigned left = held | held_; left != 0; left &= left - 1)
    if (const Verdict seen = compare_holder(m, std::countr_zero(left))) return seen;
  return {};
}

Verdict FlatMemory::compare_holder(const Machine& m, int h) {
  View& view = views_[std::size_t(h)];
  const Holder& holder = m.holders[std::size_t(h)];
  if (view.kind != holder.kind || view.write != (holder.write != 0))
    return Mismatch{&kHolder, view.mm, view.page, h, int(view.kind), int(holder.kind)};
  if (view.kind == HolderKind::isolation) return {};
  const int seen = content_of(m, holder.pfn);
  const int through_another = std::exchange(view.through_another, std::int16_t{-1});
  const bool owned = view.mm >= 0 && !view.apart;
  if (owned) {
    if (const Verdict verdict = see(view.mm, view.page, visible(m, view.mm, view.page)); verdict)
      return verdict;
    const int expected = value(view.mm, view.page);
    view.apart = seen != expected;
  }
  const bool as_it_was = seen == view.value || seen == through_another;
  if (view.apart || !owned)
    if (!as_it_was) return Mismatch{&kSnapshot, view.mm, view.page, h, view.value, seen};
  view.value = std::uint8_t(seen);
  return {};
}

// Are all pages [first, end) below this PMD as they were left? A quick look at the usual.
bool FlatMemory::agrees(const Machine& m, int mm, const Entry& pmd, int first, int end) const {
  const auto expected = values(mm, first, end);
  if (pmd.is_none()) {  // what is nowhere was discarded, or never there
    return std::ranges::count(expected, 0) == end - first;
  }
  if (!pmd.is_present() || pmd.frame + m.hpage_nr() > m.frames()) return false;
  const Summary states = summary(mm, {first, end});
  if ((states.all & kMapped) == 0) return false;
  const Page* page = &m.page(Pfn(pmd.frame + first - pmd_first(m, first)));
  bool same = true;
  for (const std::uint8_t value : expected) same &= value == page++->content;
  return same;
}

// Pages [first, end) below one PMD.
Verdict FlatMemory::compare_below(const Machine& m, int mm, int i, int first, int end) {
  const Entry& pmd = m.pmd(mm, i);
  const bool table = pmd.is_table();
  if (!table && agrees(m, mm, pmd, first, end)) return {};
  for (int page = first; page < end; ++page) {
    const Entry& entry = table ? m.pte(mm, page) : pmd;
    const int offset = table ? 0 : page - pmd_first(m, page);
    if (const Verdict verdict = compare_entry(m, mm, page, entry, offset); verdict) return verdict;
  }
  return {};
}

Verdict FlatMemory::compare_pages(const Machine& m, int mm, int first, int end) {
  for (int page = first, next; page < end; page = next) {
    next = std::min(end, pmd_first(m, page) + m.hpage_nr());
    const Verdict verdict = compare_below(m, mm, pmd_index(m, page), page, next);
    if (verdict) return verdict;
  }
  if (!soft_dirty_.tracks(mm)) return {};
  return soft_dirty_.compare(m, mm, first, end, values(mm, 0, pages_));
}

Verdict FlatMemory::compare(const Machine& m) {
  for (int mm = 0; mm < mms_; ++mm) {
    if (const Verdict verdict = compare_vmas(m, mm); verdict) return verdict;
    if (const Verdict verdict = compare_pages(m, mm, 0, pages_); verdict) return verdict;
  }
  if (const Verdict verdict = compare_files(m); verdict) return verdict;
  return compare_holders(m);
}

}  // namespace thp
