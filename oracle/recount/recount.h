// Every count of the kernel, taken again: from page tables, swap-cache slots and the list of
// holders, never from the counters that it judges. Of a frame's own state it reads only what says
// where a folio begins and ends.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <boost/container/vector.hpp>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "oracle/recount/delta.h"

namespace thp {

// What points at one frame.
struct FrameCount {
  std::uint16_t ptes = 0;           // present PTEs: T of the sub-page
  std::uint16_t writable_ptes = 0;  // of these
  std::uint16_t migration_ptes = 0;
  std::uint16_t exclusive_migration_ptes = 0;  // of these: writable or readable-exclusive
  std::uint16_t cache_slots = 0;               // swap-cache slots
  std::uint16_t cells = 0;                     // of the page cache
  std::uint8_t pins = 0, gets = 0, isolations = 0;
  std::uint8_t unused = 0;
  bool nothing() const { return *this == FrameCount{}; }
  bool operator==(const FrameCount&) const = default;
};

// The same of one folio, all its sub-pages together, and what maps it as a whole.
struct FolioCount {
  std::int32_t pmds = 0;           // present PMDs: P
  std::int32_t writable_pmds = 0;  // of these
  std::int32_t migration_pmds = 0;
  std::int32_t exclusive_migration_pmds = 0;
  std::int32_t ptes = 0;    // the sum of T
  std::int32_t mapped = 0;  // sub-pages with a PTE: T > 0
  std::int32_t migration_ptes = 0;
  std::int32_t cache_slots = 0;
  std::int32_t cells = 0;
  std::int32_t pins = 0, gets = 0, isolations = 0;
  std::int32_t migration = 0;  // the migration's isolation of its source, or hold on its target
  std::int32_t pointer = 0;    // the huge zero page's, or the 4K zero page's for ever
  bool mapped_anywhere() const { return pmds + ptes > 0; }
  // References of the folio: a pin of a small page counts GUP_PIN_COUNTING_BIAS.
  int references(bool large) const {
    return pmds + ptes + cache_slots + cells + (large ? pins : pins * kGupPinCountingBias) + gets +
           isolations + migration + pointer;
  }
  bool operator==(const FolioCount&) const = default;
};

struct MmCount {
  std::int32_t anon_pages = 0;    // present and migration entries, in pages
  std::int32_t shmem_pages = 0;   // the same of pages of files
  std::int32_t swap_entries = 0;  // swap PTEs
  std::int32_t tables = 0;        // PMDs that are page tables
  std::int32_t huge = 0;  // huge, huge zero and migration PMDs, not of files: each has a deposited
                          // table
  std::int32_t huge_zero = 0;  // of these
  bool operator==(const MmCount&) const = default;
};

struct SlotCount {
  std::uint16_t ptes = 0;            // swap PTEs
  std::uint16_t exclusive_ptes = 0;  // of these
  bool operator==(const SlotCount&) const = default;
};

struct InodeCount {
  std::int32_t folio_cells = 0;
  bool operator==(const InodeCount&) const = default;
};

class Recount {
 public:
  // Sizes everything for machines of this geometry; nothing is allocated after the first recount().
  // Forgets all history. Without `updates` there is no update(), and recount() is faster.
  void reset(const Geometry& geometry, bool updates = true);

  void recount(const Machine& m);  // from scratch
  // From what differs to the machine of the last recount() or update().
  void update(const Machine& before, const Machine& m, const Delta& delta);

