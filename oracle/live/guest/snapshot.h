// What the kernel is like at one moment, as an Observation.
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "oracle/live/guest/folios.h"
#include "oracle/live/guest/holders.h"
#include "oracle/live/guest/kernel.h"
#include "oracle/live/guest/page_cache.h"
#include "oracle/live/guest/page_tables.h"
#include "oracle/live/guest/vmas.h"
#include "oracle/live/observation.h"

namespace thp::live {

// What a process' counters said before its trace touched anything.
struct Baseline {
  std::int64_t anon_pages = 0, swap_entries = 0, shmem_pages = 0;
  std::int64_t pgtables_bytes = 0, locked_vm = 0;
  std::int32_t map_count = 0;
};

class Observer {
 public:
  explicit Observer(const Kernel& kernel) : kernel_(kernel), structs_(kernel) {}

  // A new trace: address space A has just been made. Contents of `pages`, sorted, are read after
  // every op.
  void begin(const Geometry& geometry, const std::optional<Space>& a, std::vector<int> pages);
  // A process that comes or goes has pages of its own: how many is not known.
  void add_space(int mm, const std::optional<Space>& space) {
    spaces_[std::size_t(mm)] = space;
    own_pages_are_known_ = false;
  }
  // What a process does for the harness alone: events counted since `before` are none of the trace.
  std::int64_t pgreuse() const;
  void forgive_pgreuse(std::int64_t before);
  void remove_space(int mm) {
    spaces_[std::size_t(mm)].reset();
    own_pages_are_known_ = false;
  }

  // A file that has just been made; one that lives on only where it is mapped.
  void add_inode(int id, std::uint64_t inode) {
    inodes_[std::size_t(id)] = inode;
    open_[std::size_t(id)] = true;
  }
  void close_inode(int id) { open_[std::size_t(id)] = false; }
  bool has_inode(int id) const { return inodes_[std::size_t(id)] != 0; }  // at the last look

  // Looks at everything but the op's result and reason; the last time at more contents: of all
  // small folios that something leads to, of both ends of large ones, and of all cells.
  Observation& look(const Holders& holders, bool swap_is_on, bool last);

  std::uint32_t frame_of(int mm, int page);  // what is mapped there now, kNoFrame if nothing is
  int node_of(std::uint32_t pfn) const;      // -1: there is no such frame

 private:
  Baseline counters_of(const Space& space);
  void look_at_space(int mm);
  void look_at_globals();
  void look_at_files();
  void gather_frames(const Holders& holders, bool swap_is_on);
  void read_contents(const Holders& holders, bool last);

  const Kernel& kernel_;
  Geometry geometry_;
  std::array<std::optional<Space>, Geometry::kMaxMms> spaces_;
  std::array<Tables, Geometry::kMaxMms> tables_;
  std::vector<int> pages_;
  Baseline baseline_;
  std::array<std::int64_t, kEvents> events_{};
  std::array<std::int64_t, kVmstats> vmstat_{};
  Inodes inodes_{};
  std::array<bool, Geometry::kMaxInodes> open_{};
  bool own_pages_are_known_ = true;
  std::uint32_t huge_zero_pfn_ = kNoFrame;
  PageStructs structs_;
  std::vector<FrameRange> frames_;
  std::vector<std::byte> mm_bytes_;
  Observation seen_;
};

}  // namespace thp::live
