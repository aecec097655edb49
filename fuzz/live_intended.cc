// Reads what is meant, and recognises it.
#include "fuzz/live_intended.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "properties/finds.h"

namespace thp::live {
namespace {

bool is_commit(std::string_view word) {
  return word.size() >= 12 && word.size() <= 40 &&
         word.find_first_not_of("0123456789abcdef") == word.npos;
}

// Nothing: the line says nothing.
std::expected<std::optional<Intended>, std::string> read_line(const std::string& line) {
  std::istringstream in(line.substr(0, line.find('#')));
  Intended one;
  if (!(in >> one.record)) return std::nullopt;
  if (!(in >> one.op) || one.op == 0) return std::unexpected("expected the number of an op");
  if (!(in >> one.commit) || !is_commit(one.commit))
    return std::unexpected("expected a commit, twelve digits of it at least");
  if (!std::getline(in >> std::ws, one.fact))
    return std::unexpected("expected how the line begins that differs");
  one.fact.erase(one.fact.find_last_not_of(" \t\r") + 1);
  return one;
}

}  // namespace

std::expected<std::vector<Intended>, std::string> read_intended(const Files& files) {
  std::vector<Intended> all;
  for (const std::string& file : files) {
    std::istringstream in(read_bytes(file));
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
      auto one = read_line(line);
      const std::string place = fmt::format("{}:{}", file, number);
      if (!one) return std::unexpected(fmt::format("{}: {}", place, one.error()));
      if (!*one) continue;
      (*one)->place = place;
      all.push_back(**std::move(one));
    }
  }
  return all;
}

bool is_intended(std::vector<Intended>& all, const std::string& record,
                 const RecordDifference& difference) {
  const std::string name = std::filesystem::path(record).stem().string();
  const auto found = std::ranges::find_if(all, [&](const Intended& one) {
    return one.record == name && one.op == difference.op && difference.line.starts_with(one.fact);
  });
  if (found == all.end()) return false;
  return found->met = true;
}

}  // namespace thp::live
