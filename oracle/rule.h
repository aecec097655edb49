// The form of every rule: a name, a sentence, on whose word it stands, and a test of one subject. A
// rule stands in one place, the table of its kind of subject: invariants_of_*.h,
// transitions_of_*.h; those of flat memory in flat_rules.h, and two without a subject in rules.h.
#pragma once
#include <climits>
#include <cstdint>
#include <string_view>

namespace thp {

// On whose word a rule stands.
enum class Authority : std::uint8_t {
  promise,     // a document says it, to a process, a tracker, a device, a driver, an administrator
  accounting,  // a count is what one counts again
  assertion,   // a VM_BUG_ON or BUG_ON of the kernel says it, or fires soon where it is broken
  choice,      // no more than what a release happens to do
};
inline constexpr std::string_view kAuthorities[] = {"promise", "accounting", "assertion", "choice"};
constexpr std::string_view text(Authority authority) { return kAuthorities[int(authority)]; }

// Where it holds: in every release up to 6.12 as it is asked here, or as far as anybody has looked
// in 6.1 alone.
enum class Releases : std::uint8_t { every, v6_1 };
inline constexpr Releases kEvery = Releases::every, k6_1 = Releases::v6_1;
constexpr std::string_view text(Releases releases) {
  return releases == Releases::every ? "6.1 to 6.12" : "6.1";
}

struct Ground {
  Authority authority;
  Releases releases;
  std::string_view document;  // below Documentation/ of Linux, or a manual page
};
consteval Ground promise(Releases releases, std::string_view document) {
  return {Authority::promise, releases, document};
}
consteval Ground accounting(Releases releases, std::string_view document = {}) {
  return {Authority::accounting, releases, document};
}
consteval Ground assertion(Releases releases) { return {Authority::assertion, releases, {}}; }
consteval Ground choice(Releases releases) { return {Authority::choice, releases, {}}; }

struct Rule {
  std::string_view name;      // its identity: reports, --without, mutants, names of findings
  std::string_view sentence;  // what must be so
  Ground ground;
  std::string_view source{};  // the kernel code that keeps it, or that asserts it
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
  consteval RuleOf(std::string_view name, std::string_view sentence, Ground ground,
                   std::string_view source, Holds holds)
      : Rule{name, sentence, ground, source}, test{holds, nullptr, nullptr} {}
  template <class Expected, class Found>
  consteval RuleOf(std::string_view name, std::string_view sentence, Ground ground,
                   std::string_view source, Count<Expected, Found>)
      : Rule{name, sentence, ground, source},
        test{&Count<Expected, Found>::template agree<Subject>, Expected{}, Found{}} {}
};

}  // namespace thp
