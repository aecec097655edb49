// The grammar of trace files (corpus/README.md): a version line, the header, then ops and
// expectations. The text of arguments is text.cc's.
#include "model/trace/trace.h"

#include <algorithm>
#include <utility>

#include "model/trace/text.h"

namespace thp {
namespace {

// --- Ops: a table over the alphabet.

template <class T>
bool read_args(LineReader& in, const Geometry& geometry, Op& op) {
  T read_op;
  bool ok = true;
  visit_args(read_op, [&]<class Arg>(Arg& arg) {
    if (kHasDefault<Arg> && in.at_end())
      arg = Arg{};
    else
      ok = ok && read(in, geometry, arg);
  });
  op = read_op;
  return ok && in.end_of_line();
}

struct OpText {
  std::string_view name;
  bool (*read_args)(LineReader& in, const Geometry& geometry, Op& op);
};

template <class... Ts>
constexpr std::array<OpText, sizeof...(Ts)> op_texts(std::type_identity<std::variant<Ts...>>) {
  return {OpText{Ts::name, read_args<Ts>}...};
}
constexpr auto kOps = op_texts(std::type_identity<Op>{});
constexpr auto kOpsByName = [] {
  auto ops = kOps;
  std::ranges::sort(ops, {}, &OpText::name);
  return ops;
}();

constexpr std::string_view kKeywords[] = {"kernel", "geometry", "expect"};

bool unknown_op(LineReader& in, const Word& word) {
  std::vector<std::string_view> names(std::begin(kKeywords), std::end(kKeywords));
  for (const OpText& op : kOps) names.push_back(op.name);
  return in.unknown("an op", word, names);
}

bool read_op(LineReader& in, const Geometry& geometry, Op& op) {
  const Word word = in.next();
  const auto found = std::ranges::lower_bound(kOpsByName, word.text, {}, &OpText::name);
  if (found == kOpsByName.end() || found->name != word.text) return unknown_op(in, word);
  return found->read_args(in, geometry, op);
}

// --- Header.

bool read_version(LineReader& in) {
  const std::string line = "`thp-trace " + std::to_string(kTraceVersion) + "`";
  const Word name = in.next();
  if (name.text != "thp-trace") return in.expected(line + " as the first line", name);
  const Word number = in.next();
  int version = 0;
  if (!parse_int(number.text, version) || version < 1) return in.expected(line, number);
  if (version > kTraceVersion)
    return in.fail(number, "trace format " + quoted(number.text) + " is newer than version " +
                               std::to_string(kTraceVersion) + ", the newest understood here");
  return in.end_of_line();
}

constexpr std::string_view kKernelNames[] = {"6.1"};  // enum Kernel

bool read_kernel(LineReader& in, Kernel& kernel) {
  int index = 0;
  if (!read_name(in, "a kernel", kKernelNames, index)) return false;
  kernel = Kernel(index);
  return in.end_of_line();
}

struct GeometryKey {
  std::string_view name;
  int Geometry::* field;
  int lowest, highest;
};
constexpr GeometryKey kGeometryKeys[] = {
    {"order", &Geometry::order, 1, Geometry::kMaxOrder},
    {"pmds", &Geometry::pmds, 1, Geometry::kMaxPmds},
    {"mms", &Geometry::mms, 1, Geometry::kMaxMms},
    {"swap", &Geometry::swap, 0, 4 << Geometry::kMaxOrder},
    {"blocks", &Geometry::blocks, 2, Geometry::kMaxBlocks},
    {"inodes", &Geometry::inodes, 0, Geometry::kMaxInodes},
};

// KEY=NUMBER; `seen` has a bit for each key that stood on the line already.
bool read_geometry_key(LineReader& in, Geometry& geometry, unsigned& seen) {
  const Word word = in.next();
  const std::size_t equals = word.text.find('=');
  for (unsigned bit = 1; const GeometryKey& key : kGeometryKeys) {
    if (equals != std::string_view::npos && key.name == word.text.substr(0, equals)) {
      if ((seen & bit) != 0) return in.fail(word, std::string(key.name) + " is given twice");
      seen |= bit;
      LineReader number(word.text.substr(equals + 1), 0);
      if (read_number(number, key.name, key.lowest, key.highest, geometry.*key.field)) return true;
      return in.fail({{}, word.column + int(equals) + 1}, number.error()->message);
    }
    bit <<= 1;
  }
  return in.expected("KEY=NUMBER, KEY one of order, pmds, mms, swap, blocks and inodes", word);
}

bool read_geometry(LineReader& in, Geometry& geometry) {
  Word swap;
  unsigned seen = 0;
  while (!in.at_end()) {
    if (in.peek().text.starts_with("swap=")) swap = in.peek();
    if (!read_geometry_key(in, geometry, seen)) return false;
  }
  if (geometry.is_valid()) return true;  // each number is in its interval; one bound is mutual
  return in.expected("at most 4 << order swap slots: " + std::to_string(4 << geometry.order), swap);
}

// --- Lines.

struct Parser {
  TraceFile file;
  bool in_header = true, seen_version = false, seen_kernel = false, seen_geometry = false;

