// Rules that nobody listens to: how ci/mutate asks who else would notice a mistake. They are
// looked up where one is broken, so that the sound machine pays nothing.
#pragma once
#include <string>
#include <string_view>

namespace thp {

void mute(std::string broken);  // what a Violation calls it; before the first judge begins
bool is_muted(std::string_view broken);

}  // namespace thp
