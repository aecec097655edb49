// What the parts of the command `thp` share. Each subcommand is a plain function of its options;
// only thp.cc knows the command line.
#pragma once
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fuzz/thp_table.h"
#include "model/trace/trace.h"
#include "oracle/judge.h"
#include "properties/jobs.h"
#include "properties/outcomes.h"

namespace thp {

// Exit statuses: see ci/README.md.
inline constexpr int kHolds = 0, kBroken = 1, kNoTrace = 2, kNotRun = 3, kInterrupted = 130;

using Files = std::vector<std::string>;

// A trace file, or `-` for standard input. The error says FILE, or FILE:LINE:COLUMN, and what is
// wrong; a file too large, or none at all but a directory or a device, is not read. `as_it_is`
// becomes its text.
std::expected<TraceFile, std::string> read_trace(const std::string& file,
                                                 std::string* as_it_is = nullptr);

// A message for standard error, in colour on a terminal; kNoTrace.
int tell_error(const std::string& message);

// Why a result cannot go to a file, or to `-`, known before any work is done.
std::optional<std::string> output_error(const std::string& output, bool force);
// The result goes there, or to standard output, where it also goes if there it cannot be written.
std::expected<void, std::string> write_output(const std::string& output, bool force,
                                              const std::string& text);

// Ctrl-C ends no work in the middle from now on, but is told here: what was found is kept.
void watch_for_interrupts();
bool interrupted();

// The first rule that a trace breaks, or `expect` line that does not hold; the judge is reset.
std::optional<Violation> judge_file(const std::string& name, const TraceFile& file, Judge& judge);
std::string line_of(const Violation& violation);

struct JudgeOptions {
  Files files;
  bool json = false, ktap = false;
  bool all = false;  // every rule that a trace breaks, and every `expect` line that fails
};
int run_judge(const JudgeOptions& options);

struct ExplainOptions {
  std::string file;
  bool json = false;  // an object a line for each op
};
int run_explain(const ExplainOptions& options);

struct ShrinkCommandOptions {
  std::string file, output;
  bool force = false;  // replace `output`
  bool json = false;   // one object for standard output, with the trace in it
  int max_judgings = 20'000;
};
int run_shrink(const ShrinkCommandOptions& options);

struct ExploreCommandOptions {
  std::string scope;                              // a name of the table; the rest does not count
  std::string geometry = "order=1 pmds=1 mms=2";  // as in a trace
  std::string ops;                                // names, or names to leave out; empty: all
  int depth = 0, holders = 1;
  std::vector<std::string> first;  // ops, as in a trace, that every trace begins with
  bool exact = false;              // states differ by names too, and each store stores 1
  std::string twins;               // a file for the states as the twin of ci/spin has them
  int memory = 2048;               // MiB
  int threads = jobs();
  bool json = false;
  bool matrix = false;  // what each op came to, and which of that the traces come to
  Files files;
  std::string write;  // a folder for traces of what they lack; empty: none
};
int run_explore(const ExploreCommandOptions& options);

// The matrix of an exploration beside that of traces; into the folder `write`, if there is one,
// goes a trace for each cell that those have not. False: a file cannot be written.
struct ShownOutcome {
  int kind;
  Outcome outcome;
  Trace trace;
};
struct ShownPair {
  int kind, next;
  Trace trace;
};
struct Shown {
  std::vector<ShownOutcome> outcomes;
  std::vector<ShownPair> pairs;
};
std::optional<Outcomes> outcomes_of(const Files& files);  // none, and told: one cannot be read
bool tell_matrix(const Outcomes& explored, const Shown& shown, const Outcomes& traced,
                 const std::string& write);

// A C program that makes the trace's system calls and checks what user space sees.
struct EmitOptions {
  std::string file, output = "-";
  bool force = false;                // replace `output`
  std::vector<std::string> defects;  // that it shows, besides those that the trace expects
};
int run_emit_c(const EmitOptions& options);

// Tables, a row a line.
int run_ops(Form form);
int run_rules(Form form);
int run_facts(Form form);
int run_scopes(Form form);
int run_sometimes(const Files& files, Form form);  // which of those states the traces reach

}  // namespace thp
