// `thp sometimes`: the states and steps to be reached, and the first of the traces that does.
#include <fmt/format.h>

#include "fuzz/thp.h"
#include "oracle/judge.h"
#include "oracle/sometimes/sometimes.h"

namespace thp {

int run_sometimes(const Files& files, Form form) {
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
  Table table{.columns = {"sometimes", "means", "reached by"}, .rows = {}};
  for (std::size_t i = 0; i < rows.size(); ++i)
    table.rows.push_back({std::string(rows[i].name), std::string(rows[i].sentence),
                          first[i].empty() && form != Form::json ? "-" : std::string(first[i])});
  fmt::print("{}", text(table, form));
  if (form != Form::json) fmt::print("{}/{}\n", reached.count(), rows.size());
  return status;
}

}  // namespace thp
