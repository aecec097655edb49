// Reading trace files that may be anything.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "fuzz/thp.h"
#include "oracle/expect.h"
#include "properties/colour.h"

namespace thp {
namespace {

namespace fs = std::filesystem;

// At most one byte more than a trace may have: that is refused by the parser.
std::expected<std::string, std::string> read_bounded(const std::string& file, std::istream& in) {
  std::string text(kMaxTraceBytes + 1, '\0');
  in.read(text.data(), std::streamsize(text.size()));
  if (in.bad() || (file == "-" && std::ferror(stdin) != 0))
    return std::unexpected(file + ": cannot be read: " + std::strerror(errno));
  text.resize(std::size_t(in.gcount()));
  return text;
}

std::expected<std::string, std::string> read_file(const std::string& file) {
  if (file == "-") return read_bounded(file, std::cin);
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) return std::unexpected(file + ": " + error.message());
  if (fs::is_directory(status)) return std::unexpected(file + ": is a directory");
  const bool pipe = fs::is_fifo(status);  // <(command) of a shell, too
  if (!pipe && !fs::is_regular_file(status))
    return std::unexpected(file + ": is neither a regular file nor a pipe");
  if (!pipe && fs::file_size(file, error) > kMaxTraceBytes && !error)
    return std::unexpected(file + ":1:1: a trace has at most " + std::to_string(kMaxTraceBytes) +
                           " bytes");
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::unexpected(file + ": cannot be read: " + std::strerror(errno));
  return read_bounded(file, in);
}

// What is wrong with the words of an `expect` line, if anything.
std::optional<std::string> expect_error(const std::string& name, const TraceFile& file) {
  for (const Annotation& expect : file.expects)
    if (const auto parsed = parse_expect(expect, file.trace.geometry); !parsed)
      return fmt::format("{}:{}:{}: {}", name, parsed.error().line, parsed.error().column,
                         parsed.error().message);
  return {};
}

std::atomic<bool> was_interrupted = false;

}  // namespace

void watch_for_interrupts() {
  std::signal(SIGINT, [](int) { was_interrupted = true; });
}
bool interrupted() { return was_interrupted; }

int tell_error(const std::string& message) {
  fmt::print(stderr, "{}\n", coloured(Mood::bad, message, stderr));
  return kNoTrace;
}

std::expected<TraceFile, std::string> read_trace(const std::string& file, std::string* as_it_is) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  auto parsed = parse_trace(*text);
  if (parsed) {
    if (as_it_is != nullptr) *as_it_is = *text;
    if (auto error = expect_error(file, *parsed)) return std::unexpected(*error);
    return std::move(*parsed);
  }
  const ParseError& error = parsed.error();
  return std::unexpected(file + ':' + std::to_string(error.line) + ':' +
                         std::to_string(error.column) + ": " + error.message);
}

}  // namespace thp
