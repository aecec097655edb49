// `thp ops`, `thp rules`, `thp facts`, `thp scopes`: what there is, by name.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fuzz/thp.h"
#include "fuzz/thp_table.h"
#include "model/trace/text.h"
#include "oracle/expect.h"
#include "oracle/rules/rules.h"
#include "properties/scopes.h"

namespace thp {
namespace {

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
  void operator()(InodeId) { text += " f0"; }
  void operator()(FileSize) { text += " 4"; }
  void operator()(Offset) { text += " 0"; }
  template <Named Enum>
  void operator()(Enum value) {
    const std::string names = fmt::format("{}", fmt::join(names_of(value), "|"));
    text += kHasDefault<Enum> ? " [" + names + "]" : " " + names;
  }
};

int print_table(const Table& table, Form form) {
  fmt::print("{}", text(table, form));
  return kHolds;
}

}  // namespace

int run_ops(Form form) {
  Table table{.columns = {"op", "arguments", "does"}, .rows = {}, .code = 2};
  for_each_op_type([&]<class T>() {
    Example example;
    T op;
    visit_args(op, example);
    const std::string args = example.text.empty() ? "" : example.text.substr(1);
    table.rows.push_back({std::string(T::name), args, std::string(T::help)});
  });
  return print_table(table, form);
}

int run_rules(Form form) {
  Table table{.columns = {"rule", "always", "asked of", "authority", "releases", "source"},
              .rows = {}};
  for (const auto& [rule, subject] : rules()) {
    const auto& [authority, releases, document] = rule.ground;
    const bool both = !document.empty() && !rule.source.empty();
    table.rows.push_back({std::string(rule.name), std::string(rule.sentence), std::string(subject),
                          std::string(text(authority)), std::string(text(releases)),
                          fmt::format("{}{}{}", document, both ? "; " : "", rule.source)});
  }
  return print_table(table, form);
}

int run_facts(Form form) {
  Table table{.columns = {"fact", "is"}, .rows = {}};
  for (const Fact& fact : facts()) table.rows.push_back({print(fact), std::string(fact.help)});
  return print_table(table, form);
}

int run_scopes(Form form) {
  Table table{.columns = {"scope", "explores", "order", "PMDs", "mms", "files", "depth", "states",
                          "transitions", "run by"},
              .rows = {}};
  for (const NamedScope& s : named_scopes())
    table.rows.push_back(
        {std::string(s.name), std::string(s.purpose), fmt::to_string(s.geometry.order),
         fmt::to_string(s.geometry.pmds), fmt::to_string(s.geometry.mms),
         fmt::to_string(s.geometry.inodes),
         s.depth == 0 ? fmt::format("{}, all", s.deepest) : fmt::to_string(s.depth),
         fmt::to_string(s.states), fmt::to_string(s.transitions),
         std::string(kRunByNames[std::size_t(s.run)])});
  return print_table(table, form);
}

}  // namespace thp
