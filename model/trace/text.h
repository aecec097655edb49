// The words of a line and the text of op arguments, read and printed. Shared by trace.cc and
// oracle/expect.cc; knows no op.
#pragma once
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/args.h"
#include "model/trace/trace.h"

namespace thp {

// The names of an enumeration's values, in its order.
inline constexpr std::array<std::string_view, 3> kProtectionNames = {"rw", "r", "none"};
inline constexpr std::array<std::string_view, 2> kPinModeNames = {"w", "r"};
inline constexpr std::array<std::string_view, 2> kToggleNames = {"on", "off"};
inline constexpr std::array<std::string_view, 3> kThpDisableNames = {"on", "off", "bad"};
inline constexpr std::array<std::string_view, 2> kSharingNames = {"shared", "private"};
inline constexpr std::array<std::string_view, 2> kFallocModeNames = {"grow", "keep"};
inline constexpr std::array<std::string_view, 3> kEnabledNames = {"always", "madvise", "never"};
inline constexpr std::array<std::string_view, 6> kShmemHugeNames = {
    "never", "always", "within_size", "advise", "deny", "force"};
using Names = std::span<const std::string_view>;
constexpr Names names_of(Protection) { return kProtectionNames; }
constexpr Names names_of(PinMode) { return kPinModeNames; }
constexpr Names names_of(Sharing) { return kSharingNames; }
constexpr Names names_of(FallocMode) { return kFallocModeNames; }
constexpr Names names_of(Toggle) { return kToggleNames; }
constexpr Names names_of(ThpDisable) { return kThpDisableNames; }
constexpr Names names_of(Enabled) { return kEnabledNames; }
constexpr Names names_of(ShmemHuge) { return kShmemHugeNames; }

// An argument type that is an enumeration; the others are structs with count(), nth() and in().
template <class Arg>
concept Named = requires(Arg arg) { names_of(arg); };

// An argument that may be left out at the end of a line.
template <class Arg>
inline constexpr bool kHasDefault =
    std::is_same_v<Arg, Protection> || std::is_same_v<Arg, PinMode> ||
    std::is_same_v<Arg, NewSize> || std::is_same_v<Arg, FallocMode>;

struct Word {
  std::string_view text;  // empty: the end of the line
  int column = 1;
};

// Takes a line apart into words at blanks; `#` ends it. Reading functions return false on an error
// and keep the first one.
class LineReader {
 public:
  LineReader(std::string_view line, int number) : line_(line), number_(number) { skip_blanks(); }

  Word peek() const;
  Word next();
  bool at_end() const { return peek().text.empty(); }
  bool fail(const Word& at, std::string message);
  bool expected(std::string_view what, const Word& found);  // "expected WHAT, found `...`"
  bool unknown(std::string_view what, const Word& found, Names names);  // tells the nearest name
  bool end_of_line();  // nothing but a comment may follow
  const std::optional<ParseError>& error() const { return error_; }

 private:
  void skip_blanks();
  std::string_view line_;
  int number_;
  std::size_t at_ = 0;
  std::optional<ParseError> error_;
};

bool read(LineReader& in, const Geometry& geometry, MmId& mm);
bool read(LineReader& in, const Geometry& geometry, PageNr& page);
bool read(LineReader& in, const Geometry& geometry, PageRange& range);
bool read(LineReader& in, const Geometry& geometry, NewSize& size);
bool read(LineReader& in, const Geometry& geometry, Value& value);
bool read(LineReader& in, const Geometry& geometry, HolderId& holder);
bool read(LineReader& in, const Geometry& geometry, InodeId& inode);
bool read(LineReader& in, const Geometry& geometry, FileSize& size);
bool read(LineReader& in, const Geometry& geometry, Offset& offset);
bool read_name(LineReader& in, std::string_view what, Names names, int& index);
bool read_number(LineReader& in, std::string_view what, int lowest, int highest, int& number);
template <Named Enum>
bool read(LineReader& in, const Geometry&, Enum& value) {
  int index = 0;
  if (!read_name(in, "a name", names_of(value), index)) return false;
  value = Enum(index);
  return true;
}

void print_to(std::string& out, MmId mm);
void print_to(std::string& out, PageNr page);
void print_to(std::string& out, PageRange range);
void print_to(std::string& out, NewSize size);
void print_to(std::string& out, Value value);
void print_to(std::string& out, HolderId holder);
void print_to(std::string& out, InodeId inode);
void print_to(std::string& out, FileSize size);
void print_to(std::string& out, Offset offset);
template <Named Enum>
void print_to(std::string& out, Enum value) {
  out += names_of(value)[std::size_t(value)];
}

bool parse_int(std::string_view text, int& number);      // decimal, all of the text
std::optional<int> parse_result(std::string_view text);  // the inverse of print_result()
std::string escaped(std::string_view bytes);             // anything but printable ASCII as \xNN
std::string quoted(std::string_view bytes);              // `...`, escaped and cut when long

}  // namespace thp
