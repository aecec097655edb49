// Colour for people: on a terminal, unless NO_COLOR or a dumb terminal says no.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>

namespace thp {

enum class Mood { good, bad };

// The text as it is, or coloured, if `to` is a terminal.
std::string coloured(Mood mood, std::string_view text, std::FILE* to = stdout);

// A report, with its verdict and the op that it marks coloured.
std::string coloured_report(std::string_view report, std::FILE* to = stdout);

}  // namespace thp
