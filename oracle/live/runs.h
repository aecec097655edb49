// Runs of entries, of cells and of sub-pages: how single ones join, and how a run is cut.
#pragma once
#include <vector>

#include "oracle/live/observation.h"

namespace thp::live {

inline std::uint32_t frame_after(const EntryRun& run, unsigned n) {
  return run.frame == kNoFrame ? kNoFrame : run.frame + n;
}

inline bool goes_on(const EntryRun& run, const EntryRun& next) {
  return run.mm == next.mm && !run.huge && !next.huge && run.kind == next.kind &&
         run.bits == next.bits && run.page + run.count == next.page &&
         frame_after(run, run.count) == next.frame;
}

inline bool goes_on(const PageRun& run, const PageRun& next) {
  return run.pfn + run.count == next.pfn && run.flags == next.flags &&
         run.mapcount == next.mapcount;
}

inline bool goes_on(const CellRun& run, const CellRun& next) {
  return run.inode == next.inode && run.kind == next.kind && run.index + run.count == next.index &&
         run.frame + run.count == next.frame;
}

// The run goes after the last one, or becomes part of it.
template <class Run>
void append_run(std::vector<Run>& runs, const Run& run) {
  if (!runs.empty() && goes_on(runs.back(), run))
    runs.back().count = std::uint16_t(runs.back().count + run.count);
  else
    runs.push_back(run);
}

// What is left of a run without its first `n`.
inline EntryRun after(EntryRun run, unsigned n) {
  run.page = std::uint16_t(run.page + n);
  run.count = std::uint16_t(run.count - n);
  run.frame = frame_after(run, n);
  return run;
}

inline CellRun after(CellRun run, unsigned n) {
  run.index = std::uint16_t(run.index + n);
  run.count = std::uint16_t(run.count - n);
  run.frame += n;
  return run;
}

inline PageRun after(PageRun run, unsigned n) {
  run.pfn += n;
  run.count = std::uint16_t(run.count - n);
  return run;
}

}  // namespace thp::live
