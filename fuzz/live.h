// What the subcommands of `thp_live` share. Each is a plain function of its options; only
// thp_live.cc knows the command line.
#pragma once
#include <cstdint>
#include <string>

#include "fuzz/thp.h"

namespace thp::live {

// The first root of a guest: its /init, and what stands beside it.
struct InitramfsOptions {
  std::string init, output;
  Files modules;     // kernel modules, into /modules
  std::string tree;  // a directory whose contents go into the root; empty: none
};
int run_initramfs(const InitramfsOptions& options);

struct RunOptions {
  Files files;
  std::uint64_t random = 0, seed = 1;
  std::string ops;  // of random traces, as `thp explore` takes them; empty: all
  std::string boot, work = ".";
  std::string finds = "finds";  // where diverging traces go
  std::string record;           // where what the kernel did goes, as text; empty: nowhere
  std::string command = "ci/live";
  std::size_t batch = 1000;
  int pages = 4;  // divergences, of different kinds, that are shrunk and shown
};
// 0: no divergence, 1: some, or a kernel that complained, 2: could not be told.
int run_traces(const RunOptions& options);

// The disks of one boot, as they lie there.
struct CompareOptions {
  std::string batch, observed;
  bool dump = false;  // print what the kernel did, op by op
};
int run_compare(const CompareOptions& options);

struct BatchOptions {
  Files files;
  std::uint64_t random = 0, seed = 1;
  std::string output;
};
int run_batch(const BatchOptions& options);

// The model as a guest: what it does with the traces of a batch, in the form of the observation
// disk.
struct AnswerOptions {
  std::string batch, output;
};
int run_answer(const AnswerOptions& options);

// This model beside another one: which rules break here, and where the two answer differently, each
// with a shortest trace. The explorer goes breadth first through the whole alphabet, and further
// with `ops` and one more op at a time.
struct PortOptions {
  std::string base;  // the other one's thp_live
  std::string work = ".";
  std::string ops;              // as `thp explore` takes them; empty: none
  std::uint64_t most = 50'000;  // transitions of the whole alphabet
};
int run_port(const PortOptions& options);

// Recorded traces against the model, without a kernel.
struct GoldenOptions {
  Files files, intended;
};
int run_golden(const GoldenOptions& options);

}  // namespace thp::live
