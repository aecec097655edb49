// Rules about ops: what is asked of which ops stands in the row. The tables stand in
// transitions_of_*.h; the sweep asks all that are for an op.
#pragma once
#include <array>

#include "oracle/rules/certainties.h"
#include "oracle/rules/transition.h"
#include "oracle/rules/transition_subjects.h"
#include "oracle/rules/where.h"

namespace thp {

// Asked of certain ops; or of any, where it has changed or counted something.
struct OpTest {
  std::array<bool, kOpKinds> ops{};
  bool of_any = false;
  Test<Transition> test{};
};

struct OpRule : Rule {
  static constexpr int kMaxTests = 4;
  std::array<OpTest, kMaxTests> tests;
  int count;
  template <class... Tests>
  consteval OpRule(std::string_view name, std::string_view sentence, Ground ground,
                   std::string_view source, Tests... of)
      : Rule{name, sentence, ground, source}, tests{of...}, count(sizeof...(of)) {}
};

template <class... Ts>
consteval std::array<bool, kOpKinds> kinds_of(Ops<Ts...>) {
  std::array<bool, kOpKinds> kinds{};
  ((kinds[std::size_t(kKindOf<Ts>)] = true), ...);
  return kinds;
}

template <class List, class Holds>
bool holds_of(const Transition& t) {
  bool holds = true;
  visit_one_of(List{}, t.op, [&](const auto& op) { holds = Holds{}(op, t); });
  return holds;
}
template <class List, class Number>
int number_of(const Transition& t) {
  int number = kAnyCount;
  visit_one_of(List{}, t.op, [&](const auto& op) { number = Number{}(op, t); });
  return number;
}

template <class List, class Holds>
consteval OpTest test_of(Holds) {
  return {kinds_of(List{}), false, {&holds_of<List, Holds>, nullptr, nullptr}};
}
template <class List, class Expected, class Found>
consteval OpTest test_of(Count<Expected, Found>) {
  constexpr auto kAgree = [](const auto& op, const Transition& t) {
    return Count<Expected, Found>::agree(op, t);
  };
  return {kinds_of(List{}),
          false,
          {&holds_of<List, decltype(kAgree)>, &number_of<List, Expected>, &number_of<List, Found>}};
}

// holds(op, transition), or count() of two such, of these ops, whatever they return.
template <class... ClassesAndOps, class What>
consteval OpTest over(What what) {
  return test_of<Joined<ClassesAndOps...>>(what);
}
// The same, once they have succeeded.
template <class... ClassesAndOps, class Holds>
consteval OpTest after(Holds) {
  return over<ClassesAndOps...>(
      [](const auto& op, const Transition& t) { return !t.succeeded() || Holds{}(op, t); });
}
// holds(transition) of any op that has changed or counted something.
template <class Holds>
consteval OpTest over_any(Holds holds) {
  return {{}, true, {holds, nullptr, nullptr}};
}
template <class Expected, class Found>
consteval OpTest over_any(Count<Expected, Found>) {
  return {{}, true, {&Count<Expected, Found>::template agree<Transition>, Expected{}, Found{}}};
}

// Does mprotect() or mremap() come upon locked memory, which is populated then?
inline bool populates_locked(const Transition& t) {
  bool is = false;
  visit_one_of(Ops<Mprotect, Mremap>{}, t.op,
               [&](const auto& o) { is = is_locked(t.before, o.mm.id, o.range); });
  return is;
}

// The first rule that the op breaks.
Broken first_broken(const Transition& t);

}  // namespace thp
