// The candidates themselves; see simpler.h for their order.
#include "properties/simpler.h"

#include <algorithm>
#include <array>

namespace thp {
namespace {

// A copy of the trace in which `change` has been called with every argument.
template <class Change>
Trace with_args(const Trace& trace, Change change) {
  Trace changed = trace;
  for (Op& op : changed.ops) visit_op([&](auto& o) { visit_args(o, change); }, op);
  return changed;
}

// Moves pages by a map of page borders that never decreases.
template <class Border>
Trace with_pages(const Trace& trace, const Geometry& geometry, Border border) {
  Trace changed = with_args(trace, [&]<class T>(T& arg) {
    if constexpr (std::is_same_v<T, PageNr> || std::is_same_v<T, Offset>) {
      arg.number = std::clamp(border(arg.number, false), 0, geometry.pages() - 1);
    } else if constexpr (std::is_same_v<T, PageRange>) {
      arg.first = std::clamp(border(arg.first, false), 0, geometry.pages() - 1);
      arg.end = std::clamp(border(arg.end, true), arg.first + 1, geometry.pages());
    } else if constexpr (std::is_same_v<T, NewSize> || std::is_same_v<T, FileSize>) {
      if (arg.pages > 0) arg.pages = std::clamp(border(arg.pages, true), 1, geometry.pages());
    }
  });
  changed.geometry = geometry;
  return changed;
}

// New numbers by first appearance. Numbers below `fixed` keep their own.
class Renaming {
 public:
  explicit Renaming(int fixed) : next_(fixed), fixed_(fixed) { to_.fill(-1); }
  int operator()(int from) {
    if (from < fixed_ || from >= int(to_.size())) return from;
    if (to_[from] < 0) to_[from] = next_++;
    return to_[from];
  }

