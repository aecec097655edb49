# How tests are run: a line now and then, failures in full, then a line for each folder.
# shellcheck shell=bash

# watch LOG: how far CTest is, every few seconds, as long as the caller lives.
watch() {
  local last seconds=0
  while sleep 4 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    last=$(sed -nE 's|^ *([0-9]+/[0-9]+) Test .*|\1|p' "$1" 2>/dev/null | tail -n 1) || true
    echo "  $((seconds += 4)) s: ${last:-0} tests"
  done
}

# run_tests LOG CTEST-ARGUMENT...: all that CTest says goes to LOG. Its own summary comes last.
# 1: a test failed, 3: CTest could not run them. CTest stays in the foreground, for Ctrl-C.
run_tests() {
  local log=$1 status=0 watcher
  shift
  rm -f "$log" "$log.xml"
  mkdir -p "${log%/*}"
  ctest "$@" --show-only=json-v1 >"$log.json" 2>"$log" || { cat "$log" >&2; return 3; }
  watch "$log" &
  watcher=$!
  ctest "$@" --output-on-failure --no-label-summary --output-junit "$(realpath "$log.xml")" \
    >"$log" 2>&1 || status=1
  kill "$watcher"
  wait "$watcher" 2>/dev/null || true
  grep -q '^[0-9]*% tests passed' "$log" || { cat "$log" >&2; return 3; }
  ci/tests_by_folder.py "$log.json" "$log.xml" || return 3
  echo "log: $log"
  sed -n '/^[0-9]*% tests passed/,$p' "$log"
  return "$status"
}
