// How much is done at once.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <thread>

namespace thp {

// THP_JOBS, as in ci/README.md, or a thread a core.
inline int jobs() {
  const char* given = std::getenv("THP_JOBS");
  const int number = given == nullptr ? 0 : std::atoi(given);
  return number > 0 ? number : int(std::max(std::thread::hardware_concurrency(), 1u));
}

}  // namespace thp
