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
#include "oracle/report/flag_names.h"

namespace thp {

// What a fact is about, and what its answer looks like.
enum class Subject : std::uint8_t {
  nothing,
  mm,
  page,
  two_pages,
  event,
  holder,
  defect,
  file,
  cell,          // a page of a file
  page_or_cell,  // what is behind it
};
enum class Answer : std::uint8_t {
  number,
  flag,
  result,
  reason,
  mapping,
  cell_kind,
  holder_kind,
  told,      // any of kPagemapNames
  vm_flags,  // any of kVmFlagNames
  yes
};

// How a page is mapped. A PMD of migration counts as `migration` too.
enum class Mapping : std::uint8_t { none, huge, pte, zero, huge_zero, swap, migration };
inline constexpr std::array<std::string_view, 7> kMappingNames = {
    "none", "huge", "pte", "zero", "huge-zero", "swap", "migration"};
inline constexpr std::array<std::string_view, 4> kHolderKindNames = {"none", "pin", "get",
                                                                     "isolation"};

inline constexpr std::array<std::string_view, 2> kCellKindNames = {"none", "folio"};

// Sets of words; "none" is the empty one.
inline constexpr std::array<std::string_view, 5> kPagemapNames = {"present", "swapped", "file",
                                                                  "exclusive", "soft_dirty"};
enum Told : int {
  kToldPresent = 1,
  kToldSwapped = 2,
  kToldFile = 4,
  kToldExclusive = 8,
  kToldSoftDirty = 16
};
inline constexpr auto kVmFlagNames = [] {
  std::array<std::string_view, std::size(kVmFlagWords)> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kVmFlagWords[i].second;
  return names;
}();

// "none", and then those of kDefects.
inline constexpr auto kDefectNames = [] {
  std::array<std::string_view, kDefects.size() + 1> names{"none"};
  for (std::size_t i = 0; i < kDefects.size(); ++i) names[i + 1] = kDefects[i]->name;
  return names;
}();

// A subject: an address space, file, event, holder or defect; a page of that address space or file;
// another one.
struct About {
  int id = 0, page = 0, other_id = 0, other_page = 0;
  bool of_file = false;
};

struct Expectation {
  int fact = 0;  // index in facts()
  About about = {};
  int answer = 0;
};

// A fact reads as its name, the subject's words and the answer. get() returns nothing where there
// is nothing to ask about, as a folio behind an unmapped page.
struct Fact {
  std::string_view name;
  Subject subject;
  Answer answer;
  std::string_view help;
  std::optional<int> (*get)(const Machine& m, int result, About about);
};
std::span<const Fact> facts();
std::string print(const Fact& fact);  // its name, subject and answer

std::expected<Expectation, ParseError> parse_expect(const Annotation& expect, const Geometry& g);

// Why the expectation does not hold, or nothing. `result` is that of the op before it. One that
// does not parse does not hold.
std::optional<std::string> check_expect(const Machine& m, int result, const Annotation& expect);

}  // namespace thp
