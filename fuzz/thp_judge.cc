// `thp judge`: traces and their `expect` lines.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fuzz/thp.h"
#include "fuzz/thp_json.h"
#include "model/trace/generate.h"
#include "oracle/expect.h"
#include "oracle/report/report.h"
#include "oracle/rules/rules.h"
#include "properties/colour.h"
#include "properties/finds.h"

namespace thp {
namespace {

struct Judged {
  int status = kHolds;
  TraceFile file;
  std::optional<Violation> violation;
  std::vector<Violation> others;  // with --all: of other rules, and of other `expect` lines
  std::string error;              // of what is not a trace
  const Defect* defect = nullptr;
};

// The first `expect` line after `ops` ops that does not hold; `next` is the first after those.
std::optional<Violation> check_expects(const std::string& name, const TraceFile& file,
                                       const Judge& judge, std::size_t ops, std::size_t& next) {
  for (; next < file.expects.size() && file.expects[next].after_op == ops; ++next) {
    const Annotation& expect = file.expects[next];
    if (const auto why = check_expect(judge.machine(), judge.result(), expect))
      return Violation{
          .op = ops - 1,
          .broken = kExpectLine.name,
          .after = ops == 0 ? "the start" : op_name(int(file.trace.ops[ops - 1].index())),
          .detail = fmt::format("{}:{}: {}", name, expect.line, *why),
          .where = {.thing = Where::Thing::op}};
  }
  return {};
}

// What else a trace breaks: each rule that is found is left out of the next walk. Of `expect` lines
// all are looked at, as far as no rule breaks.
std::vector<Violation> other_violations(const std::string& name, const TraceFile& file,
                                        const Violation& first) {
  std::vector<Violation> others;
  std::vector<std::string> left_out;
  TraceFile rest = file;
  for (std::optional<Violation> found = first; found;) {
    if (found->broken == kExpectLine.name)
      std::erase_if(rest.expects, [&](const Annotation& expect) {
        return found->detail.starts_with(fmt::format("{}:{}:", name, expect.line));
      });
    else
      mute(left_out.emplace_back(found->broken));
    Judge judge;
    found = judge_file(name, rest, judge);
    if (found) others.push_back(*found);
  }
  for (const std::string& rule : left_out) unmute(rule);
  return others;
}

Judged judged(const std::string& name, bool all) {
  Judged j{.status = kNoTrace, .file = {}, .violation = {}, .others = {}, .error = {}};
  auto file = read_trace(name);
  if (!file) return j.error = file.error(), j;
  Judge judge;
  j.violation = judge_file(name, *file, judge);
  j.status = j.violation ? kBroken : kHolds;
  if (all && j.violation) j.others = other_violations(name, *file, *j.violation);
  j.file = std::move(*file);
  j.defect = judge.machine().defect;
  return j;
}

std::string defect_note(const Defect* defect) {
  if (defect == nullptr) return {};
  if (defect == &kNotModelled)
    return fmt::format("  The model does not go further: {}\n", defect->sentence);
  return fmt::format("  It ends at a defect of the kernel itself, {}: {}\n", defect->name,
                     defect->sentence);
}

nlohmann::json to_json(const Violation& v, const Trace& trace) {
  return {{"broken", v.broken},
          {"sentence", sentence_of(v.broken)},
          {"detail", v.detail},
          {"after_op", v.op + 1},
          {"op", v.op < trace.ops.size() ? print(trace.ops[v.op]) : ""}};
}

nlohmann::json to_json(const std::string& name, const Judged& j) {
  constexpr const char* kVerdicts[] = {"holds", "violation", "not a trace"};
  nlohmann::json json{{"file", name}, {"verdict", kVerdicts[j.status]}};
  if (j.status == kNoTrace) {
    json["error"] = j.error;
    return json;
  }
  const Trace& trace = j.file.trace;
  json["ops"] = trace.ops.size();
  json["expects"] = j.file.expects.size();
  if (j.defect != nullptr) json["defect"] = j.defect->name;
  if (!j.violation) return json;
  const Violation& v = *j.violation;
  json["violation"] = to_json(v, trace);
  for (const Violation& other : j.others) json["others"].push_back(to_json(other, trace));
  return json;
}

// The kernel's own form of TAP: Documentation/dev-tools/ktap.rst.
void tell_ktap(std::size_t number, const std::string& name, const Judged& j) {
  fmt::print("{} {} {}\n", j.status == kHolds ? "ok" : "not ok", number, name);
  if (j.status == kNoTrace) fmt::print("# {}\n", j.error);
  if (j.violation) fmt::print("# {}\n", line_of(*j.violation));
  for (const Violation& other : j.others) fmt::print("# {}\n", line_of(other));
}

void tell(const std::string& name, const Judged& j) {
  if (j.violation)
    fmt::print("{}: {}\n{}", name, coloured(Mood::bad, "violation"),
               coloured_report(report(j.file.trace, *j.violation, next_steps(name))));
  else if (j.status == kHolds)
    fmt::print("{}: {}: {} ops, {} expect lines\n{}", name, coloured(Mood::good, "holds"),
               j.file.trace.ops.size(), j.file.expects.size(), defect_note(j.defect));
  if (!j.others.empty()) fmt::print("\nand:\n");
  for (const Violation& other : j.others) fmt::print("  {}\n", line_of(other));
}

}  // namespace

std::optional<Violation> judge_file(const std::string& name, const TraceFile& file, Judge& judge) {
  judge.reset(file.trace.geometry);
  std::size_t next = 0;
  if (auto broken = check_expects(name, file, judge, 0, next)) return broken;
  for (std::size_t i = 0; i < file.trace.ops.size(); ++i) {
    if (auto broken = judge.step(file.trace.ops[i])) return broken;
    if (auto broken = check_expects(name, file, judge, i + 1, next)) return broken;
  }
  return judge.finish();
}

std::string line_of(const Violation& v) {
  return fmt::format("{} does not hold after op {}, {}: {}", v.broken, v.op + 1, v.after, v.detail);
}

int run_judge(const JudgeOptions& options) {
  int status = kHolds;
  if (options.ktap) fmt::print("KTAP version 1\n1..{}\n", options.files.size());
  for (std::size_t number = 0; const std::string& name : options.files) {
    const Judged j = judged(name, options.all);
    status = std::max(status, j.status);
    ++number;
    if (j.status == kNoTrace) tell_error(j.error);
    if (options.ktap)
      tell_ktap(number, name, j);
    else if (options.json)
      tell_json(to_json(name, j));
    else
      tell(name, j);
  }
  return status;
}

}  // namespace thp
