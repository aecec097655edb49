// ci/mutants/ is complete: each mistake says who notices, has its trace in the corpus and its row
// in the table; and each rule has a mistake that it notices first. That all of it is so is
// ci/mutate's to show; that each edit can be made, ci/mutants/edit.py's.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "oracle/rules/rules.h"
#include "properties/check.h"

using namespace thp;

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Mutant {
  std::string name;
  std::map<std::string, std::string> header;  // and its `in:`, which nobody asks for
};

// The sections of a file of edits.
void read_mutants(const fs::path& file, std::vector<Mutant>& mutants) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with('['))
      mutants.push_back({line.substr(1, line.find(']') - 1), {}});
    else if (!mutants.empty() && colon != line.npos)
      mutants.back().header.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
}

std::vector<Mutant> all_mutants() {
  std::vector<Mutant> mutants;
  for (const auto& entry : fs::directory_iterator("ci/mutants"))
    if (entry.path().extension() == ".edits") read_mutants(entry.path(), mutants);
  return mutants;
}

std::set<std::string> names_in(const fs::path& directory, const char* extension) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().extension() == extension) names.insert(entry.path().stem());
  return names;
}

}  // namespace

int mutants_test(int, char*[]) {
  const std::string table = text_of("ci/mutants/README.md");
  std::set<std::string> names, broken;
  for (auto& [name, header] : all_mutants()) {
    if (header["equivalent"] == "yes") {
      check(table.contains("* `" + name + "` ("), name + ": is equivalent by the table, too");
      continue;
    }
    names.insert(name);
    const std::string rule = header["killed-by"];
    check(find_rule(rule) != nullptr, name + ": says which rule notices");
    broken.insert(rule);
    check(table.contains("| `" + name + "` | " + header["kernel"] + " | `" + rule + "` |"),
          name + ": stands in ci/mutants/README.md; ci/mutate --write puts it there");
  }
  check(names == names_in("corpus/mutants", ".trace"),
        "each mutant has a trace, and each trace one");
  for (const auto& [rule, subject] : rules())
    check(broken.contains(std::string(rule.name)),
          std::string(rule.name) + ": no mutant breaks it");
  return failures();
}
