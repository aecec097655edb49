// What the machine is made of: one struct for each of the kernel's that it models, in plain data.
#pragma once
#include <array>
#include <cstdint>

#include "model/geometry.h"

namespace thp {

using Pfn = std::uint16_t;  // a frame; the frame of its head names a folio
using Slot = std::uint16_t;
using Bits = std::uint16_t;
inline constexpr Pfn kNoPfn = 0xffff;
inline constexpr std::uint8_t kNoAnonVma = 0xff, kNoInode = 0xff;
inline constexpr int kGupPinCountingBias = 1024;  // GUP_PIN_COUNTING_BIAS
inline constexpr int kMaxAnonVmas = 64, kMaxHolders = 8;

// Page flags, v6.1 include/linux/page-flags.h. `anon` stands for PAGE_MAPPING_ANON in
// page->mapping, `tail` for bit 0 of compound_head.
enum PageFlag : Bits {
  PG_locked = 1 << 0,
  PG_referenced = 1 << 1,
  PG_uptodate = 1 << 2,
  PG_dirty = 1 << 3,
  PG_lru = 1 << 4,
  PG_active = 1 << 5,
  PG_swapbacked = 1 << 6,
  PG_swapcache = 1 << 7,
  PG_writeback = 1 << 8,
  PG_reclaim = 1 << 9,
  PG_mlocked = 1 << 10,
  PG_unevictable = 1 << 11,
  PG_anon_exclusive = 1 << 12,  // each sub-page has its own
  PG_head = 1 << 13,
  PG_tail = 1 << 14,
  PG_anon = 1 << 15,
};

// struct page. A free frame is all zero but for mapcount -1.
struct Page {
  std::int32_t refcount = 0;   // the head's; 0 in tails
  std::int32_t mapcount = -1;  // raw _mapcount: starts at -1
  Bits flags = 0;
  Slot private_slot = 0;               // page->private of every sub-page while PG_swapcache
  std::uint16_t index = 0;             // of the head or small page: linear page index, while
                                       // PG_anon; that in its file, while it has one
  std::uint8_t anon_vma = kNoAnonVma;  // page->mapping of the head or small page, while PG_anon
  std::uint8_t content = 0;            // what a load returns; 0 is a zeroed page
  std::uint8_t mlock_count = 0;
  std::uint8_t inode = kNoInode;  // page->mapping of the head or small page, in the page cache
  std::uint8_t unused[2] = {};
  bool operator==(const Page&) const = default;
};

// What the tail pages of a compound page hold, one for each block of frames.
struct Compound {
  std::int32_t mapcount = -1;   // raw compound_mapcount: PMD mappings - 1
  std::int32_t pincount = 0;    // compound_pincount
  std::uint8_t double_map = 0;  // PG_double_map
  std::uint8_t deferred = 0;    // deferred_list is not empty
  std::uint8_t transhuge = 0;   // TRANSHUGE_PAGE_DTOR; the huge zero page has COMPOUND_PAGE_DTOR
  std::uint8_t unused = 0;
  bool operator==(const Compound&) const = default;
};

enum class EntryKind : std::uint8_t { none, table, present, zero, swap, migration };

enum EntryBit : std::uint8_t {
  kWrite = 1,  // writable; of a migration entry: writable migration entry
  kYoung = 2,
  kDirty = 4,
  kSoftDirty = 8,
  kExclusive = 16,  // of a swap entry: pte_swp_exclusive; of a migration entry: readable-exclusive
};

// pte_mkdirty(), pmd_mkdirty() of x86.
inline constexpr std::uint8_t kMkDirty = kDirty | kSoftDirty;

// One PMD or PTE. A PMD is none, table, present (huge), zero (huge zero) or migration; a PTE is
// none, present, zero, swap or migration. `frame` is a pfn (present, zero, migration) or a slot.
struct Entry {
  EntryKind kind = EntryKind::none;
  std::uint8_t bits = 0;
  std::uint16_t frame = 0;

