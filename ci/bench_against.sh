# ci/bench --against PATH: this tree and another one run the same trace files, by turns, and each
# figure is the least of N runs of CPU time. Both are measured by the same program, this tree's
# fuzz/bench_files.cc, compiled with the other's headers and libraries: what it calls is as old as
# the judge.
# shellcheck shell=bash disable=SC2154
other=$(cd "$here" && realpath "$2")
shift 2
least=10 explore=false fuzz=false
while (($#)); do
  case $1 in
    --least) least=$2; shift ;;
    --explore) explore=true ;;
    --fuzz) fuzz=true ;;
    *) usage ;;
  esac
  shift
done
this=$PWD
ci/setup
work=$this/build/bench/against
rm -rf "$work"
mkdir -p "$work"
declare -A tree=([this]=$this [other]=$other)

for side in this other; do
  (
    cd "${tree[$side]}"
    build release thp thp_oracle
    if $fuzz; then for preset in fuzz-plain fuzz; do build "$preset" fuzz_trace; done; fi
  )
  libraries=$(find "${tree[$side]}/build/release" -name 'libthp_oracle.a' -o -name 'libthp_model.a')
  # shellcheck disable=SC2086
  clang++-19 -O2 -DNDEBUG -std=c++23 -I"${tree[$side]}" fuzz/bench_files.cc \
    -o "$work/bench_$side" -fuse-ld=lld -Wl,--start-group $libraries -Wl,--end-group -lfmt
done
build release bench

# The traces that both trees judge to the end: a defect, or a rule of one of them, ends one.
for order in 1 2 9; do
  build/release/bench --write "$work/order$order" "$order"
  "$work/bench_this" --fit "$work/order$order"/*.trace | xargs "$work/bench_other" --fit \
    >"$work/fit$order"
done

# cpu COMMAND...: its CPU time in nanoseconds, on one core; its output goes to $work/out.
cpu() {
  local TIMEFORMAT='%U %S'
  { time taskset -c 0 "$@" >"$work/out" 2>&1; } 2>&1 | awk '{ printf "%.0f\n", ($1 + $2) * 1e9 }'
}

run_traces() { # SIDE ORDER
  xargs "$work/bench_$1" <"$work/fit$2" | sed "s/^/$1 $2 /"
}
run_explorer() { # SIDE
  echo "$1 1 explored $(cpu "${tree[$1]}/build/release/thp" explore --scope alphabet5 --json)"
  grep -o '"states":[0-9]*' "$work/out" >"$work/states_$1"
}
run_fuzzer() { # SIDE PRESET
  cp -r "$work/order2" "$work/corpus"
  echo "$1 2 fuzzed:$2 $(cpu "${tree[$1]}/build/$2/fuzz_trace" -seed=1 -runs=20000 \
    "${fuzz_trace_flags[@]}" "$work/corpus")"
  rm -r "$work/corpus"
}
for ((n = 0; n < least; ++n)); do
  for side in this other; do
    for order in 1 2 9; do run_traces "$side" "$order"; done
    if $explore && ((n < 3)); then run_explorer "$side"; fi
    if $fuzz; then for preset in fuzz-plain fuzz; do run_fuzzer "$side" "$preset"; done; fi
  done
done >"$work/figures"
if $explore; then cmp "$work/states_this" "$work/states_other"; fi

awk -v fit="$(wc -l <"$work/fit1") $(wc -l <"$work/fit2") $(wc -l <"$work/fit9")" '
  { key = $1 " " $3 " " $2; if (!(key in min) || $4 < min[key]) min[key] = $4 }
  function line(label, what,   i, o, was, is) {
    printf "  %-28s", label
    for (i = 1; i <= 3; ++i) {
      was = min["other " what " " order[i]]; is = min["this " what " " order[i]]
      if (is) printf " %8.2f (%5d ns)", was / is, is; else printf "%20s", ""
    }
    print ""
  }
  function whole(label, what, o) {
    if (("this " what " " o) in min) printf "  %-28s %8.2f (%.1f s)\n", label,
      min["other " what " " o] / min["this " what " " o], min["this " what " " o] / 1e9
  }
  END {
    split("1 2 9", order, " "); split(fit, traces, " ")
    printf "%-30s", "times faster (time of an op)"
    for (i = 1; i <= 3; ++i) printf " %8s %d (%3d tr.)", "order", order[i], traces[i]
    print ""
    line("stepped, not judged", "stepped")
    line("judged incrementally", "incremental")
    line("judged in full", "full")
    whole("alphabet5, one thread", "explored", 1)
    whole("fuzz_trace, plain", "fuzzed:fuzz-plain", 2)
    whole("fuzz_trace, sanitised", "fuzzed:fuzz", 2)
  }' "$work/figures" | tee "$work/table"
