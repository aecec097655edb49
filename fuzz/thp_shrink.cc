// `thp shrink`: a small trace with the same violation.
#include <fmt/format.h>
#include <unistd.h>

#include "fuzz/thp.h"
#include "properties/finds.h"
#include "properties/shrink.h"

namespace thp {
namespace {

int fail(int status, const std::string& message) {
  fmt::print(stderr, "{}\n", message);
  return status;
}

void show_progress(const Trace& best, int judgings) {
  fmt::print(stderr, "\r{} ops, {} judgings ", best.ops.size(), judgings);
}

int write(const ShrinkCommandOptions& options, const Shrunk& shrunk, std::size_t ops) {
  const std::string text = print_find(shrunk.trace, shrunk.violation);
  if (const auto written = write_output(options.output, options.force, text); !written)
    return fail(kNoTrace, written.error());
  fmt::print(stderr, "{} after {}: {} ops of {}, {}, {} judgings\n", shrunk.violation.broken,
             shrunk.violation.after, shrunk.trace.ops.size(), ops, words_for(shrunk.size),
             shrunk.judgings);
  return kHolds;
}

}  // namespace

int run_shrink(const ShrinkCommandOptions& options) {
  if (const auto error = output_error(options.output, options.force)) return fail(kNoTrace, *error);
  const auto file = read_trace(options.file);
  if (!file) return fail(kNoTrace, file.error());
  const auto violation = judge(file->trace);
  if (!violation)
    return fail(kHolds, options.file + ": holds (`expect` lines apart): nothing to shrink");
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
