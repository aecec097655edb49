// Where a rule is broken: the thing that it was asked of, and of a count rule both numbers.
#pragma once
#include <array>
#include <span>
#include <string>
#include <utility>

#include "oracle/mute.h"
#include "oracle/rule.h"

namespace thp {

struct Where {
  enum class Thing {
    frame,
    folio,
    pte,
    pmd,
    pages,
    vma,
    mm,
    anon_vma,
    slot,
    cell,
    inode,
    holder,
    machine,
    op
  };
  Thing thing = Thing::machine;
  int mm = -1;      // of an entry, pages or a VMA; of a cell its inode
  int number = -1;  // frame, first page of an entry, index or id
  int count = 1;    // of pages
  bool operator==(const Where&) const = default;
};
std::string text(const Where& where);  // "frame 12", "the PTE of A 3", "pages A 0..4"

struct Broken {
  const Rule* rule = nullptr;
  Where where{};
  int expected = kAnyCount, found = 0;
  explicit operator bool() const { return rule != nullptr; }
};

// What a test that does not hold says.
template <class Subject>
Broken broken_by(const Rule& rule, const Test<Subject>& test, const Subject& subject, Where where) {
  if (test.expected == nullptr) return {.rule = &rule, .where = where};
  return {&rule, where, test.expected(subject), test.found(subject)};
}

// The first of these rules that is false of the subject, and that is not muted.
template <class Subject>
[[gnu::noinline]] Broken first_false(std::span<const RuleOf<Subject>> rules, const Subject& subject,
                                     const Where& where) {
  for (const RuleOf<Subject>& rule : rules)
    if (!rule.test.holds(subject) && !is_muted(rule))
      return broken_by(rule, rule.test, subject, where);
  return {};
}

// Does every rule of a table hold? The calls are unrolled: all predicates are compiled into one.
template <const auto& table, class Subject, std::size_t... i>
[[gnu::always_inline]] inline bool all_hold(const Subject& subject, std::index_sequence<i...>) {
  static constexpr std::array kHolds{table[i].test.holds...};
  return (kHolds[i](subject) && ...);
}

// The first rule of a table that is false of the subject; which one is asked only where one is.
template <const auto& table, class Subject>
[[gnu::always_inline]] inline Broken first_broken_of(const Subject& subject, const Where& where) {
  if (all_hold<table>(subject, std::make_index_sequence<std::size(table)>{})) [[likely]]
    return {};
  return first_false(std::span<const RuleOf<Subject>>(table), subject, where);
}

}  // namespace thp
