// `thp_live initramfs`, `batch` and `compare`: the files of one boot, in and out; and `golden`.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "fuzz/cpio.h"
#include "fuzz/live.h"
#include "fuzz/live_golden.h"
#include "fuzz/live_guest.h"
#include "fuzz/live_input.h"
#include "fuzz/live_intended.h"
#include "oracle/live/examine.h"
#include "oracle/live/rename.h"

namespace thp::live {
namespace {

void dump(const Trace& trace, const Observed& observed) {
  for (std::size_t i = 0; i < std::min(trace.ops.size(), observed.ops.size()); ++i)
    fmt::print("> {}\n{}", print(trace.ops[i]), text(renamed(observed.ops[i])));
}

}  // namespace

// Everything below a directory, at the same places below the root.
void add_tree(Cpio& cpio, const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).generic_string();
    if (entry.is_directory())
      cpio.directory(name);
    else
      cpio.file(name, read_bytes(entry.path().string()),
                (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none);
  }
}

int run_initramfs(const InitramfsOptions& options) {
  Cpio cpio;
  for (const char* directory : {"dev", "proc", "sys", "modules"}) cpio.directory(directory);
  cpio.character_device("dev/console", 5, 1);
  cpio.file("init", read_bytes(options.init), true);
  for (const std::string& module : options.modules)
    cpio.file("modules/" + std::filesystem::path(module).filename().string(), read_bytes(module));
  if (!options.tree.empty()) add_tree(cpio, options.tree);
  write_bytes(options.output, cpio.finish());
  return kHolds;
}

int run_batch(const BatchOptions& options) {
  const Input input = read_input(options.files, options.random, options.seed);
  write_bytes(options.output, batch_of(input.traces));
  fmt::print("{} traces\n", input.traces.size());
  return input.status;
}

int run_compare(const CompareOptions& options) {
  const auto traces = read_batch(read_bytes(options.batch));
  if (!traces) {
    fmt::print(stderr, "{}: {}\n", options.batch, traces.error());
    return kNoTrace;
  }
  const MappedFile file(options.observed);
  const ObservedBatch batch = read_observations(file.bytes(), traces->size());
  std::size_t ops = 0, divergences = 0;
  std::uint64_t facts = 0;
  for (std::size_t i = 0; i < traces->size(); ++i) {
    if (!(*traces)[i]) {
      fmt::print("trace {} is none\n", i);
      continue;
    }
    const Trace& trace = *(*traces)[i];
    if (options.dump) dump(trace, batch.traces[i]);
    const Examined examined = examine(trace, batch.traces[i].ops);
    ops += examined.ops;
    facts += examined.facts;
    if (!examined.divergence) continue;
    ++divergences;
    fmt::print("{}\n", divergence_page(trace, *examined.divergence, fmt::format("trace {}", i)));
  }
  fmt::print("{} traces, {} ops, {} facts compared, {} divergences\n", traces->size(), ops, facts,
             divergences);
  if (!batch.complete) fmt::print("{}: {}\n", options.observed, batch.error);
  return divergences != 0 ? kBroken : batch.complete ? kHolds : kNoTrace;
}

namespace {

// What is meant and does not show any more is told, if its record is among the files.
int tell_stale(const std::vector<Intended>& intended, const Files& files) {
  int stale = 0;
  for (const Intended& one : intended) {
    const bool here = std::ranges::any_of(files, [&](const std::string& file) {
      return std::filesystem::path(file).stem() == one.record;
    });
    if (one.met || !here) continue;
    ++stale;
    fmt::print("{}: the model does not differ so from the record {}\n", one.place, one.record);
  }
  return stale;
}

}  // namespace

int run_golden(const GoldenOptions& options) {
  auto intended = read_intended(options.intended);
  if (!intended) {
    fmt::print(stderr, "{}\n", intended.error());
    return kNoTrace;
  }
  int differing = 0, meant = 0;
  for (const std::string& file : options.files) {
    const auto difference = differs_from_record(read_bytes(file));
    if (!difference) continue;
    const bool is_meant = is_intended(*intended, file, *difference);
    ++(is_meant ? meant : differing);
    if (!is_meant) fmt::print("{}: {}\n", file, difference->text);
  }
  const int stale = tell_stale(*intended, options.files);
  fmt::print("{} recorded traces, {} on which the model differs\n", options.files.size(),
             differing);
  if (meant != 0) fmt::print("and {} on which it does as is meant\n", meant);
  return differing + stale != 0 ? kBroken : kHolds;
}

}  // namespace thp::live
