// `thp emit-c`: a C program from a trace. Its fixed part stands in fuzz/emit_c/*.c.
#include <emit_c_parts.h>  // generated
#include <fmt/format.h>

#include <algorithm>

#include "fuzz/emit_c.h"
#include "fuzz/thp.h"
#include "oracle/judge.h"

namespace thp {
namespace {

using live::LiveTrace;

std::string event_names() {
  std::string text;
  for (std::size_t i = 0; i < kEvents; ++i)
    if (is_event_told(Event(i))) text += fmt::format("    \"{}\",\n", kEventNames[i]);
  return fmt::format("static const char *const event_names[] = {{\n{}}};\n\n", text);
}

std::string program_of(const std::string& text, const Trace& given, const LiveTrace& live,
                       const MainInC& main) {
  std::string c = top_in_c(text, given, live, main);
  const auto part = [&](bool needed, std::string_view of) {
    c += needed ? fmt::format("{}\n", of) : "";
  };
  part(true, emit_c::kTap);
  c += event_names();
  part(true, emit_c::kWorkers);
  part(main.needs.contains(kNeedsProc), emit_c::kProc);
  part(main.has_holders, emit_c::kHolders);
  part(main.has_files, emit_c::kFiles);
  part(true, emit_c::kSettings);
  part(true, emit_c::kPages);
  part(true, emit_c::kLooks);
  part(!main.shows.empty(), emit_c::kPromises);
  return c + "/* --- The trace. */\n\n" + main.text;
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

// What the program expects is what this build's model does: of a trace that breaks a rule here, a
// mistake. Said where whoever mails the program will see it.
std::string warning_of(const EmitOptions& options, const Trace& trace) {
  const auto violation = judge(trace);
  if (!violation) return {};
  const std::string warning = fmt::format(
      "{} does not hold of the model of this build after op {}, {}: the program expects "
      "what is wrong",
      violation->broken, violation->op + 1, violation->after);
  fmt::print(stderr, "{}: {}\n", options.file, warning);
  return fmt::format("/* WARNING: {}. */\n\n", warning);
}

}  // namespace

int run_emit_c(const EmitOptions& options) {
  if (const auto error = output_error(options.output, options.force)) return tell_error(*error);
  std::string text;
  const auto file = read_trace(options.file, &text);
  if (!file) return tell_error(file.error());
  const LiveTrace live = live::as_far_as_a_kernel_can(file->trace);
  const MainInC main = main_in_c(live.trace, defects_of(*file, options.defects));
  for (const std::string& name : options.defects)
    if (std::ranges::none_of(main.shows, [&](const Defect* d) { return d->name == name; }))
      return tell_error(fmt::format("{}: {} does not strike in what is left for a kernel to run",
                                    options.file, name));
  const std::string program =
      warning_of(options, file->trace) + program_of(text, file->trace, live, main);
  if (const auto written = write_output(options.output, options.force, program); !written)
    return tell_error(written.error());
  return kHolds;
}

}  // namespace thp
