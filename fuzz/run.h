// How `thp` and `thp_live` end: a verdict that could not be written is none.
#pragma once
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>

#include "fuzz/thp.h"

namespace thp {

using Run = std::function<int()>;

inline int run_and_flush(const char* program, const Run& run) {
  try {
    const int status = run();
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    std::fprintf(stderr, "%s: standard output: %s\n", program, std::strerror(errno));
  } catch (const std::exception& error) {  // of fmt::print(), too
    std::fflush(stdout);
    std::fprintf(stderr, "%s: %s\n", program, error.what());
  }
  return kNotRun;
}

}  // namespace thp
