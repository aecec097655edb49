// Which VMAs a call makes one, and which it leaves apart: told where the first page of its range
// gets other flags, or is mapped anew.
#include <algorithm>
#include <bit>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

// Would the neighbour and `area`, which touch at `page`, be one VMA? Where one has an anon_vma and
// the other none, the neighbour must hang in one tree and no other.
bool joins(const Vma* neighbour, const Vma& area, int page) {
  if (neighbour == nullptr || neighbour->index_of(page) != area.index_of(page)) return false;
  if (((neighbour->flags ^ area.flags) & ~VM_SOFTDIRTY) != 0) return false;
  const bool one_has_none = neighbour->anon_vma == kNoAnonVma || area.anon_vma == kNoAnonVma;
  return neighbour->anon_vma == area.anon_vma ||
         (one_has_none && std::has_single_bit(neighbour->chain));
}

// mmap_region() asks the next one first, and then offers its anon_vma to the previous one.
void expect_bounds(const Machine& m, int mm, Vma area, bool is_new, Answers& a) {
  const Vma* prev = area.start > 0 ? vma_at(m, mm, area.start - 1) : nullptr;
  const Vma* next = area.end < m.pages() ? vma_at(m, mm, area.end) : nullptr;
  bool high = joins(next, area, area.end);
  if (is_new && high) area.anon_vma = next->anon_vma;
  const bool low = joins(prev, area, area.start);
  const bool differ = low && high && prev->anon_vma != next->anon_vma &&
                      prev->anon_vma != kNoAnonVma && next->anon_vma != kNoAnonVma;
  if (differ) high = false;
  a.merged_start = low ? prev->start : area.start;
  a.merged_end = high ? next->end : area.end;
  a.expect(Then::merged);
}

}  // namespace

// Only the VMA of the first page, and of it the part that lies in the range.
void expect_merge(const Machine& m, int mm, PageRange range, std::uint32_t set, std::uint32_t clear,
                  Answers& a) {
  const Vma* vma = m.mms[std::size_t(mm)].alive != 0 ? vma_at(m, mm, range.first) : nullptr;
  if (vma == nullptr) return;
  Vma area = *vma;
  area.flags = (vma->flags & ~clear) | set;
  if (area.flags == vma->flags) return;
  area.pgoff = std::uint16_t(vma->index_of(range.first));
  area.start = std::uint16_t(range.first);
  area.end = std::min(vma->end, std::uint16_t(range.end));
  expect_bounds(m, mm, area, false, a);
}

// What is there before is unmapped first: a neighbour may end, or begin, with the range then.
void expect_merge_of_new(const Machine& m, const Mmap& op, Answers& a) {
  if (m.mms[std::size_t(op.mm.id)].alive == 0) return;
  const Vma area{.flags = flags_of(op.prot),
                 .start = std::uint16_t(op.range.first),
                 .end = std::uint16_t(op.range.end),
                 .pgoff = std::uint16_t(op.range.first)};
  expect_bounds(m, op.mm.id, area, true, a);
}

// What lies behind a VMA in the range may join it, too.
bool merged(const Machine& m, const Answers& a) {
  const Vma* vma = vma_at(m, a.mm, a.first);
  if (vma == nullptr || vma->start != a.merged_start) return false;
  return a.end > a.merged_end ? vma->end >= a.merged_end : vma->end == a.merged_end;
}

}  // namespace thp
