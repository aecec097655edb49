#!/usr/bin/env bash
# The programs of `thp emit-c`: every trace of the corpus has one, they compile without warnings,
# leave the machine alone unless they are allowed to, and turn red. Nothing runs here that writes to
# /proc, /sys or swap. Usage: emit_c_test.sh THP
set -uo pipefail
source ci/expect.sh
thp=$(realpath "$1")
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() { # WHAT COMMAND...: it succeeds
  local what=$1 output
  shift
  output=$("$@" 2>&1) && return
  printf 'does not hold: %s: %s\n%s\n' "$what" "$*" "$output"
  failures=$((failures + 1))
}

# --- Every trace of the corpus.
mkdir "$work/all"
find corpus -name '*.trace' -print0 |
  xargs -0 -P "${THP_JOBS:-$(nproc)}" -I{} \
    sh -c '"$1" emit-c "$2" -o "$3/$(echo "$2" | tr / -).c"' - "$thp" {} "$work/all" ||
  failures=$((failures + 1))
check 'every trace has a program' test "$(find corpus -name '*.trace' | wc -l)" = \
  "$(find "$work/all" -name '*.c' | wc -l)"
check 'a program is no larger than a mail may be' \
  test -z "$(find "$work/all" -size +300k | tee /dev/stderr)"

# --- What stands in one: all parts; ops that are left out or replaced; a comment that would end.
cd "$work" || exit 1
cat >parts.trace <<'END'
# Ends a comment */ and begins one /* here, "quoted" with a \ at the end \
thp-trace 1
geometry order=2 pmds=2 mms=2
mmap A 0..8
store A 0 7
clear_soft_dirty A
store_forced A 1 9
pin h0 A 0 r
get h1 A 0
fail_huge_alloc
store_via_pin h0 3
load_via_pin h1
fork A B
swapon
madvise_pageout A 4..8
reclaim A 0
mremap A 4..8 0
split_folio B 0..4
move_pages A 0
exit B
swapoff
END
cat >plain.trace <<'END'
# Needs nothing but its own address spaces.
thp-trace 1
geometry order=2 pmds=1 mms=2
mmap A 0..4
madvise_nohugepage A 0..4
store A 0 7
fork A B
store A 0 8
load B 0
load A 0
exit B
END
cat >files.trace <<'END'
# Files, without any address space.
thp-trace 1
geometry order=2 pmds=1 mms=1 inodes=1
pread f0 0
creat f0
pwrite f0 1 7
pread f0 2
fallocate f0 1..3 keep
punch f0 0..1
truncate f0 3
close f0
creat f0
fallocate f0 0..1
pwrite f0 1 8
END
cat >names.trace <<'END'
# A name is taken while its file is open, or mapped.
thp-trace 1
geometry order=2 pmds=1 mms=1 inodes=1
creat f0
fail_huge_alloc
creat f0
pwrite f0 0 7
mmap_file A 0..4 f0 0 shared
close f0
creat f0
load A 0
munmap A 0..4
creat f0
pread f0 0
END
cat >huge_file.trace <<'END'
# A huge page of a file that reaches beyond its end.
thp-trace 1
geometry order=2 pmds=2 mms=1 inodes=1
shmem_enabled always
creat f0
truncate f0 6
mmap_file A 0..8 f0 0 shared
load A 0
END
sed '/^shmem/d' huge_file.trace >small_file.trace
defects=$root/corpus/regressions
cp "$defects/moved_table_is_soft_clean.trace" shows.trace
for name in parts plain files names huge_file small_file shows; do
  expect 0 '' "$thp" emit-c $name.trace -o $name.c
  "$thp" emit-c $name.trace >again.c
  check 'twice the same' cmp $name.c again.c
  for compiler in gcc clang-19; do
    check "$name, $compiler" $compiler -std=gnu11 -O1 -Wall -Wextra -Werror $name.c -o $name
  done
done
expect 0 'op 5, pin h0 A 0 r: here pin' cat parts.c
expect 0 'io_uring pins for writing only' cat parts.c
expect 0 'op 7, fail_huge_alloc: left out' cat parts.c
expect 0 'an injected failure' cat parts.c
expect 0 'op 13, reclaim A 0: here madvise_pageout' cat parts.c
expect 0 '^ \* No op is left out' cat plain.c
expect 0 'op 3, creat f0: left out' cat names.c
expect 0 'op 7, creat f0: left out' cat names.c
expect 0 "names are the model's" cat names.c
expect 0 '0..1024 rw-s Rss=2048 ShmemPmdMapped=2048 sd' cat huge_file.c
expect 0 'contents\(A, 768, 1024, SIGBUS_SEEN\)' cat small_file.c
expect 1 '' grep 'contents.*SIGBUS_SEEN)' huge_file.c
expect 0 'page 128 \* n here' cat plain.c
expect 0 'Linux 6.1.192' cat plain.c
expect 0 './test --proc --sysfs --swap DEVICE, as root' cat parts.c
expect 0 'promise\(A, 0, SOFT_DIRTY, 1, "moved_table_is_soft_clean"' cat shows.c
expect 0 'promise\(A, 128, EXCLUSIVE, 0, "head_speaks_for_all"' \
  "$thp" emit-c --defect head_speaks_for_all "$defects/head_speaks_for_all.trace"
