// Where results go: files that are replaced only if that is asked for.
#include <fmt/format.h>

#include <filesystem>

#include "fuzz/thp.h"
#include "properties/finds.h"

namespace thp {

namespace fs = std::filesystem;

std::optional<std::string> output_error(const std::string& output, bool force) {
  if (output == "-") return {};
  std::error_code error;
  const fs::path folder = fs::path(output).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, error))
    return folder.string() + ": is not a directory";
  const fs::file_status status = fs::symlink_status(output, error);
  if (!fs::exists(status)) return {};
  if (!fs::is_regular_file(status)) return output + ": is not a regular file";
  if (!force) return output + ": exists; --force replaces it";
  return {};
}

std::expected<void, std::string> write_output(const std::string& output, bool force,
                                              const std::string& text) {
  if (output != "-") {
    auto written = write_atomically(output, text, force);
    if (written) return {};
    fmt::print("{}", text);  // the work is not lost
    return std::unexpected(written.error());
  }
  fmt::print("{}", text);
  return {};
}

}  // namespace thp
