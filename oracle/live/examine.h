// A trace on the model beside what the kernel did with it.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "model/trace/trace.h"
#include "oracle/live/compare.h"

namespace thp::live {

struct Divergence {
  std::size_t op = 0;             // index of the op after which the two differ
  std::vector<Difference> facts;  // not empty
  Observation model, kernel;      // comparable()
  // What shrinking keeps: the fact, and the kind of op that shows it.
  bool same(const Divergence& other, const Trace& trace, const Trace& others) const {
    return facts[0].fact == other.facts[0].fact &&
           trace.ops[op].index() == others.ops[other.op].index();
  }
};

struct Examined {
  std::size_t ops = 0;      // compared
  std::uint64_t facts = 0;  // of them
  std::optional<Divergence> divergence;
  std::string_view ended;  // why_comparing_ends() after the op behind these; empty: it does not
};

// Steps the model up to the first difference, the last op that the kernel has seen, or where
// comparing ends.
Examined examine(const Trace& trace, std::span<const Observation> kernel);

// The page: trace, op, both sides, and the command that shows it again.
std::string divergence_page(const Trace& trace, const Divergence& divergence,
                            std::string_view command);

}  // namespace thp::live
