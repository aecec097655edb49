// ci/mutants/ is complete: each mistake says what it is, where Linux made it and who notices; it
// has its trace in the corpus and its row in the table. That all of it is so is ci/mutate's to
// show.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "oracle/invariants.h"
#include "oracle/judge.h"
#include "properties/check.h"

using namespace thp;

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What stands behind `field` before the patch itself begins.
std::string header(const std::string& patch, const std::string& field) {
  std::istringstream lines(patch);
  for (std::string line; std::getline(lines, line) && !line.starts_with("--- ");)
    if (line.starts_with(field + ": ")) return line.substr(field.size() + 2);
  return {};
}

bool is_sentence(const std::string& judge) {
  return judge == kFlatMemory || judge == kExpectedAnswer || judge == kVmBugOn ||
         std::ranges::count(invariants(), judge, &Invariant::name) > 0;
}

std::set<std::string> names_in(const fs::path& directory, const char* extension) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().extension() == extension) names.insert(entry.path().stem());
  return names;
}

}  // namespace

int mutants_test(int, char*[]) {
  const auto mutants = names_in("ci/mutants", ".patch");
  const std::string table = text_of("ci/mutants/README.md");
  for (const std::string& name : mutants) {
    const std::string patch = text_of("ci/mutants/" + name + ".patch");
    const std::string judge = header(patch, "killed-by");
    check(patch.find('.') < patch.find("\nkernel: "), name + ": begins with a sentence");
    check(!header(patch, "kernel").empty(), name + ": says where Linux made it");
    check(is_sentence(judge), name + ": says which sentence notices");
    check(table.contains("| `" + name + "` | " + header(patch, "kernel") + " | `" + judge + "` |"),
          name + ": stands in ci/mutants/README.md; ci/mutate --write puts it there");
  }
  check(mutants == names_in("corpus/mutants", ".trace"),
        "each mutant has a trace, and each trace one");
  check(mutants.size() > 50, "there are mutants");
  return failures();
}
