#!/usr/bin/env bash
# run_tests() of ci/tests.sh, on a few tests that do nothing.
source "$(dirname "$0")/lib.sh"
source ci/tests.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CTEST_PARALLEL_LEVEL

# says STATUS: of the tests in $work/CTestTestfile.cmake; $said is what it said.
says() {
  local status=0
  said=$(run_tests "$work/log/test.log" --test-dir "$work" --no-tests=error 2>&1) || status=$?
  ((status == $1)) || { printf 'status %s, not %s:\n%s\n' "$status" "$1" "$said" >&2; exit 1; }
}
has() { # LINE...: as regular expressions
  local line
  for line in "$@"; do
    grep -Eq "$line" <<<"$said" || { printf 'no /%s/ in:\n%s\n' "$line" "$said" >&2; exit 1; }
  done
}

cat >"$work/CTestTestfile.cmake" <<'TESTS'
add_test(corpus/seeds/a.trace true)
add_test(corpus/seeds/b.trace true)
add_test(slow sleep 6)
add_test(skipped sh -c "exit 77")
set_tests_properties(slow skipped PROPERTIES LABELS model SKIP_RETURN_CODE 77)
TESTS
says 0
has '^  4 s: (2/4|0) tests' '^corpus/seeds +2 passed$' '^model +1 skipped, 1 passed$' \
  "^log: $work/log/test.log$" '^100% tests passed, 0 tests failed out of 4$'
[[ $(grep -n '^100%' <<<"$said") == 5:* ]] || { echo "more lines: $said" >&2; exit 1; }
grep -q 'corpus/seeds/a.trace .* Passed' "$work/log/test.log"

cat >"$work/CTestTestfile.cmake" <<'TESTS'
add_test(good true)
add_test(bad sh -c "echo why, and '<'; exit 1")
add_test(absent no-such-program)
set_tests_properties(good bad PROPERTIES LABELS oracle)
TESTS
says 1
has '^failed: bad$' '^why, and <$' '^notrun: absent$' '^oracle +1 passed, 1 failed$' '^others ' \
  '^33% tests passed, 2 tests failed out of 3$' '2 - bad \(Failed\)'

rm "$work/CTestTestfile.cmake"
says 3
