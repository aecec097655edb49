// Traces for RapidCheck: its choices, our generator. RapidCheck does not shrink them: it would take
// cubic time, and properties/shrink.h knows better.
#pragma once
#include <rapidcheck.h>

#include <ostream>

#include "model/trace/generate.h"

namespace thp {

inline void showValue(const Trace& trace, std::ostream& out) { out << print(trace); }

}  // namespace thp

namespace rc {

template <>
struct Arbitrary<thp::Trace> {
  static Gen<thp::Trace> arbitrary() {
    return [](Random random, int size) {
      const auto choose = [&](int n) { return int(random.next() % unsigned(n)); };
      return shrinkable::just(
          thp::generate_trace(choose, {.geometry = {}, .mask = {}, .max_ops = size}));
    };
  }
};

}  // namespace rc
