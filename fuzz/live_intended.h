// Changes of the model that are meant (corpus/intended/NAME.txt): where it shall not do what a
// kernel of the release before the change did. A line is RECORD OP COMMIT FACT: in that record the
// first difference comes after op OP (from 1), in a line that begins with FACT, as upstream has it
// since COMMIT. What comes behind that op is not compared.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/live_golden.h"
#include "fuzz/thp.h"

namespace thp::live {

struct Intended {
  std::string place;  // FILE:LINE
  std::string record, commit, fact;
  std::size_t op = 0;
  bool met = false;  // some record differs so
};

// All lines of these files; or FILE:LINE: what is wrong there.
std::expected<std::vector<Intended>, std::string> read_intended(const Files& files);

// Is the difference of this record (a path) the one that is meant? Notes that it was met.
bool is_intended(std::vector<Intended>& all, const std::string& record,
                 const RecordDifference& difference);

}  // namespace thp::live