  // Counts. Anything that points outside memory or the device is counted under nowhere().
  const FrameCount& frame(int pfn) const { return frames_[std::size_t(pfn)]; }
  FolioCount folio(const Machine& m, Pfn head) const;
  const FolioCount& block(int i) const { return blocks_[std::size_t(i)]; }
  const MmCount& mm(int mm) const { return mms_[std::size_t(mm)]; }
  const InodeCount& inode(int inode) const { return inodes_[std::size_t(inode)]; }
  const SlotCount& slot(int slot) const { return slots_[std::size_t(slot)]; }
  // Blocks whose folio is marked as waiting in the deferred split queue.
  std::uint64_t deferred_blocks() const { return deferred_; }
  // Of each block: frames that are not free.
  std::span<const std::uint16_t> used_frames() const {
    return {used_frames_.data(), std::size_t(geometry_.frame_blocks())};
  }
  // Of each cluster of the swap device: slots in use.
  std::span<const std::uint16_t> used_slots() const {
    return {used_slots_.data(), std::size_t(geometry_.swap_clusters())};
  }
  int nowhere() const { return geometry_.frames() + 1; }
  // Without the drift; what is mapped both ways counts twice where it may.
  int nr_anon_mapped(const Machine& m) const;
  int nr_anon_thps() const { return std::popcount(pmd_mapped_) << geometry_.order; }
  int nr_swapcache() const { return cached_slots_; }
  int nr_shmem() const {
    int pages = 0;
    for (const InodeCount& inode : inodes_) pages += inode.folio_cells;
    return pages;
  }
  int nr_shmem_thps(const Machine& m) const;
  int nr_shmem_pmdmapped() const { return std::popcount(file_pmd_mapped_) << geometry_.order; }
  int nr_file_mapped() const;
  int outstanding_pins() const { return outstanding_pins_; }  // the 4K zero page takes none

  // Is a frame anything but free?
  static bool in_use(const Page& page) {
    static constexpr Page kFree;
    return std::memcmp(&page, &kFree, sizeof(Page)) != 0;
  }

  // Entries have ids: PTEs in the order of address spaces and pages, then PMDs likewise.
  int pte_id(int mm, int page) const { return mm * geometry_.pages() + page; }
  int pmd_id(int mm, int i) const {
    return geometry_.mms * geometry_.pages() + mm * geometry_.pmds + i;
  }

  // History: what can't be told from a state alone.
  // A block whose large folio has been in the swap cache or in a migration.
  bool wandered(Pfn head) const { return wanderers_[block_of(head)] == Wanderer::yes; }
  // The machine's drift, as far as the PMDs that were split since the last look allow it to grow.
  int drift_allowed() const {
    const int most = (splits_ - splits_before_) << geometry_.order;
    return std::clamp(drift_, drift_before_, drift_before_ + most);
  }

  // What the last update() saw change: an update() that had to recount lists everything. Of entries
  // that are none only those that were not.
  bool anything_changed() const { return anything_changed_; }
  bool all_changed() const { return all_changed_; }
  std::span<const std::uint16_t> changed_frames() const { return changed_frames_.list(); }
  std::span<const std::uint16_t> changed_folios() const { return changed_folios_.list(); }
  std::span<const std::uint16_t> changed_entries() const { return changed_entries_.list(); }  // ids
  std::span<const std::uint16_t> changed_slots() const { return changed_slots_.list(); }
  std::span<const std::uint16_t> changed_cells() const { return changed_cells_.list(); }
  bool files_changed() const { return files_changed_; }    // files, their cells, or their pages
  bool vmas_changed() const { return vmas_changed_; }      // VMAs or anon_vmas
  bool device_changed() const { return device_changed_; }  // the swap device, or its slots
  // Bit mm: of which address spaces the VMAs have changed; what each counts, or is counted of it.
  unsigned changed_vmas() const { return changed_vmas_; }
  unsigned changed_mms() const { return changed_mms_; }

  // What has been before, for the rules that compare with it, is what was before `other`.
  void continue_from(const Recount& other);

  // Counts only: neither history nor what changed last.
  bool operator==(const Recount& other) const;

 private:
  std::array<std::uint8_t, Geometry::kMaxBlocks> shape_;  // of a block: see shape_of()

