// What lies in the page tables, the swap device and the held frames, against flat memory. Looking
// faults in nothing, so that a wrong page is found before anybody stumbles over it.
#include <utility>

#include "oracle/flat_memory.h"
#include "oracle/translate.h"

namespace thp {
namespace {

constexpr char kContent[] = "a page holds what was stored last";
constexpr char kOutside[] = "page tables are empty where nothing is mapped";
constexpr char kTooWritable[] = "an entry is writable only where the mapping permits stores";
constexpr char kZeroWritable[] = "no entry of a zero page is writable";
constexpr char kVmas[] = "the VMAs are what the calls made";
constexpr char kAlive[] = "an address space lives from fork to exit";
constexpr char kHolder[] = "a reference is held from its call to its return";
constexpr char kCoherent[] = "a pin sees what its owner sees";
constexpr char kSnapshot[] = "a reference that has lost its owner's page sees it as it was";

int content_of(const Machine& m, int pfn) {
  return pfn < m.frames() ? m.page(Pfn(pfn)).content : pfn == m.zero_pfn() ? 0 : -1;
}

// What a load finds behind an entry, `offset` pages into it.
int content_behind(const Machine& m, const Entry& entry, int offset) {
  switch (entry.kind) {
    case EntryKind::present:
    case EntryKind::migration:
      return content_of(m, entry.frame + offset);
    case EntryKind::swap: {
      if (entry.frame >= m.geometry.swap_slots()) return -1;
      const SwapSlot& slot = m.swap(entry.frame);
      return slot.cache != kNoPfn ? content_of(m, slot.cache) : slot.content;
    }
    case EntryKind::table:
      return -1;
    case EntryKind::none:
    case EntryKind::zero:
      return 0;
  }
  return -1;
}

}  // namespace

int visible(const Machine& m, int mm, int page) {
  return content_behind(m, entry_of(m, mm, page), offset_in_entry(m, mm, page));
}

// The content of one page, which may turn out to be discarded.
Verdict FlatMemory::see(int mm, int page, int seen) {
  Cell cell = at(mm, page);
  if (seen == cell.value) return {};
  if (seen != 0 || (cell.state & kLazy) == 0)
    return Mismatch{kContent, mm, page, -1, cell.value, seen};
  cell.found_discarded();
  return {};
}

Verdict FlatMemory::compare_page(const Machine& m, int mm, int page) {
  const Entry& entry = entry_of(m, mm, page);
  return compare_entry(m, mm, page, entry, offset_in_entry(m, mm, page));
}

Verdict FlatMemory::compare_entry(const Machine& m, int mm, int page, const Entry& entry,
                                  int offset) {
  const std::uint8_t allowed = state(mm, page);
  if ((allowed & kMapped) == 0) return entry.is_none() ? Verdict{} : Mismatch{kOutside, mm, page};
  // kWrite in a swap or migration entry is a memory, not a permission.
  if (entry.has(kWrite) && (entry.is_present() || entry.is_zero())) {
    if (entry.is_zero()) return Mismatch{kZeroWritable, mm, page};
    if ((allowed & kMayWrite) == 0) return Mismatch{kTooWritable, mm, page};
  }
  return see(mm, page, content_behind(m, entry, offset));
}

Verdict FlatMemory::compare_vmas(const Machine& m, int mm) const {
  if (alive(mm) != (m.mms[std::size_t(mm)].alive != 0)) return Mismatch{kAlive, mm};
  int page = 0;
  const auto agree = [&](int end, std::uint8_t wanted) {
    constexpr int kShown = kMapped | kMayRead | kMayWrite | kLocked | kDontfork;
    for (; page < end; ++page)
      if ((state(mm, page) & kShown) != wanted) return false;
    return true;
  };
  for (const Vma& vma : m.vmas(mm)) {
    const int state = kMapped | (vma.has(VM_READ) ? kMayRead : 0) |
                      (vma.has(VM_WRITE) ? kMayWrite : 0) | (vma.has(VM_LOCKED) ? kLocked : 0) |
                      (vma.has(VM_DONTCOPY) ? kDontfork : 0);
    if (vma.start < page || vma.end <= vma.start || vma.end > pages_ || !agree(vma.start, 0) ||
        !agree(vma.end, std::uint8_t(state)))
      return Mismatch{kVmas, mm, page};
  }
  return agree(pages_, 0) ? Verdict{} : Mismatch{kVmas, mm, page};
}

Verdict FlatMemory::compare_holders(const Machine& m) {
  for (int h = 0; h < kMaxHolders; ++h) {
    View& view = views_[std::size_t(h)];
    const Holder& holder = m.holders[std::size_t(h)];
    if (view.kind != holder.kind || view.write != (holder.write != 0))
      return Mismatch{kHolder, view.mm, view.page, h, int(view.kind), int(holder.kind)};
    if (view.kind == HolderKind::none || view.kind == HolderKind::isolation) continue;
    const int seen = content_of(m, holder.pfn);
    const int through_another = std::exchange(view.through_another, std::int16_t{-1});
    const bool owned = view.mm >= 0 && !view.apart;
    if (owned) {
      if (const Verdict verdict = see(view.mm, view.page, visible(m, view.mm, view.page)); verdict)
        return verdict;
      if (seen == value(view.mm, view.page)) {
        view.value = std::uint8_t(seen);
        continue;
      }
      if (view.coherent)
        return Mismatch{kCoherent, view.mm, view.page, h, value(view.mm, view.page), seen};
      view.apart = true;
    }
    if (seen != view.value && seen != through_another)
      return Mismatch{kSnapshot, view.mm, view.page, h, view.value, seen};
    view.value = std::uint8_t(seen);
  }
  return {};
}

Verdict FlatMemory::compare_pmd(const Machine& m, int mm, int i) {
  const Entry& pmd = m.pmd(mm, i);
  const bool table = pmd.is_table();
  for (int offset = 0; offset < m.hpage_nr(); ++offset) {
    const int page = (i << m.geometry.order) + offset;
    const Entry& entry = table ? m.pte(mm, page) : pmd;
    if (const Verdict verdict = compare_entry(m, mm, page, entry, table ? 0 : offset); verdict)
      return verdict;
  }
  return {};
}

Verdict FlatMemory::compare(const Machine& m) {
  for (int mm = 0; mm < mms_; ++mm) {
    if (const Verdict verdict = compare_vmas(m, mm); verdict) return verdict;
    for (int i = 0; i < m.geometry.pmds; ++i)
      if (const Verdict verdict = compare_pmd(m, mm, i); verdict) return verdict;
  }
  return compare_holders(m);
}

}  // namespace thp