  bool read_line(LineReader& in, std::string_view line, int number);
  bool read_header_line(LineReader& in, const Word& word, bool& seen);
  bool read_expect(LineReader& in, int number);
};

bool Parser::read_header_line(LineReader& in, const Word& word, bool& seen) {
  const std::string name = "`" + std::string(word.text) + "`";
  if (!in_header) return in.fail(word, name + " must stand before the first op and `expect`");
  if (std::exchange(seen, true)) return in.fail(word, name + " is given twice");
  in.next();
  return &seen == &seen_kernel ? read_kernel(in, file.trace.kernel)
                               : read_geometry(in, file.trace.geometry);
}

bool Parser::read_expect(LineReader& in, int number) {
  in.next();
  if (in.at_end()) return in.expected("a fact", in.peek());
  Annotation expect{file.trace.ops.size(), number, {}, {}};
  while (!in.at_end()) {
    const Word word = in.next();
    expect.words.emplace_back(word.text);
    expect.columns.push_back(word.column);
  }
  file.expects.push_back(std::move(expect));
  return true;
}

bool Parser::read_line(LineReader& in, std::string_view line, int number) {
  const Word word = in.peek();
  if (word.text.empty()) {  // blank, or a comment from word.column on
    const bool comment = std::size_t(word.column) <= line.size();
    if (comment && in_header && file.title.empty()) {
      const std::size_t text = line.find_first_not_of("# \t", std::size_t(word.column) - 1);
      if (text != std::string_view::npos) file.title = escaped(line.substr(text));
    }
    return true;
  }
  if (!std::exchange(seen_version, true)) return read_version(in);
  if (word.text == "kernel") return read_header_line(in, word, seen_kernel);
  if (word.text == "geometry") return read_header_line(in, word, seen_geometry);
  in_header = false;
  if (word.text == "expect") return read_expect(in, number);
  if (file.trace.ops.size() == kMaxTraceOps)
    return in.fail(word, "a trace has at most " + std::to_string(kMaxTraceOps) + " ops");
  return read_op(in, file.trace.geometry, file.trace.ops.emplace_back());
}

ParseError line_too_long(int number) {
  return {number, int(kMaxLineBytes) + 1,
          "a line has at most " + std::to_string(kMaxLineBytes) + " bytes"};
}

}  // namespace

std::expected<TraceFile, ParseError> parse_trace(std::string_view text) {
  if (text.size() > kMaxTraceBytes)
    return std::unexpected(
        ParseError{1, 1, "a trace has at most " + std::to_string(kMaxTraceBytes) + " bytes"});
  Parser parser;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > kMaxLineBytes) return std::unexpected(line_too_long(number));
    LineReader in(line, number);
    if (!parser.read_line(in, line, number)) return std::unexpected(*in.error());
  }
  if (parser.seen_version) return std::move(parser.file);
  LineReader end({}, number + 1);
  read_version(end);
  return std::unexpected(*end.error());
}

std::expected<Op, ParseError> parse_op(std::string_view line, const Geometry& geometry) {
  if (line.size() > kMaxLineBytes) return std::unexpected(line_too_long(1));
  LineReader in(line, 1);
  Op op;
  if (!read_op(in, geometry, op)) return std::unexpected(*in.error());
  return op;
}

std::string print(const Op& op) {
  std::string out;
  visit_op(
      [&]<class T>(const T& printed) {
        out += T::name;
        visit_args(printed, [&]<class Arg>(const Arg& arg) {
          if (kHasDefault<Arg> && arg == Arg{}) return;
          print_to(out += ' ', arg);
        });
      },
      op);
  return out;
}

bool Trace::operator==(const Trace&) const = default;

std::string print(const Geometry& geometry) {
  Geometry told = geometry;
  told.swap = geometry.swap_slots();
  told.blocks = geometry.frame_blocks();
  std::string out;
  for (const GeometryKey& key : kGeometryKeys) {
    if (key.field == &Geometry::inodes && told.inodes == 0) continue;
    if (!out.empty()) out += ' ';
    ((out += key.name) += '=') += std::to_string(told.*key.field);
  }
  return out;
}

std::string print(const Trace& trace) {
  std::string out = "thp-trace " + std::to_string(kTraceVersion) + "\nkernel ";
  (out += kKernelNames[std::size_t(trace.kernel)]) += "\ngeometry";
  for (const GeometryKey& key : kGeometryKeys) {
    const int number = trace.geometry.*key.field;
    const bool is_usual = key.lowest == 0 && number == Geometry{}.*key.field;
    if (number >= 0 && !is_usual) ((((out += ' ') += key.name) += '=') += std::to_string(number));
  }
  out += '\n';
  for (const Op& op : trace.ops) (out += print(op)) += '\n';
  return out;
}

}  // namespace thp
