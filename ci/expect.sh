# What the tests of commands share. $failures is how many expectations did not hold.
# shellcheck shell=bash
failures=0

# expect STATUS PATTERN COMMAND...: the exit status, and a line of output or errors.
expect() {
  local status=$1 pattern=$2 output got
  shift 2
  output=$("$@" 2>&1)
  got=$?
  if ((got != status)) || ! grep -Eq -- "$pattern" <<<"$output"; then
    printf 'expected %s and /%s/, got %s from: %s\n%s\n' "$status" "$pattern" "$got" "$*" "$output"
    failures=$((failures + 1))
  fi
}
