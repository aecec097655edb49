// Which VMAs a call makes one, and which it leaves apart; and families of anon_vmas.
#include <bit>

#include "oracle/rules/transitions_of_spaces.h"

namespace thp {
namespace {

// Does its offset follow its address?
bool is_linear(const Vma& vma) { return vma.is_anonymous() && vma.anon_vma == kNoAnonVma; }

// Would the neighbour and `area`, which touch at `page`, be one VMA? Where one has an anon_vma and
// the other none, the neighbour must hang in one tree and no other.
bool are_one(const Vma* neighbour, const Vma& area, int page) {
  if (neighbour == nullptr || neighbour->index_of(page) != area.index_of(page)) return false;
  if (((neighbour->flags ^ area.flags) & ~VM_SOFTDIRTY) != 0) return false;
  if (neighbour->file != area.file) return false;
  const bool one_has_none = neighbour->anon_vma == kNoAnonVma || area.anon_vma == kNoAnonVma;
  return neighbour->anon_vma == area.anon_vma ||
         (one_has_none && std::has_single_bit(neighbour->chain));
}

}  // namespace

// mmap_region() asks the next one first, and then offers its anon_vma to the previous one. What
// lies behind a VMA in the range may join it, too.
bool is_merged(const Transition& t, int mm, PageRange range, Vma area, bool is_new) {
  const Machine& m = t.before;
  const Vma* prev = area.start > 0 ? vma_at(m, mm, area.start - 1) : nullptr;
  const Vma* next = area.end < m.pages() ? vma_at(m, mm, area.end) : nullptr;
  bool high = are_one(next, area, area.end);
  if (is_new && high) area.anon_vma = next->anon_vma;
  const bool low = are_one(prev, area, area.start);
  if (low && high && prev->anon_vma != next->anon_vma && prev->anon_vma != kNoAnonVma &&
      next->anon_vma != kNoAnonVma)
    high = false;
  const int end = high ? next->end : area.end;
  const Vma* now = vma_at(t.after, mm, range.first);
  if (now == nullptr || now->start != (low ? prev->start : area.start)) return false;
  return range.end > end ? now->end >= end : now->end == end;
}

// Only the VMA of the first page, and of it the part that lies in the range.
bool is_merged(const Transition& t, int mm, PageRange range, std::uint32_t set,
               std::uint32_t clear) {
  const bool alive = t.before.mms[std::size_t(mm)].alive != 0;
  const Vma* vma = alive ? vma_at(t.before, mm, range.first) : nullptr;
  if (vma == nullptr) return true;
  Vma area = *vma;
  if (vma->has(VM_SHARED)) set &= ~std::uint32_t{VM_ACCOUNT};
  area.flags = (vma->flags & ~clear) | set;
  if (area.flags == vma->flags) return true;
  area.pgoff = std::uint16_t(vma->index_of(range.first));
  area.start = std::uint16_t(range.first);
  area.end = std::min(vma->end, std::uint16_t(range.end));
  return is_merged(t, mm, range, area, false);
}

bool is_merged(const Transition& t, const Mremap& op) {
  const int mm = op.mm.id;
  const Vma* vma = vma_at(t.before, mm, op.range.first);
  const PageRange to{op.to.number, op.to.number + move_of(op, t).wanted};
  if (vma == nullptr) return true;
  Vma area = *vma;
  area.start = std::uint16_t(to.first);
  area.end = std::uint16_t(to.end);
  area.pgoff = std::uint16_t(is_linear(*vma) ? to.first : vma->index_of(op.range.first));
  const auto is_unmapped = [&](const Vma* at) {
    return at != nullptr && at->start < op.range.end && op.range.first < at->end;
  };
  if (to.first > 0 && is_unmapped(vma_at(t.before, mm, to.first - 1))) return true;
  if (to.end < t.before.pages() && is_unmapped(vma_at(t.before, mm, to.end))) return true;
  return is_merged(t, mm, to, area, false);
}

// Told of the first VMA that has any. The older of two has the lesser number. Where nobody's is
// left there will be a new one: that of another address space would be found by its count.
bool has_oldest_anon_vma(const Fork& op, const Transition& t) {
  const Machine& m = t.before;
  for (const Vma& vma : t.after.vmas(op.child.id))
    if (vma.anon_vma < kMaxAnonVmas && m.anon_vmas[vma.anon_vma].used != 0 &&
        m.anon_vmas[vma.anon_vma].num_children >= 2)
      return false;
  for (const Vma& vma : m.vmas(op.mm.id)) {
    if (vma.has(VM_DONTCOPY) || vma.anon_vma == kNoAnonVma) continue;
    const Vma* copy = vma_at(t.after, op.child.id, vma.start);
    for (std::uint64_t left = vma.chain; left != 0; left &= left - 1) {
      const int id = std::countr_zero(left);
      const AnonVma& old = m.anon_vmas[std::size_t(id)];
      if (old.num_children < 2 && old.num_active_vmas == 0)
        return copy == nullptr || copy->anon_vma == id;
    }
    return true;
  }
  return true;
}

}  // namespace thp
