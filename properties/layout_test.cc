// The layout of the tree: who may include whom, and what every file owes its reader. Runs at the
// root of the tree and prints FILE:LINE: and the broken rule.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "properties/check.h"

using namespace thp;
namespace fs = std::filesystem;

namespace {

struct File {
  std::string path;  // from the root
  std::vector<std::string> lines;
  std::string_view folder() const { return std::string_view(path).substr(0, path.find('/')); }
  std::string extension() const { return fs::path(path).extension(); }
  bool is_cpp() const { return extension() == ".h" || extension() == ".cc"; }
  bool is_data() const {
    return extension() == ".trace" || extension() == ".edits" || extension() == ".golden";
  }
};

void rule(bool holds, const File& file, std::size_t line, std::string_view sentence) {
  if (holds) return;
  std::fprintf(stderr, "%s:%zu: %.*s\n", file.path.c_str(), line, int(sentence.size()),
               sentence.data());
  failures(1);
}

File read_file(const fs::path& path) {
  File file{.path = path.lexically_normal().generic_string(), .lines = {}};
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

// Every file of the project: the fixed folders, and the files of the root itself.
std::vector<File> tree() {
  std::vector<File> files;
  for (const auto& entry : fs::directory_iterator("."))
    if (entry.is_regular_file()) files.push_back(read_file(entry.path()));
  for (const char* folder : {".ci", "ci", "corpus", "fuzz", "model", "oracle", "properties"})
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) files.push_back(read_file(entry.path()));
  std::ranges::sort(files, {}, &File::path);
  return files;
}

bool contains(auto&& names, std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

// Kernel code stands in rooms by the kernel's own paths: model/mm/, model/fs/proc/.
bool is_kernel_code(std::string_view path) {
  return path.starts_with("model/") && std::ranges::count(path, '/') > 1 &&
         !path.starts_with("model/trace/");
}

// Of the model the oracle may see data, text and choices, but must not share the code that it
// judges; neither must what it sees. The system calls stand on kernel code, and whoever drives a
// machine may look at it.
bool sees_kernel_code(const File& file) {
  return is_kernel_code(file.path) || file.path == "model/ops.cc" ||
         contains(std::array{"properties", "fuzz", "ci"}, file.folder());
}

// What the rooms of the oracle below the judge see of the oracle.
struct Room {
  std::string_view path;
  std::vector<std::string_view> sees;
};
const std::vector<Room>& rooms() {
  static const std::vector<Room> all = {
      {"oracle/flat/", {"oracle/flat/", "oracle/rule.h", "oracle/translate.h"}},
      {"oracle/recount/", {"oracle/recount/"}},
      {"oracle/rules/",
       {"oracle/flat/", "oracle/mute.h", "oracle/recount/", "oracle/rule.h", "oracle/rules/",
        "oracle/translate.h"}},
  };
  return all;
}

bool rooms_allow(const File& file, std::string_view header) {
  if (is_kernel_code(header) && !sees_kernel_code(file)) return false;
  if (header.starts_with("model/trace/") && file.folder() == "model")
    return file.path.starts_with("model/trace/");
  if (!header.starts_with("oracle/")) return true;
  return std::ranges::all_of(rooms(), [&](const Room& room) {
    return !file.path.starts_with(room.path) ||
           std::ranges::any_of(room.sees, [&](auto seen) { return header.starts_with(seen); });
  });
}

bool may_include(const File& file, std::string_view header) {
  constexpr std::string_view kOrder[] = {"model", "oracle", "properties", "fuzz", "ci"};
  const auto from = std::ranges::find(kOrder, file.folder());
  const auto to = std::ranges::find(kOrder, header.substr(0, header.find('/')));
  return to != std::end(kOrder) && to <= from && rooms_allow(file, header);
}

void includes_point_one_way(const File& file) {
  constexpr std::string_view kInclude = "#include \"";
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::string_view line = file.lines[i];
    if (!line.starts_with(kInclude)) continue;
    line.remove_prefix(kInclude.size());
    const std::string_view header = line.substr(0, line.find('"'));
    rule(may_include(file, header), file, i + 1, "this room may not include that header");
    rule(fs::exists(header), file, i + 1, "includes are paths from the root");
  }
}

void opens_with_a_comment(const File& file) {
  const std::string_view first = file.lines.empty() ? std::string_view{} : file.lines[0];
  if (file.is_cpp()) rule(first.starts_with("// "), file, 1, "a file opens with what is in it");
  if (first.starts_with("#!"))
    rule(file.lines.size() > 1 && file.lines[1].starts_with("# "), file, 2,
         "a script opens with what it does");
}

// model/mm/rmap_anon_vma.cc is a part of mm/rmap.c, and its first comment says so.
void is_where_the_kernel_has_it(const File& file) {
  if (!is_kernel_code(file.path)) return;
  std::string comment;
  for (const std::string& line : file.lines) {
    if (!line.starts_with("//")) break;
    comment += line;
  }
  const std::string name = fs::path(file.path).lexically_relative("model").replace_extension();
  bool cited = false;
  for (std::size_t end = name.size(); end != name.npos; end = name.rfind('_', end - 1))
    cited |= comment.contains(name.substr(0, end) + ".c");
  rule(cited, file, 1, "kernel code stands by the path of the kernel's file, which it cites first");
}

std::size_t columns(std::string_view line) {  // UTF-8 continuation bytes take none
  return std::size_t(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }));
}

