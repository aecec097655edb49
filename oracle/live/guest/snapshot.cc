// Frames come from entries, from holders (found when they took them) and from the xarrays of files
// and of the swap cache; counters from the structs themselves, with what a task has not yet added
// to its mm.
#include "oracle/live/guest/snapshot.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "oracle/live/guest/vmas.h"
#include "oracle/live/wire.h"

namespace thp::live {
namespace {

constexpr std::uint32_t kManyFrames = 8;

template <class T>
T at(const std::vector<std::byte>& bytes, int offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

void clear(Observation& o) {
  o.globals = {};
  for_each_array(o, [](auto& records) { records.clear(); });
  if (o.files) for_each_array_of_files(*o.files, [](auto& records) { records.clear(); });
}

bool leads_to_frames(const EntryRun& run) {
  return run.kind == EntryKind::present || run.kind == EntryKind::migration;
}

}  // namespace

void Observer::begin(const Geometry& geometry, const std::optional<Space>& a,
                     std::vector<int> pages) {
  geometry_ = geometry;
  spaces_ = {};
  spaces_[0] = a;
  pages_ = std::move(pages);
  baseline_ = a ? counters_of(*a) : Baseline{};
  events_ = count_events(kernel_);
  vmstat_ = count_vmstat(kernel_);
  own_pages_are_known_ = true;
  inodes_ = {};
  open_ = {};
  seen_.files.reset();
  if (geometry.inodes > 0) seen_.files.emplace();
}

std::int64_t Observer::pgreuse() const {
  return count_events(kernel_)[std::size_t(Event::pgreuse)];
}

void Observer::forgive_pgreuse(std::int64_t before) {
  events_[std::size_t(Event::pgreuse)] += pgreuse() - before;
}

// v6.1 include/linux/mm.h: get_mm_counter(), and the task's own cache of mm/memory.c:
// add_mm_counter_fast(). Leaves the mm_struct in mm_bytes_.
Baseline Observer::counters_of(const Space& space) {
  const MmLayout& mm = kernel_.mm;
  mm_bytes_.resize(std::size_t(mm.size));
  if (!kernel_.memory.read(space.mm, mm_bytes_.data(), mm_bytes_.size())) return {};
  std::array<std::int32_t, 4> cached{};
  kernel_.memory.read(space.task + std::uint64_t(kernel_.task.rss), cached.data(), sizeof cached);
  const auto rss = [&](int index) {
    return at<std::int64_t>(mm_bytes_, mm.rss + 8 * index) + cached[std::size_t(index)];
  };
  return {.anon_pages = rss(mm.anon_index),
          .swap_entries = rss(mm.swap_index),
          .shmem_pages = rss(mm.shmem_index),
          .pgtables_bytes = at<std::int64_t>(mm_bytes_, mm.pgtables_bytes),
          .locked_vm = at<std::int64_t>(mm_bytes_, mm.locked_vm),
          .map_count = at<std::int32_t>(mm_bytes_, mm.map_count)};
}

void Observer::look_at_space(int mm) {
  const std::optional<Space>& space = spaces_[std::size_t(mm)];
  if (!space) return;
  const Baseline now = counters_of(*space);
  const auto flags = at<std::uint64_t>(mm_bytes_, kernel_.mm.flags);
  const std::int64_t table_bytes = now.pgtables_bytes - baseline_.pgtables_bytes;
  seen_.mms.push_back({.mm = std::uint8_t(mm),
                       .huge_zero_page = std::uint8_t(flags >> MMF_HUGE_ZERO_PAGE & 1),
                       .has_pinned = std::uint8_t(flags >> MMF_HAS_PINNED & 1),
                       .thp_disabled = std::uint8_t(flags >> MMF_DISABLE_THP & 1),
                       .anon_pages = std::int32_t(now.anon_pages - baseline_.anon_pages),
                       .swap_entries = std::int32_t(now.swap_entries - baseline_.swap_entries),
                       .nr_ptes = std::int32_t(table_bytes / std::int64_t(kPageBytes)),
                       .deposits = count_deposits(kernel_, *space),
                       .map_count = now.map_count - baseline_.map_count,
                       .locked_vm = std::int32_t(now.locked_vm - baseline_.locked_vm)});
  if (seen_.files)
    seen_.files->mms.push_back(
        {.mm = std::uint8_t(mm),
         .shmem_pages = std::int32_t(now.shmem_pages - baseline_.shmem_pages)});
  append_vmas(kernel_, *space, mm, geometry_.pages(), inodes_, seen_.vmas);
  Tables& tables = tables_[std::size_t(mm)];
  read_tables(kernel_, *space, geometry_.pmds, tables);
  append_entries(kernel_, tables, geometry_.pmds, mm, huge_zero_pfn_, seen_.entries);
}

void Observer::look_at_globals() {
  seen_.globals.huge_zero_refcount = kernel_.memory.get<std::int32_t>(kernel_.huge_zero_refcount);
  const auto page = kernel_.memory.get<std::uint64_t>(kernel_.huge_zero_page);
  huge_zero_pfn_ = page == 0 ? kNoFrame : kernel_.pfn_of_page_struct(page);
  for (const Node& node : kernel_.nodes)
    seen_.globals.deferred_len += kernel_.memory.get<std::int32_t>(node.split_queue_len);
  const auto pages = [&, now = count_vmstat(kernel_)](std::size_t item) {
    return std::int32_t(now[item] - vmstat_[item]);
  };
  if (seen_.files)
    seen_.files->stats = {
        .shmem = pages(4), .shmem_thps = pages(5), .shmem_pmdmapped = pages(6), .mapped = pages(7)};
  seen_.globals.vmstat = {.anon_mapped = own_pages_are_known_ ? pages(0) : kUnseen,
                          .anon_thps = pages(1),
                          .swapcache = pages(2),
                          .mlock = pages(3)};
  const auto now = count_events(kernel_);
  for (std::size_t i = 0; i < kEvents; ++i)
    seen_.globals.events[i] = now[i] == INT32_MIN ? kUnseen : std::int32_t(now[i] - events_[i]);
}

void Observer::look_at_files() {
  for (std::size_t id = 0; id < inodes_.size(); ++id) {
    const auto maps = [&](const VmaSeen& vma) { return vma.file == id + 1; };
    if (!open_[id] && std::ranges::none_of(seen_.vmas, maps)) inodes_[id] = 0;
    if (inodes_[id] != 0) append_inode(kernel_, inodes_[id], int(id), *seen_.files);
  }
}

void Observer::gather_frames(const Holders& holders, bool swap_is_on) {
  frames_.clear();
  for (const EntryRun& run : seen_.entries)
    if (leads_to_frames(run)) frames_.push_back({run.frame, run.huge ? 512u : run.count});
  for (const Held& held : holders)
    if (held.kind != HolderKind::none && held.pfn != kNoFrame) frames_.push_back({held.pfn, 1});
  if (seen_.files)
    for (const CellRun& run : seen_.files->cells) frames_.push_back({run.frame, run.count});
  if (swap_is_on) append_swap_cache(kernel_, frames_);
  std::ranges::sort(frames_, {}, &FrameRange::pfn);
}

// A look costs as much as it reads: of many frames in a row the ends stand for all.
void Observer::read_contents(const Holders& holders, bool last) {
  std::vector<std::uint32_t> pfns;
  for (std::size_t mm = 0; mm < spaces_.size(); ++mm)
    for (const int page : pages_)
      if (spaces_[mm]) pfns.push_back(frame_at(tables_[mm], page));
  for (const Held& held : holders)
    if (held.kind != HolderKind::none) pfns.push_back(held.pfn);
  if (seen_.files)
    for (const CellRun& run : seen_.files->cells)
      for (int i = 0; i < run.count; ++i)
        if (last || std::ranges::binary_search(pages_, run.index + i))
          pfns.push_back(run.frame + std::uint32_t(i));
  for (const FrameRange& range : last ? std::span(frames_) : std::span<FrameRange>()) {
    const std::uint32_t step = range.count < kManyFrames ? 1 : range.count - 1;
    for (std::uint32_t i = 0; i < range.count; i += step) pfns.push_back(range.pfn + i);
  }
  std::ranges::sort(pfns);
  pfns.erase(std::ranges::unique(pfns).begin(), pfns.end());
  for (const std::uint32_t pfn : pfns)
    if (pfn != kNoFrame && pfn != kernel_.zero_pfn && pfn - huge_zero_pfn_ >= 512)
      seen_.contents.push_back({pfn, kernel_.memory.get<std::uint8_t>(kernel_.frame(pfn))});
}

Observation& Observer::look(const Holders& holders, bool swap_is_on, bool last) {
  clear(seen_);
  structs_.forget();
  look_at_globals();
  for (int mm = 0; mm < geometry_.mms; ++mm) look_at_space(mm);
  look_at_files();
  gather_frames(holders, swap_is_on);
  append_folios(kernel_, structs_, frames_, huge_zero_pfn_, seen_);
  read_contents(holders, last);
  for (std::size_t id = 0; id < holders.size(); ++id)
    if (holders[id].kind != HolderKind::none)
      seen_.holders.push_back(
          {.id = std::uint8_t(id), .kind = holders[id].kind, .pfn = holders[id].pfn});
  return seen_;
}

std::uint32_t Observer::frame_of(int mm, int page) {
  Tables& tables = tables_[std::size_t(mm)];
  const std::optional<Space>& space = spaces_[std::size_t(mm)];
  if (!space) return kNoFrame;
  read_tables(kernel_, *space, geometry_.pmds, tables);
  return frame_at(tables, page);
}

int Observer::node_of(std::uint32_t pfn) const {
  for (std::size_t n = 0; n < kernel_.nodes.size(); ++n)
    if (pfn - kernel_.nodes[n].first_pfn < kernel_.nodes[n].pages) return int(n);
  return -1;
}

}  // namespace thp::live
