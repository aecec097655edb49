#!/usr/bin/env bash
# Differences from records that are meant: fuzz/intended_test.sh THP_LIVE, in the root of the tree.
set -uo pipefail
source ci/expect.sh
thp_live=$1
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

golden() { "$thp_live" golden "$@"; }

# A record of a kernel that never was: the machine has an address space A, it says nothing of it.
record=$work/store_once.golden
cat >"$record" <<'RECORD'
# What the kernel did with store_once.
# A kernel that never was.
thp-trace 1
kernel 6.1
geometry order=9 pmds=1 mms=1
munmap A 0..1
#+ result -3 reason ?
exit A
#+ result 7 reason ?
RECORD
expect 1 '^.*store_once.golden: op 1, munmap A 0..1: ' golden "$record"

intended=$work/intended.txt
meant() { printf '%s\n' "$@" >"$intended"; }
meant '# A change that is meant.' 'store_once 1 0123456789ab result -3 # as upstream'
expect 0 '^and 1 on which it does as is meant' golden --intended "$intended" "$record"
meant 'store_once 2 0123456789ab result -3'
expect 1 '^.*intended.txt:1: the model does not differ so' golden --intended "$intended" "$record"
meant 'store_once 1 0123456789ab PTE A 0'
expect 1 'store_once.golden: op 1' golden --intended "$intended" "$record"
meant 'another 1 0123456789ab PTE A 0' # its record is not asked
expect 1 '^1 recorded traces, 1 on which' golden --intended "$intended" "$record"
meant 'store_once none 0123456789ab PTE'
expect 2 'intended.txt:1: expected the number of an op' golden --intended "$intended" "$record"
meant '' 'store_once 1 v6.2 PTE'
expect 2 'intended.txt:2: expected a commit' golden --intended "$intended" "$record"
meant 'store_once 1 0123456789ab'
expect 2 'intended.txt:1: expected how the line begins' golden --intended "$intended" "$record"
((failures == 0))
