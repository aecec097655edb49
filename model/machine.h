// The state of the machine: physical pages, page tables, VMAs, anon_vmas, swap, holders, counters.
// Plain data in one arena: indices instead of pointers, so that a machine is copied, compared and
// hashed as bytes. Functions that change it stand in the files named after the kernel's own.
// Not modelled: TLBs, page-table locks (every op is atomic), NUMA, memcg internals, LRU order.
#pragma once
#include <array>
#include <boost/container/vector.hpp>
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/defects.h"
#include "model/events.h"
#include "model/geometry.h"

namespace thp {

using Pfn = std::uint16_t;  // a frame; the frame of its head names a folio
using Slot = std::uint16_t;
using Bits = std::uint16_t;
inline constexpr Pfn kNoPfn = 0xffff;
inline constexpr std::uint8_t kNoAnonVma = 0xff;
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
  std::uint16_t index = 0;             // linear page index of the head or small page, while PG_anon
  std::uint8_t anon_vma = kNoAnonVma;  // page->mapping of the head or small page
  std::uint8_t content = 0;            // what a load returns; 0 is a zeroed page
  std::uint8_t mlock_count = 0;
  std::uint8_t unused[3] = {};
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
};

// struct vm_area_struct: an anonymous private mapping of pages [start, end).
struct Vma {
  std::uint64_t chain = 0;  // anon_vma_chain: the set of anon_vmas whose interval trees hold it
  std::uint32_t flags = 0;
  std::uint16_t start = 0, end = 0;
  std::uint16_t pgoff = 0;
  std::uint8_t anon_vma = kNoAnonVma;
  std::uint8_t turn = 0;  // in interval trees, among VMAs with the same pgoff: how many come before
  std::uint8_t unused[4] = {};

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
  std::int32_t swap_entries = 0;  // MM_SWAPENTS
  std::int32_t nr_ptes = 0;       // page tables, deposited ones included
  std::int32_t deposits = 0;      // tables deposited by huge PMDs
  std::uint16_t map_count = 0;    // VMAs
  std::uint8_t alive = 0;
  std::uint8_t huge_zero_page = 0;  // MMF_HUGE_ZERO_PAGE
  std::uint8_t has_pinned = 0;      // MMF_HAS_PINNED
  std::uint8_t unused[3] = {};
  bool operator==(const Mm&) const = default;
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
  bool operator==(const SwapDevice&) const = default;
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

// What changed since the judge last looked: every setter stamps its object here.
class Stamps {
 public:
  void frame(Pfn pfn) { add(frames_, pfn); }
  void pte(int mm, int page) { add(ptes_, std::uint32_t(mm) << 16 | std::uint32_t(page)); }
  void pmd(int mm, int i) { pmds_ |= std::uint64_t{1} << (mm * Geometry::kMaxPmds + i); }
  std::span<const std::uint32_t> frames() const { return {frames_.data(), frames_.size()}; }
  // Each mm << 16 | page.
  std::span<const std::uint32_t> ptes() const { return {ptes_.data(), ptes_.size()}; }
  std::uint64_t pmds() const { return pmds_; }  // bit mm * kMaxPmds + i
  bool empty() const { return frames_.empty() && ptes_.empty() && pmds_ == 0; }
  bool overflowed() const { return overflowed_; }
  void enable(bool on) { enabled_ = on; }
  void clear() {
    frames_.clear();
    ptes_.clear();
    pmds_ = 0;
    overflowed_ = false;
  }

 private:
  using Log = boost::container::vector<std::uint32_t>;
  void add(Log& log, std::uint32_t what) {
    if (!enabled_ || overflowed_) return;
    if (log.size() == kMaxLog)
      overflowed_ = true;
    else if (log.empty() || log.back() != what)
      log.push_back(what);
  }
  static constexpr std::size_t kMaxLog = 1 << 14;
  Log frames_, ptes_;
  std::uint64_t pmds_ = 0;
  bool enabled_ = false, overflowed_ = false;
};

class Machine {
 public:
  explicit Machine(const Geometry& geometry = {});
  void reset(const Geometry& geometry);  // as freshly constructed, but keeps the arena's memory

