// `thp emit-c`: a C program from a trace. The fixed part stands in fuzz/emit_c/*.c; what is written
// here is what it says at its top, and main().
#include <emit_c_parts.h>  // generated
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "fuzz/emit_c.h"
#include "fuzz/thp.h"
#include "model/trace/text.h"
#include "oracle/expect.h"
#include "oracle/live/live_ops.h"
#include "oracle/live/observe.h"
#include "oracle/live/reach.h"
#include "properties/live_traces.h"

namespace thp {
namespace {

using live::LiveTrace;

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
  if (result == kOom) return "SIGBUS_SEEN";
  return print_result(result);
}

// --- main(): the trace on a model, op by op.

class MainOf {
 public:
  MainOf(const Trace& trace, std::vector<const Defect*> defects)
      : m_(trace.geometry), shown_(std::move(defects)), promises_(trace.geometry, shown_) {
    for (const Op& op : trace.ops)
      if (ended_.empty()) add(op);
    add_end();
  }

  std::string text() const {
    return fmt::format(
        "int main(int argc, char **argv) {{\n  begin(argc, argv, {}, {});\n  set_up();\n{}  "
        "start();\n  begin_to_look();\n\n{}  return end();\n}}\n",
        tests_, m_.pages(), open_holders(), body_);
  }
  const std::set<std::string_view>& needs() const { return needs_; }
  bool has_holders() const { return holders_ != 0; }
  bool has_promises() const { return promises_told_ != 0; }
  const std::string& ended() const { return ended_; }

 private:
  std::string open_holders() const {
    std::string text;
    for (int holder = 0; holder < kMaxHolders; ++holder)
      if ((holders_ >> holder & 1) != 0) text += fmt::format("  open_holder({});\n", holder);
    return text;
  }

  void add(const Op& op) {
    const Machine before = m_;
    const int result = step(m_, op);
    if (const std::string_view why = why_it_ends(op); !why.empty()) {
      ended_ = fmt::format("{}: {}", print(op), why);
      m_ = before;
      return;
    }
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
    ++promises_told_;
    body_ += fmt::format("  promise({}, {}, {}, {}, \"{}\",\n          \"{}\");\n",
                         char('A' + p.mm), p.page, p.what, int(p.promised), p.defect->name, p.says);
    if (std::ranges::find(met_, p.defect) == met_.end()) met_.push_back(p.defect);
  }

  void add_end() {
    ++tests_;
    body_ += "  op(\"what pages hold\");\n";
    for (int mm = 0; mm < m_.geometry.mms; ++mm)
      if (m_.mms[std::size_t(mm)].alive != 0) body_ += contents_calls(m_, promises_.memory(), mm);
    body_ += "  told(!bad);\n\n";
    for (const Defect* defect : met_)
      body_ += fmt::format("  tell_defect(\"{}\");\n", defect->name);
  }

  Machine m_;
  std::vector<const Defect*> shown_, met_;
  Promises promises_;
  std::string body_, ended_, events_;
  std::map<std::string, std::string> told_;
  std::set<int> vmas_told_;
  std::set<std::string_view> needs_;
  unsigned holders_ = 0;
  int tests_ = 0, promises_told_ = 0;
  bool split_failures_are_free_ = false;
};

// --- What stands at the top.

// Nothing in it ends a comment, or begins one.
std::string in_comment(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (!safe.empty() && ((safe.back() == '*' && c == '/') || (safe.back() == '/' && c == '*')))
      safe += ' ';
    safe += c;
  }
  return safe;
}

