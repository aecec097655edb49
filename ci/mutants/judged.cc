// What the judge says of a trace, for ci/mutate --own: the rule that is broken, a tab, and the
// detail; nothing where all hold. Usage: judged TRACE. Exit status 2: that is not a trace.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "oracle/judge.h"

using namespace thp;

int main(int argc, char** argv) {
  std::ifstream in(argc == 2 ? argv[1] : "");
  const auto file = parse_trace(std::string{std::istreambuf_iterator<char>(in), {}});
  if (!in || !file) return 2;
  if (const auto seen = judge(file->trace))
    std::printf("%s\t%s\n", std::string(seen->broken).c_str(), seen->detail.c_str());
}
