// The two disks of a batch, on the host's side: traces are written, observations are read. What is
// read may be anything: a kernel that dies leaves half a record.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/trace/trace.h"
#include "oracle/live/observation.h"

namespace thp::live {

// The bytes of a batch disk; the id of a trace is its index.
std::string batch_of(std::span<const Trace> traces);

// The traces of a batch disk, or what is wrong with it. Nothing stands for one that this program
// cannot read, as with an op that it does not know.
std::expected<std::vector<std::optional<Trace>>, std::string> read_batch(std::string_view bytes);

struct Observed {
  std::vector<Observation> ops;  // of its first ops, in order
  bool refused = false;          // the guest says that it could not run it
};

struct ObservedBatch {
  std::vector<Observed> traces;  // as many as were asked for
  bool complete = false;         // the batch ended in order
  std::string error;             // where reading stopped and why, if not complete
};

// Observations of `traces` traces. Reads as far as records are sound, and says where they end.
ObservedBatch read_observations(std::string_view bytes, std::size_t traces);

// A record as the guest writes it; for tests and for recording.
std::string record_of(std::uint32_t trace, std::uint32_t op, const Observation& observation);

}  // namespace thp::live