void lines_fit(const File& file) {
  if (file.path == "LICENSE" || file.extension() == ".md" || file.is_data()) return;
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    if (!file.lines[i].contains("CXX_FLAGS"))  // a JSON string cannot be broken
      rule(columns(file.lines[i]) <= 100, file, i + 1, "a line has at most 100 columns");
}

void names_no_machine(const File& file) {
  for (const std::string_view root : {"work", "home", "root", "opt", "Users"}) {
    const std::string path = "/" + std::string(root) + "/";
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      rule(!file.lines[i].contains(path), file, i + 1, "no path of one particular machine");
  }
}

void traces_open_with_a_sentence(const File& file) {
  if (file.folder() != "corpus" || file.extension() == ".md") return;
  const bool golden = file.path.starts_with("corpus/golden/");
  const bool intended = file.path.starts_with("corpus/intended/");
  rule(file.extension() == (golden     ? ".golden"
                            : intended ? ".txt"
                                       : ".trace"),
       file, 1, "a corpus holds traces: NAME.trace, of golden/ NAME.golden, of intended/ NAME.txt");
  const std::string_view first = file.lines.empty() ? std::string_view{} : file.lines[0];
  rule(first.starts_with("# ") && first.size() > 10, file, 1, "a trace opens with a # sentence");
}

// A folder's README says what each of its rooms is for.
void rooms_are_explained(const fs::path& folder) {
  std::string readme;
  for (const std::string& line : read_file(folder / "README.md").lines) readme += line;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string room = entry.path().filename();
    if (entry.is_directory())
      check(readme.contains("`" + room + "/"), folder.string() + "/README.md explains " + room);
  }
}

// model/FUNCTIONS.md is made by ci/functions; here only what has gone is noticed.
void functions_are_where_the_table_has_them() {
  const File table = read_file("model/FUNCTIONS.md");
  int rows = 0;
  for (std::size_t i = 0; i < table.lines.size(); ++i) {
    const std::string& line = table.lines[i];
    if (!line.starts_with("| `")) continue;
    const std::size_t end = line.find("` | ", 3), stop = line.find(" | ", end + 4);
    const std::string name = line.substr(3, end - 3);
    const fs::path path = "model/" + line.substr(end + 4, stop - end - 4);
    const auto defines = [&](const std::string& of) { return of.contains(name + '('); };
    rule(fs::exists(path) && std::ranges::any_of(read_file(path).lines, defines), table, i + 1,
         "ci/functions makes this table: there is no such function any more");
    ++rows;
  }
  check(rows > 300, "model/FUNCTIONS.md has a row for each function");
}

}  // namespace

int layout_test(int, char*[]) {
  const std::vector<File> files = tree();
  check(files.size() > 50, "the test runs at the root of the tree");
  for (const File& file : files) {
    if (file.is_cpp()) includes_point_one_way(file);
    if (file.is_cpp()) is_where_the_kernel_has_it(file);
    opens_with_a_comment(file);
    lines_fit(file);
    names_no_machine(file);
    traces_open_with_a_sentence(file);
  }
  for (const char* folder : {"ci", "corpus", "fuzz", "model", "oracle", "properties"})
    check(fs::exists(fs::path(folder) / "README.md"), std::string(folder) + " has a README.md");
  rooms_are_explained("model");
  rooms_are_explained("oracle");
  functions_are_where_the_table_has_them();
  return failures();
}
