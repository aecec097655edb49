// `thp explain`: a trace step by step.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <nlohmann/json.hpp>

#include "fuzz/thp.h"
#include "fuzz/thp_json.h"
#include "oracle/expect.h"
#include "oracle/report/describe.h"
#include "oracle/report/report.h"
#include "properties/colour.h"

namespace thp {
namespace {

// One step, as it is told in words or as JSON.
struct Explained {
  std::size_t number = 0;  // from 1
  std::string op, result;
  std::string_view reason;
  std::map<std::string, std::string> pictures;  // by address space or file
  std::vector<std::pair<std::string_view, std::uint32_t>> events;
  std::vector<std::string> changed, unchanged;       // things; folios
  std::vector<std::pair<int, std::string>> expects;  // lines that fail, and why
  std::vector<Strike> strikes;
  const Defect* defect = nullptr;  // of the kernel itself; ends the trace
  std::optional<Violation> violation;
};

using EventCounts = std::array<std::uint32_t, kEvents>;

auto events_since(const EventCounts& before, const EventCounts& after) {
  std::vector<std::pair<std::string_view, std::uint32_t>> events;
  for (std::size_t i = 0; i < kEvents; ++i)
    if (after[i] != before[i]) events.emplace_back(kEventNames[i], after[i] - before[i]);
  return events;
}

std::map<std::string, std::string> pictures_of(const Machine& m, const FolioNames& names) {
  std::map<std::string, std::string> of_living;
  for (const auto& [of, drawn] : pictures(m, names))
    if (!drawn.empty()) of_living.emplace(of, drawn);
  return of_living;
}

// The folios that have not changed, by name.
std::vector<std::string> unchanged_folios(const std::vector<Described>& before,
                                          const std::vector<Described>& after) {
  std::vector<std::string> names;
  const Things old(before);
  for (const Described& thing : after)
    if (const Described* was = old.find(thing.thing);
        was != nullptr && *was == thing && thing.thing.starts_with("folio"))
      names.push_back(thing.thing.substr(0, thing.thing.find(',')));
  return names;
}

std::vector<std::pair<int, std::string>> expects_of(const TraceFile& file, const Machine& m,
                                                    std::size_t ops, int result) {
  std::vector<std::pair<int, std::string>> failed;
  for (const Annotation& expect : file.expects)
    if (expect.after_op == ops)
      if (const auto why = check_expect(m, result, expect)) failed.emplace_back(expect.line, *why);
  return failed;
}

void tell(const Explained& step) {
  fmt::print("\n{}  {}  = {}", step.number, step.op, step.result);
  if (!step.reason.empty()) fmt::print("  {}", step.reason);
  fmt::print("\n");
  for (const auto& [of, drawn] : step.pictures) fmt::print("  {:<2} {}\n", of, drawn);
  std::string events;
  for (const auto& [name, times] : step.events) events += fmt::format(" {} +{}", name, times);
  if (!events.empty()) fmt::print("  events:{}\n", events);
  if (!step.changed.empty()) fmt::print("  changed:\n    {}\n", fmt::join(step.changed, "\n    "));
  if (!step.unchanged.empty()) fmt::print("  as before: {}\n", fmt::join(step.unchanged, ", "));
  for (const auto& [line, why] : step.expects) fmt::print("  line {}: {}\n", line, why);
  for (const Strike& s : step.strikes)
    fmt::print("  A defect of the kernel itself strikes at {} {}..{}, {}: {}\n", char('A' + s.mm),
               s.first, s.end, s.defect->name, s.defect->sentence);
  if (step.defect == &kNotModelled)
    fmt::print("  The model does not go further: {}\n", step.defect->sentence);
  else if (step.defect != nullptr)
    fmt::print("  A defect of the kernel itself has struck, {}: {}\n", step.defect->name,
               step.defect->sentence);
  if (!step.violation) return;
  const std::string verdict = fmt::format("{} does not hold: {}", step.violation->broken,
                                          sentence_of(step.violation->broken));
  fmt::print("  {}\n    at: {}\n", coloured(Mood::bad, verdict), step.violation->detail);
}

nlohmann::ordered_json to_json(const Explained& step) {
  nlohmann::ordered_json json{{"step", step.number},        {"op", step.op},
                              {"result", step.result},      {"reason", step.reason},
                              {"pictures", step.pictures},  {"changed", step.changed},
                              {"unchanged", step.unchanged}};
  json["events"] = nlohmann::ordered_json::object();
  for (const auto& [name, times] : step.events) json["events"][std::string(name)] = times;
  json["expects"] = nlohmann::ordered_json::array();
  for (const auto& [line, why] : step.expects)
    json["expects"].push_back({{"line", line}, {"why", why}});
  json["strikes"] = nlohmann::ordered_json::array();
  for (const Strike& s : step.strikes)
    json["strikes"].push_back({{"defect", s.defect->name},
                               {"at", fmt::format("{} {}..{}", char('A' + s.mm), s.first, s.end)}});
  if (step.defect != nullptr) json["defect"] = step.defect->name;
  if (step.violation)
    json["violation"] = {{"broken", step.violation->broken},
                         {"sentence", sentence_of(step.violation->broken)},
                         {"detail", step.violation->detail}};
  return json;
}

// Makes a trace's steps, one by one.
class Explainer {
 public:
  explicit Explainer(const TraceFile& file)
      : file_(file), m_(file.trace.geometry), judge_(file.trace.geometry) {
    before_ = describe(m_, names_);
  }
  bool at_end() const { return m_.defect != nullptr || next_ == file_.trace.ops.size(); }
  Explained next() {
    const Op& op = file_.trace.ops[next_++];
    const EventCounts events = m_.events;
    const int result = step(m_, op);
    names_.follow(m_);
    Explained made;
    made.number = next_;
    made.op = print(op);
    made.result = print_result(result);
    if (m_.reason != Reason::none) made.reason = name_of(m_.reason);
    made.pictures = pictures_of(m_, names_);
    made.events = events_since(events, m_.events);
    std::vector<Described> after = describe(m_, names_);
    made.changed = describe_changes(before_, after);
    made.unchanged = unchanged_folios(before_, after);
    before_ = std::move(after);
    made.expects = expects_of(file_, m_, next_, result);
    made.strikes.assign(m_.strikes.all().begin(), m_.strikes.all().end());
    made.defect = m_.defect;
    judge(op, made);
    return made;
  }

