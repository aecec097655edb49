// The least that a unit test needs: check() says where it failed; it returns failures().
#pragma once
#include <cstdio>
#include <source_location>
#include <string_view>

namespace thp {

inline int failures(int more = 0) {
  static int count = 0;
  return count += more;
}

inline void check(bool holds, std::string_view what,
                  std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: %.*s\n", where.file_name(), where.line(), int(what.size()),
               what.data());
  failures(1);
}

}  // namespace thp
