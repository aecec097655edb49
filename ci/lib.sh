# What the commands of ci/ share: strict mode, the root of the tree, and how a preset is built.
# shellcheck shell=bash
# Exit statuses are those of ci/README.md.
set -euo pipefail
shopt -s globstar # model/**/*.cc: in all rooms
script=$(readlink -f "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What the script that runs says of itself at its top. Asked for, it is all that happens.
help() { sed -nE '2,/^[^#]/s/^# ?//p' "$script"; }
usage() { help >&2; exit 2; }
for word in "$@"; do
  case $word in
    -h | --help) help; exit 0 ;;
  esac
done
unset word

cores=${THP_JOBS:-$(nproc)} # how much is done at once
[[ $cores =~ ^[1-9][0-9]{0,2}$ ]] ||
  { echo "THP_JOBS is a number from 1 to 999, not '$cores'" >&2; exit 2; }
export CTEST_PARALLEL_LEVEL=$cores

# How traces are fuzzed. libFuzzer's book-keeping of rare features costs more than judging a trace;
# and 100 ops, each a short line, are a long trace.
fuzz_trace_flags=(-entropic=0 -len_control=0 -max_len=2000)

# build PRESET [TARGET...]: everything, or only these targets; 3 where that fails. Warnings are
# errors if THP_WERROR is set, as in .ci/run: who tries something may comment out a line.
build() {
  local preset=$1
  shift
  (($#)) || set -- all
  echo "== build $preset: $*"
  cmake --preset "$preset" -DCMAKE_COMPILE_WARNING_AS_ERROR="${THP_WERROR:-OFF}" >/dev/null ||
    return 3
  cmake --build --preset "$preset" --parallel "$cores" --target "$@" || return 3
}

# on_all_cores WORKER: WORKER 0, WORKER 1 and so on, at once, each for its share; they are ended
# with us, but for the command that each is at. $failed is how many did not return 0. To be called
# plainly: after || no worker would stop at an error.
on_all_cores() {
  local k pid
  failed=0 workers=()
  trap 'kill "${workers[@]}" 2>/dev/null || true; exit 130' INT TERM
  for ((k = 0; k < cores; ++k)); do
    "$1" "$k" &
    workers+=($!)
  done
  for pid in "${workers[@]}"; do wait "$pid" || ((++failed)); done
  trap - INT TERM
}

# only_one COMMAND: a second one beside it would change the same trees. What it started counts, too,
# should that outlive it.
only_one() {
  local lock
  mkdir -p build
  exec {lock}>"build/$1.lock"
  flock -n "$lock" || { echo "ci/$1: another one is at work here" >&2; exit 2; }
}

# draw_seed: $seed is THP_SEED, or drawn, below 2^29.
draw_seed() {
  seed=${THP_SEED:-$((RANDOM << 14 ^ RANDOM))}
  [[ $seed =~ ^[0-9]{1,9}$ ]] || { echo "THP_SEED is a number of up to nine digits" >&2; exit 2; }
}

# at_most SECONDS COMMAND...: ends with us, too, being in our process group.
at_most() { timeout --foreground "$@"; }

# restore_model ROOT: in a worker's tree, what a mutant has changed is as in ROOT again, in every
# room, and what it has brought is gone. All else keeps its time: nothing more is compiled again.
restore_model() {
  local path
  while IFS= read -r -d '' path; do
    [[ -e $1/$path ]] || rm -d "$path"
  done < <(find model -depth -print0)
  while IFS= read -r -d '' path; do
    cmp -s "$1/$path" "$path" || { mkdir -p "${path%/*}" && cp "$1/$path" "$path"; }
  done < <(cd "$1" && find model -type f -print0)
}
