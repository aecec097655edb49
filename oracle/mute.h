// Rules that nobody listens to: without its choices the oracle asks what any Linux must keep, and
// ci/mutate asks who else would notice a mistake. They are looked up where one is broken, so that
// the sound machine pays nothing.
#pragma once
#include <string>

#include "oracle/rule.h"

namespace thp {

// A rule by its name, or all that stand on one authority; before the first judge begins. Engines
// that take no options of ours read THP_WITHOUT, a list of these with commas between.
bool can_be_muted(std::string_view name);
void mute(std::string name);
void unmute(std::string_view name);
bool is_muted(const Rule& rule);

}  // namespace thp
