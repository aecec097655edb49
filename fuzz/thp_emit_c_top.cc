// What stands at the top of a program: the trace, what has become of it, how it is run.
#include <fmt/format.h>

#include <algorithm>

#include "fuzz/emit_c.h"
#include "model/trace/text.h"
#include "oracle/live/live_ops.h"

namespace thp {
namespace {

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

// Which op of the trace that was given an op of the live one is.
std::size_t given_op(const live::LiveTrace& live, std::size_t op) {
  for (const live::LiveTrace::Change& change : live.changes)
    if (!change.instead && change.op <= op) ++op;
  return op;
}

std::string changes_of(const Trace& given, const live::LiveTrace& live, const MainInC& main) {
  std::string text;
  for (const live::LiveTrace::Change& change : live.changes) {
    const Op& op = given.ops[change.op];
    text +=
        fmt::format("op {}, {}: {}.\n", change.op + 1, print(op),
                    change.instead ? fmt::format("here {}", op_name(int(change.instead->index())))
                                   : "left out");
    text += fmt::format("  {}\n", live::why_not_live(op));
  }
  for (const std::size_t creat : main.names_taken)
    text += fmt::format("op {}, {}: left out.\n  names are the model's: memfd_create() has none\n",
                        given_op(live, creat) + 1, print(live.trace.ops[creat]));
  for (const std::string& end : {live.ends, main.ended})
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

std::string how_to_run(const MainInC& main) {
  std::string options;
  if (main.needs.contains(kNeedsProc)) options += " --proc";
  options += main.needs.contains(kNeedsSysfs) ? " --sysfs" : " [--sysfs]";
  if (main.needs.contains(kNeedsSwap)) options += " --swap DEVICE";
  return fmt::format(
      "To run: gcc -O1 -o test FILE.c && ./test{}, as root, best in a virtual machine.\n"
      "Without --sysfs it runs only where transparent_hugepage/enabled is always.{}\n"
      "It prints TAP. Exit status: 0: as expected, 1: not so, 3: it could not be run,\n"
      "4: something was skipped for want of an option, and all after it.\n",
      options, main.needs.contains(kNeedsNodes) ? "\nIt needs two NUMA nodes." : "");
}

// Lines of up to 90 columns.
std::string wrapped(std::string_view text) {
  std::string lines;
  std::size_t columns = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (columns + end > 90) {
      lines.back() = '\n';
      columns = 0;
    }
    (lines += text.substr(0, end)) += ' ';
    columns += end + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  lines.back() = '\n';
  return lines;
}

std::string defects_shown(const MainInC& main) {
  std::string text;
  for (const Defect* defect : main.shows)
    text += fmt::format("\nIt shows {}, a defect of Linux:\n{}{}", defect->name,
                        wrapped(defect->sentence), wrapped(fmt::format("({})", defect->source)));
  return text;
}

constexpr std::string_view kIsChecked =
    "After each op its result, and what /proc tells of memory, must be what a model of\n"
    "Linux 6.1.192 has, with CONFIG_MEM_SOFT_DIRTY; in the end also what pages hold.\n";

}  // namespace

std::string top_in_c(const std::string& text, const Trace& given, const live::LiveTrace& live,
                     const MainInC& main) {
  std::string top = "/*\n * System calls, made by `thp emit-c` from a trace of transparent huge ";
  top += "pages:\n *\n" + comment_lines(text, "   ") + " *\n";
  top += comment_lines(std::string(kIsChecked) + sizes_of(given) + defects_shown(main), " ");
  top += " *\n" + comment_lines(changes_of(given, live, main), " ");
  return top + " *\n" + comment_lines(how_to_run(main), " ") + " */\n";
}

}  // namespace thp
