// What switches.py puts into the model: the mistake whose number is in $THP_SWITCH is made.
#pragma once
#include <cstdlib>

inline int thp_switch = [] {
  const char* number = std::getenv("THP_SWITCH");
  return number == nullptr ? 0 : std::atoi(number);
}();
#define SWITCH(number) (thp_switch == (number))

// Operators with a switch; of | and & each operand has one.
#define THP_OPERATOR(name, right, wrong)                       \
  template <class A, class B>                                  \
  auto name(int n, A a, B b) {                                 \
    return SWITCH(n) ? decltype(a right b)(wrong) : a right b; \
  }
#define THP_BITS(name, right)                                         \
  template <class A, class B>                                         \
  auto name(int n, A a, B b) {                                        \
    using Both = decltype(a right b);                                 \
    return SWITCH(n) ? Both(a) : SWITCH(n + 1) ? Both(b) : a right b; \
  }
THP_OPERATOR(lt_, <, a <= b)
THP_OPERATOR(le_, <=, a < b)
THP_OPERATOR(gt_, >, a >= b)
THP_OPERATOR(ge_, >=, a > b)
THP_OPERATOR(add_, +, a)
THP_OPERATOR(sub_, -, a)
THP_BITS(either_, |)
THP_BITS(both_, &)
