// Every rule there is, by its name.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "oracle/rule.h"

namespace thp {

struct ListedRule {
  Rule rule;
  std::string_view subject;  // what it is asked of
};
std::span<const ListedRule> rules();
const Rule* find_rule(std::string_view name);  // nullptr: there is none

// No VM_BUG_ON or BUG_ON fires: the kernel's own rules, as one.
inline constexpr Rule kKernelAssertion{
    "kernel_assertion", "No VM_BUG_ON or BUG_ON of the kernel's code fires.", assertion(kEvery),
    "include/linux/mmdebug.h, each where it stands"};
// An `expect` line of a corpus file: what its author knows about that trace.
inline constexpr Rule kExpectLine{"expect", "Every `expect` line of the file holds.",
                                  promise(kEvery, "corpus/README.md")};

// Tables append themselves where they are compiled.
template <class Table>
void append_rules(std::vector<ListedRule>& all, const Table& table, std::string_view subject) {
  for (const Rule& rule : table) all.push_back({rule, subject});
}
void append_invariants(std::vector<ListedRule>& all);
void append_transition_rules(std::vector<ListedRule>& all);

}  // namespace thp
