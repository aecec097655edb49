// Traces: the text form, in and out. Knows argument types, never an op by name.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "model/geometry.h"
#include "model/ops.h"

namespace thp {

// Of `thp-trace 1`: older versions are read, newer ones refused.
inline constexpr int kTraceVersion = 1;

enum class Kernel : std::uint8_t { v6_1 };  // `kernel 6.1`: 6.1.192, the reference

struct Trace {
  Kernel kernel = Kernel::v6_1;
  Geometry geometry;
  std::vector<Op> ops;
  bool operator==(const Trace&) const;
};

// Limits of a trace file; a file beyond them is refused.
inline constexpr std::size_t kMaxTraceBytes = 1 << 20, kMaxTraceOps = 10'000, kMaxLineBytes = 256;

// `expect` lines are annotations, judged after the op before them (see oracle/expect.h).
struct Annotation {
  std::size_t after_op = 0;  // number of ops before it
  int line = 0;
  std::vector<std::string> words;  // without `expect`
  std::vector<int> columns;        // where each word starts, from 1
};

struct TraceFile {
  Trace trace;
  std::vector<Annotation> expects;
  std::string title;  // the first comment line of the header, without `#`; printable ASCII
};

struct ParseError {
  int line = 0, column = 0;  // from 1, of the offending word; columns are bytes
  std::string message;       // what was expected; printable ASCII
};

std::expected<TraceFile, ParseError> parse_trace(std::string_view text);
std::expected<Op, ParseError> parse_op(std::string_view line, const Geometry& geometry);
std::string print(const Trace& trace);
std::string print(const Op& op);
std::string print(const Geometry& geometry);  // with the numbers that it leaves open
std::string print_result(int result);         // "0", "7", "-EINVAL", "SIGSEGV", "OOM", "ELSEWHERE"

}  // namespace thp
