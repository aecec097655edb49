// The command `thp`: its subcommands and their options.
#include "fuzz/thp.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <climits>

#include "fuzz/run.h"
#include "model/defects.h"
#include "oracle/mute.h"
#include "properties/version.h"

using namespace thp;

namespace {

void mute_all(const std::vector<std::string>& names) {
  for (const std::string& name : names) mute(name);
}

// The empty text is CLI11's for "valid".
std::string is_rule_or_authority(const std::string& name) {
  return can_be_muted(name) ? "" : "there is no rule or authority " + name;
}

void add_judge(CLI::App& app, JudgeOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("judge", "Run traces; say what does not hold");
  command->add_option("TRACE", options.files, "trace files; - is standard input")->required();
  CLI::Option* json =
      command->add_flag("--json", options.json, "one JSON object a line for each trace");
  command->add_flag("--ktap", options.ktap, "the kernel's form of TAP")->excludes(json);
  command->add_flag("--all", options.all, "every rule that a trace breaks, not the first alone");
  command->callback([&] { run = [&] { return run_judge(options); }; });
}

void add_explain(CLI::App& app, ExplainOptions& options, Run& run) {
  CLI::App* command =
      app.add_subcommand("explain", "Every step: what changed, who holds each reference, pictures");
  command->add_option("TRACE", options.file, "a trace file; - is standard input")->required();
  command->add_flag("--json", options.json, "one JSON object a line for each op");
  command->callback([&] { run = [&] { return run_explain(options); }; });
}

void add_shrink(CLI::App& app, ShrinkCommandOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("shrink", "A shortest trace with the same violation");
  command->add_option("TRACE", options.file, "a trace file; - is standard input")->required();
  command->add_option("-o,--output", options.output, "where to; - is standard output")->required();
  command->add_flag("--force", options.force, "replace the output file");
  command->add_flag("--json", options.json,
                    "what was found, and the trace, as one JSON object on standard output");
  command->add_option("--max-judgings", options.max_judgings, "how much work to do at most")
      ->check(CLI::Range(1, INT_MAX))
      ->capture_default_str();
  command->callback([&] { run = [&] { return run_shrink(options); }; });
}

void add_explore(CLI::App& app, ExploreCommandOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand("explore", "Every state that ops lead to, within bounds");
  CLI::Option* scope = command->add_option("--scope", options.scope, "one that `thp scopes` lists");
  command->add_option("--geometry", options.geometry, "as in a trace")
      ->capture_default_str()
      ->excludes(scope);
  command->add_option("--ops", options.ops, "store,fork: only these; -get,-put: all but these")
      ->excludes(scope);
  command->add_option("--depth", options.depth, "ops of a trace at most; 0: until nothing is new")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str()
      ->excludes(scope);
  command->add_option("--holders", options.holders, "how many of h0, h1, ... there are")
      ->check(CLI::Range(0, kMaxHolders))
      ->capture_default_str()
      ->excludes(scope);
  command->add_option("--first", options.first, "an op that every trace begins with")
      ->excludes(scope);
  command->add_flag("--exact", options.exact, "states that differ by names differ")
      ->excludes(scope);
  command->add_option("--twins", options.twins, "a file for the states as ci/spin compares them");
  command->add_option("--memory", options.memory, "MiB for what has been seen")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--threads", options.threads, "at once; one a core, if not given")
      ->envname("THP_JOBS")
      ->check(CLI::Range(1, 999));
  command->add_flag("--json", options.json, "the figures as one JSON object");
  command->add_flag("--matrix", options.matrix, "what each op came to, here and in the traces");
  command->add_option("TRACE", options.files, "for --matrix: traces to compare with")
      ->needs("--matrix");
  command->add_option("--write", options.write, "for --matrix: where to write what they lack")
      ->check(CLI::ExistingDirectory)
      ->needs("--matrix");
  command->callback([&] { run = [&] { return run_explore(options); }; });
}

std::string is_defect(const std::string& name) {
  const auto named = [&](const Defect* defect) { return defect->name == name; };
  return std::ranges::any_of(kDefects, named) ? "" : "there is no defect " + name;
}

void add_emit_c(CLI::App& app, EmitOptions& options, Run& run) {
  CLI::App* command = app.add_subcommand(
      "emit-c", "A C program of a trace's system calls, which checks what user space sees");
  command->add_option("TRACE", options.file, "a trace file; - is standard input")->required();
  command->add_option("-o,--output", options.output, "where to; - is standard output")
      ->capture_default_str();
  command->add_flag("--force", options.force, "replace the output file");
  command
      ->add_option("--defect", options.defects,
                   "a defect of Linux that the program is to show, besides those that the trace "
                   "expects; model/DEFECTS.md has their names")
      ->allow_extra_args(false)
      ->check(is_defect);
  command->callback([&] { run = [&] { return run_emit_c(options); }; });
}

// Each prints a table, in one of three forms.
CLI::App* add_table(CLI::App& app, const char* name, const char* what,
                    const std::function<int(Form)>& print, Form& form, Run& run) {
  CLI::App* command = app.add_subcommand(name, what);
  const auto flag = [&](const char* option, const char* help, Form wanted) {
    return command->add_flag_callback(option, [&form, wanted] { form = wanted; }, help);
  };
  flag("--markdown", "as the documents have it", Form::markdown)
      ->excludes(flag("--json", "one JSON object a line", Form::json));
  command->callback([&run, &form, print] { run = [&form, print] { return print(form); }; });
  return command;
}

void add_tables(CLI::App& app, Files& files, Form& form, Run& run) {
  add_table(app, "ops", "What a trace can do", run_ops, form, run);
  add_table(app, "facts", "What an `expect` line can ask for", run_facts, form, run);
  add_table(app, "rules", "What must always hold", run_rules, form, run);
  add_table(app, "scopes", "What is explored", run_scopes, form, run);
  add_table(
      app, "sometimes", "The states to be reached, and by which traces",
      [&](Form of) { return run_sometimes(files, of); }, form, run)
      ->add_option("TRACE", files, "trace files; - is standard input");
}

void add_help(CLI::App& app, std::string& about, Run& run) {
  CLI::App* command = app.add_subcommand("help", "What a command does, and its options");
  const auto is_command = [&app](const std::string& name) {
    const auto named =
        app.get_subcommands([&](const CLI::App* of) { return of->check_name(name); });
    return named.empty() ? "there is no command " + name : std::string{};
  };
  command->add_option("COMMAND", about, "one of the others")->check(is_command);
  command->callback([&] {
    run = [&] {
      fmt::print("{}", about.empty() ? app.help() : app.get_subcommand(about)->help());
      return kHolds;
    };
  });
}

// For fuzz/thp.bash and ci/man: each command with its options, a line each.
void add_words(CLI::App& app, Run& run) {
  const auto tell = [&app] {
    for (const CLI::App* of : app.get_subcommands([](const CLI::App*) { return true; })) {
      if (of->get_group().empty()) continue;  // hidden, as this is
      fmt::print("{}", of->get_name());
      for (const CLI::Option* option : of->get_options())
        for (const std::string& name : option->get_lnames()) fmt::print(" --{}", name);
      fmt::print("\n");
    }
    return kHolds;
  };
  app.add_subcommand("words", "For completion")->group("")->callback([&run, tell] { run = tell; });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("An executable specification of transparent huge pages");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(version()));
  JudgeOptions judge;
  std::string helped;
  ExplainOptions explain;
  ShrinkCommandOptions shrink;
  ExploreCommandOptions explore;
  EmitOptions emit;
  Files reaching;
  Form form = Form::plain;
  Run run;
  app.add_option_function<std::vector<std::string>>(
         "--without", mute_all, "rules, or authorities as `thp rules` tells them: not asked")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(is_rule_or_authority);
  app.fallthrough();
  add_judge(app, judge, run);
  add_explain(app, explain, run);
  add_shrink(app, shrink, run);
  add_explore(app, explore, run);
  add_emit_c(app, emit, run);
  add_tables(app, reaching, form, run);
  add_help(app, helped, run);
  add_words(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error) == 0 ? 0 : kNoTrace;
    return run_and_flush("thp", [status] { return status; });
  }
  return run_and_flush("thp", run);
}
