// Recording and replaying. Lines are compared word by word; `?` is what the kernel's side could not
// see, and contents are those that it has read.
#include "fuzz/live_golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <ranges>
#include <set>
#include <vector>

#include "oracle/live/free_facts.h"
#include "oracle/live/observe.h"
#include "oracle/live/reach.h"
#include "oracle/live/rename.h"
#include "properties/finds.h"

namespace thp::live {
namespace {

using Lines = std::vector<std::string>;

Lines split(std::string_view text, char at) {
  Lines lines;
  for (const auto line : std::views::split(text, at))
    if (!line.empty()) lines.emplace_back(line.begin(), line.end());
  return lines;
}

void append_only_in(std::string& out, char sign, const Lines& these, const Lines& those) {
  for (const std::string& line : these)
    if (std::ranges::find(those, line) == those.end()) out += fmt::format("#{} {}\n", sign, line);
}

bool same_words(const std::string& seen, const std::string& model) {
  const Lines a = split(seen, ' '), b = split(model, ' ');
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x == "?" || x == y; });
}

// `content #3..5 7`: of each frame, one by one.
void add_content(const std::string& line, std::vector<ContentSeen>& contents) {
  unsigned first = 0, end = 0, content = 0;
  if (std::sscanf(line.c_str(), "content #%u..%u %u", &first, &end, &content) != 3) {
    if (std::sscanf(line.c_str(), "content #%u %u", &first, &content) != 2) return;
    end = first + 1;
  }
  end = std::min(end, first + (1u << 16));
  for (unsigned pfn = first; pfn < end; ++pfn) contents.push_back({pfn, content});
}

// What a kernel has seen after one op against what the model says.
struct Difference {
  std::string line, who;
};
std::optional<Difference> first_difference(const std::multiset<std::string>& seen,
                                           Observation model) {
  std::vector<ContentSeen> contents;
  Lines facts;
  for (const std::string& line : seen)
    line.starts_with("content ") ? add_content(line, contents) : facts.push_back(line);
  for (const ContentSeen& content : contents)
    if (std::ranges::find(model.contents, content) == model.contents.end())
      return Difference{fmt::format("content #{} {}", content.pfn, content.content), "kernel"};
  model.contents.clear();
  Lines ours = split(text(model), '\n');
  for (const std::string& line : facts) {
    const auto found = std::ranges::find_if(
        ours, [&](const std::string& other) { return same_words(line, other); });
    if (found == ours.end()) return Difference{line, "kernel"};
    ours.erase(found);
  }
  if (!ours.empty()) return Difference{ours[0], "model"};
  return {};
}

bool is_header(std::string_view line) {
  return line.starts_with("thp-trace") || line.starts_with("kernel") ||
         line.starts_with("geometry");
}

// The model, one op at a time.
class Replay {
 public:
  explicit Replay(const Trace& trace) : trace_(trace), machine_(trace.geometry) {}
  bool at_end() const { return done_ == trace_.ops.size(); }
  bool is_comparable() const { return why_comparing_ends(machine_).empty(); }
  std::size_t done() const { return done_; }
  Observation next() {
    const int result = step(machine_, trace_.ops[done_++]);
    settle(machine_);
    return comparable(observe(machine_, result), {trace_.ops.data(), done_});
  }

 private:
  const Trace& trace_;
  Machine machine_;
  std::size_t done_ = 0;
};

}  // namespace

void record(const std::string& directory, const std::string& name, const std::string& kernel,
            const Trace& trace, const Observed& observed) {
  std::filesystem::create_directories(directory);
  std::string stem = std::filesystem::path(name).stem().string();
  std::ranges::replace(stem, ' ', '_');
  Trace header = trace;
  header.ops.clear();
  std::string out =
      fmt::format("# What the kernel did with {}.\n# {}\n{}", stem, kernel, print(header));
  Lines before;
  for (std::size_t i = 0; i < std::min(trace.ops.size(), observed.ops.size()); ++i) {
    const std::span<const Op> ops(trace.ops.data(), i + 1);
    Lines now = split(text(comparable(observed.ops[i], ops)), '\n');
    out += print(trace.ops[i]) + '\n';
    append_only_in(out, '-', before, now);
    append_only_in(out, '+', now, before);
    before = std::move(now);
  }
  const auto written = write_atomically(std::filesystem::path(directory) / (stem + ".golden"), out);
  if (!written) fmt::print(stderr, "{}\n", written.error());
}

std::optional<RecordDifference> differs_from_record(std::string_view recorded) {
  const auto file = parse_trace(recorded);
  if (!file) return RecordDifference{.op = 0, .line = {}, .text = file.error().message};
  Replay replay(file->trace);
  std::multiset<std::string> seen;
  std::optional<Observation> model;
  const auto compare_last = [&]() -> std::optional<RecordDifference> {
    const auto difference = model ? first_difference(seen, *model) : std::nullopt;
    if (!difference) return {};
    const auto& [fact, who] = *difference;
    return RecordDifference{replay.done(), fact,
                            fmt::format("op {}, {}: {}, says the {}", replay.done(),
                                        print(file->trace.ops[replay.done() - 1]), fact, who)};
  };
  for (const std::string& line : split(recorded, '\n')) {
    if (line.starts_with("#+ ")) {
      seen.insert(line.substr(3));
    } else if (line.starts_with("#- ")) {
      if (const auto gone = seen.find(line.substr(3)); gone != seen.end()) seen.erase(gone);
    } else if (!line.starts_with('#') && !is_header(line) && !replay.at_end()) {
      if (auto difference = compare_last()) return difference;
      model = replay.next();
      if (!replay.is_comparable()) return {};
    }
  }
  return compare_last();
}

}  // namespace thp::live
