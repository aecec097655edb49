// States up to names: frames, anon_vmas and contents are numbered by first appearance, in the order
// of address spaces, their VMAs and pages, then holders. Holders and address spaces come in an
// order that is asked for: of states that differ in their names too, one has an order in which it
// is as the other (orders.h). Monotone counters are left out. Which small pages share a block, and
// where free memory lies, is left out too: states that differ only in that behave alike while
// memory lasts.
#pragma once
#include <boost/container/vector.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "oracle/flat/flat_memory.h"
#include "properties/orders.h"

namespace thp {

// Numbers by first appearance, and the things in that order.
class Numbers {
 public:
  static constexpr std::uint16_t kNone = 0xffff;
  void reset(int count);
  std::uint16_t operator()(int thing);
  std::size_t size() const { return things_.size(); }
  int thing(std::size_t number) const { return things_[number]; }

 private:
  std::vector<std::uint16_t> numbers_;
  std::vector<int> things_;
};

// Writes canonical states; keeps its memory from one to the next.
class Canonical {
 public:
  // Equal for states of one geometry that differ in names only; swap slots are names too, holders
  // and address spaces are not. Valid until the next call.
  std::span<const std::uint32_t> of(const Machine& m);

  // The same with what the oracle knows; slots keep their numbers, and the device its place: from
  // equal states on, equal ops lead to equal states, as long as memory lasts.
  std::span<const std::uint32_t> of(const Machine& m, const FlatMemory& memory,
                                    const Order& order = {});

  // Equal for equal machines only.
  std::span<const std::uint32_t> exactly(const Machine& m);

 private:
  class Writer;
  void reset(const Machine& m);
  Numbers folios_, slots_, anon_vmas_, contents_;
  boost::container::vector<std::uint32_t> words_;
};

bool equal_but_for_names(const Machine& a, const Machine& b);

}  // namespace thp
