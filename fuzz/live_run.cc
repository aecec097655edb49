// `thp_live run`: traces through guests, a tally of where model and kernel part, and of each kind
// of divergence the shortest trace.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <map>

#include "fuzz/live.h"
#include "fuzz/live_golden.h"
#include "fuzz/live_guest.h"
#include "fuzz/live_input.h"
#include "fuzz/live_shrink.h"
#include "model/trace/generate.h"
#include "oracle/live/examine.h"
#include "oracle/live/live_ops.h"
#include "oracle/live/reach.h"
#include "properties/finds.h"
#include "properties/moves.h"

namespace thp::live {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRepeats = 4;
constexpr std::size_t kNamed = 12;  // sometimes not seen are told by name if they are so few

struct Diverging {
  std::string name;
  Trace trace;
  Divergence divergence;
};

// All divergences that show the same fact after the same kind of op.
struct Kind {
  int count = 0;
  Diverging first;
};

struct Tally {
  std::size_t traces = 0, ops = 0, refused = 0, ended = 0, divergences = 0, unsteady = 0,
              complaints = 0;
  std::size_t violations = 0;  // traces on which the model breaks a rule of the oracle
  std::array<std::size_t, kOpKinds> ops_of{};
  Reached reached;
  Judge judge{Geometry{}, Judge::Mode::incremental};
  std::uint64_t facts = 0;
  int boots = 0;
  double guest_seconds = 0;
  std::string kernel;
  std::map<std::string, Kind> kinds;
};

std::string kind_of(const Trace& trace, const Divergence& divergence) {
  return fmt::format("{} after {}", divergence.facts[0].fact,
                     op_name(int(trace.ops[divergence.op].index())));
}

// What the trace comes by, as far as model and kernel agree.
void note_reach(Tally& tally, const Trace& trace, const std::string& name, std::size_t compared) {
  const std::span<const Op> ops(trace.ops.data(), compared);
  for (const Op& op : ops) ++tally.ops_of[op.index()];
  tally.judge.reset(trace.geometry);
  const auto broken = watch(tally.judge, ops, tally.reached);
  if (!broken) return;
  ++tally.violations;
  fmt::print("{}: {} does not hold of the model after {}: {}\n", name, broken->broken,
             broken->after, broken->detail);
}

void note_end(Tally& tally, const Trace& trace, const std::string& name, const Examined& examined) {
  if (examined.ended.empty()) return;
  ++tally.ended;
  fmt::print(stderr, "{}: comparing ends at op {}, {}: {}\n", name, examined.ops + 1,
             print(trace.ops[examined.ops]), examined.ended);
}

void add(Tally& tally, const Trace& trace, const std::string& name, const Observed& observed,
         std::vector<Diverging>& diverging) {
  ++tally.traces;
  tally.refused += observed.refused;
  const Examined examined = examine(trace, observed.ops);
  tally.ops += examined.ops;
  tally.facts += examined.facts;
  note_end(tally, trace, name, examined);
  note_reach(tally, trace, name, examined.ops);
  if (examined.divergence) diverging.push_back({name, trace, *examined.divergence});
}

// A kernel is not quite a function of the trace: a write may complete while its op still runs. What
// never comes again is told, but is no divergence.
void confirm(Tally& tally, const Guest& guest, const std::vector<Diverging>& diverging) {
  if (diverging.empty()) return;
  std::vector<Trace> again;
  for (const Diverging& d : diverging) again.insert(again.end(), kRepeats, d.trace);
  const GuestRun run = run_traces(guest, again);
  tally.boots += run.boots;
  for (std::size_t i = 0; i < diverging.size(); ++i) {
    const Diverging& d = diverging[i];
    bool repeats = false;
    for (std::size_t k = i * kRepeats; k < (i + 1) * kRepeats; ++k) {
      const auto found = examine(d.trace, run.traces[k].ops).divergence;
      repeats = repeats || (found && found->same(d.divergence, d.trace, d.trace));
    }
    if (repeats) {
      Kind& kind = tally.kinds[kind_of(d.trace, d.divergence)];
      if (kind.count++ == 0) kind.first = d;
      ++tally.divergences;
    } else {
      ++tally.unsteady;
      fmt::print("{}: did not come again in {} runs:\n{}\n", d.name, kRepeats,
                 divergence_page(d.trace, d.divergence, d.name));
    }
  }
}

// The trace as a file that tells what it shows; its path. One that is there stays as it is.
std::string write_find(const RunOptions& options, const Trace& trace, const std::string& title) {
  fs::create_directories(options.finds);
  const std::string text = fmt::format("# {}\n{}", title, print(trace));
  std::string stem = title.substr(0, title.find(' '));
  const fs::path file =
      fs::path(options.finds) /
      fmt::format("live-{}-{:08x}.trace", stem, std::uint32_t(std::hash<std::string>{}(text)));
  if (fs::exists(file)) return file.string();
  const std::string found = fmt::format("# {}\n{}{}", title, found_by_line(), print(trace));
  if (const auto written = write_atomically(file, found); !written)
    fmt::print(stderr, "{}\n", written.error());
  return file.string();
}

void tell_divergences(const RunOptions& options, const Guest& guest, const Tally& tally) {
  int left = options.pages;
  for (const auto& [name, kind] : tally.kinds) {
    if (left-- == 0) break;
    fmt::print(stderr, "{}: shrinking {}\n", kind.first.name, name);
    const ShrunkDivergence shrunk =
        shrink_divergence(guest, kind.first.trace, kind.first.divergence);
    const std::string file =
        write_find(options, shrunk.trace, fmt::format("{}: model and kernel differ.", name));
    fmt::print("{}\n", divergence_page(shrunk.trace, shrunk.divergence,
                                       fmt::format("{} {}", options.command, file)));
  }
}

void tell_complaint(const RunOptions& options, const Input& input, const Complaint& complaint) {
  const Trace& trace = input.traces[complaint.trace];
  const std::string file = write_find(options, trace, "kernel_complains about this trace.");
  fmt::print("the kernel complains: {}\n{}\n{}\nreproduce: {} {}\n\n", input.names[complaint.trace],
             complaint.log, print(trace), options.command, file);
}

// Each op with a system call should have run often, each state that a kernel can show come by.
void tell_reach(const Tally& t) {
  std::size_t fewest = SIZE_MAX, within = 0, seen = 0;
  std::string_view rarest;
  for_each_op_type([&]<class T>() {
    const std::size_t runs = t.ops_of[std::size_t(kKindOf<T>)];
    if (!kWhyNotLive<T>.empty() || runs >= fewest) return;
    fewest = runs;
    rarest = T::name;
  });
  std::string missing;
  for (std::size_t i = 0; i < sometimes().size(); ++i) {
    const std::string_view name = sometimes()[i].name;
    if (is_beyond_live(name)) continue;
    ++within;
    seen += t.reached.has(i);
    if (!t.reached.has(i)) missing += fmt::format(" {}", name);
  }
  fmt::print("each op ran {} times or more ({} least); {} of {} sometimes that a kernel can show\n",
             fewest, rarest, seen, within);
  if (within - seen <= kNamed && within > seen) fmt::print("not seen:{}\n", missing);
}

void tell_tally(const Tally& t, const Input& input, double seconds) {
  for (const auto& [name, kind] : t.kinds)
    fmt::print("{:>6}  {}  ({})\n", kind.count, name, kind.first.name);
  fmt::print("{}\n", t.kernel);
  fmt::print("{} traces in {} boots and {:.0f} s ({:.0f} traces a second in the guest), {} ops\n",
             t.traces, t.boots, seconds, double(t.traces) / std::max(t.guest_seconds, 0.001),
             t.ops);
  tell_reach(t);
  fmt::print("{} traces as they are, {} with other ops in the place of those without a call\n",
             input.traces.size() - std::size_t(input.replaced), input.replaced);
  if (input.expects != 0)
    fmt::print("{} `expect` lines were not judged here: `thp judge` does, at their trace's order\n",
               input.expects);
  fmt::print(
      "{} traces left out, {} compared in part, {} refused, {} complaints of the kernel, "
      "{} did not come again\n",
      input.left_out, t.ended, t.refused, t.complaints, t.unsteady);
  fmt::print("{} facts compared, {} divergences\n", t.facts, t.divergences);
}

void show_progress(std::size_t done, std::size_t all) {
  fmt::print(stderr, "{} of {} traces\n", done, all);
}

// One batch: through the guest, and compared.
void run_part(const RunOptions& options, const Guest& guest, const Input& input, std::size_t at,
              Tally& tally) {
  const std::size_t size = std::min(options.batch, input.traces.size() - at);
  const std::span<const Trace> part(input.traces.data() + at, size);
  const GuestRun run = run_traces(guest, part);
  tally.boots += run.boots;
  tally.guest_seconds += run.seconds;
  tally.kernel = run.kernel;
  std::vector<Diverging> diverging;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const std::string& name = input.names[at + i];
    add(tally, part[i], name, run.traces[i], diverging);
    if (!options.record.empty()) record(options.record, name, run.kernel, part[i], run.traces[i]);
  }
  for (Complaint complaint : run.complaints) {
    complaint.trace += at;
    tell_complaint(options, input, complaint);
  }
  tally.complaints += run.complaints.size();
  confirm(tally, guest, diverging);
}

}  // namespace

int run_traces(const RunOptions& options) {
  const auto ops = parse_op_set(options.ops);
  if (!ops) {
    fmt::print(stderr, "--ops: {}\n", ops.error());
    return kNoTrace;
  }
  LiveShape shape;
  for (std::size_t kind = 0; kind < ops->size(); ++kind) shape.mask.weights[kind] = ops->test(kind);
  const Input input = read_input(options.files, options.random, options.seed, shape);
  if (input.status != kHolds) return input.status;
  fs::create_directories(options.work);
  const auto start = Clock::now();
  Guest guest{.boot = options.boot,
              .work = options.work,
              .batch_size = options.batch,
              .progress = show_progress};
  Tally tally;
  for (std::size_t at = 0; at < input.traces.size(); at += options.batch)
    run_part(options, guest, input, at, tally);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  guest.progress = {};
  tell_divergences(options, guest, tally);
  tell_tally(tally, input, seconds);
  return tally.divergences + tally.complaints + tally.refused + tally.violations != 0 ? kBroken
                                                                                      : kHolds;
}

}  // namespace thp::live
