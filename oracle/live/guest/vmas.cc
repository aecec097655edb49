// A node is 256 bytes: pivots, the last index of each slot but the last one, and slots. What leads
// to it says its kind in bits 3 to 6.
#include "oracle/live/guest/vmas.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "oracle/live/guest/workers.h"

namespace thp::live {
namespace {

constexpr std::uint64_t kNodeBytes = 256;

// v6.1 include/linux/mm.h: macros, which BTF does not know.
constexpr std::pair<std::uint64_t, VmFlag> kFlags[] = {{0x1, VM_READ},
                                                       {0x2, VM_WRITE},
                                                       {0x8, VM_SHARED},
                                                       {0x2000, VM_LOCKED},
                                                       {0x20000, VM_DONTCOPY},
                                                       {0x100000, VM_ACCOUNT},
                                                       {0x8000000, VM_SOFTDIRTY},
                                                       {0x20000000, VM_HUGEPAGE},
                                                       {0x40000000, VM_NOHUGEPAGE}};

class Walk {
 public:
  Walk(const Kernel& kernel, int mm, int pages, const Inodes& inodes, std::vector<VmaSeen>& vmas)
      : kernel_(kernel), mm_(mm), end_(address_of(pages)), inodes_(inodes), vmas_(vmas) {}

  // v6.1 lib/maple_tree.c: mas_next_node(); indices [first, last] lie below the node.
  void node(std::uint64_t entry, std::uint64_t first, std::uint64_t last, int depth) {
    std::array<std::byte, kNodeBytes> bytes;
    if (depth > 6 || !kernel_.memory.read(entry & ~(kNodeBytes - 1), bytes.data(), bytes.size()))
      return;
    const MapleLayout& at = kernel_.maple;
    const int kind = int(entry >> 3 & 15);
    const MapleLayout::Node& of = kind == at.arange_64 ? at.arange : at.range;
    for (int i = 0; i < of.slots; ++i) {
      const auto word = [&](int offset) {
        std::uint64_t value;
        std::memcpy(&value, bytes.data() + offset + 8 * i, sizeof value);
        return value;
      };
      const std::uint64_t pivot = i + 1 < of.slots ? word(of.pivot) : 0;
      const std::uint64_t end = pivot == 0 && i > 0 ? last : std::min(pivot, last);
      slot(word(of.slot), kind == at.leaf_64, first, end, depth);
      if (end >= last) return;
      first = end + 1;
    }
  }

 private:
  void slot(std::uint64_t entry, bool leaf, std::uint64_t first, std::uint64_t last, int depth) {
    if (entry == 0 || last < kBase || first >= end_) return;
    if (leaf)
      vma(entry);
    else
      node(entry, first, last, depth + 1);
  }

  void vma(std::uint64_t address) {
    const VmaLayout& at = kernel_.vma;
    const auto number = [&](int offset) {
      return kernel_.memory.get<std::uint64_t>(address + std::uint64_t(offset));
    };
    const auto page = [&](std::uint64_t of) {
      return std::uint16_t((std::clamp(of, kBase, end_) - kBase) / kPageBytes);
    };
    const std::uint8_t file = file_of(number(at.file));
    const std::uint64_t base = file == 0 ? kBase / kPageBytes : 0;
    VmaSeen seen{.mm = std::uint8_t(mm_),
                 .has_anon_vma = number(at.anon_vma) != 0,
                 .start = page(number(at.start)),
                 .end = page(number(at.end)),
                 .file = file,
                 .pgoff = std::int32_t(number(at.pgoff) - base)};
    const std::uint64_t flags = number(at.flags);
    for (const auto& [bit, flag] : kFlags)
      if ((flags & bit) != 0) seen.flags |= flag;
    vmas_.push_back(seen);
  }

  // The number of the file, and one; 0 for none.
  std::uint8_t file_of(std::uint64_t file) const {
    if (file == 0) return 0;
    const auto inode =
        kernel_.memory.get<std::uint64_t>(file + std::uint64_t(kernel_.inode.f_inode));
    const auto found = std::ranges::find(inodes_, inode);
    return found == inodes_.end() ? 0 : std::uint8_t(found - inodes_.begin() + 1);
  }

  const Kernel& kernel_;
  int mm_;
  std::uint64_t end_;
  const Inodes& inodes_;
  std::vector<VmaSeen>& vmas_;
};

}  // namespace

void append_vmas(const Kernel& kernel, const Space& space, int mm, int pages, const Inodes& inodes,
                 std::vector<VmaSeen>& vmas) {
  const auto root = kernel.memory.get<std::uint64_t>(space.mm + std::uint64_t(kernel.maple.root));
  if ((root & 3) == 2) Walk(kernel, mm, pages, inodes, vmas).node(root, 0, ~std::uint64_t{0}, 0);
}

}  // namespace thp::live
