// The layout of a report.
#include "oracle/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "oracle/report/describe.h"
#include "oracle/rules/rules.h"

namespace thp {
namespace {

constexpr std::size_t kMaxOpColumns = 40;

// Pictures of a trace, op by op.
struct Row {
  std::string op;
  std::vector<Picture> pictures;
  int result = 0;
};

// The entries that the violation names, after its op; or, where it has unmapped them, before.
std::vector<Place> named_entries(const Trace& trace, const Violation& violation) {
  Machine m(trace.geometry);
  std::vector<Place> places;
  for (std::size_t i = 0; i <= violation.op && i < trace.ops.size(); ++i) {
    step(m, trace.ops[i]);
    if (i + 1 < violation.op) continue;
    if (auto found = entries_at(m, violation.where); !found.empty()) places = std::move(found);
  }
  return places;
}

// Below each of these pages its marks, if it ever has any.
void append_marks(std::vector<Row>& rows, const Trace& trace, const std::vector<Place>& places) {
  for (const auto& [mm, page] : places) {
    Machine m(trace.geometry);
    std::vector<std::string> column;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      step(m, trace.ops[i]);
      column.push_back(marks(m, mm, page));
    }
    if (std::ranges::all_of(column, &std::string::empty)) continue;
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i].pictures.push_back({fmt::format("{} {}", char('A' + mm), page), column[i]});
  }
}

std::vector<Row> rows_of(const Trace& trace, std::size_t ops) {
  Machine m(trace.geometry);
  FolioNames names;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < ops; ++i) {
    Row row{.op = print(trace.ops[i]), .pictures = {}, .result = step(m, trace.ops[i])};
    names.follow(m);
    row.pictures = pictures(m, names);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::size_t widest(const std::vector<Row>& rows, std::size_t column) {
  std::size_t width = rows[0].pictures[column].of.size();
  for (const Row& row : rows) width = std::max(width, row.pictures[column].drawn.size());
  return width;
}

std::string without_trailing_blanks(std::string line) {
  line.resize(line.find_last_not_of(' ') + 1);
  return line;
}

// Returns whether there are marks.
bool append_rows(std::string& page, const Trace& trace, const Violation& violation) {
  std::vector<Row> rows = rows_of(trace, std::min(trace.ops.size(), violation.op + 1));
  const std::size_t columns = rows.empty() ? 0 : rows[0].pictures.size();
  append_marks(rows, trace, named_entries(trace, violation));
  std::size_t op_width = 0;
  for (const Row& row : rows) op_width = std::max(op_width, std::min(row.op.size(), kMaxOpColumns));
  std::vector<std::size_t> widths;
  std::string heading(op_width + 10, ' ');
  for (std::size_t i = 0; !rows.empty() && i < rows[0].pictures.size(); ++i) {
    widths.push_back(widest(rows, i));
    heading += fmt::format("{:<{}}  ", rows[0].pictures[i].of, widths[i]);
  }
  page += without_trailing_blanks(heading) + '\n';
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const bool offending = i == violation.op;
    std::string line =
        fmt::format("{}{:>5}  {:<{}}  ", offending ? '>' : ' ', i + 1, row.op, op_width);
    for (std::size_t column = 0; column < widths.size(); ++column)
      line += fmt::format("{:<{}}  ", row.pictures[column].drawn, widths[column]);
    if (row.result != 0) line += "= " + print_result(row.result) + "  ";
    if (offending) line += fmt::format("<- {}", violation.broken);
    page += without_trailing_blanks(line) + '\n';
  }
  if (rows.size() < trace.ops.size())
    page += fmt::format("        and {} ops more\n", trace.ops.size() - rows.size());
  return !rows.empty() && rows[0].pictures.size() > columns;
}

constexpr std::size_t kMaxThings = 16;

void append_things(std::string& page, std::string_view when, const std::vector<Described>& things) {
  page += fmt::format("{}:\n", when);
  if (things.empty()) page += "  nothing\n";
  for (std::size_t i = 0; i < std::min(things.size(), kMaxThings); ++i)
    page += fmt::format("  {}: {}\n", things[i].thing, things[i].text);
  if (things.size() > kMaxThings)
    page += fmt::format("  and {} more\n", things.size() - kMaxThings);
}

void append_changes(std::string& page, const std::vector<Described>& before,
                    const std::vector<Described>& after) {
  const std::vector<std::string> changes = describe_changes(before, after);
  page += changes.empty() ? "changed: nothing\n" : "changed:\n";
  for (std::size_t i = 0; i < std::min(changes.size(), kMaxThings); ++i)
    page += fmt::format("  {}\n", changes[i]);
  if (changes.size() > kMaxThings)
    page += fmt::format("  and {} more\n", changes.size() - kMaxThings);
}

// The rule's subject before and after the op, in the words of `thp explain`; of an op what it has
// changed.
void append_subject(std::string& page, const Trace& trace, const Violation& violation) {
  Machine m(trace.geometry);
  FolioNames names;
  for (std::size_t i = 0; i < std::min(violation.op, trace.ops.size()); ++i) {
    step(m, trace.ops[i]);
    names.follow(m);
  }
  const std::vector<Described> before = describe(m, names);
  std::vector<Described> was = described_at(m, before, violation.where);
  if (violation.op < trace.ops.size()) step(m, trace.ops[violation.op]);
  names.follow(m);
  const std::vector<Described> after = describe(m, names);
  const std::vector<Described> is = described_at(m, after, violation.where);
  if (was.empty() && is.empty()) return append_changes(page, before, after);
  append_things(page, "before", was);
  append_things(page, "after", is);
}

}  // namespace

std::string_view sentence_of(std::string_view broken) {
  const Rule* rule = find_rule(broken);
  return rule == nullptr ? "" : rule->sentence;
}

// On whose word the rule stands, and which code keeps it.
static std::string ground_of(const Rule& rule) {
  const auto& [authority, releases, document] = rule.ground;
  std::string ground = fmt::format("  {}, Linux {}", text(authority), text(releases));
  if (!document.empty()) ground += fmt::format(": {}", document);
  if (!rule.source.empty()) ground += fmt::format("\n  source: {}", rule.source);
  return ground + '\n';
}

std::string report(const Trace& trace, const Violation& violation, std::string_view next) {
  std::string told = fmt::format("{} does not hold after op {}, {}\n", violation.broken,
                                 violation.op + 1, violation.after);
  if (const Rule* rule = find_rule(violation.broken))
    told += fmt::format("  violated: {}\n{}", rule->sentence, ground_of(*rule));
  told += fmt::format("  at: {}\n\n", violation.detail);
  told += fmt::format("geometry {}\n", print(trace.geometry));
  const bool has_marks = append_rows(told, trace, violation);
  told += '\n';
  append_subject(told, trace, violation);
  told += '\n';
  told += kPictureKey;
  if (has_marks) told += kMarksKey;
  return told + '\n' + std::string(next);
}

}  // namespace thp
