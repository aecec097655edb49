// The layout of the tree: who may include whom, and what every file owes its reader. Runs at the
// root of the tree and prints FILE:LINE: and the broken rule.
#include <algorithm>
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

// The headers of model/ that hold data, text or choices. The oracle may see these and no others: it
// must not share the code that it judges.
constexpr std::string_view kSeams[] = {
    "model/args.h",       "model/defects.h",    "model/events.h", "model/trace/generate.h",
    "model/geometry.h",   "model/machine.h",    "model/ops.h",    "model/state.h",
    "model/trace/text.h", "model/trace/trace.h"};

bool may_include(const File& file, std::string_view header) {
  constexpr std::string_view kOrder[] = {"model", "oracle", "properties", "fuzz", "ci"};
  const auto from = std::ranges::find(kOrder, file.folder());
  const auto to = std::ranges::find(kOrder, header.substr(0, header.find('/')));
  if (to == std::end(kOrder) || to > from) return false;
  const bool sees_only_seams = file.folder() == "oracle" || contains(kSeams, file.path);
  return !header.starts_with("model/") || !sees_only_seams || contains(kSeams, header);
}

void includes_point_one_way(const File& file) {
  constexpr std::string_view kInclude = "#include \"";
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::string_view line = file.lines[i];
    if (!line.starts_with(kInclude)) continue;
    line.remove_prefix(kInclude.size());
    const std::string_view header = line.substr(0, line.find('"'));
    rule(may_include(file, header), file, i + 1, "this folder may not include that header");
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
  rule(file.extension() == (golden ? ".golden" : ".trace"), file, 1,
       "a corpus holds traces: NAME.trace, and of golden/ NAME.golden");
  const std::string_view first = file.lines.empty() ? std::string_view{} : file.lines[0];
  rule(first.starts_with("# ") && first.size() > 10, file, 1, "a trace opens with a # sentence");
}

}  // namespace

int layout_test(int, char*[]) {
  const std::vector<File> files = tree();
  check(files.size() > 50, "the test runs at the root of the tree");
  for (const File& file : files) {
    if (file.is_cpp()) includes_point_one_way(file);
    opens_with_a_comment(file);
    lines_fit(file);
    names_no_machine(file);
    traces_open_with_a_sentence(file);
  }
  for (const char* folder : {"ci", "corpus", "fuzz", "model", "oracle", "properties"})
    check(fs::exists(fs::path(folder) / "README.md"), std::string(folder) + " has a README.md");
  return failures();
}
