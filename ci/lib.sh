# What the commands of ci/ share: strict mode, the root of the tree, and how a preset is built.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cores=$(nproc)
export CTEST_PARALLEL_LEVEL=$cores
# One cache serves every copy of the tree: ci/canary builds in one of its own.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# How traces are fuzzed. libFuzzer's book-keeping of rare features costs more than judging a trace;
# and 100 ops, each a short line, are a long trace.
fuzz_trace_flags=(-entropic=0 -len_control=0 -max_len=2000)

# build PRESET [TARGET...]: everything, or only these targets.
build() {
  local preset=$1
  shift
  (($#)) || set -- all
  echo "== build $preset: $*"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" --parallel "$cores" --target "$@"
}