  // Fixed-size state.
  Geometry geometry;
  std::array<Mm, Geometry::kMaxMms> mms;
  std::array<AnonVma, kMaxAnonVmas> anon_vmas;
  std::array<Holder, kMaxHolders> holders;
  Migration migration;
  Injections inject;
  Enabled enabled;
  bool use_zero_page;
  bool swap_on;
  SwapDevice swap_device;
  Pfn huge_zero_page;  // kNoPfn while there is none
  std::int32_t huge_zero_refcount;
  std::int32_t nr_anon_mapped;  // NR_ANON_MAPPED, pages
  std::int32_t nr_anon_thps;    // NR_ANON_THPS, pages
  std::int32_t nr_swapcache;    // NR_SWAPCACHE, pages
  // v6.1 accounting drift: pages of NR_ANON_MAPPED that nothing will ever give back (see rmap.cc).
  std::int32_t anon_mapped_drift;
  std::int32_t deferred_len;                  // split_queue_len
  std::array<std::uint32_t, kEvents> events;  // monotone; no part of equality
  Reason reason;         // verdict inside the kernel of the last op; no part of equality
  const char* bug;       // the first VM_BUG_ON that fired, or nullptr
  const Defect* defect;  // of the kernel itself, that has struck, or nullptr

  // State sized by geometry.
  int hpage_nr() const { return 1 << geometry.order; }
  int pages() const { return geometry.pages(); }
  int frames() const { return geometry.frames(); }
  Pfn zero_pfn() const { return Pfn(geometry.frames()); }  // my_zero_pfn(): the 4K zero page
  Page& page(Pfn pfn) { return at<Page>(layout_.pages)[pfn]; }
  const Page& page(Pfn pfn) const { return at<Page>(layout_.pages)[pfn]; }
  Compound& compound(Pfn head) { return at<Compound>(layout_.compounds)[head >> geometry.order]; }
  const Compound& compound(Pfn head) const {
    return at<Compound>(layout_.compounds)[head >> geometry.order];
  }
  Entry& pmd(int mm, int i) { return at<Entry>(layout_.pmds)[mm * geometry.pmds + i]; }
  const Entry& pmd(int mm, int i) const { return at<Entry>(layout_.pmds)[mm * geometry.pmds + i]; }
  Entry& pte(int mm, int page) { return at<Entry>(layout_.ptes)[mm * pages() + page]; }
  const Entry& pte(int mm, int page) const { return at<Entry>(layout_.ptes)[mm * pages() + page]; }
  SwapSlot& swap(Slot slot) { return at<SwapSlot>(layout_.swap)[slot]; }
  const SwapSlot& swap(Slot slot) const { return at<SwapSlot>(layout_.swap)[slot]; }
  std::uint8_t& cluster_huge(int cluster) { return at<std::uint8_t>(layout_.clusters)[cluster]; }
  std::uint8_t cluster_huge(int cluster) const {
    return at<std::uint8_t>(layout_.clusters)[cluster];
  }
  // Frames of a block that are not free.
  std::uint16_t& used_frames(int block) { return at<std::uint16_t>(layout_.used)[block]; }
  std::uint16_t used_frames(int block) const { return at<std::uint16_t>(layout_.used)[block]; }
  std::span<const std::uint16_t> used_frames() const {
    return {at<std::uint16_t>(layout_.used), std::size_t(geometry.frame_blocks())};
  }
  // The deferred split queue in its order: heads, deferred_len of them.
  std::span<Pfn> deferred_queue() { return {at<Pfn>(layout_.deferred), std::size_t(deferred_len)}; }
  std::span<const Pfn> deferred_queue() const {
    return {at<Pfn>(layout_.deferred), std::size_t(deferred_len)};
  }
  // VMAs of an address space, sorted; at most max_map_count() of them.
  std::span<Vma> vmas(int mm) {
    return {at<Vma>(layout_.vmas) + mm * max_map_count(), mms[mm].map_count};
  }
  std::span<const Vma> vmas(int mm) const {
    return {at<Vma>(layout_.vmas) + mm * max_map_count(), mms[mm].map_count};
  }
  int max_map_count() const { return layout_.max_map_count; }  // sysctl_max_map_count
  Vma& insert_vma(int mm, int index, const Vma& vma);  // moves the later ones up; map_count + 1
  void erase_vma(int mm, int index);
  void push_deferred(Pfn head);
  void remove_deferred(Pfn head);

