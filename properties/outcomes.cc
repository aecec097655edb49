// Adding up. A kind of op has few outcomes: they are looked for one by one.
#include "properties/outcomes.h"

#include <algorithm>

#include "properties/moves.h"

namespace thp {

void Outcomes::add(int kind, const Outcome& outcome) {
  std::vector<Outcome>& known = kinds_[std::size_t(kind)];
  const auto same =
      std::ranges::find_if(known, [&](const Outcome& other) { return other.is_like(outcome); });
  if (same == known.end())
    known.push_back(outcome);
  else
    same->times += outcome.times;
}

void Outcomes::add(const Outcomes& more) {
  for (int kind = 0; kind < kOpKinds; ++kind)
    for (const Outcome& outcome : more.of(kind)) add(kind, outcome);
  pairs_ |= more.pairs_;
}

void Outcomes::add(const Trace& trace) {
  Machine m(trace.geometry);
  int last = -1;  // the kind of the last op, if it has changed something
  for (const Op& op : trace.ops) {
    const Machine before = m;
    const int kind = int(op.index()), result = step(m, op);
    if (m.defect != nullptr) return;
    add(kind, {answer_but_for_names(op, result), m.reason, 1});
    const bool changed = !(m == before);
    if (changed && last >= 0) add_pair(last, kind);
    last = changed ? kind : -1;
  }
}

bool Outcomes::has(int kind, const Outcome& outcome) const {
  return std::ranges::any_of(of(kind),
                             [&](const Outcome& other) { return other.is_like(outcome); });
}

}  // namespace thp