 private:
  // What a defect or a broken state leads to says nothing.
  void judge(const Op& op, Explained& made) {
    if (m_.defect != nullptr || broken_) return;
    made.violation = judge_.step(op);
    broken_ = made.violation.has_value();
  }

  const TraceFile& file_;
  Machine m_;
  Judge judge_;
  FolioNames names_;
  std::vector<Described> before_;
  std::size_t next_ = 0;
  bool broken_ = false;
};

// Step 0: told where an `expect` line before the first op does not hold.
Explained explained_start(const TraceFile& file) {
  Explained start;
  start.op = "the start";
  start.result = print_result(0);
  start.expects = expects_of(file, Machine(file.trace.geometry), 0, 0);
  return start;
}

void tell(const Explained& step, const ExplainOptions& options) {
  if (options.json)
    tell_json(to_json(step));
  else
    tell(step);
}

// As `thp judge` has it.
void tell_verdict(const std::optional<Violation>& violation) {
  const auto verdict = violation ? coloured(Mood::bad, "violation") : coloured(Mood::good, "holds");
  fmt::print("\n{}{}{}\n", verdict, violation ? ": " : "", violation ? line_of(*violation) : "");
}

void tell_heading(const TraceFile& file) {
  if (!file.title.empty()) fmt::print("{}\n", file.title);
  fmt::print("geometry {}\n{}", print(file.trace.geometry), kPictureKey);
}

}  // namespace

int run_explain(const ExplainOptions& options) {
  const auto file = read_trace(options.file);
  if (!file)
    return options.json ? tell_json_error(options.file, file.error()) : tell_error(file.error());
  if (!options.json) tell_heading(*file);
  const Explained start = explained_start(*file);
  if (!start.expects.empty()) tell(start, options);
  for (Explainer steps(*file); !steps.at_end();) tell(steps.next(), options);
  Judge judge;
  const std::optional<Violation> violation = judge_file(options.file, *file, judge);
  if (!options.json) tell_verdict(violation);
  return violation ? kBroken : kHolds;
}

}  // namespace thp
