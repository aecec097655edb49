// The divergence page: the trace with the op marked, and the two sides beside each other.
#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "oracle/live/examine.h"
#include "oracle/live/rename.h"

namespace thp::live {
namespace {

constexpr std::size_t kMostLines = 60, kMostFacts = 8;

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  for (const auto line : std::views::split(text, '\n'))
    if (!line.empty()) lines.emplace_back(line.begin(), line.end());
  return lines;
}

struct Row {
  std::string model, kernel;
  bool same = false;
};

// length[i][j]: of the longest common subsequence of what is left from i and j on.
std::vector<std::vector<int>> common_lengths(const Lines& a, const Lines& b) {
  std::vector length(a.size() + 1, std::vector<int>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;)
    for (std::size_t j = b.size(); j-- > 0;)
      length[i][j] =
          a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
  return length;
}

// What stands only on one side is put beside what stands only on the other.
void flush(Lines& left, Lines& right, std::vector<Row>& rows) {
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i)
    rows.push_back({i < left.size() ? left[i] : "", i < right.size() ? right[i] : "", false});
  left.clear();
  right.clear();
}

std::vector<Row> side_by_side(const Lines& a, const Lines& b) {
  const auto length = common_lengths(a, b);
  std::vector<Row> rows;
  Lines left, right;
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      flush(left, right, rows);
      rows.push_back({a[i++], b[j++], true});
    } else if (j == b.size() || (i < a.size() && length[i + 1][j] >= length[i][j + 1])) {
      left.push_back(a[i++]);
    } else {
      right.push_back(b[j++]);
    }
  }
  flush(left, right, rows);
  return rows;
}

// Differing rows, and one row around them.
std::vector<Row> interesting(const std::vector<Row>& rows) {
  std::vector<Row> some;
  for (std::size_t i = 0; i < rows.size() && some.size() < kMostLines; ++i)
    if (!rows[i].same || (i > 0 && !rows[i - 1].same) || (i + 1 < rows.size() && !rows[i + 1].same))
      some.push_back(rows[i]);
  return some;
}

void append_columns(std::string& page, const Divergence& divergence) {
  const std::vector<Row> rows = interesting(
      side_by_side(lines_of(text(divergence.model)), lines_of(text(divergence.kernel))));
  std::size_t width = 5;
  for (const Row& row : rows) width = std::max(width, row.model.size());
  page += fmt::format("  {:<{}} | {}\n", "model", width, "kernel");
  for (const Row& row : rows)
    page += fmt::format("{} {:<{}} | {}\n", row.same ? ' ' : '*', row.model, width, row.kernel);
}

void append_trace(std::string& page, const Trace& trace, const Divergence& divergence) {
  page += fmt::format("geometry {}\n", print(trace.geometry));
  for (std::size_t i = 0; i < trace.ops.size(); ++i)
    page +=
        fmt::format("{}{:>5}  {}\n", i == divergence.op ? '>' : ' ', i + 1, print(trace.ops[i]));
}

}  // namespace

std::string divergence_page(const Trace& trace, const Divergence& divergence,
                            std::string_view command) {
  std::string page = fmt::format("model and kernel differ after op {}, {}\n", divergence.op + 1,
                                 print(trace.ops[divergence.op]));
  for (const Difference& d : divergence.facts | std::views::take(kMostFacts))
    page += fmt::format("  {}{}{}: model {}, kernel {}\n", d.fact, d.where.empty() ? "" : " of ",
                        d.where, d.model, d.kernel);
  if (divergence.facts.size() > kMostFacts)
    page += fmt::format("  and {} facts more\n", divergence.facts.size() - kMostFacts);
  page += '\n';
  append_trace(page, trace, divergence);
  page += '\n';
  append_columns(page, divergence);
  page += fmt::format("\nreproduce: {}\n", command);
  return page;
}

}  // namespace thp::live
