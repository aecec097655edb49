// Lifted traces: valid, faithful at the borders of huge pages, and judged like their originals.
#include "model/trace/lift.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/trace/generate.h"
#include "oracle/judge.h"
#include "properties/check.h"

using namespace thp;
namespace fs = std::filesystem;

namespace {

Trace parsed(const std::string& text) {
  const auto file = parse_trace(text);
  check(file.has_value(), "it is a trace");
  return file ? file->trace : Trace{};
}

void scales_what_counts_pages() {
  const Trace trace = parsed(
      "thp-trace 1\ngeometry order=2 pmds=2 mms=2 swap=5 blocks=7 inodes=1\n"
      "mmap A 0..5\nstore A 3 7\nmremap A 4..8 3\nfork A B\npin h1 B 0 r\nenabled never\n"
      "creat f0\npwrite f0 2 5\nfallocate f0 1..3 keep\ntruncate f0 8\n");
  const Trace expected = parsed(
      "thp-trace 1\ngeometry order=9 pmds=2 mms=2 swap=640 blocks=7 inodes=1\n"
      "mmap A 0..640\nstore A 384 7\nmremap A 512..1024 384\nfork A B\npin h1 B 0 r\n"
      "enabled never\ncreat f0\npwrite f0 256 5\nfallocate f0 128..384 keep\ntruncate f0 1024\n");
  check(lifted(trace) == expected, "pages and slots scale, nothing else does");
  check(lifted(expected) == expected, "what has the kernel's order stays as it is");
}

void is_total() {
  for (int order = 1; order <= Geometry::kMaxOrder; ++order) {
    const Geometry geometry{.order = order, .pmds = Geometry::kMaxPmds, .swap = 4 << order};
    Trace trace{.geometry = geometry, .ops = {}};
    const PageRange all{0, geometry.pages()};
    const PageNr last{geometry.pages() - 1};
    trace.ops = {Mmap{{0}, all}, Store{{0}, last, {1}}, Munmap{{0}, {last.number, all.end}}};
    const Trace up = lifted(trace);
    check(up.geometry.is_valid(), "the geometry is valid");
    for (const Op& op : up.ops) check(in_geometry(op, up.geometry), "arguments lie within");
  }
}

// What is true of a trace is true of the lifted one.
void keeps_the_verdicts_of_the_corpus() {
  int traces = 0;
  for (const auto& entry : fs::recursive_directory_iterator("corpus")) {
    if (entry.path().extension() != ".trace") continue;
    std::ifstream in(entry.path());
    const Trace trace = parsed({std::istreambuf_iterator<char>(in), {}});
    const auto violation = judge(lifted(trace), Judge::Mode::incremental);
    check(!violation, entry.path().string() + ": lifted, it does not hold");
    ++traces;
  }
  check(traces > 100, "the corpus is there");
}

}  // namespace

int lift_test(int, char*[]) {
  scales_what_counts_pages();
  is_total();
  keeps_the_verdicts_of_the_corpus();
  return failures();
}
