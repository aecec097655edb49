// Which mistakes of the oracle change what is said of a trace? For ci/sweep_judges.
// Usage: verdicts TRACE... <NUMBERS >NOTICED: numbers of switches, one a line; of those with which
// the verdict on some trace is another one, the number again. A crash, or more than two seconds for
// one trace, is another verdict too. Exit status 2: a trace can't be read, or no verdict be found.
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "oracle/judge.h"

using namespace thp;

namespace {

constexpr int kPatience = 2;  // seconds, for what takes less than a millisecond

std::string verdict(const Trace& trace, Judge& judge) {
  judge.reset(trace.geometry);
  for (const Op& op : trace.ops)
    if (const auto seen = judge.step(op)) return std::string(seen->broken);
  const auto seen = judge.finish();
  return seen ? "only at the end: " + std::string(seen->broken) : "";
}

// One judge looks at everything after each op, the other at what the op has changed.
std::string verdict(const Trace& trace) {
  static Judge full, incremental({}, Judge::Mode::incremental);
  return verdict(trace, full) + "; " + verdict(trace, incremental);
}

// SIGVTALRM ends what takes more than so many seconds of the processor.
void allow(int seconds) {
  const itimerval limit{{}, {seconds, 0}};
  setitimer(ITIMER_VIRTUAL, &limit, nullptr);
}

bool changes(const std::vector<Trace>& traces, const std::vector<std::string>& sound, int number) {
  thp_switch = number;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    allow(kPatience);
    if (verdict(traces[i]) != sound[i]) return true;
  }
  return false;
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "verdicts: %s\n", what);
  std::exit(2);
}

// A byte when it knows the verdicts without a mistake, and one for each number.
[[noreturn]] void be_child(const std::vector<Trace>& traces, const std::vector<int>& numbers,
                           std::size_t from, int to) {
  std::vector<std::string> sound;
  for (const Trace& trace : traces) {
    allow(kPatience);
    sound.push_back(verdict(trace));
  }
  if (write(to, "", 1) != 1) _exit(1);
  for (std::size_t i = from; i < numbers.size(); ++i) {
    const char noticed = changes(traces, sound, numbers[i]) ? 1 : 0;
    if (write(to, &noticed, 1) != 1) _exit(1);
  }
  _exit(0);
}

// In a process of its own, as long as that lives; how many numbers are done then.
std::size_t done_by_child(const std::vector<Trace>& traces, const std::vector<int>& numbers,
                          std::size_t from) {
  int ends[2];
  if (pipe(ends) != 0) fail("no pipe");
  const pid_t child = fork();
  if (child < 0) fail("no process");
  if (child == 0) {
    close(ends[0]);
    be_child(traces, numbers, from, ends[1]);
  }
  close(ends[1]);
  char noticed = 0;
  if (read(ends[0], &noticed, 1) != 1) fail("crashes, or loops, without any mistake");
  for (; read(ends[0], &noticed, 1) == 1; ++from)
    if (noticed != 0) std::printf("%d\n", numbers[from]);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return from;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Trace> traces;
  for (int i = 1; i < argc; ++i) {
    std::ifstream in(argv[i]);
    const auto file = parse_trace(std::string{std::istreambuf_iterator<char>(in), {}});
    if (!file) {
      std::fprintf(stderr, "%s: not a trace\n", argv[i]);
      return 2;
    }
    traces.push_back(file->trace);
  }
  std::vector<int> numbers;
  for (int number = 0; std::scanf("%d", &number) == 1;) numbers.push_back(number);
  // What a child dies of may be the work of a number before: only the first is to blame.
  for (std::size_t next = 0; next < numbers.size();) {
    const std::size_t done = done_by_child(traces, numbers, next);
    if (done == next) std::printf("%d\n", numbers[next++]);
    next = std::max(next, done);
  }
}
