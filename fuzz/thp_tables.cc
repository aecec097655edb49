// `thp ops`, `thp rules`: tables in Markdown, a row a line, as README.md shows them.
#include <fmt/format.h>

#include "fuzz/thp.h"
#include "model/trace/text.h"
#include "oracle/rules/rules.h"

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
  fmt::print("| op | arguments | does |\n|---|---|---|\n");
  for_each_op_type([]<class T>() {
    Example example;
    T op;
    visit_args(op, example);
    const std::string args = example.text.empty() ? "" : "`" + example.text.substr(1) + "`";
    fmt::print("| `{}` | {} | {} |\n", T::name, args, escaped_bars(T::help));
  });
  return kHolds;
}

int run_rules() {
  fmt::print("| rule | always | asked of | authority | releases | source |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const auto& [rule, subject] : rules()) {
    const auto& [authority, releases, document] = rule.ground;
    const bool both = !document.empty() && !rule.source.empty();
    const std::string source = fmt::format("{}{}{}", document, both ? "; " : "", rule.source);
    fmt::print("| `{}` | {} | {} | {} | {} | {} |\n", rule.name, escaped_bars(rule.sentence),
               subject, text(authority), text(releases), escaped_bars(source));
  }
  return kHolds;
}

}  // namespace thp