  bool is(EntryKind k) const { return kind == k; }
  bool is_none() const { return kind == EntryKind::none; }
  bool is_table() const { return kind == EntryKind::table; }
  bool is_present() const { return kind == EntryKind::present; }
  bool is_zero() const { return kind == EntryKind::zero; }
  bool is_swap() const { return kind == EntryKind::swap; }
  bool is_migration() const { return kind == EntryKind::migration; }
  bool has(std::uint8_t bit) const { return (bits & bit) != 0; }
  bool operator==(const Entry&) const = default;
};

enum VmFlag : std::uint32_t {
  VM_READ = 1 << 0,
  VM_WRITE = 1 << 1,
  VM_HUGEPAGE = 1 << 2,
  VM_NOHUGEPAGE = 1 << 3,
  VM_LOCKED = 1 << 4,
  VM_DONTCOPY = 1 << 5,
  VM_SOFTDIRTY = 1 << 6,
  VM_ACCOUNT = 1 << 7,  // was writable at some time: keeps VMAs apart
  VM_SHARED = 1 << 8,
};

// struct vm_area_struct: a mapping of pages [start, end): anonymous and private, or of a file.
struct Vma {
  std::uint64_t chain = 0;  // anon_vma_chain: the set of anon_vmas whose interval trees hold it
  std::uint32_t flags = 0;
  std::uint16_t start = 0, end = 0;
  std::uint16_t pgoff = 0;  // linear page index of its start; of a file: its index there
  std::uint8_t anon_vma = kNoAnonVma;
  std::uint8_t turn = 0;  // in interval trees, among VMAs with the same pgoff: how many come before
  std::uint8_t file = kNoInode;  // vm_file
  std::uint8_t prot_write = 0;   // the write bit of vm_page_prot, where it is shared
  std::uint8_t file_turn = 0;    // as `turn`, among VMAs of its file
  std::uint8_t unused = 0;

  bool is_anonymous() const { return file == kNoInode; }  // vma_is_anonymous()
  bool has(std::uint32_t flag) const { return (flags & flag) != 0; }
  bool covers(int page) const { return start <= page && page < end; }
  int index_of(int page) const { return pgoff + page - start; }  // linear_page_index()
  bool operator==(const Vma&) const = default;
};

// struct anon_vma. Its interval tree is every VMA whose chain holds its bit, ordered by pgoff and
// turn.
struct AnonVma {
  std::uint8_t used = 0;
  std::uint8_t root = kNoAnonVma, parent = kNoAnonVma;
  std::uint8_t num_children = 0;      // itself included when it is its own root, as in the kernel
  std::uint16_t num_active_vmas = 0;  // VMAs whose vma->anon_vma it is
  bool operator==(const AnonVma&) const = default;
};

// struct mm_struct.
struct Mm {
  std::int32_t anon_pages = 0;    // MM_ANONPAGES
  std::int32_t shmem_pages = 0;   // MM_SHMEMPAGES
  std::int32_t swap_entries = 0;  // MM_SWAPENTS
  std::int32_t nr_ptes = 0;       // page tables, deposited ones included
  std::int32_t deposits = 0;      // tables deposited by huge PMDs
  std::uint16_t map_count = 0;    // VMAs
  std::uint8_t alive = 0;
  std::uint8_t huge_zero_page = 0;  // MMF_HUGE_ZERO_PAGE
  std::uint8_t has_pinned = 0;      // MMF_HAS_PINNED
  std::uint8_t thp_disabled = 0;    // MMF_DISABLE_THP
  std::uint8_t unused[6] = {};
  bool operator==(const Mm&) const = default;
};

// One index of a file's page cache, inode->i_mapping->i_pages.
enum class CellKind : std::uint8_t { none, folio };
struct Cell {
  CellKind kind = CellKind::none;
  std::uint8_t unused = 0;
  Pfn frame = 0;  // of a folio: the very sub-page

