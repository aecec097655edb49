// What must be true between two ops: rules about one thing of a state. The tables stand in
// invariants_of_*.h; the sweeps ask all of them.
#pragma once
#include "oracle/rules/subjects.h"
#include "oracle/rules/where.h"

namespace thp {

// The first rule that is broken, of everything, in a fixed order.
Broken first_broken(const Machine& m, const Recount& r);

// The same, but looks first at what the last update() saw change; where that is well, says that all
// is.
Broken first_broken_of_changed(const Machine& m, const Recount& r);

}  // namespace thp
