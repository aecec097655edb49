#!/usr/bin/env bash
# THP_JOBS and restore_model() of ci/lib.sh: whatever a mutant did to a worker's model, it is the
# root's again.
source "$(dirname "$0")/lib.sh"
[[ $(THP_JOBS=3 bash -c 'source ci/lib.sh; echo "$cores $CTEST_PARALLEL_LEVEL"') == '3 3' ]]
for bad in 0 x -1 1000 '1 2'; do
  status=0
  said=$(THP_JOBS=$bad ci/setup 2>&1) || status=$?
  ((status == 2)) && [[ $said == "THP_JOBS is a number from 1 to 999, not '$bad'" ]] ||
    { echo "THP_JOBS=$bad: $status, $said" >&2; exit 1; }
done
root=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -a model "$tree"
cd "$tree"
# Of every room: files that are changed, missing and new, and a room that is.
for file in model/**/*.cc; do echo "// A mistake." >>"$file"; done
rm model/**/*.h
for room in model/**/; do
  mkdir "$room/new_room"
  touch "$room/new.cc" "$room/new_room/new.cc"
done
touch -d '1 hour ago' old model/README.md
restore_model "$root"
diff -r "$root/model" model
[[ ! model/README.md -nt old ]] || { echo "what is as it was was copied, too" >&2; exit 1; }