  bool is_none() const { return kind == CellKind::none; }
  bool is_folio() const { return kind == CellKind::folio; }
  bool operator==(const Cell&) const = default;
};

// struct inode and the shmem_inode_info around it, in pages. Its i_blocks is 8 for each page that
// it has alloced. One struct file stands for all that have it open.
struct Inode {
  std::int32_t nrpages = 0;  // i_mapping->nrpages: cells that are folios
  std::int32_t alloced = 0;  // pages that count in its blocks
  std::uint16_t i_size = 0;
  std::uint16_t fallocend = 0;  // where fallocate() ended: a split keeps what lies before
  std::uint8_t alive = 0;
  std::uint8_t open = 0;           // somebody has a descriptor of it
  std::uint8_t on_shrinklist = 0;  // its last huge page may reach beyond its size
  std::uint8_t unused = 0;
  bool operator==(const Inode&) const = default;
};

// shmem_huge, and `huge=` of a mount: never is 0; deny and force are of shmem_enabled only.
enum class ShmemHuge : std::uint8_t { never, always, within_size, advise, deny, force };

// struct shmem_sb_info. All files of memory live on one: shm_mnt.
struct SuperBlock {
  ShmemHuge huge = ShmemHuge::never;
  std::uint8_t shrinklist_len = 0;
  std::array<std::uint8_t, Geometry::kMaxInodes> shrinklist{};
  bool operator==(const SuperBlock&) const = default;
};

// One entry of the swap device: swap_map, the swap cache's slot, and what is written there.
struct SwapSlot {
  Pfn cache = kNoPfn;        // the sub-page in the swap cache; SWAP_HAS_CACHE is cache != kNoPfn
  std::uint8_t count = 0;    // swap_map: swap PTEs
  std::uint8_t content = 0;  // the page on disk
  bool operator==(const SwapSlot&) const = default;
};

// struct swap_info_struct: which clusters are free, in the order of their use, and where this CPU
// goes on.
struct SwapDevice {
  static constexpr std::uint8_t kNoCluster = 0xff;
  std::array<std::uint16_t, Geometry::kMaxClusters> used{};  // cluster_info: slots not free
  std::array<std::uint8_t, Geometry::kMaxClusters> free_clusters{};
  std::uint8_t nr_free = 0;
  std::uint8_t cluster = kNoCluster;  // percpu_cluster: the one in use, and its next slot
  Slot next = 0;
  std::int16_t cluster_next = -1;  // cluster_next_cpu: where a scan begins
  std::int16_t lowest = 0;         // lowest_bit, highest_bit: how far a scan goes
  std::int16_t highest = -1;       // -1 while the device is full
  bool operator==(const SwapDevice&) const = default;
};

// init_mm.mmlist: the address spaces that may have swap entries, in the order of swapoff().
struct MmList {
  std::array<std::uint8_t, Geometry::kMaxMms> ids{};
  std::uint8_t count = 0;
  bool operator==(const MmList&) const = default;
};

// A reference that one op takes and another gives back; it outlives the address space it came from.
enum class HolderKind : std::uint8_t { none, pin, get, isolation };
struct Holder {
  HolderKind kind = HolderKind::none;
  std::uint8_t write = 0;  // of a pin: FOLL_WRITE
  Pfn pfn = kNoPfn;        // the very sub-page; of an isolation: the head
  bool operator==(const Holder&) const = default;
};

// The one migration in flight, between unmap and move: the source is locked and isolated.
struct Migration {
  Pfn src = kNoPfn, dst = kNoPfn;
  bool in_flight() const { return src != kNoPfn; }
  bool operator==(const Migration&) const = default;
};

enum class Enabled : std::uint8_t { always, madvise, never };

// Faults to inject, each into the next operation of its kind.
struct Injections {
  std::uint8_t fail_huge_alloc = 0, fail_small_alloc = 0, fail_charge = 0;
  std::uint8_t fail_swap_cluster = 0;  // no free cluster for a whole THP
  std::uint8_t contend_page_lock = 0;  // the next trylock fails
  std::uint8_t speculative_ref = 0;    // the next page_ref_freeze() meets one reference more
  bool operator==(const Injections&) const = default;
};

}  // namespace thp
