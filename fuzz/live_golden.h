// What a kernel did with a trace, as text to be reviewed and kept, for machines without a guest:
// the trace itself, with a comment for each line that is new (#+) or gone (#-) after an op.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "model/trace/trace.h"
#include "oracle/live/batch.h"

namespace thp::live {

// Writes DIRECTORY/NAME.golden; NAME is the trace file's, or made of the seed. `kernel` is the
// kernel's own word for itself. An error is told to standard error.
void record(const std::string& directory, const std::string& name, const std::string& kernel,
            const Trace& trace, const Observed& observed);

// Where the model first does not do what such a text says that the kernel did: after which op (from
// 1; 0: it is no such text), and a line that differs. `text` says all that.
struct RecordDifference {
  std::size_t op = 0;
  std::string line, text;
};
std::optional<RecordDifference> differs_from_record(std::string_view recorded);

}  // namespace thp::live
