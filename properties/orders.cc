// Sorting by what has no name, and all permutations of what that leaves alike.
#include "properties/orders.h"

#include <algorithm>
#include <cstring>

namespace thp {
namespace {

class Fold {
 public:
  void add(std::uint64_t number) { sum_ = (sum_ ^ number) * 0x9e3779b97f4a7c15; }
  void add(const Entry& entry) { add(std::uint64_t(entry.kind) << 8 | entry.bits); }
  std::uint64_t sum() const { return sum_ ^ sum_ >> 32; }

 private:
  std::uint64_t sum_ = 0;
};

std::uint64_t key_of_mm(const Machine& m, int id) {
  if (!m.mms[std::size_t(id)].alive) return 0;
  Fold fold;
  std::array<std::uint64_t, sizeof(Mm) / sizeof(std::uint64_t)> words;
  static_assert(sizeof words == sizeof(Mm));
  std::memcpy(words.data(), &m.mms[std::size_t(id)], sizeof(Mm));
  for (const std::uint64_t word : words) fold.add(word);
  for (int i = 0; i < m.geometry.pmds; ++i) {
    fold.add(m.pmd(id, i));
    if (!m.pmd(id, i).is_table()) continue;
    for (int sub = 0; sub < m.hpage_nr(); ++sub) fold.add(m.pte(id, (i << m.geometry.order) + sub));
  }
  return std::max<std::uint64_t>(fold.sum(), 1);
}

std::uint64_t key_of_holder(const Machine& m, int id) {
  const Holder& holder = m.holders[std::size_t(id)];
  return std::uint64_t(holder.kind) << 1 | holder.write;
}

std::uint64_t key_of_inode(const Machine& m, int id) {
  const Inode& inode = m.inodes[std::size_t(id)];
  if (inode.alive == 0) return 0;
  Fold fold;
  for (const int number : {int(inode.open), int(inode.i_size), int(inode.fallocend), inode.nrpages,
                           inode.alloced, int(inode.on_shrinklist)})
    fold.add(std::uint64_t(number));
  for (int index = 0; index < m.pages(); ++index) fold.add(std::uint64_t(m.cell(id, index).kind));
  return std::max<std::uint64_t>(fold.sum(), 1);
}

// Sorts the first `count` by key, and notes where those that are alike begin.
template <std::size_t N, class Key>
void sort(std::array<std::uint8_t, N>& order, std::array<std::uint8_t, N>& alike, int count,
          std::size_t max_alike, Key key) {
  std::array<std::uint64_t, N> keys{};
  for (int id = 0; id < count; ++id) keys[std::size_t(id)] = key(id);
  std::sort(order.begin(), order.begin() + count, [&](std::uint8_t a, std::uint8_t b) {
    return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
  });
  for (std::size_t i = 0; i < N; ++i) {
    const bool same = i > 0 && int(i) < count && keys[order[i]] == keys[order[i - 1]] &&
                      keys[order[i]] != 0 && i - alike[i - 1] < max_alike;
    alike[i] = same ? alike[i - 1] : std::uint8_t(i);
  }
}

// The next permutation in which all stay with their like; false: that was the last, and the first
// is there again.
template <std::size_t N>
bool permute(std::array<std::uint8_t, N>& order, const std::array<std::uint8_t, N>& alike) {
  for (std::size_t end = N; end > 0;) {
    const std::size_t begin = alike[end - 1];
    if (std::next_permutation(order.begin() + long(begin), order.begin() + long(end))) return true;
    end = begin;
  }
  return false;
}

template <std::size_t N>
std::uint8_t place(const std::array<std::uint8_t, N>& order, int id) {
  return std::uint8_t(std::ranges::find(order, std::uint8_t(id)) - order.begin());
}

}  // namespace

Orders::Orders(const Machine& m) {
  sort(order_.mms, mms_alike_, m.geometry.mms, Geometry::kMaxMms,
       [&](int id) { return key_of_mm(m, id); });
  sort(order_.holders, holders_alike_, kMaxHolders, kMaxAlike,
       [&](int id) { return key_of_holder(m, id); });
  sort(order_.inodes, inodes_alike_, m.geometry.inodes, Geometry::kMaxInodes,
       [&](int id) { return key_of_inode(m, id); });
}

bool Orders::next() {
  return permute(order_.mms, mms_alike_) || permute(order_.holders, holders_alike_) ||
         permute(order_.inodes, inodes_alike_);
}

Machine renamed(const Machine& m, const Order& order) {
  Machine other = m;
  for (int i = 0; i < m.geometry.mms; ++i) {
    const int was = order.mms[std::size_t(i)];
    while (!other.vmas(i).empty()) other.erase_vma(i, 0);
    other.mms[std::size_t(i)] = m.mms[std::size_t(was)];
    other.mms[std::size_t(i)].map_count = 0;
    for (const Vma& vma : m.vmas(was)) other.insert_vma(i, int(other.vmas(i).size()), vma);
    for (int pmd = 0; pmd < m.geometry.pmds; ++pmd) other.pmd(i, pmd) = m.pmd(was, pmd);
    for (int page = 0; page < m.pages(); ++page) other.pte(i, page) = m.pte(was, page);
  }
  for (int i = 0; i < m.mmlist.count; ++i)
    other.mmlist.ids[std::size_t(i)] = place(order.mms, m.mmlist.ids[std::size_t(i)]);
  for (std::size_t i = 0; i < kMaxHolders; ++i) other.holders[i] = m.holders[order.holders[i]];
  for (int i = 0; i < m.geometry.inodes; ++i) {
    const int was = order.inodes[std::size_t(i)];
    other.inodes[std::size_t(i)] = m.inodes[std::size_t(was)];
    for (int index = 0; index < m.pages(); ++index) other.cell(i, index) = m.cell(was, index);
  }
  for (int i = 0; i < m.shm_mnt.shrinklist_len; ++i) {
    std::uint8_t& inode = other.shm_mnt.shrinklist[std::size_t(i)];
    inode = place(order.inodes, inode);
  }
  for (int pfn = 0; pfn < m.frames(); ++pfn)
    if (std::uint8_t& inode = other.page(Pfn(pfn)).inode; inode != kNoInode)
      inode = place(order.inodes, inode);
  return other;
}

Op renamed(const Op& op, const Order& order) {
  Op other = op;
  const auto rename = [&]<class Arg>(Arg& arg) {
    if constexpr (std::is_same_v<Arg, MmId>) arg.id = place(order.mms, arg.id);
    if constexpr (std::is_same_v<Arg, HolderId>) arg.id = place(order.holders, arg.id);
    if constexpr (std::is_same_v<Arg, InodeId>) arg.id = place(order.inodes, arg.id);
  };
  visit_op([&](auto& o) { visit_args(o, rename); }, other);
  return other;
}

}  // namespace thp
