// Address spaces, holders and files have names that mean nothing: which of them comes first?
#pragma once
#include <array>
#include <cstdint>
#include <numeric>

#include "model/ops.h"

namespace thp {

// The first, the second, ... of them.
struct Order {
  Order() {
    std::iota(mms.begin(), mms.end(), std::uint8_t{0});
    std::iota(holders.begin(), holders.end(), std::uint8_t{0});
    std::iota(inodes.begin(), inodes.end(), std::uint8_t{0});
  }
  std::array<std::uint8_t, Geometry::kMaxMms> mms;
  std::array<std::uint8_t, kMaxHolders> holders;
  std::array<std::uint8_t, Geometry::kMaxInodes> inodes;
};

// All orders that sort these by what can be told of them without any name. Of
// two states that differ in names only, each order of the one is matched by one of the other. (More
// than three holders that are alike are not tried in every order: such states may not be matched.)
class Orders {
 public:
  explicit Orders(const Machine& m);
  const Order& operator*() const { return order_; }
  bool next();  // false: these were all

 private:
  static constexpr int kMaxAlike = 3;
  Order order_;
  // Of each place: where those begin that are alike with the one there.
  std::array<std::uint8_t, Geometry::kMaxMms> mms_alike_{};
  std::array<std::uint8_t, kMaxHolders> holders_alike_{};
  std::array<std::uint8_t, Geometry::kMaxInodes> inodes_alike_{};
};

// The same state, these renamed: what was order.mms[i] is called i.
Machine renamed(const Machine& m, const Order& order);
Op renamed(const Op& op, const Order& order);

}  // namespace thp
