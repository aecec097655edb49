#!/usr/bin/env bash
# ci/format in a small tree: which files it looks at, and what it does to them.
source "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{ci,model,build}
cp ci/lib.sh ci/format "$work/ci"
cp .clang-format "$work"
cd "$work"

ends() { # STATUS COMMAND...
  local status=0
  "${@:2}" >said 2>&1 || status=$?
  ((status == $1)) || { echo "$status from ${*:2}: $(<said)" >&2; exit 1; }
}
is() { [[ $(<"$1") == "$2" ]] || { echo "$1 is: $(<"$1")" >&2; exit 1; }; } # FILE TEXT
ugly='int  x ;' neat='int x;'
echo "$ugly" | tee model/old.cc model/staged.h build/made.cc model/notes.md >/dev/null

ends 2 ci/format
ends 2 ci/format --al
git init -q -b main .
printf 'build/\nsaid\n' >.gitignore
git add -A
git -c user.name=x -c user.email=x@y commit -qm all
ends 0 ci/format --check
echo "$ugly" >model/new.cc
echo "$ugly//" >model/staged.h
git add model/staged.h
ends 1 ci/format --check
grep -q '^model/new.cc:1:' said
ends 0 ci/format
is model/new.cc "$neat"
is model/staged.h "$neat  //"
is model/old.cc "$ugly"
ends 0 ci/format --check
ends 1 ci/format --check --all
ends 0 ci/format --all
is model/old.cc "$neat"
is build/made.cc "$ugly"
is model/notes.md "$ugly"

# What is committed, but not upstream, is changed, too.
git update-ref refs/remotes/origin/main HEAD
git -c user.name=x -c user.email=x@y commit -qam "neat, but for one"
echo "$ugly" >model/new.cc
git add -A
git -c user.name=x -c user.email=x@y commit -qm new
ends 1 ci/format --check
