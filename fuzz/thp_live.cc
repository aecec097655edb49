// The command `thp_live`, for ci/live: its subcommands and their options.
#include <CLI/CLI.hpp>
#include <climits>

#include "fuzz/live.h"
#include "fuzz/run.h"

using namespace thp;
using namespace thp::live;

namespace {

void add_initramfs(CLI::App& app, InitramfsOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("initramfs", "Pack the first root of a guest");
  command->add_option("INIT", options.init, "its /init, statically linked")->required();
  command->add_option("--module", options.modules, "a kernel module, into /modules");
  command->add_option("--tree", options.tree, "a directory whose contents go into the root")
      ->check(CLI::ExistingDirectory);
  command->add_option("-o,--output", options.output, "the archive")->required();
  command->callback([&] { run = [&] { return run_initramfs(options); }; });
}

void add_traces(CLI::App* command, Files& files, std::uint64_t& random, std::uint64_t& seed) {
  command->add_option("TRACE", files, "trace files");
  command->add_option("--random", random, "how many random traces")->capture_default_str();
  command->add_option("--seed", seed, "of the first random trace")->capture_default_str();
}

void add_batch(CLI::App& app, BatchOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("batch", "Write the disk with the traces of one boot");
  add_traces(command, options.files, options.random, options.seed);
  command->add_option("-o,--output", options.output, "the disk")->required();
  command->callback([&] { run = [&] { return run_batch(options); }; });
}

void add_compare(CLI::App& app, CompareOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("compare", "Compare the disks that one boot leaves");
  command->add_option("BATCH", options.batch, "the traces")->required();
  command->add_option("OBSERVED", options.observed, "what the kernel did")->required();
  command->add_flag("--dump", options.dump, "print what the kernel did, op by op");
  command->callback([&] { run = [&] { return run_compare(options); }; });
}

void add_answer(CLI::App& app, AnswerOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("answer", "Write what the model does with a batch");
  command->add_option("BATCH", options.batch, "the traces")->required();
  command->add_option("-o,--output", options.output, "the observations")->required();
  command->callback([&] { run = [&] { return run_answer(options); }; });
}

void add_port(CLI::App& app, PortOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("port", "Compare this model with another one");
  command->add_option("--base", options.base, "the other one's thp_live")->required();
  command->add_option("--work", options.work, "a directory for the disks")->capture_default_str();
  command->add_option("--ops", options.ops, "store,fork: look further with these");
  command->add_option("--most", options.most, "transitions of all ops that are looked at")
      ->capture_default_str();
  command->callback([&] { run = [&] { return run_port(options); }; });
}

void add_golden(CLI::App& app, GoldenOptions& options, Run& run) {
  CLI::App* command =
      app.add_subcommand("golden", "Compare the model with what a kernel is recorded to have done");
  command->add_option("TRACE", options.files, "recorded traces")->required();
  command
      ->add_option("--intended", options.intended,
                   "where the model shall differ: corpus/intended/*")
      ->allow_extra_args(false);
  command->callback([&] { run = [&] { return run_golden(options); }; });
}

void add_run(CLI::App& app, RunOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("run", "Run traces on guests, compare, shrink, tell");
  add_traces(command, options.files, options.random, options.seed);
  command->add_option("--ops", options.ops, "store,fork or -store: the ops of random traces");
  command->add_option("--boot", options.boot, "the command that boots a guest")->required();
  command->add_option("--work", options.work, "a directory for the disks")->capture_default_str();
  command->add_option("--finds", options.finds, "where diverging traces go")->capture_default_str();
  command->add_option("--record", options.record, "where to write down what the kernel did");
  command->add_option("--command", options.command, "what reproduces a finding, before its file")
      ->capture_default_str();
  command->add_option("--batch", options.batch, "traces of one boot")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--pages", options.pages, "kinds of divergence to shrink and show")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command->callback([&] { run = [&] { return run_traces(options); }; });
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  CLI::App app("The live kernel as an oracle: batches of traces, in and out of a virtual machine");
  app.require_subcommand(1);
  InitramfsOptions initramfs;
  BatchOptions batch;
  CompareOptions compare;
  RunOptions traces;
  AnswerOptions answer;
  PortOptions port;
  GoldenOptions recorded;
  Run run;
  add_initramfs(app, initramfs, run);
  add_batch(app, batch, run);
  add_compare(app, compare, run);
  add_answer(app, answer, run);
  add_port(app, port, run);
  add_golden(app, recorded, run);
  add_run(app, traces, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error) == 0 ? 0 : kNoTrace;
    return run_and_flush("thp_live", [status] { return status; });
  }
  return run_and_flush("thp_live", run);
}
