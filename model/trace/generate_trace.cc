// Whole traces: a small geometry, a swarm of op kinds, memory set up to begin with, then ops.
#include <algorithm>
#include <utility>

#include "model/trace/generate.h"
#include "model/trace/generate_set_up.h"

namespace thp {

// A device that is full soon, but for some: of a page or a few, or of about a huge page or two.
static int generate_swap(Choose choose, int nr) {
  const int size = choose(4);
  if (size == 3) return 1 + choose(3);
  return size == 2 ? nr + choose(nr + 1) : choose(4 * nr + 1);
}

Geometry generate_geometry(Choose choose) {
  // One with room for more VMAs than are allowed.
  if (choose(32) == 31) return {.order = 4, .pmds = 3, .mms = 1 + choose(3)};
  constexpr int kOrders[] = {1, 2, 2, 2, 2, 1, 2, 3};
  constexpr int kPmds[] = {1, 2, 1, 2, 1, 2, 3, 3};
  constexpr int kMms[] = {1, 2, 2, 3, 2, 2, 2, 3};
  Geometry g;
  g.order = kOrders[choose(8)];
  g.pmds = kPmds[choose(8)];
  g.mms = kMms[choose(8)];
  if (choose(4) == 3) g.swap = generate_swap(choose, 1 << g.order);
  if (choose(4) == 3) g.blocks = 2 + choose(4 * g.pmds * g.mms);
  if (choose(4) == 3) g.inodes = 1 + choose(2);
  return g;
}

OpMask generate_swarm(Choose choose, const OpMask& from) {
  constexpr int kTimes[] = {1, 0, 2, 0}, kMoreTimes[] = {2, 0, 4, 6};
  OpMask swarm;
  bool any = false;
  for (int kind = 0; kind < kOpKinds; ++kind) {
    const bool more = kind == kKindOf<Store> || kind == kKindOf<Fork>;
    const int times = (more ? kMoreTimes : kTimes)[choose(4)];
    const int weight = from.weights[std::size_t(kind)] * times;
    swarm.weights[std::size_t(kind)] = std::uint8_t(std::min(255, weight));
    any = any || weight != 0;
  }
  return any ? swarm : from;
}

Trace generate_trace(Choose choose, const TraceShape& shape) {
  const Geometry geometry = shape.geometry ? *shape.geometry : generate_geometry(choose);
  Growing g(geometry);
  const OpMask swarm = generate_swarm(choose, shape.mask);
  set_up(choose, shape.mask, g);
  for (int ops = choose(shape.max_ops + 1); ops > 0; --ops)
    g.add(generate_op(choose, g.machine, swarm, g.trace.ops));
  return std::move(g.trace);
}

}  // namespace thp