expect 1 '' grep -E '^ +promise\(' "$work/all/corpus-regressions-head_speaks_for_all.trace.c"

# --- The command.
expect 2 'plain.c: exists; --force replaces it' "$thp" emit-c plain.trace -o plain.c
expect 0 '' "$thp" emit-c plain.trace -o plain.c --force
expect 0 'op\("store A 0 7"\)' sh -c "'$thp' emit-c - <plain.trace"
printf 'thp-trace 1\n  stoer A 0 7\n' >bad.trace
expect 2 '^bad.trace:2:3: ' "$thp" emit-c bad.trace -o bad.c
check 'nothing is written of what is no trace' test ! -e bad.c
expect 2 'there is no defect nonsense' "$thp" emit-c --defect nonsense plain.trace

# --- A program without leave. THP is a folder of ours, so that what it begins with is given; what
# other kernels than 6.1 tell in /proc is not asked here.
mkdir settings
echo '[always] madvise never' >settings/enabled
echo 1 >settings/use_zero_page
echo "always [never]" >settings/shmem_enabled
chmod a-w settings/*
build() { gcc -std=gnu11 -O1 "-DTHP=\"$work/settings/\"" "$@"; }
for name in parts plain files names shows; do check "$name" build $name.c -o $name; done
settings() {
  cat /sys/kernel/mm/transparent_hugepage/{enabled,use_zero_page,shmem_enabled,defrag} /proc/swaps
}
before=$(settings 2>&1)
expect 0 'SKIP from clear_soft_dirty A on, which needs --proc' sh -c './parts || true'
expect 4 'SKIP from enabled never on, which needs --sysfs' ./shows
expect 1 '' sh -c './parts | grep "^ok.* - store_forced"'
expect 2 'Usage: .*--proc' ./plain --everything
check 'the machine is as it was' test "$before" = "$(settings 2>&1)"
echo 'always [madvise] never' >other && mv -f other settings/enabled
expect 4 'enabled is to be always' ./plain
echo '[always] madvise never' >other && mv -f other settings/enabled

# --- A wrong expectation turns it red, and a right one does not.
expect 1 '' sh -c './plain | grep "result: "'
expect 1 '' sh -c './plain | grep "page [0-9]* of"'
expect 1 '' sh -c './files | grep -E "result: |st_size: |page [0-9]* of"'
expect 1 '' sh -c './names | grep -E "result: |st_size: |page [0-9]* of"'
sed 's/result(load(B, 0), 7)/result(load(B, 0), 8)/' plain.c >wrong.c
check 'the wrong one' build wrong.c -o wrong
expect 1 'load B 0: result: expected 8, found 7' ./wrong
expect 1 '^not ok .* - load B 0' ./wrong
sed 's/contents(A, 0, 1, 8)/contents(A, 0, 1, 9)/' plain.c >wrong.c
check 'the wrong one' build wrong.c -o wrong
expect 1 'page 0 of A: expected 9, found 8' ./wrong
sed 's/"0..512 rw-p Rss=4 ac sd nh/"0..512 rw-p Rss=8 ac sd nh/' plain.c >wrong.c
check 'the wrong one' build wrong.c -o wrong
expect 1 'Rss=8 ac sd nh' ./wrong
sed 's/file_is(0, 129, 1032)/file_is(0, 130, 9)/; s/129, 8)/129, 9)/' files.c >wrong.c
check 'the wrong one' build wrong.c -o wrong
expect 1 'pwrite f0 128 8: st_size: expected 532480, found 528384' ./wrong
expect 1 'pwrite f0 128 8: st_blocks: expected 9, found' ./wrong
expect 1 'page 128 of f0: expected 9, found 8' ./wrong

# --- What ci/emit-c makes of a console.
judge() { awk -f "$root/ci/emit_c.awk"; }
ok=$'P a\nok 1 - x\n# 1 tests, 0 failed; 3 facts\nE a 0\n'
expect 0 '^1 programs, 1 tests, 3 facts' judge <<<"${ok}DONE 1"
expect 1 '^1 programs differ' judge <<<$'P a\n# x: result: expected 1\nnot ok 1 - x
# 1 tests, 1 failed; 1 facts\nE a 1\nDONE 1'
expect 1 '1 broke off' judge <<<$'P a\nok 1 - x\nE a 139\nDONE 1'
expect 1 '1 broke off' judge <<<$'P a\nok 1 - x\nE a 0\nDONE 1'
expect 1 '1 programs differ' judge <<<$'P a\nok 1 # SKIP\n# SKIPPED\nE a 4\nDONE 1'
expect 1 '1 complaints' judge <<<"[ 1.2] WARNING: CPU 0
${ok}DONE 1"
shows=$'P a\nnot ok 1 - x # the defect d\n# d: the kernel has it
# 1 tests, 1 failed; 0 facts\nE a 1\n'
expect 0 '1 of 1 show their defect' judge <<<"${shows}DONE 1"
expect 1 '0 of 1 show' judge <<<$'P a\nok 1 - x\n# d: the kernel does not have it
# 1 tests, 0 failed; 0 facts\nE a 0\nDONE 1'
expect 3 'did not come to its end' judge <<<"$ok"

((failures == 0)) || exit 1
echo "thp emit-c: its programs are as they should be"
