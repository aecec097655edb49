// Rules about ops: what is asked of which ops stands in the row. The tables stand in
// transitions_of_*.h; the sweep asks all that are for an op.
#pragma once
#include <array>

#include "oracle/rules/certainties.h"
#include "oracle/rules/transition.h"
#include "oracle/rules/transition_subjects.h"
#include "oracle/rules/where.h"

namespace thp {

// Asked of certain kinds of ops, or of all; ever, or where the op has changed or counted something.
struct OpTest {
  std::array<bool (*)(const Transition&), kOpKinds> of_kind{};
  bool of_change = false, of_all = false;
  Test<Transition> numbers{};  // of a count rule
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

template <class T, class Holds>
bool holds_of(const Transition& t) {
  return Holds{}(*std::get_if<T>(&t.op), t);
}
template <class List, class Number>
int number_of(const Transition& t) {
  int number = kAnyCount;
  visit_one_of(List{}, t.op, [&](const auto& op) { number = Number{}(op, t); });
  return number;
}

template <class Holds, class... Ts>
consteval OpTest test_of(Ops<Ts...>, Holds) {
  OpTest test;
  ((test.of_kind[std::size_t(kKindOf<Ts>)] = &holds_of<Ts, Holds>), ...);
  return test;
}
template <class Expected, class Found, class... Ts>
consteval OpTest test_of(Ops<Ts...> ops, Count<Expected, Found>) {
  OpTest test = test_of(ops, [](const auto& op, const Transition& t) {
    return Count<Expected, Found>::agree(op, t);
  });
  test.numbers = {nullptr, &number_of<Ops<Ts...>, Expected>, &number_of<Ops<Ts...>, Found>};
  return test;
}

// holds(op, transition), or count() of two such, of these ops, whatever they return.
template <class... ClassesAndOps, class What>
consteval OpTest over(What what) {
  return test_of(Joined<ClassesAndOps...>{}, what);
}
// The same, once they have succeeded.
template <class... ClassesAndOps, class Holds>
consteval OpTest after(Holds) {
  return over<ClassesAndOps...>(
      [](const auto& op, const Transition& t) { return !t.succeeded() || Holds{}(op, t); });
}
// The same where the op has changed or counted something: elsewhere it holds.
consteval OpTest where_changed(OpTest test) {
  test.of_change = true;
  return test;
}
// holds(transition) of any op that has changed or counted something.
template <class Holds>
consteval OpTest over_any(Holds holds) {
  OpTest test{.of_change = true, .of_all = true};
  test.of_kind.fill(holds);
  return test;
}
template <class Expected, class Found>
consteval OpTest over_any(Count<Expected, Found>) {
  OpTest test = over_any(&Count<Expected, Found>::template agree<Transition>);
  test.numbers = {nullptr, Expected{}, Found{}};
  return test;
}

// Does mprotect() or mremap() come upon locked memory, which is populated then?
inline bool populates_locked(const Transition& t) {
  bool is = false;
  visit_one_of(Ops<Mprotect, Mremap, MremapResize>{}, t.op,
               [&](const auto& o) { is = is_locked(t.before, o.mm.id, o.range); });
  return is;
}

// The first rule that the op breaks.
Broken first_broken(const Transition& t);
// The same of those that are asked only where the op has changed something: they must have nothing
// to say of an op that has not.
Broken first_broken_where_changed(const Transition& t);

}  // namespace thp
