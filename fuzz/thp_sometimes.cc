// `thp sometimes`: the states and steps to be reached, and the first of the traces that does.
#include <fmt/format.h>

#include "fuzz/thp.h"
#include "oracle/judge.h"
#include "oracle/sometimes/sometimes.h"

namespace thp {

int run_sometimes(const Files& files) {
  const std::span<const Sometimes> rows = sometimes();
  std::vector<std::string_view> first(rows.size());
  Judge judge({}, Judge::Mode::incremental);
  Reached reached;
  int status = kHolds;
  for (const std::string& name : files) {
    const auto file = read_trace(name);
    if (!file) {
      status = tell_error(file.error());
      continue;
    }
    reached.add(file->trace, judge);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (reached.has(i) && first[i].empty()) first[i] = name;
  }
  fmt::print("| sometimes | means | reached by |\n|---|---|---|\n");
  for (std::size_t i = 0; i < rows.size(); ++i)
    fmt::print("| `{}` | {} | {} |\n", rows[i].name, rows[i].sentence,
               first[i].empty() ? "-" : first[i]);
  fmt::print("{}/{}\n", reached.count(), rows.size());
  return status;
}

}  // namespace thp
