// The one place that asks whether to colour.
#include "properties/colour.h"

#include <fmt/color.h>
#include <unistd.h>

#include <cstdlib>

namespace thp {
namespace {

// NO_COLOR counts whatever it says, unless that is nothing.
bool wants_colour(std::FILE* to) {
  const auto value = [](const char* name) {
    const char* text = std::getenv(name);
    return std::string_view(text == nullptr ? "" : text);
  };
  return isatty(fileno(to)) != 0 && value("NO_COLOR").empty() && value("TERM") != "dumb";
}

}  // namespace

std::string coloured(Mood mood, std::string_view text, std::FILE* to) {
  if (!wants_colour(to)) return std::string(text);
  const auto colour = mood == Mood::good ? fmt::terminal_color::green : fmt::terminal_color::red;
  return fmt::format(fmt::fg(colour) | fmt::emphasis::bold, "{}", text);
}

std::string coloured_report(std::string_view report, std::FILE* to) {
  std::string told;
  for (bool first = true; !report.empty(); first = false) {
    const std::string_view line = report.substr(0, report.find('\n'));
    told += first || line.starts_with("> ") ? coloured(Mood::bad, line, to) : line;
    report.remove_prefix(line.size());
    if (!report.empty()) told += '\n', report.remove_prefix(1);
  }
  return told;
}

}  // namespace thp
