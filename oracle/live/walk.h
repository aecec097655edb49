// Two lists of records, sorted by a key, side by side.
#pragma once
#include <algorithm>
#include <vector>

#include "oracle/live/runs.h"

namespace thp::live {

// Calls both(a, b) for records with equal keys, one(record, is_model) for those without a partner.
template <class Record, class Key, class Both, class One>
void walk(const std::vector<Record>& model, const std::vector<Record>& kernel, Key key, Both both,
          One one) {
  auto a = model.begin();
  auto b = kernel.begin();
  while (a != model.end() || b != kernel.end()) {
    if (b == kernel.end() || (a != model.end() && key(*a) < key(*b)))
      one(*a++, true);
    else if (a == model.end() || key(*b) < key(*a))
      one(*b++, false);
    else
      both(*a++, *b++);
  }
}

// How much of a run comes before the other side's next one.
inline unsigned lone(const EntryRun& run, const EntryRun* other) {
  const bool reaches = other != nullptr && other->mm == run.mm && !other->huge && !run.huge &&
                       other->page < run.page + run.count;
  return reaches ? unsigned(other->page - run.page) : run.count;
}
inline unsigned lone(const CellRun& run, const CellRun* other) {
  const bool reaches =
      other != nullptr && other->inode == run.inode && other->index < run.index + run.count;
  return reaches ? unsigned(other->index - run.index) : run.count;
}
inline unsigned lone(const PageRun& run, const PageRun* other) {
  const bool reaches = other != nullptr && other->pfn - run.pfn < run.count;
  return reaches ? other->pfn - run.pfn : run.count;
}

// The same for runs, cut where those of the other side begin or end: both(a, b, n) of the first n.
template <class Run, class Key, class Both, class One>
void walk_runs(std::vector<Run> model, std::vector<Run> kernel, Key key, Both both, One one) {
  std::size_t a = 0, b = 0;
  const auto consume = [](std::vector<Run>& runs, std::size_t& at, unsigned n) {
    if (runs[at].count > n)
      runs[at] = after(runs[at], n);
    else
      ++at;
  };
  while (a < model.size() || b < kernel.size()) {
    if (b == kernel.size() || (a < model.size() && key(model[a]) < key(kernel[b]))) {
      one(model[a], true);
      consume(model, a, lone(model[a], b < kernel.size() ? &kernel[b] : nullptr));
    } else if (a == model.size() || key(kernel[b]) < key(model[a])) {
      one(kernel[b], false);
      consume(kernel, b, lone(kernel[b], a < model.size() ? &model[a] : nullptr));
    } else {
      const unsigned n = std::min(model[a].count, kernel[b].count);
      both(model[a], kernel[b], n);
      consume(model, a, n);
      consume(kernel, b, n);
    }
  }
}

}  // namespace thp::live
