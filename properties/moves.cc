// A fold over the alphabet and its argument types.
#include "properties/moves.h"

#include <algorithm>

#include "model/trace/text.h"

namespace thp {
namespace {

struct Bounds {
  const Geometry& geometry;
  int holders;
};

template <class Arg>
int count_of(const Bounds& b) {
  if constexpr (Named<Arg>)
    return int(names_of(Arg{}).size());
  else if constexpr (std::is_same_v<Arg, HolderId>)
    return b.holders;
  else if constexpr (std::is_same_v<Arg, Value>)
    return 1;
  else
    return Arg::count(b.geometry);
}

template <class Arg>
Arg nth_of(const Bounds& b, int i) {
  if constexpr (Named<Arg>)
    return Arg(i);
  else
    return Arg::nth(b.geometry, i);
}

// All choices of the arguments from the I-th on.
template <std::size_t I, class T>
void add_moves(const Bounds& b, T& op, std::vector<Op>& moves) {
  if constexpr (I == std::tuple_size_v<std::remove_cvref_t<decltype(T::args)>>) {
    moves.push_back(op);
  } else {
    auto& arg = op.*std::get<I>(T::args);
    using Arg = std::remove_cvref_t<decltype(arg)>;
    for (int i = 0; i < count_of<Arg>(b); ++i) {
      arg = nth_of<Arg>(b, i);
      add_moves<I + 1>(b, op, moves);
    }
  }
}

}  // namespace

std::expected<OpSet, std::string> parse_op_set(std::string_view text) {
  OpSet ops;
  if (text.empty() || text[0] == '-') ops.set();
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    const bool without = name.starts_with('-');
    const int kind = op_kind(name.substr(without));
    if (kind < 0) return std::unexpected(quoted(name) + " is no op");
    ops.set(std::size_t(kind), !without);
  }
  return ops;
}

std::vector<Op> all_moves(const Geometry& geometry, const OpSet& kinds, int holders) {
  const Bounds bounds{geometry, holders};
  std::vector<Op> moves;
  for_each_op_type([&]<class T>() {
    if (!kinds[std::size_t(kKindOf<T>)] || (kIsOfFiles<T> && geometry.inodes == 0)) return;
    T op;
    add_moves<0>(bounds, op, moves);
  });
  return moves;
}

int fresh_value(const Machine& m) {
  std::bitset<256> used(1);  // 0 is what a fresh page holds
  for (int pfn = 0; pfn < m.frames(); ++pfn) used.set(m.page(Pfn(pfn)).content);
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) used.set(m.swap(Slot(slot)).content);
  int value = 1;
  while (value < Value::kMax && used[std::size_t(value)]) ++value;
  return value;
}

int answer_but_for_names(const Op& op, int result) {
  return is_op<Load, LoadViaPin>(op) ? std::min(result, 1) : result;
}

Op with_value(const Op& op, int value) {
  Op changed = op;
  const auto change = [&]<class Arg>(Arg& arg) {
    if constexpr (std::is_same_v<Arg, Value>) arg.number = value;
  };
  visit_op([&](auto& o) { visit_args(o, change); }, changed);
  return changed;
}

}  // namespace thp
