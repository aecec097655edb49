// `thp ops`, `thp invariants`: tables in Markdown, a row a line, as README.md shows them.
#include <fmt/format.h>

#include "fuzz/thp.h"
#include "model/text.h"
#include "oracle/flat_rules.h"
#include "oracle/invariants.h"
#include "oracle/report.h"

namespace thp {
namespace {

std::string escaped_bars(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void print_row(std::string_view name, std::string_view middle, std::string_view last) {
  fmt::print("| `{}` | {} | {} |\n", name, escaped_bars(middle), escaped_bars(last));
}

void print_head(std::string_view name, std::string_view middle, std::string_view last) {
  fmt::print("| {} | {} | {} |\n|---|---|---|\n", name, middle, last);
}

// How each type of argument looks, by an example.
struct Example {
  std::string text;
  int mms = 0;
  void operator()(MmId) { text += mms++ == 0 ? " A" : " B"; }
  void operator()(PageNr) { text += " 3"; }
  void operator()(PageRange) { text += " 0..4"; }
  void operator()(Value) { text += " 7"; }
  void operator()(NewSize) { text += " [6]"; }
  void operator()(HolderId) { text += " h0"; }
  template <Named Enum>
  void operator()(Enum value) {
    const std::string names = fmt::format("{}", fmt::join(names_of(value), "\\|"));
    text += kHasDefault<Enum> ? " [" + names + "]" : " " + names;
  }
};

}  // namespace

int run_ops() {
  print_head("op", "arguments", "does");
  for_each_op_type([]<class T>() {
    Example example;
    T op;
    visit_args(op, example);
    const std::string args = example.text.empty() ? "" : "`" + example.text.substr(1) + "`";
    fmt::print("| `{}` | {} | {} |\n", T::name, args, escaped_bars(T::help));
  });
  return kHolds;
}

int run_invariants() {
  print_head("invariant", "always", "source");
  for (const Invariant& invariant : invariants())
    print_row(invariant.name, invariant.sentence, invariant.source);
  print_row(kVmBugOn, sentence_of(kVmBugOn), "");
  for (const char* rule : kFlatRules) print_row(kFlatMemory, rule, "");
  for (const AnswerRule& rule : answer_rules())
    print_row(kExpectedAnswer, rule.sentence, rule.source);
  return kHolds;
}

}  // namespace thp
