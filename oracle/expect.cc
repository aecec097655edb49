// The text of expectations, and their judgement.
#include "oracle/expect.h"

#include <algorithm>
#include <vector>

#include "model/trace/text.h"

namespace thp {
namespace {

constexpr std::string_view kFlags[] = {"0", "1"};

Names names_of(Answer answer) {
  switch (answer) {
    case Answer::flag:
      return kFlags;
    case Answer::reason:
      return kReasonNames;
    case Answer::mapping:
      return kMappingNames;
    case Answer::holder_kind:
      return kHolderKindNames;
    case Answer::cell_kind:
      return kCellKindNames;
    default:
      return {};
  }
}

// An answer that is a set of words.
Names words_of(Answer answer) {
  return answer == Answer::told       ? Names(kPagemapNames)
         : answer == Answer::vm_flags ? Names(kVmFlagNames)
                                      : Names();
}

std::string print_set(Names words, int set) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    if ((set >> i & 1) != 0) (text += text.empty() ? "" : " ") += words[i];
  return text.empty() ? "none" : text;
}

std::string print_answer(Answer answer, int value) {
  if (answer == Answer::result) return print_result(value);
  if (const Names words = words_of(answer); !words.empty()) return print_set(words, value);
  const auto names = names_of(answer);
  const bool named = value >= 0 && std::size_t(value) < names.size();
  return named ? std::string(names[std::size_t(value)]) : std::to_string(value);
}

// Words up to the end of the line, once at least.
bool read_set(LineReader& in, Names words, int& set) {
  constexpr std::string_view kSaysNothing[] = {"none", "mr", "mw", "me", "ms"};
  if (in.at_end()) return in.expected("words, or `none`", in.next());
  for (set = 0; !in.at_end();) {
    const Word word = in.next();
    const auto found = std::ranges::find(words, word.text);
    if (found != words.end())
      set |= 1 << (found - words.begin());
    else if (std::ranges::find(kSaysNothing, word.text) == std::end(kSaysNothing))
      return in.unknown("a word", word, words);
  }
  return true;
}

bool read_answer(LineReader& in, Answer answer, int& value) {
  if (answer == Answer::yes) return value = 1, true;
  if (const Names words = words_of(answer); !words.empty()) return read_set(in, words, value);
  if (const Names names = names_of(answer); !names.empty())
    return read_name(in, "a verdict", names, value);
  const Word word = in.next();
  if (answer == Answer::number) return parse_int(word.text, value) || in.expected("a number", word);
  const std::optional<int> result = parse_result(word.text);
  if (!result)
    return in.expected("a number, an errno as -EINVAL, SIGSEGV, SIGBUS, OOM, EOF or ELSEWHERE",
                       word);
  value = *result;
  return true;
}

bool read_place(LineReader& in, const Geometry& g, int& id, int& number) {
  MmId mm;
  PageNr page;
  if (!read(in, g, mm) || !read(in, g, page)) return false;
  id = mm.id;
  number = page.number;
  return true;
}

bool read_cell(LineReader& in, const Geometry& g, About& about) {
  InodeId inode;
  PageNr page;
  if (!read(in, g, inode) || !read(in, g, page)) return false;
  about = {.id = inode.id, .page = page.number, .of_file = true};
  return true;
}

bool read_subject(LineReader& in, const Geometry& g, Subject subject, About& about) {
  MmId mm;
  HolderId holder;
  InodeId inode;
  switch (subject) {
    case Subject::nothing:
      return true;
    case Subject::event:
      return read_name(in, "an event", kEventNames, about.id);
    case Subject::defect:
      return read_name(in, "a defect", kDefectNames, about.id);
    case Subject::holder:
      return read(in, g, holder) && (about.id = holder.id, true);
    case Subject::mm:
      return read(in, g, mm) && (about.id = mm.id, true);
    case Subject::page:
      return read_place(in, g, about.id, about.page);
    case Subject::file:
      return read(in, g, inode) && (about.id = inode.id, true);
    case Subject::cell:
      return read_cell(in, g, about);
    case Subject::page_or_cell:
      return in.peek().text.starts_with('f') ? read_cell(in, g, about)
                                             : read_place(in, g, about.id, about.page);
    case Subject::two_pages:
      return read_place(in, g, about.id, about.page) &&
             read_place(in, g, about.other_id, about.other_page);
  }
  return false;
}

bool read_expect(LineReader& in, const Geometry& g, Expectation& e) {
  const Word word = in.next();
  const std::span<const Fact> table = facts();
  const auto found = std::ranges::find(table, word.text, &Fact::name);
  if (found == table.end()) {
    std::vector<std::string_view> names;
    for (const Fact& fact : table) names.push_back(fact.name);
    return in.unknown("a fact", word, names);
  }
  e.fact = int(found - table.begin());
  return read_subject(in, g, found->subject, e.about) && read_answer(in, found->answer, e.answer) &&
         in.end_of_line();
}

// The line as it stood in the file, so that columns of errors are those of the file.
std::string line_of(const Annotation& expect) {
  std::string line;
  for (std::size_t i = 0; i < expect.words.size(); ++i) {
    const int column = i < expect.columns.size() ? expect.columns[i] : 0;
    line.resize(std::max(line.size() + (i > 0), std::size_t(std::max(column - 1, 0))), ' ');
    line += expect.words[i];
  }
  return line;
}

std::string words_of(const Annotation& expect) {
  std::string text = "expect";
  for (const std::string& word : expect.words) (text += ' ') += escaped(word);
  return text;
}

}  // namespace

std::string print(const Fact& fact) {
  constexpr std::string_view kSubjects[] = {"",    " A",    " A 3", " A 3 B 4", " EVENT",
                                            " h0", " NAME", " f0",  " f0 3",    " A 3|f0 3"};
  constexpr std::string_view kAnswers[] = {" N", " 0|1", " RESULT", " REASON",  "",
                                           "",   "",     " WORDS",  " VMFLAGS", ""};
  std::string text(fact.name);
  (text += kSubjects[std::size_t(fact.subject)]) += kAnswers[std::size_t(fact.answer)];
  constexpr Answer kTold[] = {Answer::mapping, Answer::cell_kind, Answer::holder_kind};
  if (std::ranges::find(kTold, fact.answer) == std::end(kTold)) return text;
  for (char before = ' '; const std::string_view name : names_of(fact.answer)) {
    (text += before) += name;
    before = '|';
  }
  return text;
}

std::expected<Expectation, ParseError> parse_expect(const Annotation& expect, const Geometry& g) {
  const std::string line = line_of(expect);
  LineReader in(line, expect.line);
  Expectation parsed;
  if (!read_expect(in, g, parsed)) return std::unexpected(*in.error());
  return parsed;
}

std::optional<std::string> check_expect(const Machine& m, int result, const Annotation& expect) {
  const auto parsed = parse_expect(expect, m.geometry);
  if (!parsed) return words_of(expect) + ": " + parsed.error().message;
  const Fact& fact = facts()[std::size_t(parsed->fact)];
  const std::optional<int> is = fact.get(m, result, parsed->about);
  if (!is) return words_of(expect) + ": there is none";
  if (*is == parsed->answer) return std::nullopt;
  if (fact.answer == Answer::yes) return words_of(expect) + ": it is not so";
  return words_of(expect) + ": it is " + print_answer(fact.answer, *is);
}

}  // namespace thp
