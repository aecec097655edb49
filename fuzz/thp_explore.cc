// `thp explore`: every state within bounds.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "fuzz/thp.h"
#include "model/trace/text.h"
#include "oracle/report/report.h"
#include "properties/colour.h"
#include "properties/explore.h"
#include "properties/finds.h"
#include "properties/scopes.h"
#include "properties/twin.h"

namespace thp {
namespace {

using Clock = std::chrono::steady_clock;

std::expected<Geometry, std::string> geometry_of(const std::string& text) {
  const auto file = parse_trace("thp-trace 1\ngeometry " + text + "\n");
  if (!file) return std::unexpected("--geometry: " + file.error().message);
  return file->trace.geometry;
}

constexpr std::string_view end_name(Explored::End end) {
  constexpr std::string_view kNames[] = {"fixpoint",     "depth",       "transitions",
                                         "memory limit", "interrupted", "violation"};
  return kNames[std::size_t(end)];
}

// Of the states visited: could one have been taken for another?
double omission(std::uint64_t states) { return std::ldexp(double(states) * double(states), -65); }

// On a terminal in one place, else a line each time.
void show_explored(const Explored& e, double seconds, bool terminal) {
  const std::string text = fmt::format("{:>12} states, depth {}, {:.0f} k transitions/s", e.states,
                                       e.depth, double(e.transitions) / seconds / 1e3);
  fmt::print(stderr, "{}{}{}", terminal ? "\r" : "", text, terminal ? " " : "\n");
}

nlohmann::json figures(const Scope& scope, const Explored& e, double seconds) {
  nlohmann::json json{{"order", scope.geometry.order},
                      {"pmds", scope.geometry.pmds},
                      {"mms", scope.geometry.mms},
                      {"inodes", scope.geometry.inodes},
                      {"ops", scope.ops.count()},
                      {"moves", e.moves},
                      {"end", end_name(e.end)},
                      {"states", e.states},
                      {"transitions", e.transitions},
                      {"depth", e.depth},
                      {"digest", fmt::format("{:016x}", e.digest)},
                      {"seconds", seconds},
                      {"visited_bytes", e.visited_bytes},
                      {"tree_bytes", e.tree_bytes},
                      {"defects", e.defects},
                      {"memory_full", e.memory_full},
                      {"sometimes", e.reached.count()},
                      {"omission", omission(e.states)}};
  if (e.find) {
    json["broken"] = e.find->violation.broken;
    json["trace"] = print_find(e.find->trace, e.find->violation);
  }
  return json;
}

// The machine, and what every trace begins with.
void tell_scope(const Scope& scope) {
  fmt::print("explores: {}, {} ops, {} holders", print(scope.geometry), scope.ops.count(),
             scope.holders);
  fmt::print("{}", scope.depth == 0 ? ", to the end" : fmt::format(", {} ops deep", scope.depth));
  for (const Op& op : scope.first) fmt::print("; first {}", print(op));
  fmt::print("\n");
}

// The verdict in words.
std::string verdict_of(const Explored& e) {
  switch (e.end) {
    case Explored::End::fixpoint:
      return "holds: every rule, in every state that these ops lead to";
    case Explored::End::depth:
      return fmt::format(
          "holds: every rule, after every sequence of up to {} ops; longer ones were "
          "not tried",
          e.depth);
    case Explored::End::violation:
      return fmt::format("violation: {} does not hold", e.find->violation.broken);
    case Explored::End::memory:
      return "no verdict: the memory for it is full; --memory gives more";
    default:
      return "no verdict: interrupted; what was looked at holds";
  }
}

int status_of(const Explored& e) {
  switch (e.end) {
    case Explored::End::violation:
      return kBroken;
    case Explored::End::memory:
      return kNotRun;
    case Explored::End::interrupted:
      return kInterrupted;
    default:
      return kHolds;
  }
}

void tell(const Scope& scope, const Explored& e, double seconds) {
  const auto states = double(e.states);
  const Mood mood = status_of(e) == kHolds ? Mood::good : Mood::bad;
  fmt::print("{}\n", coloured(mood, verdict_of(e)));
  fmt::print("{} ops, {} with their arguments; ends: {}\n", scope.ops.count(), e.moves,
             end_name(e.end));
  fmt::print("{} states, {} transitions, depth {}, {:.2f} s\n", e.states, e.transitions, e.depth,
             seconds);
  fmt::print("{:.0f} k transitions/s, {:.0f} k states/s\n", double(e.transitions) / seconds / 1e3,
             states / seconds / 1e3);
  fmt::print(
      "{:.1f} bytes a state for the set, {:.1f} for paths; one omitted with probability "
      "{:.1e}\n",
      double(e.visited_bytes) / states, double(e.tree_bytes) / states, omission(e.states));
  fmt::print(
      "{} of {} sometimes; {} steps into a defect of the kernel, not followed; memory was "
      "full in {} states\n",
      e.reached.count(), sometimes().size(), e.defects, e.memory_full);
}

// After a fixpoint: unreachable in this scope.
void tell_unreached(const Reached& reached) {
  fmt::print("\nsometimes, but not here:");
  for (std::size_t i = 0; i < sometimes().size(); ++i)
    if (!reached.has(i)) fmt::print(" {}", sometimes()[i].name);
  fmt::print("\n");
}

Explored explore_visibly(const Scope& scope, std::size_t max_bytes, Clock::time_point start,
                         int threads, Shown* shown_cells, std::optional<TwinStates>& twins) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  auto shown = start;
  const auto go_on = [&](const Explored& e) {
    const auto now = Clock::now();
    if (now - shown > std::chrono::milliseconds(terminal ? 200 : 5000)) {
      shown = now;
      show_explored(e, std::chrono::duration<double>(now - start).count(), terminal);
    }
    return !interrupted();
  };
  watch_for_interrupts();
  ExploreOptions options{.max_bytes = max_bytes, .go_on = go_on, .threads = threads};
  if (shown_cells != nullptr) {
    options.show = [=](int kind, const Outcome& outcome, const Trace& trace) {
      shown_cells->outcomes.push_back({kind, outcome, trace});
    };
    options.show_pair = [=](int kind, int next, const Trace& trace) {
      shown_cells->pairs.push_back({kind, next, trace});
    };
  }
  if (twins) options.visit = [&twins](const Machine& m) { twins->visit(m); };
  Explored explored = explore(scope, options);
  if (terminal) fmt::print(stderr, "\n");
  return explored;
}

// Of a scope of the table: are its numbers those of the table?
int compare_with_table(const ExploreCommandOptions& options, const Explored& e) {
  const NamedScope* named = find_scope(options.scope);
  const int status = status_of(e);
  if (named == nullptr || status != kHolds || keeps_its_numbers(*named, e)) return status;
  fmt::print(stderr, "{}: the table has {} states, {} transitions, depth {}\n", named->name,
             named->states, named->transitions, named->deepest);
  return kBroken;
}

std::expected<Scope, std::string> scope_of(const ExploreCommandOptions& options) {
  if (!options.scope.empty()) {
    const NamedScope* named = find_scope(options.scope);
    if (named == nullptr)
      return std::unexpected(
          fmt::format("--scope: {} is none; thp scopes lists them", thp::quoted(options.scope)));
    return scope_of(*named);
  }
  const auto geometry = geometry_of(options.geometry);
  if (!geometry) return std::unexpected(geometry.error());
  const auto ops = parse_op_set(options.ops);
  if (!ops) return std::unexpected("--ops: " + ops.error());
  Scope scope{*geometry, *ops, options.holders, options.depth};
  scope.exact = options.exact;
  for (const std::string& line : options.first) {
    const auto op = parse_op(line, *geometry);
    if (!op) return std::unexpected("--first: " + op.error().message);
    scope.first.push_back(*op);
  }
  return scope;
}

}  // namespace

int run_explore(const ExploreCommandOptions& options) {
  const auto scope = scope_of(options);
  if (!scope) return tell_error(scope.error());
  const auto traced = outcomes_of(options.files);
  if (!traced) return kNoTrace;
  if (!options.json) tell_scope(*scope);
  const auto start = Clock::now();
  Shown shown;
  std::optional<TwinStates> twins;
  if (!options.twins.empty()) twins.emplace(options.twins);
  const Explored e = explore_visibly(*scope, std::size_t(options.memory) << 20, start,
                                     options.threads, options.matrix ? &shown : nullptr, twins);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (options.json) {
    nlohmann::json json = figures(*scope, e, seconds);
    if (twins) {
      json["twins"] = twins->size();
      json["twins_sum"] = fmt::format("{:016x}", twins->sum());
    }
    fmt::print("{}\n", json.dump());
    return compare_with_table(options, e);
  }
  if (e.find) record_find(e.find->trace, e.find->violation);
  tell(*scope, e, seconds);
  if (options.matrix) tell_unreached(e.reached);
  if (options.matrix && !tell_matrix(e.outcomes, shown, *traced, options.write)) return kNoTrace;
  return compare_with_table(options, e);
}

}  // namespace thp
