// States up to names: frames, swap slots, anon_vmas and contents are numbered by first appearance,
// in the order of address spaces, their VMAs and pages, then holders. Holders and address spaces
// keep their names; monotone counters are left out. Which small pages share a block, and where free
// memory lies, is left out too: states that differ only in that behave alike while memory lasts.
#pragma once
#include <cstdint>
#include <vector>

#include "model/machine.h"

namespace thp {

// Equal for states of one geometry that differ in names only.
std::vector<std::uint8_t> canonical(const Machine& m);

}  // namespace thp
