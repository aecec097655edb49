// The state of the machine: physical pages, page tables, VMAs, anon_vmas, files, swap, holders,
// counters.
// Plain data in one arena: indices instead of pointers, so that a machine is copied, compared and
// hashed as bytes. Functions that change it stand in the files named after the kernel's own.
// Not modelled: TLBs, page-table locks (every op is atomic), NUMA, memcg internals, LRU order.
#pragma once
#include <algorithm>
#include <array>
#include <boost/container/static_vector.hpp>
#include <boost/container/vector.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <tuple>
#include <type_traits>

#include "model/defects.h"
#include "model/events.h"
#include "model/state.h"

namespace thp {

// What changed since the judge last looked: every setter stamps its object here.
class Stamps {
 public:
  void frame(Pfn pfn) { add(frames_, pfn); }
  void pte(int mm, int page) { add(ptes_, std::uint32_t(mm) << 16 | std::uint32_t(page)); }
  void cell(int inode, int index) {
    add(cells_, std::uint32_t(inode) << 16 | std::uint32_t(index));
  }
  void pmd(int mm, int i) { pmds_ |= std::uint64_t{1} << (mm * Geometry::kMaxPmds + i); }
  std::span<const std::uint32_t> frames() const { return {frames_.data(), frames_.size()}; }
  // Each mm << 16 | page.
  std::span<const std::uint32_t> ptes() const { return {ptes_.data(), ptes_.size()}; }
  // Each inode << 16 | index.
  std::span<const std::uint32_t> cells() const { return {cells_.data(), cells_.size()}; }
  std::uint64_t pmds() const { return pmds_; }  // bit mm * kMaxPmds + i
  bool empty() const { return frames_.empty() && ptes_.empty() && pmds_ == 0 && cells_.empty(); }
  bool overflowed() const { return overflowed_; }
  void enable(bool on) { enabled_ = on; }
  void clear() {
    frames_.clear();
    ptes_.clear();
    cells_.clear();
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
  Log frames_, ptes_, cells_;
  std::uint64_t pmds_ = 0;
  bool enabled_ = false, overflowed_ = false;
};

// Where defects have struck that let a trace go on: pages of an address space. What touches the
// last place of its defect makes that longer; where there are many places, so does what lies
// beyond, and what is between counts, too.
struct Strike {
  const Defect* defect;
  int mm, first, end;
};
class Strikes {
 public:
  std::span<const Strike> all() const { return {list_.data(), list_.size()}; }
  bool has(const Defect& defect) const {
    return std::ranges::any_of(all(), [&](const Strike& s) { return s.defect == &defect; });
  }
  void clear() { list_.clear(); }
  void add(const Defect& defect, int mm, int first, int end) {
    const auto last = std::find_if(list_.rbegin(), list_.rend(), [&](const Strike& s) {
      return s.defect == &defect && s.mm == mm;
    });
    if (last != list_.rend() && (last->end == first || list_.size() >= kMany))
      last->end = std::max(last->end, end);
    else
      list_.push_back({&defect, mm, first, end});
  }

 private:
  static constexpr std::size_t kMany = 24;  // beyond it stands one of each defect at most
  boost::container::static_vector<Strike, kMany + kDefects.size()> list_;
};

// The part of a machine whose size is fixed. Copied as bytes.
struct FixedState {
  Geometry geometry;
  std::array<Mm, Geometry::kMaxMms> mms;
  std::array<AnonVma, kMaxAnonVmas> anon_vmas;
  std::array<Holder, kMaxHolders> holders;
  std::array<Inode, Geometry::kMaxInodes> inodes;
  Migration migration;
  bool swap_on;
  SwapDevice swap_device;
  MmList mmlist;
  Pfn huge_zero_page;  // kNoPfn while there is none
  std::int32_t huge_zero_refcount;
  std::int32_t nr_anon_mapped;      // NR_ANON_MAPPED, pages
  std::int32_t nr_anon_thps;        // NR_ANON_THPS, pages
  std::int32_t nr_swapcache;        // NR_SWAPCACHE, pages
  std::int32_t nr_shmem;            // NR_SHMEM, pages
  std::int32_t nr_shmem_thps;       // NR_SHMEM_THPS, pages: those of huge folios
  std::int32_t nr_shmem_pmdmapped;  // NR_SHMEM_PMDMAPPED, pages
  std::int32_t nr_file_mapped;      // NR_FILE_MAPPED, pages
  // v6.1 accounting drift: pages of NR_ANON_MAPPED that nothing will ever give back (see rmap.cc).
  std::int32_t anon_mapped_drift;
  std::int32_t deferred_len;  // split_queue_len
  SuperBlock shm_mnt;
  // What nobody counts.
  Injections inject;
  Enabled enabled;
  bool use_zero_page;
  ShmemHuge shmem_enabled;
  std::array<std::uint32_t, kEvents> events;  // monotone; no part of equality
  Reason reason;         // verdict inside the kernel of the last op; no part of equality
  const char* bug;       // the first VM_BUG_ON that fired, or nullptr
  const Defect* defect;  // of the kernel itself, that has ended the trace, or nullptr
};
static_assert(std::is_trivially_copyable_v<FixedState>);

class Machine : public FixedState {
 public:
  explicit Machine(const Geometry& geometry = {});
  void reset(const Geometry& geometry);  // as freshly constructed, but keeps the arena's memory

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
  Cell& cell(int inode, int index) { return at<Cell>(layout_.cells)[inode * pages() + index]; }
  const Cell& cell(int inode, int index) const {
    return at<Cell>(layout_.cells)[inode * pages() + index];
  }
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

