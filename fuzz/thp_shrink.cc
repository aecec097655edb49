// `thp shrink`: a small trace with the same violation.
#include <fmt/format.h>
#include <unistd.h>

#include "fuzz/thp.h"
#include "fuzz/thp_json.h"
#include "properties/colour.h"
#include "properties/finds.h"
#include "properties/shrink.h"

namespace thp {
namespace {

void show_progress(const Trace& best, int judgings) {
  fmt::print(stderr, "\r{} ops, {} judgings ", best.ops.size(), judgings);
}

nlohmann::ordered_json to_json(const ShrinkCommandOptions& options, const Shrunk& shrunk,
                               std::size_t ops) {
  return {{"file", options.file},
          {"verdict", "violation"},
          {"broken", shrunk.violation.broken},
          {"after", shrunk.violation.after},
          {"ops", shrunk.trace.ops.size()},
          {"ops_before", ops},
          {"size", words_for(shrunk.size)},
          {"judgings", shrunk.judgings},
          {"output", options.output},
          {"trace", print_find(shrunk.trace, shrunk.violation)}};
}

int write(const ShrinkCommandOptions& options, const Shrunk& shrunk, std::size_t ops) {
  const std::string text = print_find(shrunk.trace, shrunk.violation);
  if (!options.json || options.output != "-")
    if (const auto written = write_output(options.output, options.force, text); !written)
      return tell_error(written.error());
  if (options.json) tell_json(to_json(options, shrunk, ops));
  fmt::print(stderr, "{} after {}: {} ops of {}, {}, {} judgings\n",
             coloured(Mood::bad, shrunk.violation.broken, stderr), shrunk.violation.after,
             shrunk.trace.ops.size(), ops, words_for(shrunk.size), shrunk.judgings);
  return kHolds;
}

}  // namespace

int run_shrink(const ShrinkCommandOptions& options) {
  if (const auto error = output_error(options.output, options.force)) return tell_error(*error);
  const auto file = read_trace(options.file);
  if (!file)
    return options.json ? tell_json_error(options.file, file.error()) : tell_error(file.error());
  const auto violation = judge(file->trace);
  if (!violation) {
    fmt::print(stderr, "{}: {} (`expect` lines apart): nothing to shrink\n", options.file,
               coloured(Mood::good, "holds", stderr));
    if (options.json) tell_json({{"file", options.file}, {"verdict", "holds"}});
    return kHolds;
  }
  const bool terminal = isatty(STDERR_FILENO) != 0;
  watch_for_interrupts();
  ShrinkOptions how{
      .max_judgings = options.max_judgings, .explore = true, .progress = {}, .go_on = [] {
        return !interrupted();
      }};
  if (terminal) how.progress = show_progress;
  const Shrunk shrunk = shrink(file->trace, *violation, how);
  if (terminal) fmt::print(stderr, "\n");
  const int status = write(options, shrunk, file->trace.ops.size());
  return status == kHolds && interrupted() ? kInterrupted : status;
}

}  // namespace thp
