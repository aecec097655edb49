#!/usr/bin/env bash
# The contracts of the command `thp`: exit statuses, messages, files. Usage: thp_cli_test.sh THP
set -uo pipefail
source ci/expect.sh
exec </dev/null
thp=$(realpath "$1") root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

printf '# Holds.\nthp-trace 1\nmmap A 0..4\nstore A 0 7\nexpect page A 0 huge\n' >holds.trace
printf 'thp-trace 1\nmmap A 0..4\nfork A B\nstore A 1 9\nload A 1\nexpect result 8\n' >broken.trace
printf 'thp-trace 1\nmmap A 0..4\n  stoer A 0 7\n' >bad.trace
printf 'thp-trace 1\nexpect nonsense\n' >bad_expect.trace
printf 'thp-trace 1\nexpect rss A 1\n' >start.trace
head -c 2000000 /dev/zero >huge.trace
printf '\0\377\n' >binary.trace
mkdir directory
mkfifo fifo

expect 0 'holds.trace: holds: 2 ops, 1 expect' "$thp" judge holds.trace
expect 0 'holds' bash -c "'$thp' judge - <holds.trace"
expect 1 'result 8' "$thp" judge broken.trace
expect 1 '^> +4  load A 1 .*<- expect' "$thp" judge broken.trace
expect 1 'reproduce: .*thp judge broken.trace' "$thp" judge broken.trace
expect 1 'after op 0' "$thp" judge start.trace
expect 2 '^bad.trace:3:3: .*`store`' "$thp" judge bad.trace
expect 2 '^bad_expect.trace:2:8: ' "$thp" judge bad_expect.trace
expect 2 '^huge.trace:1:1: ' "$thp" judge huge.trace
expect 2 '^bad_expect.trace:2:8: ' "$thp" explain bad_expect.trace
expect 2 '^bad_expect.trace:2:8: ' "$thp" sometimes bad_expect.trace
expect 2 '^-: cannot be read: Is a directory' bash -c "'$thp' judge - <directory"
expect 3 'standard output: No space left' bash -c "'$thp' judge holds.trace >/dev/full"
expect 3 'No space left' bash -c "'$thp' ops >/dev/full"
expect 2 '^binary.trace:1:1: ' "$thp" judge binary.trace
expect 2 '^-:1:1: ' "$thp" judge -
expect 2 'directory: is a directory' "$thp" judge directory
expect 2 '/dev/null: is neither a regular file nor a pipe' "$thp" judge /dev/null
expect 0 'fifo: holds' bash -c "cat holds.trace >fifo & '$thp' judge fifo"
expect 0 'holds' bash -c "'$thp' judge <(cat holds.trace)"
expect 0 '^ok 1 holds.trace' "$thp" judge --ktap holds.trace
expect 1 '^not ok 2 broken.trace' "$thp" judge --ktap holds.trace broken.trace
expect 2 '^not ok 1 bad.trace' "$thp" judge --ktap bad.trace
printf 'thp-trace 1\nmmap A 0..4\nexpect result 1\nexpect result 0\nexpect result 2\n' >two.trace
expect 1 'two.trace:5: ' "$thp" judge --all two.trace
expect 1 '"others":\[.*two.trace:5: ' "$thp" judge --all --json two.trace
expect 0 'every sequence|--depth' "$thp" help explore
expect 2 'no command nothing' "$thp" help nothing
expect 2 'missing: No such file' "$thp" judge missing
expect 2 'holds.trace: holds' "$thp" judge holds.trace broken.trace bad.trace
expect 2 'TRACE' "$thp" judge
expect 2 'subcommand' "$thp"
expect 0 'judge' "$thp" --help
expect 0 '^thp .*, a model of Linux 6.1' "$thp" --version

expect 0 '"verdict":"holds"' "$thp" judge --json holds.trace
expect 1 '"after_op":4,"broken":"expect"' "$thp" judge --json broken.trace
expect 2 '"error":"bad.trace:3:3:' "$thp" judge --json bad.trace
expect 0 '^2' bash -c "'$thp' judge --json holds.trace holds.trace | wc -l"

expect 0 '^2  store A 0 7  = 0' "$thp" explain holds.trace
expect 0 'refcount 1 = PMD A 0' "$thp" explain holds.trace
expect 0 '^holds$' "$thp" explain holds.trace
expect 1 '^  line 6: .*8' "$thp" explain broken.trace
expect 1 '^violation: expect does not hold after op 4, load: broken.trace:6: ' \
  "$thp" explain broken.trace
expect 1 '^0  the start  = 0$' "$thp" explain start.trace
expect 1 '^violation: expect does not hold after op 0, the start' "$thp" explain start.trace
expect 2 '^bad.trace:3:3' "$thp" explain bad.trace
expect 2 'TRACE' "$thp" explain
expect 3 'standard output: No space left' bash -c "'$thp' explain holds.trace >/dev/full"

expect 0 '^."step":2,"op":"store A 0 7","result":"0",.*"pictures":."A":"AAAA' \
  "$thp" explain --json holds.trace
expect 0 '^2$' bash -c "'$thp' explain --json holds.trace | wc -l"
expect 1 '"expects":.."line":6,"why":' "$thp" explain --json broken.trace
expect 1 '^."step":0,"op":"the start",.*"expects":.."line":2,"why":' \
  "$thp" explain --json start.trace
expect 2 '^."file":"bad.trace","verdict":"not a trace","error":"bad.trace:3:3' \
  "$thp" explain --json bad.trace

