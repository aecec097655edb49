// What flat memory says where something is not as the calls left it.
#pragma once
#include <optional>

#include "oracle/rule.h"

namespace thp {

// What an application or a device would notice. Numbers that say nothing are -1.
struct Mismatch {
  const Rule* rule;  // that is broken
  int mm = -1, page = -1, holder = -1;
  int expected = -1, seen = -1;
  int inode = -1;  // of a file; its page, if it is about one
};
using Verdict = std::optional<Mismatch>;

}  // namespace thp
