// Lifting and drawing live traces. A trace is out where the model would meet a bound of its own (a
// full memory, VMAs, anon_vmas) that no kernel has, or a defect of the kernel.
#include "properties/live_traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "model/trace/lift.h"
#include "oracle/live/live_ops.h"

namespace thp::live {
namespace {

// --- What can run.

// As much as there may be: the kernel's caches of slots (mm/swap_slots.c), which no model has, keep
// some from being free.
constexpr int kLiveSwap = Geometry::kMaxClusters << Geometry::kMaxOrder;

// Could any op fail for want of memory, VMAs or anon_vmas? A whole huge page for each PMD of an
// address space, and as much again, has to be free.
std::string_view bound_met(const Machine& m) {
  const auto free = [](std::uint16_t used) { return used == 0; };
  if (std::ranges::count_if(m.used_frames(), free) < 2 * m.geometry.pmds) return "memory";
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    if (int(m.vmas(mm).size()) + 8 > m.max_map_count()) return "VMAs";
  const auto used = [](const AnonVma& a) { return a.used != 0; };
  if (std::ranges::count_if(m.anon_vmas, used) > kMaxAnonVmas / 2) return "anon_vmas";
  return {};
}

std::string cannot(std::size_t op, const Trace& trace, std::string_view why) {
  return fmt::format("op {}, {}: {}", op + 1, op_name(int(trace.ops[op].index())), why);
}

// --- The nearest op that has a call.

// An op for which there is a call, in the place of one for which there is none; or none at all:
// any trace with ops taken out is a trace. The guest waits for writeback by itself.
std::optional<Op> nearest(const Op& op) {
  if (why_not_live(op).empty()) return op;
  if (const Pin* pin = std::get_if<Pin>(&op)) return Pin{pin->holder, pin->mm, pin->page};
  if (const auto* reclaim = std::get_if<Reclaim>(&op))
    return MadvisePageout{reclaim->mm, {reclaim->page.number, reclaim->page.number + 1}};
  if (const auto* migrate = std::get_if<MigrateBegin>(&op))
    return MovePages{migrate->mm, migrate->page};
  if (is_op<ShrinkDeferred, ShrinkHugeZero, ShrinkShmem>(op)) return DropCaches{};
  return {};
}

// With as much memory and swap as a model may have.
LiveTrace callable(const Trace& trace) {
  LiveTrace live{.trace = trace, .changes = {}, .ends = {}};
  live.trace.ops.clear();
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    const std::optional<Op> call = nearest(trace.ops[i]);
    if (call) live.trace.ops.push_back(*call);
    if (call != trace.ops[i]) live.changes.push_back({i, call});
  }
  live.trace = lifted(live.trace);
  live.trace.geometry.blocks = Geometry::kMaxBlocks;
  if (live.trace.geometry.swap != 0) live.trace.geometry.swap = kLiveSwap;
  return live;
}

// The first op that no kernel is to be asked for, and why.
struct End {
  std::size_t op;
  std::string why;
};
std::optional<End> end_of(const Trace& live) {
  Machine m(live.geometry);
  for (std::size_t i = 0; i < live.ops.size(); ++i) {
    step(m, live.ops[i]);
    if (m.defect == &kNotModelled) return End{i, cannot(i, live, "not in the model yet")};
    if (m.defect != nullptr) return End{i, cannot(i, live, "a defect of the kernel")};
    if (const std::string_view bound = bound_met(m); !bound.empty())
      return End{i, cannot(i, live, fmt::format("more {} than a model has", bound))};
  }
  return {};
}

// --- Pages where edges are.

class Edges {
 public:
  explicit Edges(const Machine& m) : pages_(m.pages()) {
    for (int i = 0; i <= m.geometry.pmds; ++i) {
      const int first = i << m.geometry.order;
      add(first);
      for (const int within : {1, m.hpage_nr() / 2, m.hpage_nr() - 1}) add(first + within);
    }
    for (int mm = 0; mm < m.geometry.mms; ++mm)
      if (m.mms[std::size_t(mm)].alive)
        for (const Vma& vma : m.vmas(mm))
          for (const int page : {int(vma.start), int(vma.end)}) add_around(page);
    for (const Inode& inode : m.inodes)
      if (inode.alive != 0)
        for (const int end : {int(inode.i_size), int(inode.fallocend)}) add_around(end);
    std::ranges::sort(edges_);
  }
  // The edge nearest to a page.
  int operator()(int page) const {
    const auto next = std::ranges::lower_bound(edges_, page);
    if (next == edges_.begin()) return *next;
    if (next == edges_.end() || page - *std::prev(next) <= *next - page) return *std::prev(next);
    return *next;
  }

