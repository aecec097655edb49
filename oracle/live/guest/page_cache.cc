// v6.1 include/linux/fs.h: struct address_space; include/linux/xarray.h: an entry with its low bits
// 10 is internal, 00 a pointer to a struct page; others are values, what is left of pages that are
// elsewhere.
#include "oracle/live/guest/page_cache.h"

#include <unistd.h>

#include <array>

#include "oracle/live/runs.h"

namespace thp::live {
namespace {

constexpr std::uint64_t kInternal = 2, kLastSibling = 62, kFirstNode = 4096;
constexpr std::uint32_t kSlots = 64;  // of a node: XA_CHUNK_SIZE

// Pages of a cache from `index` on, in frames from `pfn` on.
struct Cached {
  std::uint32_t index, count, pfn;
};

bool is_pointer(std::uint64_t entry) { return entry != 0 && (entry & 3) == 0; }
bool is_node(std::uint64_t entry) { return (entry & 3) == kInternal && entry > kFirstNode; }
bool is_sibling(std::uint64_t entry) {
  return (entry & 3) == kInternal && entry >> 2 < kLastSibling;
}

class Walk {
 public:
  explicit Walk(const Kernel& kernel) : kernel_(kernel) {}

  std::vector<Cached> of(std::uint64_t address_space) {
    const int head = kernel_.inode.i_pages + kernel_.xarray.xa_head;
    const auto entry = kernel_.memory.get<std::uint64_t>(address_space + std::uint64_t(head));
    if (is_pointer(entry)) add(0, 1, entry, 0);
    if (is_node(entry)) add_node(entry - kInternal, 0, 0);
    return std::move(cached_);
  }

 private:
  void add(std::uint32_t index, std::uint32_t count, std::uint64_t page, std::uint32_t further) {
    cached_.push_back({index, count, kernel_.pfn_of_page_struct(page) + further});
  }

  // A slot stands for as many indices as there are below it; of a folio of more than that the next
  // ones are siblings, which say where the first one is.
  void add_node(std::uint64_t node, std::uint32_t first, int depth) {
    const auto& at = kernel_.xarray;
    const auto shift = kernel_.memory.get<std::uint8_t>(node + std::uint64_t(at.shift));
    std::array<std::uint64_t, kSlots> slots;
    if (depth > 4 ||
        !kernel_.memory.read(node + std::uint64_t(at.slots), slots.data(), sizeof slots))
      return;
    for (std::uint32_t i = 0; i < kSlots; ++i) {
      const std::uint32_t from = is_sibling(slots[i]) ? std::uint32_t(slots[i] >> 2) : i;
      const std::uint32_t index = first + (i << shift);
      if (is_pointer(slots[from])) add(index, 1u << shift, slots[from], (i - from) << shift);
      if (is_node(slots[i])) add_node(slots[i] - kInternal, index, depth + 1);
    }
  }

  const Kernel& kernel_;
  std::vector<Cached> cached_;
};

template <class T>
T member_of(const Kernel& kernel, std::uint64_t address, int offset) {
  return kernel.memory.get<T>(address + std::uint64_t(std::int64_t{offset}));
}

std::uint64_t pointer_in(const Kernel& kernel, std::uint64_t address, int offset) {
  return address == 0 ? 0 : member_of<std::uint64_t>(kernel, address, offset);
}

}  // namespace

std::uint64_t find_inode(const Kernel& kernel, int descriptor) {
  const InodeLayout& at = kernel.inode;
  const std::uint64_t files = pointer_in(kernel, find_task(kernel, getpid()), kernel.task.files);
  const std::uint64_t descriptors = pointer_in(kernel, pointer_in(kernel, files, at.fdt), at.fd);
  return pointer_in(kernel, pointer_in(kernel, descriptors, 8 * descriptor), at.f_inode);
}

// v6.1 include/linux/shmem_fs.h: SHMEM_I() goes from an inode to what is around it. Values in its
// cells would be pages in swap.
void append_inode(const Kernel& kernel, std::uint64_t inode, int id, FilesSeen& files) {
  const InodeLayout& at = kernel.inode;
  const auto number = [&](int offset) { return member_of<std::int64_t>(kernel, inode, offset); };
  const std::uint64_t mapping = pointer_in(kernel, inode, at.i_mapping);
  const std::uint64_t list = inode + std::uint64_t(std::int64_t{at.shmem_shrinklist});
  files.inodes.push_back(
      {.inode = std::uint8_t(id),
       .on_shrinklist = kernel.memory.get<std::uint64_t>(list) != list,
       .i_size = std::int32_t((number(at.i_size) + kPageBytes - 1) / kPageBytes),
       .nrpages = std::int32_t(member_of<std::int64_t>(kernel, mapping, at.nrpages)),
       .alloced = std::int32_t(number(at.shmem_alloced)),
       .i_blocks = std::int32_t(number(at.i_blocks)),
       .fallocend = std::int32_t(number(at.shmem_fallocend))});
  for (const Cached& pages : Walk(kernel).of(mapping))
    append_run(files.cells, {.inode = std::uint8_t(id),
                             .kind = CellKind::folio,
                             .index = std::uint16_t(pages.index),
                             .count = std::uint16_t(pages.count),
                             .frame = pages.pfn});
}

void append_swap_cache(const Kernel& kernel, std::vector<FrameRange>& frames) {
  const auto spaces = kernel.memory.get<std::uint64_t>(kernel.swapper_spaces);
  if (spaces == 0) return;
  for (const Cached& pages : Walk(kernel).of(spaces)) frames.push_back({pages.pfn, pages.count});
}

}  // namespace thp::live
