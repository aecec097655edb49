// What an engine does with a find: shrink it, write it down, say how to see it again.
#pragma once
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "model/trace/trace.h"
#include "oracle/judge.h"
#include "properties/shrink.h"

namespace thp {

// The file is there with all of `text`, or as it was before; without `replace` only if there was
// none. The error is a message.
std::expected<void, std::string> write_atomically(const std::filesystem::path& file,
                                                  std::string_view text, bool replace = true);

// The text of a trace file whose title says what it breaks; `more` are lines for its head.
std::string print_find(const Trace& trace, const Violation& violation, std::string_view more = {});

// The line at the head of a file that a run leaves: which build has found it.
std::string found_by_line();

// BROKEN-HASH.trace: the same trace has the same name.
std::string find_name(const Trace& trace, const Violation& violation);

// $THP_FINDS, or ./finds. Where it is `-`, a find is told in one line, and that is all.
std::filesystem::path finds_directory();

// What to type in this folder to have the file judged and explained by this very build, and to make
// it a regression; quoted for a shell. `thp` beside this program does that. Where there is none, or
// if `by_itself`, this program judges the file.
std::string next_steps(const std::string& file, bool by_itself = false);

// The file that the same finding has in finds_directory(), or the trace in corpus/regressions, if
// there is one.
std::optional<std::filesystem::path> known_as(const Trace& trace, const Violation& violation);

// Shrinks the trace, writes the result to finds_directory(), unless it is known, and tells standard
// error all of it: the report, and how to go on.
void record_find(const Trace& trace, const Violation& violation,
                 const ShrinkOptions& options = {.explore = true}, bool by_itself = false);

}  // namespace thp