  std::size_t block_of(int pfn) const { return std::size_t(pfn) >> geometry_.order; }
  int frame_at(int pfn) const { return pfn <= geometry_.frames() ? pfn : nowhere(); }
  int slot_at(int slot) const { return std::min(slot, geometry_.swap_slots()); }
  static std::uint32_t rmap_of(const Page& page);
  // Equal as bytes: arrays of what has no padding.
  template <class T>
  static bool same(const T* a, const T* b, std::size_t n) {
    static_assert(std::has_unique_object_representations_v<T>);
    return n == 0 || std::memcmp(a, b, n * sizeof(T)) == 0;
  }
  std::uint8_t shape_of(const Machine& m, int block) const;

  // Counting; with by = -1, uncounting.
  void count_pmd(const Machine& m, int mm, Entry entry, int by);
  void count_file_pmd(int mm, Entry entry, int by);
  void count_pte(const Machine& m, int mm, Entry entry, int by);
  void count_mapping(int pfn, Entry entry, bool of_file, int by);
  void count_holder(const Holder& holder, int by);
  void count_cell(int inode, Cell cell, int by);
  void count_slot(int id, const SwapSlot& slot, int by);
  void count_all(const Machine& m);
  std::uint16_t used_frames_of(const Machine& m, int block) const;
  void note_history(const Machine& m);
  void note_wanderer(const Machine& m, int block);

  // Parts of update().
  void update_entries(const Machine& was, const Machine& m, const Delta& delta);
  void update_pte(const Machine& was, const Machine& m, int mm, int page);
  void update_pmd(const Machine& was, const Machine& m, int mm, int i);
  void update_holders(const Machine& was, const Machine& m, unsigned changed);
  void update_cells(const Machine& was, const Machine& m, const Delta& delta);
  void update_cells_of(const Machine& m, int pfn);
  void update_swap(const Machine& was, const Machine& m, bool changed);
  void update_vmas(const Machine& was, const Machine& m, int mm);
  void update_blocks(const Machine& was, const Machine& m, bool compounds_changed);
  void update_frames(const Machine& was, const Machine& m);
  void update_entries_of_folios(const Machine& m);
  void update_folios(const Machine& m);
  void target_changed(Entry entry, int pages);
  void slot_changed(const Machine& m, int slot);
  void entries_changed(const Machine& m, int mm, int first, int end);

  Geometry geometry_;
  boost::container::vector<FrameCount> frames_;              // memory, the zero page, nowhere
  boost::container::vector<SlotCount> slots_;                // the device, nowhere
  std::array<FolioCount, Geometry::kMaxBlocks + 1> blocks_;  // the last: zero page and nowhere
  std::array<MmCount, Geometry::kMaxMms> mms_;
  std::array<InodeCount, Geometry::kMaxInodes> inodes_;
  std::array<std::uint16_t, Geometry::kMaxBlocks> used_frames_;
  std::uint64_t pmd_mapped_ = 0;       // blocks whose folio has PMDs
  int pte_mapped_ = 0;                 // frames with PTEs
  std::uint64_t file_pmd_mapped_ = 0;  // the same of files
  int file_pte_mapped_ = 0;
  std::uint64_t deferred_ = 0;
  std::array<std::uint16_t, Geometry::kMaxClusters> used_slots_;
  int cached_slots_ = 0, outstanding_pins_ = 0;

  enum class Wanderer : std::uint8_t { none, no, yes };  // none: there is no large folio
  std::array<Wanderer, Geometry::kMaxBlocks + 1> wanderers_;
  int drift_before_ = 0, drift_ = 0, splits_before_ = 0, splits_ = 0;
  int moves_before_ = 0, moves_ = 0;  // large folios migrated

  bool updates_ = true;
  unsigned changed_vmas_ = 0, changed_mms_ = 0;
  bool anything_changed_ = true, all_changed_ = true, vmas_changed_ = true;
  bool device_changed_ = true, files_changed_ = true;
  std::uint64_t lead_to_changed_ = 0;  // blocks: entries that lead there are to be judged again
  Marks changed_frames_, changed_folios_, changed_entries_, changed_slots_, changed_cells_;
};

}  // namespace thp
