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

#include "oracle/report/report.h"

namespace thp {
namespace fs = std::filesystem;

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

std::string print_find(const Trace& trace, const Violation& violation) {
  std::string sentence = fmt::format("# {}", sentence_of(violation.broken));
  sentence.resize(std::min(sentence.size(), kMaxLineBytes));
  return fmt::format("# {} does not hold after {}.\n{}\n{}", violation.broken, violation.after,
                     sentence, print(trace));
}

std::string find_name(const Trace& trace, const Violation& violation) {
  const std::string text = print(trace);
  return fmt::format("{}-{:016x}.trace", violation.broken, XXH3_64bits(text.data(), text.size()));
}

fs::path finds_directory() {
  const char* directory = std::getenv("THP_FINDS");
  return directory != nullptr && *directory != '\0' ? directory : "finds";
}

void record_find(const Trace& trace, const Violation& violation, const ShrinkOptions& options,
                 std::string_view command) {
  const bool only_tell = finds_directory() == "-";
  fmt::print(stderr, "{} does not hold after op {} of {}, {}{}\n", violation.broken,
             violation.op + 1, trace.ops.size(), violation.after, only_tell ? "" : "; shrinking");
  if (only_tell) return;
  const Shrunk shrunk = shrink(trace, violation, options);
  const fs::path file = finds_directory() / find_name(shrunk.trace, shrunk.violation);
  std::error_code ignored;
  fs::create_directories(finds_directory(), ignored);
  const auto written = write_atomically(file, print_find(shrunk.trace, shrunk.violation));
  fmt::print(
      stderr, "{}:\n{}", words_for(shrunk.size),
      failure_page(shrunk.trace, shrunk.violation, fmt::format("{} {}", command, file.string())));
  if (!written) fmt::print(stderr, "{}; the trace is\n{}", written.error(), print(shrunk.trace));
}

}  // namespace thp