expect 0 '^."file":"holds.trace","verdict":"holds".$' "$thp" shrink --json holds.trace -o out.trace
expect 2 '"verdict":"not a trace"' "$thp" shrink --json bad.trace -o -
expect 0 'nothing to shrink' "$thp" shrink holds.trace -o out.trace
expect 2 'exists' "$thp" shrink broken.trace -o holds.trace
expect 2 'not a regular file' "$thp" shrink broken.trace -o directory --force
expect 2 'required' "$thp" shrink broken.trace
expect 1 '' test -e out.trace

expect 0 '^\| `madvise_collapse` \| `A 0..4` \| ' "$thp" ops --markdown
expect 0 '^madvise_collapse +A 0..4 +MADV' "$thp" ops
expect 0 '^    always: A load returns' "$thp" rules
expect 0 '^."fact":"vmflags A 3 VMFLAGS","is":' "$thp" facts --json
expect 2 'excludes' "$thp" facts --json --markdown
expect 0 '^[1-9][0-9]*/[0-9]+$' "$thp" sometimes holds.trace
expect 2 '^bad.trace:3:3' "$thp" sometimes bad.trace
expect 0 '^\| `[a-z_]+` \| .* \| - \|$' "$thp" sometimes --markdown holds.trace
expect 0 '^."sometimes":"[a-z_]+","means":".*","reached by":"holds.trace".$' \
  "$thp" sometimes --json holds.trace

expect 0 '^[0-9]+ states, [0-9]+ transitions' "$thp" explore --depth 1
expect 0 '^holds: every rule, after every sequence of up to 1 ops' "$thp" explore --depth 1
expect 0 '^explores: order=1 .* first mmap A 0..2' "$thp" explore --depth 1 --first 'mmap A 0..2'
expect 2 '--scope' "$thp" explore --scope pins --depth 1
expect 0 '^\| `madvise_collapse` \| -EINVAL' "$thp" explore --depth 2 --matrix
mkdir holes pairs
expect 0 '^\| `store` \| SIGSEGV \|  \| [0-9]+ \| - \|' \
  "$thp" explore --depth 1 --matrix --write holes holds.trace
expect 0 'holes/store_SIGSEGV.trace: holds: 1 ops, 1 expect lines' "$thp" judge holes/store_*.trace
expect 0 '^in no trace: store, then fork' \
  "$thp" explore --depth 3 --ops mmap,store,fork --matrix --write pairs holds.trace
expect 0 'pairs/store_then_fork.trace: holds: 3 ops' "$thp" judge pairs/store_then_fork.trace
expect 2 'holes/store_SIGSEGV.trace: cannot be written: File exists' \
  "$thp" explore --depth 1 --matrix --write holes holds.trace
expect 0 '^sometimes, but not here: .*fork' "$thp" explore --scope migration --matrix
expect 2 '^bad.trace:3:3: ' "$thp" explore --depth 1 --matrix bad.trace
expect 2 'TRACE requires --matrix' "$thp" explore --depth 1 holds.trace
expect 2 'nowhere' "$thp" explore --depth 1 --matrix --write nowhere
expect 0 '"end":"fixpoint"' "$thp" explore --scope migration --json
expect 0 'ends: depth' "$thp" explore --ops -fork,-exit --depth 1
expect 3 'ends: memory limit' "$thp" explore --memory 1
expect 2 '--ops: `mmop` is no op' "$thp" explore --ops mmop
expect 2 '--geometry: ' "$thp" explore --geometry order=12
expect 2 '--scope: `none` is none' "$thp" explore --scope none
expect 2 'depth' "$thp" explore --depth -1
expect 2 'Value 0 not in range' env THP_JOBS=0 "$thp" explore --depth 1
expect 0 'ends: depth' env THP_JOBS=1 "$thp" explore --depth 1
expect 130 'ends: interrupted' bash -c "'$thp' explore & sleep 1; kill -INT \$!; wait \$!"
expect 0 '^\| `pins` \| ' "$thp" scopes --markdown

completed() { # WORD...: what comes for the last one
  source "$root/fuzz/thp.bash"
  COMP_WORDS=(thp "$@") COMP_CWORD=$#
  _thp "$thp" "${*: -1}" && echo "${COMPREPLY[*]-}"
}
expect 0 '^shrink$' completed shr
expect 0 '^explain explore$' completed exp
expect 0 '^--max-judgings$' completed shrink holds.trace --m
expect 0 '^$' completed judge hol
if command -v help2man >/dev/null; then # only ci/man installs it
  expect 0 '^man pages' "$root/ci/man" "$thp"
  expect 0 '^one JSON object a line for each op$' cat "$root/build/man/thp-explain.1"
fi

# Colour on a terminal alone, where nobody forbids it.
on_terminal() { env -u NO_COLOR TERM=xterm script -qec "$1" /dev/null; }
red=$'\e\\[1m\e\\[31m'
expect 1 "broken.trace: ${red}violation" on_terminal "'$thp' judge broken.trace"
expect 1 "^${red}> +4  load A 1 " on_terminal "'$thp' judge broken.trace"
expect 2 "^${red}bad.trace:3:3: " on_terminal "'$thp' judge bad.trace"
expect 1 '^broken.trace: violation' on_terminal "NO_COLOR=1 '$thp' judge broken.trace"
expect 1 '^0$' bash -c "'$thp' judge broken.trace bad.trace 2>&1 | grep -c $'\e'"

((failures == 0)) || exit 1
echo "thp: every command keeps its contract"