 private:
  void add(int page) {
    if (page >= 0 && page <= pages_) edges_.push_back(page);
  }
  void add_around(int page) {
    for (const int near : {-1, 0, 1}) add(page + near);
  }
  int pages_;
  std::vector<int> edges_;
};

void snap(Choose choose, const Machine& m, Op& op) {
  if (choose(8) == 7) return;
  const Edges edges(m);
  const int last = m.pages() - 1;
  const auto change = [&]<class Arg>(Arg& arg) {
    if constexpr (std::is_same_v<Arg, PageNr>) {
      arg.number = std::min(edges(arg.number), last);
    } else if constexpr (std::is_same_v<Arg, PageRange>) {
      arg.first = std::min(edges(arg.first), last);
      arg.end = std::max(edges(arg.end), arg.first + 1);
    } else if constexpr (std::is_same_v<Arg, FileSize>) {
      arg.pages = edges(arg.pages);
    }
  };
  visit_op([&](auto& o) { visit_args(o, change); }, op);
}

// --- Whole traces.

OpMask callable_mask(OpMask mask) {
  for_each_op_type([&]<class T>() {
    if (!kWhyNotLive<T>.empty()) mask.weights[std::size_t(kKindOf<T>)] = 0;
  });
  return mask;
}

// Three of four with huge pages; it may be as long as an address space, and mapped.
void set_up_file(Choose choose, const OpMask& mask, Growing& g) {
  const int pages = g.machine.pages();
  const auto policy = choose(4) == 3 ? ShmemHuge(choose(6)) : ShmemHuge::always;
  if (choose(4) != 3) g.add_if(mask, ShmemEnabled{policy});
  g.add_if(mask, Creat{{0}});
  if (choose(2) == 1) g.add_if(mask, Truncate{{0}, {pages - choose(2)}});
  if (choose(2) == 1) g.add_if(mask, MmapFile{{0}, {0, pages}, {0}, {0}, Sharing(choose(2))});
}

void set_up(Choose choose, const OpMask& mask, Growing& g) {
  const Geometry& geometry = g.trace.geometry;
  if (choose(8) == 7) return;
  g.add_if(mask, Mmap{{0}, {0, geometry.pages()}});
  if (choose(2) == 1) g.add_if(mask, Swapon{});
  const int huge = choose(geometry.pmds + 1);
  for (int pmd = 0; pmd < huge; ++pmd)
    g.add_if(mask, Store{{0}, {pmd << geometry.order}, {pmd + 1}});
  if (choose(4) == 3) g.add_if(mask, Fork{{0}, {1}});
  if (geometry.inodes > 0) set_up_file(choose, mask, g);
}

Trace draw_trace(Choose choose, const LiveShape& shape) {
  Geometry geometry{.order = Geometry::kMaxOrder, .pmds = 2 + choose(2), .mms = 2 + choose(2)};
  geometry.blocks = Geometry::kMaxBlocks;
  geometry.swap = kLiveSwap;
  const bool ops_are_named = shape.mask != OpMask{};  // maybe those on files alone
  if (ops_are_named || choose(4) != 0) geometry.inodes = 1 + choose(2);
  Growing g(geometry);
  const OpMask mask = callable_mask(shape.mask), swarm = generate_swarm(choose, mask);
  set_up(choose, mask, g);
  while (int(g.trace.ops.size()) < shape.max_ops) {
    Op op = generate_op(choose, g.machine, swarm, g.trace.ops);
    snap(choose, g.machine, op);
    if (why_not_live(op).empty()) g.add(op);
  }
  return std::move(g.trace);
}

}  // namespace

std::vector<std::string> replaced_for_kernel(const Trace& trace) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    const Op& op = trace.ops[i];
    if (why_not_live(op).empty()) continue;
    const std::optional<Op> call = nearest(op);
    lines.push_back(
        fmt::format("op {}, {}: {}", i + 1, print(op), call ? print(*call) : "nothing"));
  }
  return lines;
}

std::expected<Trace, std::string> for_kernel(const Trace& trace) {
  Trace live = callable(trace).trace;
  if (const auto end = end_of(live)) return std::unexpected(end->why);
  return live;
}

LiveTrace as_far_as_a_kernel_can(const Trace& trace) {
  LiveTrace live = callable(trace);
  const auto end = end_of(live.trace);
  if (!end) return live;
  live.ends = end->why;
  live.trace.ops.resize(end->op);
  return live;
}

Trace random_trace(Choose choose, const LiveShape& shape) {
  for (;;)
    if (auto trace = for_kernel(draw_trace(choose, shape))) return *std::move(trace);
}

Trace random_trace(std::uint64_t seed, const LiveShape& shape) {
  std::mt19937_64 random(seed);
  const auto draw = [&random](int n) { return int(random() % unsigned(n)); };
  return random_trace(Choose(draw), shape);
}

}  // namespace thp::live
