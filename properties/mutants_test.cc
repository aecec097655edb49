// ci/mutants/ is complete: each mistake says what it is, where Linux made it and who notices; it
// has its trace in the corpus and its row in the table; and each sentence has a mistake that it
// notices first. That all of it is so is ci/mutate's to show.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "oracle/flat_rules.h"
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

// Flat memory and the expected answers have many: which one.
std::set<std::string> rules_of(const std::string& judge) {
  std::set<std::string> rules;
  if (judge == kFlatMemory) rules.insert(std::begin(kFlatRules), std::end(kFlatRules));
  if (judge == kExpectedAnswer)
    for (const AnswerRule& rule : answer_rules()) rules.insert(rule.sentence);
  return rules;
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
  std::set<std::string> broken;
  for (const std::string& name : mutants) {
    const std::string patch = text_of("ci/mutants/" + name + ".patch");
    const std::string judge = header(patch, "killed-by");
    check(patch.find('.') < patch.find("\nkernel: "), name + ": begins with a sentence");
    check(!header(patch, "kernel").empty(), name + ": says where Linux made it");
    check(is_sentence(judge), name + ": says which sentence notices");
    const std::string rule = header(patch, "rule");
    const auto rules = rules_of(judge);
    check(rules.empty() ? rule.empty() : rules.contains(rule), name + ": says by which rule");
    broken.insert(judge);
    broken.insert(rule);
    check(table.contains("| `" + name + "` | " + header(patch, "kernel") + " | `" + judge + "` |"),
          name + ": stands in ci/mutants/README.md; ci/mutate --write puts it there");
  }
  check(mutants == names_in("corpus/mutants", ".trace"),
        "each mutant has a trace, and each trace one");
  for (const Invariant& invariant : invariants())
    check(broken.contains(std::string(invariant.name)),
          std::string(invariant.name) + ": no mutant breaks it");
  for (const std::string_view judge : {kFlatMemory, kExpectedAnswer})
    for (const std::string& rule : rules_of(std::string(judge)))
      check(broken.contains(rule), rule + ": no mutant breaks it");
  for (const std::string& name : names_in("ci/mutants/equivalent", ".patch"))
    check(table.contains("* `" + name + "` ("), name + ": is equivalent by the table, too");
  return failures();
}
