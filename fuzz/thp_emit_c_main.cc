// main() of a program: the trace on a model, op by op; each with what is seen otherwise than
// before.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "fuzz/emit_c.h"
#include "oracle/live/observe.h"
#include "oracle/live/reach.h"

namespace thp {
namespace {

// A text as a string of C, a line of it on each line.
std::string c_string(std::string_view text, std::size_t indent) {
  if (text.empty()) return "\"\"";
  std::string c;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (!c.empty()) c += '\n' + std::string(indent, ' ');
    c += fmt::format("\"{}\\n\"", text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return c;
}

std::string c_result(int result) {
  if (result == kSigsegv) return "SIGSEGV_SEEN";
  if (result == kElsewhere) return "ELSEWHERE";
  if (result == kSigbus) return "SIGBUS_SEEN";
  if (result == kEof) return "END_OF_FILE";
  return print_result(result);
}

class MainWriter {
 public:
  MainWriter(const Trace& trace, std::vector<const Defect*> defects)
      : m_(trace.geometry), promises_(trace.geometry, std::move(defects)) {
    for (std::size_t i = 0; i < trace.ops.size() && ended_.empty(); ++i) add(trace.ops[i], i);
    add_end();
  }

  MainInC written() && {
    std::string text = fmt::format(
        "int main(int argc, char **argv) {{\n  begin(argc, argv, {}, {});\n  set_up();\n{}  "
        "start();\n  begin_to_look();\n\n{}  return end();\n}}\n",
        tests_, m_.pages(), open_holders(), body_);
    return {std::move(text), std::move(needs_), holders_ != 0,          has_files_,
            std::move(met_), std::move(ended_), std::move(names_taken_)};
  }

 private:
  std::string open_holders() const {
    std::string text;
    for (int holder = 0; holder < kMaxHolders; ++holder)
      if ((holders_ >> holder & 1) != 0) text += fmt::format("  open_holder({});\n", holder);
    return text;
  }

  void add(const Op& op, std::size_t number) {
    const Machine before = m_;
    const int result = step(m_, op);
    if (const std::string_view why = why_it_ends(op); !why.empty()) {
      ended_ = fmt::format("{}: {}", print(op), why);
      m_ = before;
      return;
    }
    if (is_op<Creat>(op) && result == -EEXIST) return names_taken_.push_back(number);
    split_failures_are_free_ |= is_op<DropCaches>(op);
    const std::vector<Promises::Broken> broken = promises_.after(op, result, before, m_);
    add_call(op, result);
    add_expected(op);
    body_ += "  done();\n";
    for (const Promises::Broken& promise : broken) add_promise(promise);
    body_ += '\n';
  }

  std::string_view why_it_ends(const Op& op) const {
    if (is_op<Swapon>(op) && m_.geometry.swap_slots() == 0)
      return "the trace has a swap device without slots";
    return live::why_comparing_ends(m_);
  }

  void add_call(const Op& op, int result) {
    const OpCall call = call_of(op);
    if (!call.needs.empty()) needs_.insert(call.needs);
    visit_op([&](const auto& o) { visit_args(o, [&](const auto& arg) { note(arg); }); }, op);
    ++tests_;
    body_ +=
        fmt::format("  op(\"{}\");\n  result({}, {});\n", print(op), call.text, c_result(result));
    if (live::is_under_writeback(m_)) body_ += "  await_writeback();\n";
    live::settle(m_);
    if (is_op<DropCaches>(op)) body_ += "  free_event(\"thp_split_page_failed\");\n";
  }
  void note(HolderId holder) { holders_ |= 1u << holder.id; }
  void note(InodeId) { has_files_ = true; }
  void note(const auto&) {}

  // What is seen otherwise than after the op before.
  void add_expected(const Op&) {
    for (const Promises::Struck& s : promises_.struck())
      body_ += fmt::format("  ignore({}, {}, {}, {});\n", char('A' + s.mm), s.first, s.end, s.what);
    for (int mm = 0; mm < m_.geometry.mms; ++mm) {
      if (m_.mms[std::size_t(mm)].alive == 0) continue;
      tell("pagemap", mm, pagemap_text(m_, mm, promises_.ignored()));
      tell("kpageflags", mm, kpageflags_text(m_, mm));
      if (!promises_.vmas_differ(mm))
        tell("smaps", mm, smaps_text(m_, mm));
      else if (vmas_told_.insert(mm).second)
        body_ += fmt::format("  smaps({}, NULL);\n", char('A' + mm));
    }
    for (int i = 0; i < m_.geometry.inodes; ++i)
      if (const Inode& inode = m_.inodes[std::size_t(i)]; inode.open != 0)
        body_ += fmt::format("  file_is({}, {}, {});\n", i, inode.i_size, 8 * inode.alloced);
    if (std::string events = events_text(m_, split_failures_are_free_); events != events_) {
      body_ += fmt::format("  events({});\n", c_string(events, 9));
      events_ = std::move(events);
    }
  }

  void tell(std::string_view what, int mm, std::string text) {
    std::string& before = told_[fmt::format("{}{}", what, mm)];
    if (text == before) return;
    body_ += fmt::format("  {}({}, {});\n", what, char('A' + mm), c_string(text, what.size() + 6));
    before = std::move(text);
  }

  void add_promise(const Promises::Broken& p) {
    ++tests_;
    body_ += fmt::format("  promise({}, {}, {}, {}, \"{}\",\n          \"{}\");\n",
                         char('A' + p.mm), p.page, p.what, int(p.promised), p.defect->name, p.says);
    if (std::ranges::find(met_, p.defect) == met_.end()) met_.push_back(p.defect);
  }

  void add_end() {
    ++tests_;
    body_ += "  op(\"what pages hold\");\n";
    for (int mm = 0; mm < m_.geometry.mms; ++mm)
      if (m_.mms[std::size_t(mm)].alive != 0) body_ += contents_calls(m_, promises_.memory(), mm);
    for (int i = 0; i < m_.geometry.inodes; ++i)
      if (promises_.memory().is_open(i)) body_ += file_contents_calls(promises_.memory(), i);
    body_ += "  told(!bad);\n\n";
    for (const Defect* defect : met_)
      body_ += fmt::format("  tell_defect(\"{}\");\n", defect->name);
  }

  Machine m_;
  Promises promises_;
  std::vector<const Defect*> met_;
  std::string body_, ended_, events_;
  std::map<std::string, std::string> told_;
  std::set<int> vmas_told_;
  std::vector<std::size_t> names_taken_;
  std::set<std::string_view> needs_;
  unsigned holders_ = 0;
  int tests_ = 0;
  bool split_failures_are_free_ = false, has_files_ = false;
};

}  // namespace

MainInC main_in_c(const Trace& live, std::vector<const Defect*> shown) {
  return MainWriter(live, std::move(shown)).written();
}

}  // namespace thp
