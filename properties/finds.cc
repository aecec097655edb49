// Files of finds, and the words about them on standard error.
#include "properties/finds.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "oracle/report/report.h"
#include "properties/colour.h"
#include "properties/version.h"

namespace thp {
namespace fs = std::filesystem;
namespace {

std::string quoted_for_shell(const std::string& text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+=:,@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word;
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "'" + word + "'";
}

}  // namespace

std::expected<void, std::string> write_atomically(const fs::path& file, std::string_view text,
                                                  bool replace) {
  fs::path temporary = file;
  temporary += fmt::format(".{}.tmp", getpid());
  std::error_code error;
  errno = EIO;  // where a stream fails without a reason
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << text << std::flush;
  if (!out) error.assign(errno, std::generic_category());
  out.close();
  const unsigned flags = replace ? 0 : RENAME_NOREPLACE;
  if (!error && renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, file.c_str(), flags) != 0)
    error.assign(errno, std::generic_category());
  if (!error) return {};
  std::error_code ignored;
  fs::remove(temporary, ignored);
  return std::unexpected(file.string() + ": cannot be written: " + error.message());
}

std::string print_find(const Trace& trace, const Violation& violation, std::string_view more) {
  std::string sentence = fmt::format("# {}", sentence_of(violation.broken));
  sentence.resize(std::min(sentence.size(), kMaxLineBytes));
  return fmt::format("# {} does not hold after {}.\n{}\n{}{}", violation.broken, violation.after,
                     sentence, more, print(trace));
}

std::string found_by_line() { return fmt::format("# Found by {}.\n", version()); }

std::string find_name(const Trace& trace, const Violation& violation) {
  const std::string text = print(trace);
  return fmt::format("{}-{:016x}.trace", violation.broken, XXH3_64bits(text.data(), text.size()));
}

fs::path finds_directory() {
  const char* directory = std::getenv("THP_FINDS");
  return directory != nullptr && *directory != '\0' ? directory : "finds";
}

std::string next_steps(const std::string& file, bool by_itself) {
  std::error_code unknown;
  const fs::path self = fs::read_symlink("/proc/self/exe", unknown);
  const fs::path beside = self.parent_path() / "thp";
  by_itself |= !fs::exists(beside, unknown);
  const auto run = [&](const fs::path& program) {
    const fs::path near = fs::proximate(program, unknown);
    return quoted_for_shell(near.has_parent_path() ? near.string() : "./" + near.string());
  };
  const std::string name = quoted_for_shell(file);
  if (by_itself) return fmt::format("reproduce: {} {}\n", run(self), name);
  const std::string thp = run(beside);
  return fmt::format(
      "reproduce: {0} judge {1}\n"
      "explain:   {0} explain {1}\n"
      "keep:      {0} shrink {1} -o corpus/regressions/NAME.trace\n",
      thp, name);
}

std::optional<fs::path> known_as(const Trace& trace, const Violation& violation) {
  std::error_code unknown;
  const fs::path found = finds_directory() / find_name(trace, violation);
  if (fs::exists(found, unknown)) return found;
  for (const auto& entry : fs::directory_iterator("corpus/regressions", unknown)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const auto file = parse_trace(std::string{std::istreambuf_iterator(in), {}});
    if (file && file->trace == trace) return entry.path();
  }
  return {};
}

void record_find(const Trace& trace, const Violation& violation, const ShrinkOptions& options,
                 bool by_itself) {
  const bool only_tell = finds_directory() == "-";
  fmt::print(stderr, "{} does not hold after op {} of {}, {}{}\n", violation.broken,
             violation.op + 1, trace.ops.size(), violation.after, only_tell ? "" : "; shrinking");
  if (only_tell) return;
  const Shrunk shrunk = shrink(trace, violation, options);
  const auto known = known_as(shrunk.trace, shrunk.violation);
  const fs::path file =
      known.value_or(finds_directory() / find_name(shrunk.trace, shrunk.violation));
  std::error_code ignored;
  fs::create_directories(finds_directory(), ignored);
  std::expected<void, std::string> written;
  if (!known)
    written = write_atomically(file, print_find(shrunk.trace, shrunk.violation, found_by_line()));
  fmt::print(
      stderr, "{}:\n{}", words_for(shrunk.size),
      coloured_report(report(shrunk.trace, shrunk.violation, next_steps(file.string(), by_itself)),
                      stderr));
  if (known) fmt::print(stderr, "known: {} is the same\n", file.string());
  if (!written) fmt::print(stderr, "{}; the trace is\n{}", written.error(), print(shrunk.trace));
}

}  // namespace thp