std::string comment_lines(std::string_view text, std::string_view indent) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines += line.empty() ? " *\n" : fmt::format(" *{}{}\n", indent, in_comment(escaped(line)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string changes_of(const Trace& given, const LiveTrace& live, const std::string& ended) {
  std::string text;
  for (const LiveTrace::Change& change : live.changes) {
    const Op& op = given.ops[change.op];
    text +=
        fmt::format("op {}, {}: {}.\n", change.op + 1, print(op),
                    change.instead ? fmt::format("here {}", op_name(int(change.instead->index())))
                                   : "left out");
    text += fmt::format("  {}\n", live::why_not_live(op));
  }
  for (const std::string& end : {live.ends, ended})
    if (!end.empty()) text += fmt::format("The program ends before {}.\n", end);
  return text.empty() ? "No op is left out.\n" : text;
}

std::string sizes_of(const Trace& given) {
  const int by = Geometry::kMaxOrder - given.geometry.order;
  if (by == 0) return {};
  return fmt::format(
      "A huge page of the trace has {} pages, one of x86-64 has 512: page n there is\n"
      "page {} * n here.\n",
      1 << given.geometry.order, 1 << by);
}

std::string how_to_run(const MainOf& main) {
  std::string options;
  if (main.needs().contains(kNeedsProc)) options += " --proc";
  options += main.needs().contains(kNeedsSysfs) ? " --sysfs" : " [--sysfs]";
  if (main.needs().contains(kNeedsSwap)) options += " --swap DEVICE";
  return fmt::format(
      "To run: gcc -O1 -o test FILE.c && ./test{}, as root, best in a virtual machine.\n"
      "Without --sysfs it runs only where transparent_hugepage/enabled is always.{}\n"
      "It prints TAP. Exit status: 0: as expected, 1: not so, 3: it could not be run,\n"
      "4: something was skipped for want of an option, and all after it.\n",
      options, main.needs().contains(kNeedsNodes) ? "\nIt needs two NUMA nodes." : "");
}

std::string top_of(const std::string& text, const Trace& given, const LiveTrace& live,
                   const MainOf& main) {
  return fmt::format(
      "/*\n * System calls, made by `thp emit-c` from a trace of transparent huge pages:\n *\n{}"
      " *\n{}{} *\n{} *\n{} */\n",
      comment_lines(text, "   "),
      comment_lines(
          "After each op its result, and what /proc tells of memory, must be what a model "
          "of\nLinux 6.1.192 has; in the end also what pages hold.\n",
          " "),
      comment_lines(sizes_of(given), " "),
      comment_lines(changes_of(given, live, main.ended()), " "),
      comment_lines(how_to_run(main), " "));
}

std::string event_names() {
  std::string text;
  for (std::size_t i = 0; i < kEvents; ++i)
    if (is_event_told(Event(i))) text += fmt::format("    \"{}\",\n", kEventNames[i]);
  return fmt::format("static const char *const event_names[] = {{\n{}}};\n\n", text);
}

constexpr std::string_view kIncludes =
    "#define _GNU_SOURCE\n"
    "#include <errno.h>\n#include <fcntl.h>\n#include <linux/io_uring.h>\n#include <sched.h>\n"
    "#include <setjmp.h>\n#include <signal.h>\n#include <stdarg.h>\n#include <stdio.h>\n"
    "#include <stdlib.h>\n#include <string.h>\n#include <sys/mman.h>\n#include <sys/prctl.h>\n"
    "#include <sys/swap.h>\n#include <sys/syscall.h>\n#include <sys/uio.h>\n#include "
    "<sys/wait.h>\n"
    "#include <unistd.h>\n\n"
    "#ifndef MADV_COLLAPSE\n#define MADV_COLLAPSE 25\n#endif\n\n";

std::string program_of(const std::string& text, const Trace& given, const LiveTrace& live,
                       const MainOf& main) {
  std::string c = top_of(text, given, live, main);
  c += kIncludes;
  c += event_names();
  const auto part = [&](bool needed, std::string_view of) {
    c += needed ? fmt::format("{}\n", of) : "";
  };
  part(true, emit_c::kTap);
  part(true, emit_c::kWorkers);
  part(main.needs().contains(kNeedsProc), emit_c::kProc);
  part(main.has_holders(), emit_c::kHolders);
  part(true, emit_c::kSettings);
  part(true, emit_c::kLooks);
  part(main.has_promises(), emit_c::kPromises);
  return c + "/* --- The trace. */\n\n" + main.text();
}

// Those that are asked for, and those that the trace expects to meet.
std::vector<const Defect*> defects_of(const TraceFile& file,
                                      const std::vector<std::string>& asked) {
  std::vector<const Defect*> defects;
  for (const Defect* defect : kDefects) {
    const auto is_named = [&](const std::string& name) { return name == defect->name; };
    const auto expects = [&](const Annotation& expect) {
      return expect.words[0] == "defect" && is_named(expect.words.back());
    };
    if (std::ranges::any_of(asked, is_named) || std::ranges::any_of(file.expects, expects))
      defects.push_back(defect);
  }
  return defects;
}

}  // namespace

int run_emit_c(const EmitOptions& options) {
  const auto fail_with = [](const std::string& message) {
    fmt::print(stderr, "{}\n", message);
    return kNoTrace;
  };
  if (const auto error = output_error(options.output, options.force)) return fail_with(*error);
  std::string text;
  const auto file = read_trace(options.file, &text);
  if (!file) return fail_with(file.error());
  const LiveTrace live = live::as_far_as_a_kernel_can(file->trace);
  const MainOf main(live.trace, defects_of(*file, options.defects));
  const std::string program = program_of(text, file->trace, live, main);
  if (const auto written = write_output(options.output, options.force, program); !written)
    return fail_with(written.error());
  return kHolds;
}

}  // namespace thp
