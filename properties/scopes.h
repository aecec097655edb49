// The scopes that are explored again and again: what each is for, and how many states and
// transitions it had when last looked at. A change of the model moves these numbers; they say that
// something has changed, not what is right.
#pragma once
#include <span>
#include <string_view>

#include "properties/explore.h"

namespace thp {

enum class RunBy : std::uint8_t { tests, nightly, hand };  // ci/test, ci/nightly, who has hours
inline constexpr std::string_view kRunByNames[] = {"ci/test", "ci/nightly", "hand"};

struct NamedScope {
  std::string_view name, purpose;
  Geometry geometry;
  std::string_view ops;  // as parse_op_set() takes them
  int holders, depth;
  RunBy run;
  std::uint64_t states, transitions;
  int deepest;
  std::string_view first = {};  // ops that every trace begins with, a `;` between two
};
std::span<const NamedScope> named_scopes();
const NamedScope* find_scope(std::string_view name);  // nullptr: there is none
Scope scope_of(const NamedScope& named);
bool keeps_its_numbers(const NamedScope& named, const Explored& explored);

}  // namespace thp
