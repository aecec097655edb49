// The form of every rule: a name, a sentence, a source, and a test of one subject. A rule stands in
// one place, the table of its kind of subject: invariants_of_*.h, transitions_of_*.h; those of flat
// memory in flat_rules.h, and two without a subject in rules.h.
#pragma once
#include <climits>
#include <string_view>

namespace thp {

struct Rule {
  std::string_view name;      // its identity: reports, --mute, mutants, names of findings
  std::string_view sentence;  // what must be so
  std::string_view source;    // the kernel code that keeps it, or that asserts it
};

// What the expected count is where a count rule asks nothing.
inline constexpr int kAnyCount = INT_MIN;

// A predicate; of a count rule also the two numbers that must be equal, for its report.
template <class Subject>
struct Test {
  bool (*holds)(const Subject&) = nullptr;
  int (*expected)(const Subject&) = nullptr;
  int (*found)(const Subject&) = nullptr;
};

// count(expected, found): the test of a count rule, two functions of its subject.
template <class Expected, class Found>
struct Count {
  template <class... Subject>
  static bool agree(const Subject&... subject) {
    const int expected = Expected{}(subject...);
    return expected == kAnyCount || expected == Found{}(subject...);
  }
};
template <class Expected, class Found>
consteval Count<Expected, Found> count(Expected, Found) {
  return {};
}

template <class Subject>
struct RuleOf : Rule {
  Test<Subject> test;

  template <class Holds>
  consteval RuleOf(std::string_view name, std::string_view sentence, std::string_view source,
                   Holds holds)
      : Rule{name, sentence, source}, test{holds, nullptr, nullptr} {}
  template <class Expected, class Found>
  consteval RuleOf(std::string_view name, std::string_view sentence, std::string_view source,
                   Count<Expected, Found>)
      : Rule{name, sentence, source},
        test{&Count<Expected, Found>::template agree<Subject>, Expected{}, Found{}} {}
};

}  // namespace thp
