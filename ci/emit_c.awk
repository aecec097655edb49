# Reads the console of a guest that ran the programs of ci/emit-c: tells what is not as it should
# be, and ends with counts. Exit status 0, 1 or 3, as ci/emit-c has them.
function tell() {
  printf "%s: exit status %s\n%s", program, $3, said
}
/^P / { program = $2; said = ""; red = defect = shown = finished = 0; next }
/^E / {
  programs++
  reds += red
  defects += defect
  showing += shown
  # One that failed for another reason than its tests: it was skipped, bailed out, or died.
  broken = !red && $3 != (shown ? 1 : 0) || !finished
  if (broken && !red) breaks++
  if (red || broken) tell()
  program = ""
  next
}
/^ok .*# SKIP/ { red = 1; said = said $0 "\n"; next }
/^ok / { tests++; next }
/^not ok .*# the defect / { tests++; defect = shown = 1; next }
/^not ok / { tests++; red = 1; said = said $0 "\n"; next }
/^# .*: the kernel does not have it/ { defect = 1; red = 1 }
/^# [0-9]+ tests, / { finished = 1; facts += $6; next }
/^VERSION / { kernel = $0; sub(/^VERSION /, "", kernel); next }
/^DONE / { done = 1; next }
/WARNING:|BUG:|Oops|Kernel panic|general protection|INFO: .*stall|kernel BUG/ {
  complaints++
  printf "the kernel complains, in %s: %s\n", program == "" ? "none" : program, $0
}
program != "" { said = said $0 "\n" }
END {
  print kernel
  printf "%d programs, %d tests, %d facts\n", programs, tests, facts
  printf "%d programs differ, %d broke off, %d of %d show their defect, %d complaints\n", reds,
    breaks, showing, defects, complaints
  if (!done) {
    printf "ci/emit-c: the guest did not come to its end: %s\n", program
    exit 3
  }
  exit reds + breaks + complaints ? 1 : 0
}