  void set_cell(int inode, int index, Cell value) {
    stamps.cell(inode, index);
    cell(inode, index) = value;
  }

  // No part of the state.
  Stamps stamps;
  Strikes strikes;                       // of the last op
  boost::container::vector<Pfn> gather;  // mmu_gather: pages unmapped, references still to be put
  // mlock_pvec: pages that this op has mlocked, and that do not stand among the unevictable yet.
  static constexpr std::size_t kPagevecSize = 15;
  boost::container::static_vector<Pfn, kPagevecSize> mlock_pvec;

  // Becomes `now`, which differs by its stamps, and if so in what is counted, and is not stamped.
  void follow(const Machine& now, bool counted, bool unstamped);
  // Is the part of fixed size as there, but for what nobody counts?
  bool same_fixed(const Machine& o) const {
    return std::memcmp(&mms, &o.mms, offsetof(FixedState, inject) - offsetof(FixedState, mms)) == 0;
  }
  bool same_stamped(const Machine& o) const {  // whatever the stamps say
    return std::memcmp(arena_.data(), o.arena_.data(), layout_.compounds) == 0;
  }
  bool same_unstamped(const Machine& o) const {
    return std::memcmp(unstamped().data(), o.unstamped().data(), unstamped().size()) == 0;
  }

  bool operator==(const Machine& other) const;  // of members() and arena()
  auto members() const {
    return std::tie(geometry, mms, anon_vmas, holders, inodes, migration, inject, enabled,
                    use_zero_page, shmem_enabled, swap_on, swap_device, mmlist, huge_zero_page,
                    huge_zero_refcount, nr_anon_mapped, nr_anon_thps, nr_swapcache, nr_shmem,
                    nr_shmem_thps, nr_shmem_pmdmapped, nr_file_mapped, anon_mapped_drift,
                    deferred_len, shm_mnt);
  }
  std::span<const std::byte> arena() const {
    return {reinterpret_cast<const std::byte*>(arena_.data()), layout_.size};
  }
  // The part of it that is not stamped: everything but pages, entries and cells.
  std::span<const std::byte> unstamped() const { return arena().subspan(layout_.compounds); }

 private:
  struct Layout {
    std::uint32_t pages, pmds, ptes, cells, compounds, used, swap, clusters, deferred, vmas, size;
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

// Where the model does not know how it goes on: the trace ends.
inline int not_modelled(Machine& m) {
  m.defect = &kNotModelled;
  return 0;
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
inline bool is_file_page(const Machine& m, Pfn pfn) {
  return m.page(page_folio(m, pfn)).inode != kNoInode;
}
inline bool is_huge_zero_page(const Machine& m, Pfn folio) { return folio == m.huge_zero_page; }
inline bool is_zero_page(const Machine& m, Pfn pfn) { return pfn == m.zero_pfn(); }

// --- Addresses: a page number, its PMD and the pages below it.
inline int pmd_index(const Machine& m, int page) { return page >> m.geometry.order; }
inline int pmd_first(const Machine& m, int page) { return page & ~(m.hpage_nr() - 1); }

}  // namespace thp
