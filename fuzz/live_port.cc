// `thp_live answer` and `port`, for ci/check-port: two models beside each other, by the traces of
// the explorer. The other model is a process that answers a batch as a guest does.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "fuzz/live.h"
#include "fuzz/live_guest.h"
#include "oracle/live/compare.h"
#include "oracle/live/observe.h"
#include "oracle/live/rename.h"
#include "oracle/live/wire.h"
#include "oracle/mute.h"
#include "properties/explore.h"
#include "properties/finds.h"
#include "properties/jobs.h"

namespace thp::live {
namespace {

// What is looked at, breadth first until that many transitions: the whole alphabet, and further the
// ops that were named, with each other one beside them.
struct Look {
  Geometry geometry;
  OpSet ops;
  std::uint64_t most;
  std::optional<std::size_t>
      with{};  // only traces with this kind of op: others are looked at elsewhere
};
constexpr std::size_t kBatch = 20'000, kMostKinds = 12, kMostRules = 8;
constexpr Geometry kTwo{.order = 1, .pmds = 1, .mms = 2}, kFour{.order = 2, .pmds = 1, .mms = 2};

std::vector<Look> looks(OpSet named, std::uint64_t most) {
  const OpSet all = OpSet().set();
  if (named == all) return {{kTwo, all, 8 * most}, {kFour, all, 4 * most}};
  std::vector<Look> looks{{kTwo, all, most}, {kFour, all, most}};
  named.set(kKindOf<Mmap>).set(kKindOf<Store>);
  looks.push_back({kTwo, named, most / 2});
  for (std::size_t other = 0; other < all.size(); ++other)
    if (!named[other]) looks.push_back({kTwo, OpSet(named).set(other), most / 2, other});
  return looks;
}

bool has(const Trace& trace, std::size_t kind) {
  return std::ranges::any_of(trace.ops, [&](const Op& op) { return op.index() == kind; });
}

// A fact that differs, and after which kind of op: its first trace is a shortest one.
struct DifferenceKind {
  std::string fact;
  int op;
  auto operator<=>(const DifferenceKind&) const = default;
};
struct Shown {
  std::uint64_t count = 0;
  Trace trace;
  Difference difference;
};

class Port {
 public:
  explicit Port(const PortOptions& options) : options_(options) {}

  int run(const OpSet& named) {
    for (const Look& look : looks(named, options_.most)) {
      explore_all(look);
      ask();
    }
    fmt::print("rules broken: {}; transitions compared: {}; kinds of difference: {}\n", rules_,
               asked_, kinds_.size());
    if (unknown_ != 0)
      fmt::print("{} traces left out: they have ops that the other model lacks\n", unknown_);
    tell_differences();
    return rules_ != 0 || !kinds_.empty() ? kBroken : kHolds;
  }

 private:
  // Without the rules that are known to break the explorer goes on; what breaks beyond the most
  // that are told it does not follow.
  void explore_all(const Look& look) {
    const Scope scope{.geometry = look.geometry, .ops = look.ops};
    while (true) {
      const Explored e =
          explore(scope, {.max_transitions = look.most,
                          .wanted = [&](const Violation&) { return rules_ < kMostRules; },
                          .each =
                              [&](const Trace& trace) {
                                if (!look.with || has(trace, *look.with)) traces_.push_back(trace);
                              },
                          .threads = jobs()});
      if (!e.find) return;
      ++rules_;
      record_find(e.find->trace, e.find->violation);
      mute(std::string(e.find->violation.broken));
    }
  }

  void ask() {
    for (std::size_t at = 0; at < traces_.size(); at += kBatch)
      ask(std::span(traces_).subspan(at, std::min(kBatch, traces_.size() - at)));
    traces_.clear();
  }

  void ask(std::span<const Trace> traces) {
    const std::string batch = options_.work + "/batch", observed = options_.work + "/observed";
    write_bytes(batch, batch_of(traces));
    const std::string command =
        fmt::format("'{}' answer '{}' -o '{}'", options_.base, batch, observed);
    if (std::system(command.c_str()) != 0) throw std::runtime_error("cannot be run: " + command);
    const MappedFile file(observed);
    const ObservedBatch answers = read_observations(file.bytes(), traces.size());
    if (!answers.complete)
      throw std::runtime_error("the other model answers in another form, it is too old: " +
                               answers.error);
    for (std::size_t i = 0; i < traces.size(); ++i) compare_last(traces[i], answers.traces[i]);
  }

  // What differs before the last op another trace has shown. A defect of the kernel ends all
  // comparing.
  void compare_last(const Trace& trace, const Observed& base) {
    const std::size_t ops = trace.ops.size();
    if (base.refused) return void(++unknown_);
    Machine m(trace.geometry);
    int result = 0;
    for (std::size_t i = 0; i + 1 < ops; ++i) result = step(m, trace.ops[i]);
    const Observation before = observe(m, result);
    const Observation after = observe(m, step(m, trace.ops.back()));
    if (m.defect != nullptr || base.ops.size() != ops) return;
    ++asked_;
    const auto differ = [](const Observation& ours, const Observation& theirs) {
      return compare(renamed(ours), renamed(theirs)).all;
    };
    const std::vector<Difference> found = differ(after, base.ops.back());
    if (found.empty() || (ops > 1 && !differ(before, base.ops[ops - 2]).empty())) return;
    Shown& shown = kinds_[{found[0].fact, int(trace.ops.back().index())}];
    if (shown.count++ != 0 && shown.trace.ops.size() <= ops) return;
    shown.trace = trace;
    shown.difference = found[0];
  }

  void tell_differences() const {
    std::size_t told = 0;
    for (const auto& [kind, shown] : kinds_) {
      if (++told > kMostKinds) return fmt::print("and {} kinds more\n", kinds_.size() - kMostKinds);
      const Difference& d = shown.difference;
      fmt::print("\n{} after {}, {} transitions; a shortest one:\n", kind.fact, op_name(kind.op),
                 shown.count);
      fmt::print("{}  {}{}{}: was {}, is {}\n", print(shown.trace), d.fact,
                 d.where.empty() ? "" : " of ", d.where, d.kernel, d.model);
    }
  }

  const PortOptions& options_;
  std::vector<Trace> traces_;
  std::map<DifferenceKind, Shown> kinds_;
  std::size_t rules_ = 0;
  std::uint64_t asked_ = 0, unknown_ = 0;
};

template <class T>
void append(std::string& out, const T& record) {
  out.append(reinterpret_cast<const char*>(&record), sizeof record);
}

void append_answers(std::string& out, std::uint32_t id, const Trace& trace) {
  Machine m(trace.geometry);
  for (std::uint32_t i = 0; const Op& op : trace.ops) {
    const int result = step(m, op);
    out += record_of(id, i++, observe(m, result));
  }
}

}  // namespace

int run_answer(const AnswerOptions& options) {
  const auto traces = read_batch(read_bytes(options.batch));
  if (!traces) {
    fmt::print(stderr, "{}: {}\n", options.batch, traces.error());
    return kNoTrace;
  }
  std::string out;
  for (std::uint32_t id = 0; const auto& trace : *traces) {
    if (trace)
      append_answers(out, id, *trace);
    else
      append(out, not_run(id));
    ++id;
  }
  append(out, kDoneMagic);
  write_bytes(options.output, out);
  return kHolds;
}

int run_port(const PortOptions& options) {
  const auto named = parse_op_set(options.ops);
  if (!named) {
    fmt::print(stderr, "--ops: {}\n", named.error());
    return kNoTrace;
  }
  return Port(options).run(*named);
}

}  // namespace thp::live
