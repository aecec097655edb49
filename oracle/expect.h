// Expected answers: the `expect` lines of a trace file, judged after the op before them. Facts are
// read from the machine's state here, not by the functions that the oracle judges.
#pragma once
#include <array>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/machine.h"
#include "model/trace/trace.h"

namespace thp {

// What a fact is about, and what its answer looks like.
enum class Subject : std::uint8_t { nothing, mm, page, event, holder, defect };
enum class Answer : std::uint8_t { number, flag, result, reason, mapping, holder_kind, yes };

// How a page is mapped. A PMD of migration counts as `migration` too.
enum class Mapping : std::uint8_t { none, huge, pte, zero, huge_zero, swap, migration };
inline constexpr std::array<std::string_view, 7> kMappingNames = {
    "none", "huge", "pte", "zero", "huge-zero", "swap", "migration"};
inline constexpr std::array<std::string_view, 4> kHolderKindNames = {"none", "pin", "get",
                                                                     "isolation"};

// "none", and then those of kDefects.
inline constexpr auto kDefectNames = [] {
  std::array<std::string_view, kDefects.size() + 1> names{"none"};
  for (std::size_t i = 0; i < kDefects.size(); ++i) names[i + 1] = kDefects[i]->name;
  return names;
}();

struct Expectation {
  int fact = 0;      // index in facts()
  int a = 0, b = 0;  // the subject: address space and page, event, holder, or defect
  int answer = 0;
};

// A fact reads as its name, the subject's words and the answer. get() returns nothing where there
// is nothing to ask about, as a folio behind an unmapped page.
struct Fact {
  std::string_view name;
  Subject subject;
  Answer answer;
  std::string_view help;
  std::optional<int> (*get)(const Machine& m, int result, int a, int b);
};
std::span<const Fact> facts();
std::string print(const Fact& fact);  // one row of the table in corpus/README.md

std::expected<Expectation, ParseError> parse_expect(const Annotation& expect, const Geometry& g);

// Why the expectation does not hold, or nothing. `result` is that of the op before it. One that
// does not parse does not hold.
std::optional<std::string> check_expect(const Machine& m, int result, const Annotation& expect);

}  // namespace thp
