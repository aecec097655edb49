// Words, names and numbers of a trace's text; see text.h.
#include "model/trace/text.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>
#include <vector>

namespace thp {
namespace {

constexpr std::size_t kMaxQuoted = 40;  // bytes of a word that a message repeats
constexpr std::size_t kMaxListed = 8;   // names; of more, a message tells the nearest

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string interval(int lowest, int highest) {
  return std::to_string(lowest) + ".." + std::to_string(highest);
}

// What ops return, and what they might.
constexpr std::pair<int, std::string_view> kResults[] = {
    {-EPERM, "-EPERM"},    {-ENOENT, "-ENOENT"}, {-ESRCH, "-ESRCH"},   {-EINTR, "-EINTR"},
    {-EIO, "-EIO"},        {-EBADF, "-EBADF"},   {-EAGAIN, "-EAGAIN"}, {-ENOMEM, "-ENOMEM"},
    {-EACCES, "-EACCES"},  {-EFAULT, "-EFAULT"}, {-EBUSY, "-EBUSY"},   {-EEXIST, "-EEXIST"},
    {-EINVAL, "-EINVAL"},  {-ENOSPC, "-ENOSPC"}, {-ENOSYS, "-ENOSYS"}, {-EOPNOTSUPP, "-EOPNOTSUPP"},
    {kSigsegv, "SIGSEGV"}, {kOom, "OOM"},        {kEof, "EOF"},        {kElsewhere, "ELSEWHERE"},
    {kSigbus, "SIGBUS"},
};

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = int(j);
  for (std::size_t i = 0; i < a.size(); ++i) {
    int diagonal = std::exchange(row[0], int(i) + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const int replace = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replace, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

// --- Words.

void LineReader::skip_blanks() {
  while (at_ < line_.size() && is_blank(line_[at_])) ++at_;
}

Word LineReader::peek() const {
  std::size_t end = at_;
  while (end < line_.size() && !is_blank(line_[end]) && line_[end] != '#') ++end;
  return {line_.substr(at_, end - at_), int(at_) + 1};
}

Word LineReader::next() {
  const Word word = peek();
  at_ += word.text.size();
  skip_blanks();
  return word;
}

bool LineReader::fail(const Word& at, std::string message) {
  if (!error_) error_ = ParseError{number_, at.column, std::move(message)};
  return false;
}

bool LineReader::expected(std::string_view what, const Word& found) {
  return fail(found, "expected " + std::string(what) + ", found " +
                         (found.text.empty() ? "the end of the line" : quoted(found.text)));
}

bool LineReader::unknown(std::string_view what, const Word& found, Names names) {
  if (found.text.empty()) return expected(what, found);
  const std::string_view word = found.text.substr(0, kMaxQuoted);
  const auto distance = [&](std::string_view name) { return edit_distance(word, name); };
  const std::string_view nearest = *std::ranges::min_element(names, {}, distance);
  return expected(std::string(what) + " (the nearest is `" + std::string(nearest) + "`)", found);
}

bool LineReader::end_of_line() { return at_end() || expected("the end of the line", peek()); }

// --- Arguments.

bool read_number(LineReader& in, std::string_view what, int lowest, int highest, int& number) {
  const Word word = in.next();
  if (parse_int(word.text, number) && number >= lowest && number <= highest) return true;
  return in.expected(std::string(what) + " " + interval(lowest, highest), word);
}

bool read_name(LineReader& in, std::string_view what, Names names, int& index) {
  const Word word = in.next();
  const auto found = std::ranges::find(names, word.text);
  index = int(found - names.begin());
  if (found != names.end()) return true;
  if (names.size() > kMaxListed) return in.unknown(what, word, names);
  std::string list(names[0]);
  for (std::size_t i = 1; i < names.size(); ++i) {
    list += i + 1 < names.size() ? ", " : " or ";
    list += names[i];
  }
  return in.expected(list, word);
}

bool read(LineReader& in, const Geometry& geometry, MmId& mm) {
  const Word word = in.next();
  mm.id = word.text.size() == 1 ? word.text[0] - 'A' : -1;
  if (mm.in(geometry)) return true;
  const char last = char('A' + geometry.mms - 1);
  return in.expected(std::string("an address space A..") + last, word);
}

bool read(LineReader& in, const Geometry& geometry, PageNr& page) {
  return read_number(in, "a page", 0, geometry.pages() - 1, page.number);
}

bool read(LineReader& in, const Geometry& geometry, PageRange& range) {
  const Word word = in.next();
  const std::size_t dots = word.text.find("..");
  bool ok = parse_int(word.text.substr(0, dots), range.first);
  if (dots != std::string_view::npos)
    ok = ok && parse_int(word.text.substr(dots + 2), range.end);
  else if (ok && range.first < geometry.pages())
    range.end = range.first + 1;
  if (ok && range.in(geometry)) return true;
  return in.expected(
      "a range of pages within " + interval(0, geometry.pages()) + " (end excluded, not empty)",
      word);
}

bool read(LineReader& in, const Geometry& geometry, NewSize& size) {
  return read_number(in, "a number of pages", 0, geometry.pages(), size.pages);
}

bool read(LineReader& in, const Geometry&, Value& value) {
  return read_number(in, "a value", 0, Value::kMax, value.number);
}

bool read(LineReader& in, const Geometry& geometry, HolderId& holder) {
  const Word word = in.next();
  const bool ok = word.text.starts_with('h') && parse_int(word.text.substr(1), holder.id);
  if (ok && holder.in(geometry)) return true;
  return in.expected("a holder h0..h" + std::to_string(kMaxHolders - 1), word);
}

bool read(LineReader& in, const Geometry& geometry, InodeId& inode) {
  const Word word = in.next();
  if (geometry.inodes == 0)
    return in.expected("no file, as the geometry has none (`inodes=1` gives it one)", word);
  const bool ok = word.text.starts_with('f') && parse_int(word.text.substr(1), inode.id);
  if (ok && inode.in(geometry)) return true;
  return in.expected("a file f0..f" + std::to_string(geometry.inodes - 1), word);
}

bool read(LineReader& in, const Geometry& geometry, Offset& offset) {
  return read_number(in, "a page of the file", 0, geometry.pages() - 1, offset.number);
}

bool read(LineReader& in, const Geometry& geometry, FileSize& size) {
  return read_number(in, "a size in pages", 0, geometry.pages(), size.pages);
}

void print_to(std::string& out, MmId mm) { out += char('A' + mm.id); }
void print_to(std::string& out, PageNr page) { out += std::to_string(page.number); }
void print_to(std::string& out, PageRange range) { out += interval(range.first, range.end); }
void print_to(std::string& out, NewSize size) { out += std::to_string(size.pages); }
void print_to(std::string& out, Value value) { out += std::to_string(value.number); }
void print_to(std::string& out, InodeId inode) { out += "f" + std::to_string(inode.id); }
void print_to(std::string& out, Offset offset) { out += std::to_string(offset.number); }
void print_to(std::string& out, FileSize size) { out += std::to_string(size.pages); }
void print_to(std::string& out, HolderId holder) { out += "h" + std::to_string(holder.id); }

// --- Numbers, results, and bytes in messages.

bool parse_int(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string print_result(int result) {
  for (const auto& [number, name] : kResults)
    if (number == result) return std::string(name);
  return std::to_string(result);
}

std::optional<int> parse_result(std::string_view text) {
  for (const auto& [number, name] : kResults)
    if (name == text) return number;
  int number = 0;
  if (parse_int(text, number)) return number;
  return std::nullopt;
}

std::string escaped(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f)
      out += c;
    else
      (((out += "\\x") += kHex[byte >> 4]) += kHex[byte & 15]);
  }
  return out;
}

std::string quoted(std::string_view bytes) {
  const bool cut = bytes.size() > kMaxQuoted;
  return "`" + escaped(bytes.substr(0, kMaxQuoted)) + (cut ? "...`" : "`");
}

}  // namespace thp
