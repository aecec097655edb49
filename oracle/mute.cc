// A list that is empty but in experiments.
#include "oracle/mute.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>
#include <vector>

#include "oracle/rules/rules.h"

namespace thp {
namespace {

std::vector<std::string> from_environment() {
  const char* list = std::getenv("THP_WITHOUT");
  std::istringstream names(list == nullptr ? "" : list);
  std::vector<std::string> listed;
  for (std::string name; std::getline(names, name, ',');) {
    if (!can_be_muted(name)) {
      std::fprintf(stderr, "THP_WITHOUT: there is no rule or authority %s\n", name.c_str());
      std::exit(2);
    }
    listed.push_back(name);
  }
  return listed;
}

// Read before main(), so that a wrong name is told before any work.
std::vector<std::string> muted = from_environment();

}  // namespace

bool can_be_muted(std::string_view name) {
  return find_rule(name) != nullptr ||
         std::ranges::find(kAuthorities, name) != std::end(kAuthorities);
}

void mute(std::string name) { muted.push_back(std::move(name)); }

void unmute(std::string_view name) { std::erase(muted, name); }

bool is_muted(const Rule& rule) {
  return std::ranges::any_of(muted, [&](const std::string& name) {
    return name == rule.name || name == text(rule.ground.authority);
  });
}

}  // namespace thp
