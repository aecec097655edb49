// Ops and traces from any source of choices, and the whole alphabet in order. Arguments are drawn
// mostly from what exists in a machine, sometimes from anywhere; never filtered by legality.
#pragma once
#include <algorithm>
#include <array>
#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "model/ops.h"
#include "model/trace/text.h"
#include "model/trace/trace.h"

namespace thp {

// choose(n) answers a number in [0, n), n >= 1: from bytes, a PRNG, an odometer; 0 is the simplest
// choice. Refers to the callable it is made from; that one has to outlive it.
class Choose {
 public:
  template <class Source>
    requires(!std::same_as<std::remove_cv_t<Source>, Choose> && std::invocable<Source&, int>)
  Choose(Source& source)
      : source_(const_cast<void*>(static_cast<const void*>(std::addressof(source)))),
        call_([](void* s, int n) { return int((*static_cast<Source*>(s))(n)); }) {}
  int operator()(int n) { return call_(source_, n); }

 private:
  void* source_;
  int (*call_)(void*, int);
};

// --- Kinds of op.

int op_kind(std::string_view name);  // the index in Op of the op of that name, or -1
std::string_view op_name(int kind);

// Which kinds of op, and how often each. Swarm testing draws one for each trace.
struct OpMask {
  std::array<std::uint8_t, kOpKinds> weights = all();
  static constexpr std::array<std::uint8_t, kOpKinds> all() {
    std::array<std::uint8_t, kOpKinds> ones{};
    ones.fill(1);
    return ones;
  }
  bool has(int kind) const { return weights[std::size_t(kind)] != 0; }
  bool operator==(const OpMask&) const = default;
};

// --- Random ops and traces.

// An op of a kind that `mask` has (of any kind, if it has none). `before` are the ops before it:
// pages and ranges of the last few are drawn again.
Op generate_op(Choose choose, const Machine& m, const OpMask& mask,
               std::span<const Op> before = {});

Geometry generate_geometry(Choose choose);                 // small ones mostly; orders 1 to 4
OpMask generate_swarm(Choose choose, const OpMask& from);  // about half of the kinds of `from`

// A trace that grows, and the machine after it.
struct Growing {
  Trace trace;
  Machine machine;

  explicit Growing(const Geometry& geometry)
      : trace{Kernel::v6_1, geometry, {}}, machine(geometry) {}
  void add(const Op& op) {
    step(machine, op);
    trace.ops.push_back(op);
  }
  template <class T>
  void add_if(const OpMask& mask, const T& op) {
    if (mask.has(kKindOf<T>)) add(op);
  }
};

struct TraceShape {
  std::optional<Geometry> geometry;  // else drawn
  OpMask mask;                       // swarms are drawn from it
  int max_ops = 48;                  // without those that set up memory to begin with
};
// Steps a machine as it goes. At most so many ops set up memory: to map it, fill it, move it, give
// it away, swap it out, look, and fork and exit.
inline constexpr int kMaxSetupOps = 2 + 15 + 15 + 9 + 24 + 1 + 25 + 2 * 13 + 1;
Trace generate_trace(Choose choose, const TraceShape& shape = {});

// --- The alphabet as a finite list.

// The domain of an argument type: nth_arg(g, i) for i < arg_count(g), the simplest first.
template <class Arg>
int arg_count(const Geometry& geometry) {
  if constexpr (Named<Arg>)
    return int(names_of(Arg{}).size());
  else
    return Arg::count(geometry);
}
template <class Arg>
Arg nth_arg(const Geometry& geometry, int i) {
  if constexpr (Named<Arg>)
    return Arg(i);
  else
    return Arg::nth(geometry, i);
}
bool in_geometry(const Op& op, const Geometry& geometry);  // does every argument lie within?

// Bounds where domains are large without being interesting.
struct Alphabet {
  OpMask mask;
  int values = 1, holders = 2, sizes = 1;

  template <class Arg>
  int count(const Geometry& geometry) const {
    const int all = arg_count<Arg>(geometry);
    if constexpr (std::is_same_v<Arg, Value>)
      return std::min(all, values);
    else if constexpr (std::is_same_v<Arg, HolderId>)
      return std::min(all, holders);
    else if constexpr (std::is_same_v<Arg, NewSize>)
      return std::min(all, sizes);
    else
      return all;
  }
};

// Sets the arguments of `op` from the I-th on to all their values, the last the fastest.
template <std::size_t I, class T, class Visit>
void for_each_args(T& op, const Geometry& geometry, const Alphabet& alphabet, Visit& visit) {
  if constexpr (I == std::tuple_size_v<std::remove_cvref_t<decltype(T::args)>>) {
    visit(Op(op));
  } else {
    auto& arg = op.*std::get<I>(T::args);
    using Arg = std::remove_cvref_t<decltype(arg)>;
    const int count = alphabet.count<Arg>(geometry);
    for (int i = 0; i < count; ++i) {
      arg = nth_arg<Arg>(geometry, i);
      for_each_args<I + 1>(op, geometry, alphabet, visit);
    }
  }
}

// Visits every op of the alphabet, kind by kind, always in the same order.
template <class Visit>
void for_each_op(const Geometry& geometry, Visit&& visit, const Alphabet& alphabet = {}) {
  int kind = 0;
  for_each_op_type([&]<class T>() {
    T op;
    const bool exists = geometry.inodes > 0 || !kIsOfFiles<T>;
    if (alphabet.mask.has(kind++) && exists) for_each_args<0>(op, geometry, alphabet, visit);
  });
}

}  // namespace thp
