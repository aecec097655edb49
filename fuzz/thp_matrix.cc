// The matrix of `thp explore --matrix`: op by outcome, and op by next op, of all that was explored
// and of traces. A hole in the one that is none in the other asks for a seed, or for a scope.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "fuzz/thp.h"
#include "model/trace/generate.h"
#include "model/trace/text.h"
#include "properties/finds.h"

namespace thp {
namespace {

void tell_kind(int kind, const Outcomes& explored, const Outcomes& traced) {
  std::vector<Outcome> rows = explored.of(kind);
  std::ranges::sort(rows, std::greater(), &Outcome::times);
  for (const Outcome& outcome : traced.of(kind))
    if (!explored.has(kind, outcome)) rows.push_back({outcome.result, outcome.reason, 0});
  for (const Outcome& row : rows)
    fmt::print("| `{}` | {} | {} | {} | {} |\n", op_name(kind), print_result(row.result),
               row.reason == Reason::none ? "" : kReasonNames[std::size_t(row.reason)],
               row.times == 0 ? "-" : fmt::format("{}", row.times),
               traced.has(kind, row) ? "yes" : "-");
}

void tell_pairs(const Outcomes& explored, const Outcomes& traced) {
  fmt::print("\n{} pairs of ops that both change something here, {} in the traces\n",
             explored.pairs(), traced.pairs());
  for (int kind = 0; kind < kOpKinds; ++kind)
    for (int next = 0; next < kOpKinds; ++next)
      if (explored.has_pair(kind, next) != traced.has_pair(kind, next))
        fmt::print("{}: {}, then {}\n", traced.has_pair(kind, next) ? "not here" : "in no trace",
                   op_name(kind), op_name(next));
}

bool write_hole(const std::string& folder, const std::string& name, std::string_view what,
                const std::string& lines) {
  const auto done = write_atomically(fmt::format("{}/{}.trace", folder, name),
                                     fmt::format("# {}\n{}", what, lines), false);
  if (!done) tell_error(done.error());
  return done.has_value();
}

// A shortest trace for each outcome that the traces have not.
bool write_outcomes(const std::vector<ShownOutcome>& shown, const Outcomes& traced,
                    const std::string& folder) {
  bool written = true;
  for (const auto& [kind, outcome, trace] : shown) {
    if (traced.has(kind, outcome)) continue;
    const std::string result = print_result(outcome.result);
    std::string name = fmt::format("{}_{}", op_name(kind), result), expected;
    std::erase(name, '-');
    // 1 stands for any value that was loaded.
    if (!is_op<Load, LoadViaPin>(trace.ops.back())) expected = "expect result " + result + "\n";
    if (outcome.reason != Reason::none) {
      const std::string_view reason = kReasonNames[std::size_t(outcome.reason)];
      name += fmt::format("_{}", reason);
      expected += fmt::format("expect reason {}\n", reason);
    }
    written &=
        write_hole(folder, name, "The shortest way to an outcome that no other trace came to.",
                   print(trace) + expected);
  }
  return written;
}

bool write_pairs(const std::vector<ShownPair>& shown, const Outcomes& traced,
                 const std::string& folder) {
  bool written = true;
  for (const auto& [kind, next, trace] : shown) {
    if (traced.has_pair(kind, next)) continue;
    written &=
        write_hole(folder, fmt::format("{}_then_{}", op_name(kind), op_name(next)),
                   "The shortest way to two ops in turn as in no other trace.", print(trace));
  }
  return written;
}

}  // namespace

std::optional<Outcomes> outcomes_of(const Files& files) {
  Outcomes outcomes;
  for (const std::string& name : files) {
    const auto file = read_trace(name);
    if (!file) {
      tell_error(file.error());
      return {};
    }
    outcomes.add(file->trace);
  }
  return outcomes;
}

bool tell_matrix(const Outcomes& explored, const Shown& shown, const Outcomes& traced,
                 const std::string& write) {
  fmt::print("\n| op | result | reason | transitions | in the traces |\n|---|---|---|---|---|\n");
  for (int kind = 0; kind < kOpKinds; ++kind) tell_kind(kind, explored, traced);
  tell_pairs(explored, traced);
  if (write.empty()) return true;
  const bool outcomes = write_outcomes(shown.outcomes, traced, write);
  return write_pairs(shown.pairs, traced, write) && outcomes;
}

}  // namespace thp
