// New names for frames and slots, and the order that follows from them.
#include "oracle/live/rename.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "oracle/live/runs.h"

namespace thp::live {
namespace {

// Slots that no entry refers to keep their order behind all that have names, and lose their
// numbers.
constexpr std::uint32_t kNoEntry = 1u << 30;

// Names of folios; a frame that is in none is a folio of its own.
class FrameNames {
 public:
  explicit FrameNames(const std::vector<FolioSeen>& folios) : folios_(folios) {
    std::ranges::sort(folios_, {}, &FolioSeen::pfn);
  }
  const FolioSeen* folio_of(std::uint32_t pfn) const {
    const auto next = std::ranges::upper_bound(folios_, pfn, {}, &FolioSeen::pfn);
    if (next == folios_.begin()) return nullptr;
    const FolioSeen& folio = *std::prev(next);
    return pfn - folio.pfn < nr_pages(folio) ? &folio : nullptr;
  }
  std::uint32_t operator()(std::uint32_t pfn) {
    const FolioSeen* folio = folio_of(pfn);
    const std::uint32_t first = folio != nullptr ? folio->pfn : pfn;
    const auto [name, is_new] = names_.try_emplace(first, next_);
    if (is_new) next_ += folio != nullptr ? nr_pages(*folio) : 1;
    return name->second + (pfn - first);
  }
  bool has(const FolioSeen& folio) const { return names_.contains(folio.pfn); }

 private:
  static std::uint32_t nr_pages(const FolioSeen& folio) { return std::uint32_t{1} << folio.order; }
  std::vector<FolioSeen> folios_;
  std::unordered_map<std::uint32_t, std::uint32_t> names_;
  std::uint32_t next_ = 0;
};

using SlotNames = std::unordered_map<std::uint32_t, std::uint32_t>;

std::uint32_t slot_name(SlotNames& slots, std::uint32_t slot) {
  return slots.try_emplace(slot, std::uint32_t(slots.size())).first->second;
}

void rename_entries(Observation& o, FrameNames& frames, SlotNames& slots) {
  std::ranges::sort(o.entries, {},
                    [](const EntryRun& r) { return std::tuple(r.mm, r.page, !r.huge); });
  std::vector<EntryRun> entries;
  for (const EntryRun& run : o.entries)
    for (unsigned i = 0; i < run.count; ++i) {
      EntryRun one = after(run, i);
      one.count = 1;
      if (one.frame != kNoFrame)
        one.frame = one.kind == EntryKind::swap ? slot_name(slots, one.frame) : frames(one.frame);
      append_run(entries, one);
    }
  o.entries = std::move(entries);
}

void rename_holders(Observation& o, FrameNames& frames) {
  std::ranges::sort(o.holders, {}, &HolderSeen::id);
  for (HolderSeen& holder : o.holders)
    holder.pfn = frames.folio_of(holder.pfn) != nullptr ? frames(holder.pfn) : kNoFrame;
}

void rename_files(FilesSeen& files, FrameNames& frames) {
  std::ranges::sort(files.inodes, {}, &InodeSeen::inode);
  std::ranges::sort(files.cells, {}, [](const CellRun& r) { return std::tuple(r.inode, r.index); });
  std::vector<CellRun> cells;
  for (const CellRun& run : files.cells)
    for (unsigned i = 0; i < run.count; ++i) {
      CellRun one = after(run, i);
      one.count = 1;
      one.frame = frames(one.frame);
      append_run(cells, one);
    }
  files.cells = std::move(cells);
}

// What only the swap cache leads to comes in the order of its slots.
void rename_folios(Observation& o, FrameNames& frames, SlotNames& slots) {
  for (FolioSeen& folio : o.folios)
    if (const auto known = slots.find(folio.slot); known != slots.end())
      folio.slot = known->second;
    else if (folio.slot != kNoFrame)
      folio.slot += kNoEntry;  // nothing refers to it any more
  std::vector<FolioSeen> unnamed;
  for (const FolioSeen& folio : o.folios)
    if (!frames.has(folio)) unnamed.push_back(folio);
  std::ranges::sort(unnamed, {}, [](const FolioSeen& f) {
    return std::tuple(f.slot, f.index, f.order, f.refcount, f.pfn);
  });
  for (const FolioSeen& folio : unnamed) frames(folio.pfn);
  for (FolioSeen& folio : o.folios) {
    folio.pfn = frames(folio.pfn);
    if (folio.slot >= kNoEntry && folio.slot != kNoFrame) folio.slot = kNoEntry;
  }
  std::ranges::sort(o.folios, {}, &FolioSeen::pfn);
}

void rename_pages(Observation& o, FrameNames& frames) {
  std::vector<PageRun> singles;
  for (const PageRun& run : o.pages)
    for (unsigned i = 0; i < run.count; ++i) {
      PageRun one = after(run, i);
      one.count = 1;
      one.pfn = frames(one.pfn);
      singles.push_back(one);
    }
  std::ranges::sort(singles, {}, &PageRun::pfn);
  o.pages.clear();
  for (const PageRun& one : singles) append_run(o.pages, one);
}

}  // namespace

Observation renamed(const Observation& observation) {
  Observation o = observation;
  FrameNames frames(o.folios);
  std::ranges::sort(o.mms, {}, &MmSeen::mm);
  std::ranges::sort(o.vmas, {}, [](const VmaSeen& v) { return std::tuple(v.mm, v.start); });
  SlotNames slots;
  rename_entries(o, frames, slots);
  rename_holders(o, frames);
  if (o.files) rename_files(*o.files, frames);
  rename_folios(o, frames, slots);
  rename_pages(o, frames);
  for (ContentSeen& content : o.contents) content.pfn = frames(content.pfn);
  std::ranges::sort(o.contents, {}, &ContentSeen::pfn);
  return o;
}

}  // namespace thp::live
