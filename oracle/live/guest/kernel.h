// The running kernel as a data structure: where its symbols, structs and flags lie. Everything that
// BTF knows comes from BTF; what it does not know (mm->flags) stands in kernel.cc.
#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "model/events.h"
#include "model/state.h"
#include "oracle/live/guest/kcore.h"

namespace thp::live {

inline constexpr std::uint32_t kPageStructBytes = 64, kPageBytes = 4096;

// Byte offsets in struct page.
struct PageLayout {
  int flags, compound_head, mapping, index, private_data, mapcount, refcount;
  int compound_mapcount, compound_pincount, compound_order, compound_dtor;  // of the first tail
  int deferred_list;                                                        // of the second
  int pmd_huge_pte, lru;                                                    // of page tables
  int double_map;                                      // the bit of PG_double_map
  int transhuge;                                       // TRANSHUGE_PAGE_DTOR
  std::array<std::pair<std::uint8_t, Bits>, 14> bits;  // of flags, and the model's
};

struct MmLayout {
  int size, pgd, flags, map_count, locked_vm, pgtables_bytes, rss, anon_index, swap_index,
      shmem_index;
};
struct VmaLayout {
  int start, end, flags, pgoff, anon_vma, file;
};
struct MapleLayout {
  int root;  // in mm_struct
  struct Node {
    int pivot, slot, slots;
  } range, arange;
  int leaf_64, arange_64;  // enum maple_type
};
struct TaskLayout {
  int tasks, pid, mm, rss, files;
};
struct XarrayLayout {
  int xa_head, shift, slots;  // in struct xarray and struct xa_node
};
// From a task's descriptor to an inode, and what that says of itself. Those of shmem_inode_info lie
// around it: from the inode on, and so before it.
struct InodeLayout {
  int fdt, fd, f_inode;                                  // files_struct, fdtable, file
  int i_mapping, i_size, i_blocks;                       // inode
  int i_pages, nrpages;                                  // address_space
  int shmem_alloced, shmem_fallocend, shmem_shrinklist;  // shmem_inode_info
};

struct Node {
  std::uint64_t split_queue_len = 0;  // address
  std::uint64_t first_pfn = 0, pages = 0;
};

// NR_ANON_MAPPED, NR_ANON_THPS, NR_SWAPCACHE, NR_MLOCK, NR_SHMEM, NR_SHMEM_THPS,
// NR_SHMEM_PMDMAPPED, NR_FILE_MAPPED.
inline constexpr std::size_t kVmstats = 8;

// How to count an event, or pages.
struct EventAt {
  int vm_event = -1;                   // index in vm_event_states, or
  std::uint64_t total = 0;             // the address in vm_node_stat or vm_zone_stat, and
  std::vector<std::uint64_t> parts{};  // of what CPUs have not yet added to it
};

struct Kernel {
  Kcore memory;
  std::uint64_t vmemmap = 0, direct_map = 0, init_task = 0, swapper_spaces = 0;
  std::uint64_t huge_zero_page = 0, huge_zero_refcount = 0;
  std::uint32_t zero_pfn = 0;
  PageLayout page{};
  MmLayout mm{};
  TaskLayout task{};
  XarrayLayout xarray{};
  InodeLayout inode{};
  VmaLayout vma{};
  MapleLayout maple{};
  std::vector<Node> nodes;
  std::vector<std::uint64_t> vm_event_states;  // of each CPU
  std::array<EventAt, kEvents> events;
  std::array<EventAt, kVmstats> vmstat;

  std::uint64_t page_struct(std::uint32_t pfn) const {
    return vmemmap + std::uint64_t(pfn) * kPageStructBytes;
  }
  std::uint32_t pfn_of_page_struct(std::uint64_t address) const {
    return std::uint32_t((address - vmemmap) / kPageStructBytes);
  }
  std::uint64_t frame(std::uint32_t pfn) const { return direct_map + (std::uint64_t(pfn) << 12); }
};

// Looks everything up, once. Gives up, saying what, where this kernel lacks something.
Kernel look_up_kernel();

std::uint64_t find_task(const Kernel& kernel, pid_t pid);  // 0: there is none

// A process' memory: where the kernel keeps it, while it lives.
struct Space {
  std::uint64_t task = 0, mm = 0, pmd_table = 0;  // pmd_table: the frame with kBase's PMDs
};
std::optional<Space> find_space(const Kernel& kernel, pid_t pid);

// Event counters as they are now; INT32_MIN where there is no such event.
std::array<std::int64_t, kEvents> count_events(const Kernel& kernel);

std::array<std::int64_t, kVmstats> count_vmstat(const Kernel& kernel);

inline constexpr int MMF_HUGE_ZERO_PAGE = 23, MMF_DISABLE_THP = 24, MMF_HAS_PINNED = 27;

}  // namespace thp::live
