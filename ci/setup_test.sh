#!/usr/bin/env bash
# ci/setup, with an apt and a dpkg that do nothing: it says what it installs, and does no more.
source "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export work PATH=$work:$PATH

# All is installed but what $lacks names.
cat >"$work/dpkg-query" <<'FAKE'
#!/usr/bin/env bash
for word in "${@:3}"; do [[ " $lacks " == *" $word "* ]] || echo "<$word:installed>"; done
FAKE
cat >"$work/apt-get" <<'FAKE'
#!/usr/bin/env bash
echo "$*" >>"$work/calls"
case $* in
  update*) touch "$work/updated" ;;
  indextargets*) [[ ! -e $work/updated ]] || echo "    an archive" ;;
  *no-such-package*) exit 100 ;;
  --simulate*) printf 'Inst %s (1)\n' ninja-build libneeded && echo 'Conf ninja-build' ;;
  install*) echo "installs" ;;
esac
FAKE
printf '#!/bin/sh\nexec "$@"\n' >"$work/sudo"
chmod +x "$work"/*

says() { # STATUS TEXT ARGUMENT...
  local status=0 said
  rm -f "$work/calls" "$work/updated"
  said=$(ci/setup "${@:3}" 2>&1) || status=$?
  ((status == $1)) && [[ $said == "$2" ]] || { echo "$status: $said" >&2; exit 1; }
}
lacks='' says 0 ''
[[ ! -e $work/calls ]]
export lacks='ninja-build no-such-package'
says 0 'ci/setup: apt is to install: ninja-build
  from:
    an archive
  they need: libneeded
installs'
[[ $(tail -n 1 "$work/calls") == 'install '*' --no-remove '*' -y ninja-build' ]]
says 3 'ci/setup: apt is to install: ninja-build no-such-package
  from:
    an archive' no-such-package
