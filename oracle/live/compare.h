// The comparison: facts of the model and of the kernel, one by one, and what differs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "oracle/live/observation.h"

namespace thp::live {

// One fact on which the two sides disagree.
struct Difference {
  std::string fact;           // what kind of fact: "entry.write"; its identity when shrinking
  std::string where;          // "PTE A 3", "frame #512"; empty of what there is one of only
  std::string model, kernel;  // what each says
};

struct Differences {
  std::vector<Difference> all;  // the most telling first; at most kMostDifferences
  std::uint64_t facts = 0;      // compared
};
inline constexpr std::size_t kMostDifferences = 100;

// Both comparable(). What either has not seen is not compared; contents only of frames that the
// kernel's side has read.
Differences compare(const Observation& model, const Observation& kernel);

}  // namespace thp::live
