// Comparing two machines: as bytes, and thing by thing only where these differ.
#include "oracle/recount/delta.h"

#include <bit>
#include <cstring>
#include <type_traits>

namespace thp {
namespace {

// Arrays of what has no padding.
template <class T>
bool same(const T* a, const T* b, std::size_t n) {
  static_assert(std::has_unique_object_representations_v<T>);
  return n == 0 || std::memcmp(a, b, n * sizeof(T)) == 0;
}

// Bit i: the i-th of them differs.
template <class T, std::size_t n>
unsigned differing(const std::array<T, n>& a, const std::array<T, n>& b) {
  unsigned bits = 0;
  for (std::size_t i = 0; i < n; ++i) bits |= unsigned(!same(&a[i], &b[i], 1)) << i;
  return bits;
}

}  // namespace

void Marks::reset(int size) {
  clear();
  marked_.resize(std::size_t(size), 0);
  list_.resize(std::size_t(size), boost::container::default_init);
}

void Marks::clear() {
  for (const std::uint16_t i : list()) marked_[i] = 0;
  count_ = 0;
}

void Delta::reset(const Geometry& g) {
  frames_.reset(g.frames() + 1);
  ptes_.reset(g.mms * g.pages());
  cells_.reset(g.inodes * g.pages());
}

void Delta::find(const Machine& before, const Machine& after) {
  frames_.clear();
  ptes_.clear();
  cells_.clear();
  pmds_ = 0;
  lost_flags_ = 0;
  mms_ = vmas_ = holders_ = inodes_ = 0;
  anon_vmas_ = slots_ = device_ = compounds_ = false;
  const bool fixed = !before.same_fixed(after);
  unstamped_ = !before.same_unstamped(after);
  if (!after.stamps.empty()) find_stamped(before, after);
  if (fixed) find_fixed(before, after);
  if (unstamped_ || mms_ != 0) find_vmas(before, after);
  if (unstamped_) {
    const Geometry& g = after.geometry;
    slots_ = !same(&before.swap(0), &after.swap(0), std::size_t(g.swap_slots()));
    compounds_ = !same(&before.compound(0), &after.compound(0), std::size_t(g.frame_blocks()));
  }
  counted_ =
      fixed || unstamped_ || pmds_ != 0 || !frames().empty() || !ptes().empty() || !cells().empty();
}

void Delta::find_stamped(const Machine& before, const Machine& after) {
  const Stamps& stamps = after.stamps;
  for (std::uint64_t left = stamps.pmds(); left != 0; left &= left - 1) {
    const int bit = std::countr_zero(left);
    const int mm = bit / Geometry::kMaxPmds, i = bit % Geometry::kMaxPmds;
    if (before.pmd(mm, i) != after.pmd(mm, i)) pmds_ |= left & -left;
  }
  if (stamps.overflowed()) {
    for (int pfn = 0; pfn <= after.frames(); ++pfn) look_at_frame(before, after, pfn);
    for (int mm = 0; mm < after.geometry.mms; ++mm)
      for (int page = 0; page < after.pages(); ++page) look_at_pte(before, after, mm, page);
    for (int inode = 0; inode < after.geometry.inodes; ++inode)
      for (int index = 0; index < after.pages(); ++index) look_at_cell(before, after, inode, index);
    return;
  }
  for (const std::uint32_t pfn : stamps.frames()) look_at_frame(before, after, int(pfn));
  for (const std::uint32_t stamp : stamps.ptes())
    look_at_pte(before, after, int(stamp >> 16), int(stamp & 0xffff));
  for (const std::uint32_t stamp : stamps.cells())
    look_at_cell(before, after, int(stamp >> 16), int(stamp & 0xffff));
}

void Delta::look_at_frame(const Machine& before, const Machine& after, int pfn) {
  const Page &was = before.page(Pfn(pfn)), &is = after.page(Pfn(pfn));
  if (same(&was, &is, 1)) return;
  frames_.add(pfn);
  lost_flags_ |= Bits(was.flags & ~is.flags);
}

void Delta::look_at_pte(const Machine& before, const Machine& after, int mm, int page) {
  if (before.pte(mm, page) != after.pte(mm, page)) ptes_.add(mm * after.pages() + page);
}

void Delta::look_at_cell(const Machine& before, const Machine& after, int inode, int index) {
  if (before.cell(inode, index) != after.cell(inode, index))
    cells_.add(inode * after.pages() + index);
}

void Delta::find_fixed(const Machine& before, const Machine& after) {
  mms_ = differing(before.mms, after.mms);
  anon_vmas_ = !same(before.anon_vmas.data(), after.anon_vmas.data(), kMaxAnonVmas);
  holders_ = differing(before.holders, after.holders);
  inodes_ = differing(before.inodes, after.inodes);
  device_ = before.swap_on != after.swap_on || before.swap_device != after.swap_device;
}

void Delta::find_vmas(const Machine& before, const Machine& after) {
  for (int mm = 0; mm < after.geometry.mms; ++mm) {
    const auto was = before.vmas(mm), is = after.vmas(mm);
    if (was.size() != is.size() || !same(was.data(), is.data(), is.size())) vmas_ |= 1u << mm;
  }
}

}  // namespace thp
