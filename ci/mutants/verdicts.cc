// Which mistakes of the oracle change what is said of a trace? For ci/sweep_judges.
// Usage: verdicts TRACE... <NUMBERS >NOTICED: numbers of switches, one a line; of those with which
// the verdict on some trace is another one, the number again. A crash, or more than two seconds for
// one trace, is another verdict too. Exit status 2: a trace can't be read.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "oracle/judge.h"

using namespace thp;

namespace {

constexpr unsigned kPatience = 2;  // seconds, for what takes less than a millisecond

// Which judge speaks, and by which rule: what ci/mutate compares with the header of a mutant.
std::string verdict(const Trace& trace, Judge& by) {
  const auto violation = judge(trace, by);
  if (!violation) return {};
  const bool has_rules = violation->broken == kFlatMemory || violation->broken == kExpectedAnswer;
  const std::string& detail = violation->detail;
  return std::string(violation->broken) + (has_rules ? detail.substr(0, detail.find(": ")) : "");
}

// One judge looks at everything after each op, the other at what the op has changed.
std::string verdict(const Trace& trace) {
  static Judge full, incremental({}, Judge::Mode::incremental);
  return verdict(trace, full) + "; " + verdict(trace, incremental);
}

std::vector<std::string> verdicts(const std::vector<Trace>& traces, int number) {
  thp_switch = number;
  std::vector<std::string> all;
  for (const Trace& trace : traces) all.push_back(verdict(trace));
  return all;
}

bool changes(const std::vector<Trace>& traces, const std::vector<std::string>& sound, int number) {
  thp_switch = number;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    alarm(kPatience);
    if (verdict(traces[i]) != sound[i]) return true;
  }
  return false;
}

// In a process of its own, as long as that lives; how many numbers it has done.
std::size_t done_by_child(const std::vector<Trace>& traces, const std::vector<int>& numbers,
                          std::size_t from) {
  int ends[2];
  if (pipe(ends) != 0) return numbers.size();
  const pid_t child = fork();
  if (child == 0) {
    const auto sound = verdicts(traces, 0);
    for (std::size_t i = from; i < numbers.size(); ++i) {
      const char noticed = changes(traces, sound, numbers[i]) ? 1 : 0;
      if (write(ends[1], &noticed, 1) != 1) break;
    }
    _exit(0);
  }
  close(ends[1]);
  char noticed = 0;
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
  for (std::size_t next = 0; next < numbers.size(); ++next) {
    next = done_by_child(traces, numbers, next);
    if (next < numbers.size()) std::printf("%d\n", numbers[next]);  // the one it died of
  }
}