  void set_pte(int mm, int page, Entry entry) {
    stamps.pte(mm, page);
    pte(mm, page) = entry;
  }
  void set_pmd(int mm, int i, Entry entry) {
    stamps.pmd(mm, i);
    pmd(mm, i) = entry;
  }

  // No part of the state.
  Stamps stamps;
  boost::container::vector<Pfn> gather;  // mmu_gather: pages unmapped, references still to be put

  bool operator==(const Machine& other) const;
  std::span<const std::byte> arena() const {
    return {reinterpret_cast<const std::byte*>(arena_.data()), layout_.size};
  }
  // The part of it that is not stamped: everything but pages and entries.
  std::span<const std::byte> unstamped() const { return arena().subspan(layout_.compounds); }

 private:
  struct Layout {
    std::uint32_t pages, pmds, ptes, compounds, used, swap, clusters, deferred, vmas, size;
    int max_map_count;
  };
  static Layout layout_of(const Geometry& geometry);
  template <class T>
  T* at(std::uint32_t offset) {
    return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(arena_.data()) + offset);
  }
  template <class T>
  const T* at(std::uint32_t offset) const {
    return reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(arena_.data()) + offset);
  }

  Layout layout_;
  boost::container::vector<std::uint64_t> arena_;
};

// The kernel's own assertions: the first that fails is what the judge reports.
inline void vm_bug_on(Machine& m, bool condition, const char* what) {
  if (condition && m.bug == nullptr) [[unlikely]]
    m.bug = what;
}

inline void count_vm_event(Machine& m, Event event, int n = 1) {
  m.events[std::size_t(event)] += std::uint32_t(n);
}

// --- Folios: v6.1 include/linux/page-flags.h and mm_types.h.
inline bool test(const Machine& m, Pfn pfn, Bits flags) { return (m.page(pfn).flags & flags) != 0; }
inline void set(Machine& m, Pfn pfn, Bits flags) {
  m.stamps.frame(pfn);
  m.page(pfn).flags |= flags;
}
inline void clear(Machine& m, Pfn pfn, Bits flags) {
  m.stamps.frame(pfn);
  m.page(pfn).flags &= Bits(~flags);
}
inline bool test_and_clear(Machine& m, Pfn pfn, Bits flag) {
  const bool was = test(m, pfn, flag);
  clear(m, pfn, flag);
  return was;
}
inline Pfn page_folio(const Machine& m, Pfn pfn) {  // compound_head()
  return test(m, pfn, PG_tail) ? Pfn(pfn & ~(m.hpage_nr() - 1)) : pfn;
}
inline bool folio_test_large(const Machine& m, Pfn folio) { return test(m, folio, PG_head); }
inline int folio_nr_pages(const Machine& m, Pfn folio) {
  return folio_test_large(m, folio) ? m.hpage_nr() : 1;
}
inline bool folio_test_swapcache(const Machine& m, Pfn folio) {
  return test(m, folio, PG_swapbacked) && test(m, folio, PG_swapcache);
}
inline bool is_huge_zero_page(const Machine& m, Pfn folio) { return folio == m.huge_zero_page; }
inline bool is_zero_page(const Machine& m, Pfn pfn) { return pfn == m.zero_pfn(); }

// --- Addresses: a page number, its PMD and the pages below it.
inline int pmd_index(const Machine& m, int page) { return page >> m.geometry.order; }
inline int pmd_first(const Machine& m, int page) { return page & ~(m.hpage_nr() - 1); }

}  // namespace thp
