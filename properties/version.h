// Which build this is, as `thp --version` tells it and findings do.
#pragma once
#include <string_view>

namespace thp {

std::string_view version();

}  // namespace thp
