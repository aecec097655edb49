// Which op of the model goes through which function? For ci/functions, built with source coverage:
// steps through traces, keeps the counters of each kind of op apart, and writes them as
// KIND.profraw.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "model/trace/generate.h"
#include "model/trace/trace.h"

// compiler-rt's lib/profile/InstrProfiling.h
extern "C" {
char* __llvm_profile_begin_counters();
char* __llvm_profile_end_counters();
void __llvm_profile_set_filename(const char* name);
int __llvm_profile_write_file();
}

namespace {

using Counters = std::vector<std::uint64_t>;

Counters counters() {
  const auto* const first = reinterpret_cast<std::uint64_t*>(__llvm_profile_begin_counters());
  const auto* const end = reinterpret_cast<std::uint64_t*>(__llvm_profile_end_counters());
  return {first, end};
}

void set_counters(const Counters& to) {
  std::memcpy(__llvm_profile_begin_counters(), to.data(), to.size() * sizeof to[0]);
}

// A function counts once for each op that comes to it.
void add_steps(const thp::Trace& trace, std::vector<Counters>& of_kind) {
  thp::Machine m(trace.geometry);
  for (const thp::Op& op : trace.ops) {
    set_counters(Counters(of_kind[0].size()));
    step(m, op);
    const Counters now = counters();
    Counters& sum = of_kind[op.index()];
    for (std::size_t i = 0; i < now.size(); ++i) sum[i] += now[i] != 0;
  }
}

}  // namespace

int main(int argc, char* argv[]) {  // FOLDER TRACE...
  std::vector<Counters> of_kind(thp::kOpKinds, Counters(counters().size()));
  for (int i = 2; i < argc; ++i) {
    std::ifstream in(argv[i]);
    const auto file = thp::parse_trace(std::string{std::istreambuf_iterator<char>(in), {}});
    if (file) add_steps(file->trace, of_kind);
  }
  for (int kind = 0; kind < thp::kOpKinds; ++kind) {
    set_counters(of_kind[std::size_t(kind)]);
    const std::string name = std::string(argv[1]) + '/' + std::string(thp::op_name(kind));
    __llvm_profile_set_filename((name + ".profraw").c_str());
    if (__llvm_profile_write_file() != 0) return 1;
  }
  __llvm_profile_set_filename("/dev/null");
}
