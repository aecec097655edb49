// The edits and how often each is made.
#include "fuzz/trace_mutator.h"

#include <algorithm>
#include <array>
#include <string>

#include "properties/simpler.h"

namespace thp {
namespace {

using Ops = std::vector<Op>;

constexpr int kMaxBurst = 4;

std::size_t choose_index(Choose choose, std::size_t n) { return std::size_t(choose(int(n))); }

Ops::iterator choose_place(Ops& ops, Choose choose) {
  return ops.begin() + choose(int(ops.size()) + 1);
}

// The machine after the first `n` ops.
Machine machine_at(const Trace& trace, std::size_t n) {
  Machine m(trace.geometry);
  for (std::size_t i = 0; i < n; ++i) step(m, trace.ops[i]);
  return m;
}

OpMask only(std::size_t kind) {
  OpMask mask;
  mask.weights.fill(0);
  mask.weights[kind] = 1;
  return mask;
}

// --- Edits. Those that need an op are only called on traces that have one.

void insert_ops(Trace& trace, Choose choose) {
  // One time in two at the end, where a trace grows into states not seen yet.
  const std::size_t size = trace.ops.size();
  std::size_t at = choose(2) == 0 ? size : choose_index(choose, size + 1);
  Machine m = machine_at(trace, at);
  const OpMask mask = choose(4) == 0 ? generate_swarm(choose, {}) : OpMask{};
  for (int n = 1 + choose(kMaxBurst); n > 0; --n, ++at) {
    const Op op = generate_op(choose, m, mask, std::span(trace.ops).first(at));
    step(m, op);
    trace.ops.insert(trace.ops.begin() + std::ptrdiff_t(at), op);
  }
}

void replace_op(Trace& trace, Choose choose) {
  const std::size_t at = choose_index(choose, trace.ops.size());
  trace.ops[at] =
      generate_op(choose, machine_at(trace, at), OpMask{}, std::span(trace.ops).first(at));
}

void erase_ops(Trace& trace, Choose choose) {
  const std::size_t begin = choose_index(choose, trace.ops.size());
  const std::size_t most = std::min<std::size_t>(trace.ops.size() - begin, kMaxBurst);
  trace = without_ops(trace, begin, begin + 1 + choose_index(choose, most));
}

void swap_ops(Trace& trace, Choose choose) {
  const std::size_t size = trace.ops.size(), at = choose_index(choose, size);
  const std::size_t other = choose(2) == 0 ? (at + 1) % size : choose_index(choose, size);
  std::swap(trace.ops[at], trace.ops[other]);
}

void duplicate_ops(Trace& trace, Choose choose) {
  const std::size_t begin = choose_index(choose, trace.ops.size());
  const std::size_t most = std::min<std::size_t>(trace.ops.size() - begin, kMaxBurst);
  const auto first = trace.ops.begin() + std::ptrdiff_t(begin);
  const Ops copied(first, first + 1 + choose(int(most)));
  trace.ops.insert(choose_place(trace.ops, choose), copied.begin(), copied.end());
}

// One page further or one page less, where that is still in the address space.
template <class Arg>
void nudge(Arg& arg, const Geometry& geometry, Choose choose) {
  const int by = choose(2) == 0 ? 1 : -1;
  Arg other = arg;
  if constexpr (std::is_same_v<Arg, PageNr>)
    other.number += by;
  else if constexpr (std::is_same_v<Arg, PageRange>)
    (choose(2) == 0 ? other.first : other.end) += by;
  else
    other = nth_arg<Arg>(geometry, choose(arg_count<Arg>(geometry)));
  if constexpr (requires { other.in(geometry); })
    if (!other.in(geometry)) return;
  arg = other;
}

// One argument becomes that of an op drawn afresh, or its neighbour.
template <class T>
void change_argument_of(T& op, const T& fresh, const Geometry& geometry, Choose choose) {
  constexpr int kArgs = int(std::tuple_size_v<std::remove_cvref_t<decltype(T::args)>>);
  if constexpr (kArgs > 0) {
    int skip = choose(kArgs);
    const bool to_fresh = choose(2) == 0;
    std::apply(
        [&](auto... arg) {
          const auto change = [&](auto member) {
            if (skip-- != 0) return;
            if (to_fresh)
              op.*member = fresh.*member;
            else
              nudge(op.*member, geometry, choose);
          };
          (change(arg), ...);
        },
        T::args);
  }
}

void change_argument(Trace& trace, Choose choose) {
  const std::size_t at = choose_index(choose, trace.ops.size());
  Op& op = trace.ops[at];
  const Op fresh =
      generate_op(choose, machine_at(trace, at), only(op.index()), std::span(trace.ops).first(at));
  visit_op(
      [&]<class T>(T& o) {  // another kind, where the geometry has none of this one
        if (const T* drawn = std::get_if<T>(&fresh))
          change_argument_of(o, *drawn, trace.geometry, choose);
      },
      op);
}

void change_geometry(Trace& trace, Choose choose) {
  Geometry geometry = trace.geometry;
  const Geometry drawn = generate_geometry(choose);
  switch (choose(6)) {
    case 0:
      geometry.order = drawn.order;
      break;
    case 1:
      geometry.pmds = drawn.pmds;
      break;
    case 2:
      geometry.mms = drawn.mms;
      break;
    case 3:
      geometry.swap = drawn.swap;
      break;
    case 4:
      geometry.inodes = drawn.inodes;
      break;
    default:
      geometry.blocks = drawn.blocks;
  }
  trace = moved_to(trace, geometry);
}

// --- How often each.

struct Edit {
  void (*edit)(Trace& trace, Choose choose);
  int weight;
  bool needs_ops;
};
constexpr Edit kEdits[] = {
    {insert_ops, 8, false},      {replace_op, 3, true},    {erase_ops, 4, true},
    {swap_ops, 2, true},         {duplicate_ops, 2, true}, {change_argument, 6, true},
    {change_geometry, 1, false},
};

void edit_once(Trace& trace, Choose choose) {
  int total = 0;
  for (const Edit& edit : kEdits) total += edit.weight;
  int left = choose(total);
  const Edit* edit = kEdits;
  while (left >= edit->weight) left -= edit++->weight;
  if (edit->needs_ops && trace.ops.empty()) edit = kEdits;
  edit->edit(trace, choose);
}

}  // namespace

Trace mutate(const Trace& trace, Choose choose) {
  // Measured on mutants of the model: they are found after a third of the executions that they take
  // where all inputs but one in 64 are edited ones, and the features after 40 s are no fewer.
  if (choose(2) == 0) return generate_trace(choose);
  Trace mutated = trace;
  do edit_once(mutated, choose);
  while (choose(2) == 0);
  if (mutated.ops.size() > kMaxTraceOps) mutated.ops.resize(kMaxTraceOps);
  return mutated;
}

Trace splice(const Trace& a, const Trace& b, Choose choose) {
  const Trace other = moved_to(b, a.geometry);
  const std::size_t begin = choose_index(choose, other.ops.size() + 1);
  const std::size_t end = begin + choose_index(choose, other.ops.size() - begin + 1);
  Trace spliced = a;
  spliced.ops.resize(choose_index(choose, a.ops.size() + 1));
  const std::size_t resumed = choose(2) == 0 ? a.ops.size() : spliced.ops.size();
  spliced.ops.insert(spliced.ops.end(), other.ops.begin() + std::ptrdiff_t(begin),
                     other.ops.begin() + std::ptrdiff_t(end));
  spliced.ops.insert(spliced.ops.end(), a.ops.begin() + std::ptrdiff_t(resumed), a.ops.end());
  if (spliced.ops.size() > kMaxTraceOps) spliced.ops.resize(kMaxTraceOps);
  return spliced;
}

std::size_t print_within(const Trace& trace, std::span<std::uint8_t> room) {
  const std::string text = print(trace);
  const std::size_t header = print(Trace{trace.kernel, trace.geometry, {}}).size();
  if (header > room.size()) return 0;
  // An op is a line: a cut behind a newline leaves a trace.
  const std::size_t size =
      text.size() <= room.size() ? text.size() : text.rfind('\n', room.size() - 1) + 1;
  std::copy_n(text.begin(), size, room.begin());
  return size;
}

}  // namespace thp

// --- What libFuzzer calls.

static auto parse(const std::uint8_t* data, std::size_t size) {
  return thp::parse_trace({reinterpret_cast<const char*>(data), size});
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  thp::SeededChoices choose(seed);
  const auto file = parse(data, size);
  const thp::Trace trace = file ? thp::mutate(file->trace, choose) : thp::generate_trace(choose);
  return thp::print_within(trace, {data, max_size});
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size,
                                                 std::uint8_t* out, std::size_t max_size,
                                                 unsigned seed) {
  thp::SeededChoices choose(seed);
  const auto one = parse(a, a_size), other = parse(b, b_size);
  if (!one || !other) return 0;
  return thp::print_within(thp::splice(one->trace, other->trace, choose), {out, max_size});
}
