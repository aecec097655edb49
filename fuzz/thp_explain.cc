// `thp explain`: a trace step by step.
#include <fmt/format.h>

#include "fuzz/thp.h"
#include "oracle/expect.h"
#include "oracle/report/describe.h"
#include "oracle/report/report.h"
#include "properties/colour.h"

namespace thp {
namespace {

void print_events(const Machine& m, const std::array<std::uint32_t, kEvents>& before) {
  std::string text;
  for (std::size_t i = 0; i < kEvents; ++i)
    if (m.events[i] != before[i])
      text += fmt::format(" {} +{}", kEventNames[i], m.events[i] - before[i]);
  if (!text.empty()) fmt::print("  events:{}\n", text);
}

void print_pictures(const Machine& m, const FolioNames& names) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    if (m.mms[std::size_t(mm)].alive)
      fmt::print("  {}  {}\n", char('A' + mm), picture(m, mm, names));
}

// What has changed; the folios that have not are named.
void print_things(const std::vector<Described>& before, const std::vector<Described>& after) {
  std::vector<std::string_view> unchanged;
  const Things old(before);
  for (const Described& thing : after)
    if (const Described* was = old.find(thing.thing);
        was != nullptr && *was == thing && thing.thing.starts_with("folio"))
      unchanged.push_back(std::string_view(thing.thing).substr(0, thing.thing.find(',')));
  const std::vector<std::string> changes = describe_changes(before, after);
  if (!changes.empty()) fmt::print("  changed:\n    {}\n", fmt::join(changes, "\n    "));
  if (!unchanged.empty()) fmt::print("  as before: {}\n", fmt::join(unchanged, ", "));
}

void print_expects(const TraceFile& file, const Machine& m, std::size_t ops, int result) {
  for (const Annotation& expect : file.expects)
    if (expect.after_op == ops)
      if (const auto why = check_expect(m, result, expect))
        fmt::print("  line {}: {}\n", expect.line, *why);
}

void explain(const TraceFile& file) {
  const Trace& trace = file.trace;
  Machine m(trace.geometry);
  Judge judge(trace.geometry);
  FolioNames names;
  std::optional<Violation> violation;
  std::vector<Described> before = describe(m, names);
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    const auto events = m.events;
    const int result = step(m, trace.ops[i]);
    names.follow(m);
    fmt::print("\n{}  {}  = {}", i + 1, print(trace.ops[i]), print_result(result));
    if (m.reason != Reason::none) fmt::print("  {}", name_of(m.reason));
    fmt::print("\n");
    print_pictures(m, names);
    print_events(m, events);
    std::vector<Described> after = describe(m, names);
    print_things(before, after);
    print_expects(file, m, i + 1, result);
    before = std::move(after);
    for (const auto& [defect, mm, first, end] : m.strikes.all())
      fmt::print("  A defect of the kernel itself strikes at {} {}..{}, {}: {}\n", char('A' + mm),
                 first, end, defect->name, defect->sentence);
    if (m.defect != nullptr) {
      fmt::print("  A defect of the kernel itself has struck, {}: {}\n", m.defect->name,
                 m.defect->sentence);
      return;
    }
    if (violation) continue;  // what a broken state leads to says nothing
    violation = judge.step(trace.ops[i]);
    if (violation)
      fmt::print("  {}\n    at: {}\n",
                 coloured(Mood::bad, fmt::format("{} does not hold: {}", violation->broken,
                                                 sentence_of(violation->broken))),
                 violation->detail);
  }
}

}  // namespace

int run_explain(const std::string& name) {
  const auto file = read_trace(name);
  if (!file) return tell_error(file.error());
  if (!file->title.empty()) fmt::print("{}\n", file->title);
  const Geometry& g = file->trace.geometry;
  fmt::print("geometry order={} pmds={} mms={} swap={} blocks={}\n{}", g.order, g.pmds, g.mms,
             g.swap_slots(), g.frame_blocks(), kPictureKey);
  explain(*file);
  return kHolds;
}

}  // namespace thp
