// Finds as files: whole or not there, readable as traces, named by what they are.
#include "properties/finds.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "oracle/rules/rules.h"
#include "properties/check.h"
#include "properties/version.h"

using namespace thp;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void writes_whole_files(const fs::path& directory) {
  const fs::path file = directory / "a.trace";
  check(write_atomically(file, "one\n").has_value() && read(file) == "one\n", "a new file");
  check(!write_atomically(file, "no\n", false).has_value() && read(file) == "one\n", "not over it");
  check(write_atomically(file, "two\n").has_value() && read(file) == "two\n", "over an old one");
  check(std::distance(fs::directory_iterator(directory), {}) == 1, "no temporary file stays");
  const auto written = write_atomically(directory / "missing" / "a.trace", "");
  check(!written && written.error().contains("missing"), "the error names the file");
  check(!write_atomically(directory, "").has_value(), "a directory is not replaced");
  check(std::distance(fs::directory_iterator(directory), {}) == 1, "also after an error");
}

void finds_are_traces() {
  const Trace trace{.kernel = {}, .geometry = {}, .ops = {Mmap{}, Store{}, Exit{}}};
  for (const auto& [rule, subject] : rules()) {
    const Violation violation{.op = 1, .broken = rule.name, .after = "madvise_nohugepage"};
    const auto file = parse_trace(print_find(trace, violation));
    check(file && file->trace == trace && file->title.starts_with(rule.name), rule.name);
    const std::string name = find_name(trace, violation);
    check(name.starts_with(rule.name) && name.ends_with(".trace"), name);
  }
  const Violation violation{.op = 0, .broken = "a", .after = "b"};
  check(find_name(trace, violation) == find_name(trace, violation),
        "the same trace, the same name");
  check(find_name(trace, violation) != find_name(Trace{}, violation),
        "another trace, another name");
}

// With this as $THP_FINDS, and in the root of the tree.
void a_finding_is_known_once_it_is_there(const fs::path& directory) {
  setenv("THP_FINDS", directory.c_str(), 1);
  const Trace trace{.kernel = {}, .geometry = {}, .ops = {Mmap{}, Store{}, Exit{}}};
  const Violation violation{.op = 1, .broken = "a", .after = "b"};
  check(!known_as(trace, violation), "not yet");
  const fs::path file = directory / find_name(trace, violation);
  check(write_atomically(file, print_find(trace, violation)).has_value(), "written");
  check(known_as(trace, violation) == file, "known by rule and trace");
  check(!known_as(trace, {.op = 1, .broken = "c", .after = "b"}), "another rule");
  for (const auto& entry : fs::directory_iterator("corpus/regressions")) {
    const auto parsed = parse_trace(read(entry.path()));
    check(parsed && known_as(parsed->trace, violation).has_value(), entry.path().string());
  }
}

// What shrinks no further is written as it is, whatever it does to the model.
void a_run_leaves_who_found_it(const fs::path& directory) {
  setenv("THP_FINDS", directory.c_str(), 1);
  const Trace trace{.kernel = {}, .geometry = {}, .ops = {Mmap{}, Load{}}};
  const Violation violation{.op = 1, .broken = "load_returns_last_store", .after = "load"};
  record_find(trace, violation, {.judge = [&](const Trace& candidate) {
                return candidate == trace ? std::optional(violation) : std::nullopt;
              }});
  const std::string text = read(directory / find_name(trace, violation));
  check(text == print_find(trace, violation, found_by_line()), text);
  check(text.contains(std::string("\n# Found by ").append(version()) + ".\n"), text);
  const auto file = parse_trace(text);
  check(file && file->trace == trace && file->title.starts_with(violation.broken), text);
}

void steps_are_commands() {
  const std::string steps = next_steps("a b.trace");
  check(steps.starts_with("reproduce: ") && steps.contains("'a b.trace'"), steps);
}

}  // namespace

int finds_test(int, char*[]) {
  const fs::path directory = fs::temp_directory_path() / ("finds_test." + std::to_string(getpid()));
  fs::remove_all(directory);
  fs::create_directories(directory);
  writes_whole_files(directory);
  finds_are_traces();
  a_finding_is_known_once_it_is_there(directory);
  a_run_leaves_who_found_it(directory);
  steps_are_commands();
  fs::remove_all(directory);
  return failures();
}
