// All tables of rules in one, and places as text.
#include "oracle/rules/rules.h"

#include <algorithm>

#include "oracle/flat/flat_rules.h"
#include "oracle/rules/where.h"

namespace thp {

std::span<const ListedRule> rules() {
  static const std::vector<ListedRule> all = [] {
    std::vector<ListedRule> rows;
    append_rules(rows, kFlatRules, "flat memory");
    append_transition_rules(rows);
    append_invariants(rows);
    rows.push_back({kKernelAssertion, "the kernel's code"});
    return rows;
  }();
  return all;
}

const Rule* find_rule(std::string_view name) {
  const auto all = rules();
  const auto found =
      std::ranges::find(all, name, [](const ListedRule& listed) { return listed.rule.name; });
  if (found != all.end()) return &found->rule;
  return name == kExpectLine.name ? &kExpectLine : nullptr;
}

std::string text(const Where& where) {
  const std::string number = std::to_string(where.number);
  const std::string place = std::string(1, char('A' + std::max(where.mm, 0))) + ' ' + number;
  switch (where.thing) {
    case Where::Thing::frame:
      return "frame " + number;
    case Where::Thing::folio:
      return "the folio at frame " + number;
    case Where::Thing::pte:
      return "the PTE of " + place;
    case Where::Thing::pmd:
      return "the PMD of " + place;
    case Where::Thing::pages:
      if (where.count == 1) return "page " + place;
      return "pages " + place + ".." + std::to_string(where.number + where.count);
    case Where::Thing::vma:
      return "VMA " + number + " of " + place.front();
    case Where::Thing::mm:
      return std::string("address space ") + char('A' + where.number);
    case Where::Thing::anon_vma:
      return "anon_vma " + number;
    case Where::Thing::slot:
      return "swap slot " + number;
    case Where::Thing::cell:
      return "page " + number + " of file f" + std::to_string(where.mm);
    case Where::Thing::inode:
      return "file f" + number;
    case Where::Thing::holder:
      return "holder h" + number;
    case Where::Thing::op:
      return "the op";
    case Where::Thing::machine:
      break;
  }
  return "the machine";
}

}  // namespace thp