 private:
  std::array<int, Value::kMax + 1> to_;
  int next_, fixed_;
};

void add_geometry(std::vector<Trace>& traces, Trace trace) {
  if (trace.geometry.is_valid()) traces.push_back(std::move(trace));
}

// The default, the least, the half, one less: of a count that a geometry may leave at -1.
std::vector<int> simpler_count(int count, int least) {
  if (count < 0) return {};
  std::vector<int> counts{-1};
  for (const int n : {least, (least + count) / 2, count - 1})
    if (n >= least && n < count && n != counts.back()) counts.push_back(n);
  return counts;
}

std::vector<int> simpler_orders(int order) {
  if (order == 1) return {2};
  std::vector<int> orders;
  for (int o = 2; o < order; ++o) orders.push_back(o);
  return orders;
}

}  // namespace

Trace without_ops(const Trace& trace, std::size_t begin, std::size_t end) {
  Trace shorter = trace;
  shorter.ops.erase(shorter.ops.begin() + std::ptrdiff_t(begin),
                    shorter.ops.begin() + std::ptrdiff_t(end));
  return shorter;
}

Trace with_order(const Trace& trace, int order, Fit fit) {
  const int from = trace.geometry.order;
  const int nr = 1 << from, new_nr = 1 << order;
  const auto resized = [&](int n, bool up) {
    if (fit == Fit::clamp) return std::min(n, up ? new_nr : new_nr - 1);
    if (order > from) return n << (order - from);
    return (n + (up ? (nr / new_nr) - 1 : 0)) >> (from - order);
  };
  Geometry geometry = trace.geometry;
  geometry.order = order;
  if (geometry.swap >= 0) geometry.swap = std::min(geometry.swap, 4 << order);
  return with_pages(trace, geometry, [&](int page, bool is_end) {
    const int within = is_end && page > 0 ? (page - 1) % nr + 1 : page % nr;  // an end is 1..nr
    return ((page - within) / nr << order) + resized(within, is_end);
  });
}

Trace without_pmd(const Trace& trace, int pmd) {
  Geometry geometry = trace.geometry;
  const int nr = geometry.hpage_nr();
  --geometry.pmds;
  return with_pages(trace, geometry, [&](int page, bool is_end) {
    return page - is_end < pmd * nr ? page : page - nr;
  });
}

Trace without_mm(const Trace& trace, int mm) {
  Trace fewer = with_args(trace, [&]<class T>(T& arg) {
    if constexpr (std::is_same_v<T, MmId>) arg.id -= arg.id >= mm;
  });
  --fewer.geometry.mms;
  return fewer;
}

static bool names(const Op& op, InodeId inode) {
  bool named = false;
  const auto look = [&]<class T>(const T& arg) {
    if constexpr (std::is_same_v<T, InodeId>) named = arg == inode;
  };
  visit_op([&](const auto& o) { visit_args(o, look); }, op);
  return named;
}

Trace without_inode(const Trace& trace, int inode) {
  Trace fewer = trace;
  std::erase_if(fewer.ops, [=](const Op& op) { return names(op, {inode}); });
  fewer = with_args(fewer, [&]<class T>(T& arg) {
    if constexpr (std::is_same_v<T, InodeId>) arg.id -= arg.id > inode;
  });
  --fewer.geometry.inodes;
  return fewer;
}

Trace moved_to(const Trace& trace, const Geometry& geometry) {
  Trace moved = trace.geometry.order == geometry.order
                    ? trace
                    : with_order(trace, geometry.order, Fit::scale);
  while (moved.geometry.pmds > geometry.pmds) moved = without_pmd(moved, moved.geometry.pmds - 1);
  while (moved.geometry.mms > geometry.mms) moved = without_mm(moved, moved.geometry.mms - 1);
  while (moved.geometry.inodes > geometry.inodes)
    moved = without_inode(moved, moved.geometry.inodes - 1);
  moved.geometry = geometry;
  moved.geometry.swap = std::min(geometry.swap, Geometry::kMaxClusters << geometry.order);
  return moved;
}

std::vector<Trace> simpler_geometries(const Trace& trace) {
  const Geometry& g = trace.geometry;
  std::vector<Trace> traces;
  for (const int order : simpler_orders(g.order))
    for (const Fit fit : {Fit::scale, Fit::clamp})
      add_geometry(traces, with_order(trace, order, fit));
  for (int pmd = g.pmds - 1; pmd > 0; --pmd) add_geometry(traces, without_pmd(trace, pmd));
  for (int mm = g.mms - 1; mm > 0; --mm) add_geometry(traces, without_mm(trace, mm));
  for (int inode = g.inodes - 1; inode >= 0; --inode)
    add_geometry(traces, without_inode(trace, inode));
  for (const int swap : simpler_count(g.swap, 0)) {
    Trace other = trace;
    other.geometry.swap = swap;
    add_geometry(traces, std::move(other));
  }
  for (const int blocks : simpler_count(g.blocks, 2)) {
    Trace other = trace;
    other.geometry.blocks = blocks;
    add_geometry(traces, std::move(other));
  }
  return traces;
}

Trace renamed(const Trace& trace, bool values, bool mms, bool holders) {
  Renaming value_names(1), mm_names(1), holder_names(0), inode_names(0);
  return with_args(trace, [&]<class T>(T& arg) {
    if constexpr (std::is_same_v<T, Value>) {
      if (values) arg.number = value_names(arg.number);
    } else if constexpr (std::is_same_v<T, MmId>) {
      if (mms) arg.id = mm_names(arg.id);
    } else if constexpr (std::is_same_v<T, HolderId>) {
      if (holders) arg.id = holder_names(arg.id);
    } else if constexpr (std::is_same_v<T, InodeId>) {
      if (holders) arg.id = inode_names(arg.id);
    }
  });
}

template <class Size>
static std::vector<Size> simpler_size(Size size) {
  if (size.pages == 0) return {};
  std::vector<Size> all{{0}};
  for (const int n : {1, size.pages / 2, size.pages - 1})
    if (n > all.back().pages && n < size.pages) all.push_back({n});
  return all;
}
std::vector<NewSize> simpler(const Geometry&, NewSize size) { return simpler_size(size); }
std::vector<FileSize> simpler(const Geometry&, FileSize size) { return simpler_size(size); }

template <class Name>
static std::vector<Name> simpler_name(Name name) {
  std::vector<Name> all;
  for (int id = 0; id < name.id; ++id) all.push_back({id});
  return all;
}
std::vector<MmId> simpler(const Geometry&, MmId mm) { return simpler_name(mm); }
std::vector<HolderId> simpler(const Geometry&, HolderId holder) { return simpler_name(holder); }
std::vector<InodeId> simpler(const Geometry&, InodeId inode) { return simpler_name(inode); }

// 0, which no generator draws, counts as the least simple.
std::vector<Value> simpler(const Geometry&, Value value) {
  if (value.number == 0) return {{1}};
  std::vector<Value> all;
  for (const int n : {1, 2, 3, value.number - 1})
    if (n >= 1 && n < value.number && (all.empty() || n > all.back().number)) all.push_back({n});
  return all;
}

template <class Page>
static std::vector<Page> simpler_page(const Geometry& geometry, Page page) {
  const int within = page.number % geometry.hpage_nr();
  std::vector<Page> all;
  for (const int n : {0, within, page.number / 2, page.number - within, page.number - 1})
    if (n < page.number && n >= 0) all.push_back({n});
  return all;
}

std::vector<PageNr> simpler(const Geometry& g, PageNr page) { return simpler_page(g, page); }
std::vector<Offset> simpler(const Geometry& g, Offset offset) { return simpler_page(g, offset); }

std::vector<PageRange> simpler(const Geometry& geometry, PageRange range) {
  const auto [first, end] = range;
  const int size = range.size(), middle = first + size / 2;
  std::vector<PageRange> all;
  const auto add = [&](int from, int to) {
    const bool shorter = to - from < size || (to - from == size && from < first);
    if (from >= 0 && from < to && shorter) all.push_back({from, to});
  };
  add(first, first + 1);
  add(end - 1, end);
  add(first, middle);
  add(middle, end);
  add(first, end - 1);
  add(first + 1, end);
  const int within = first % geometry.hpage_nr();
  for (const int from : {0, within, first / 2, first - within, first - 1}) add(from, from + size);
  return all;
}

}  // namespace thp
