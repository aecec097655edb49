# What a kernel's file tells without being booted: its release, and its config.
# shellcheck shell=bash
# The fields of a bzImage are those of Linux's Documentation/x86/boot.rst.

bytes() { head -c $(($2 + $3)) "$1" | tail -c "$3"; }                          # FILE AT COUNT
number() { bytes "$@" | od -An -v -t "u$3" --endian=little | tr -d ' '; }      # FILE AT COUNT
is_bzimage() { [[ $(bytes "$1" $((0x202)) 4 | tr -d '\0') == HdrS ]]; }        # FILE
is_deb() { dpkg-deb --field "$1" Package >/dev/null 2>&1; }                    # FILE

# What uname() will call its release: the first word of the text that kernel_version leads to.
release_of() { # BZIMAGE
  local at
  at=$(($(number "$1" $((0x20e)) 2) + 0x200))
  bytes "$1" "$at" 128 | tr '\0' ' ' | cut -d ' ' -f 1 | sed -n 1p
}

# Linux 6.1.192, sha256 0123456789ab: which one it is, whatever its file is called.
name_of() { # BZIMAGE
  echo "Linux $(release_of "$1"), sha256 $(sha256sum <"$1" | cut -c -12)"
}

# The kernel inside, as it will lie in memory. Four bytes follow what is compressed, and some tools
# complain of them.
payload_of() { # BZIMAGE
  local sectors at size unpack
  sectors=$(number "$1" $((0x1f1)) 1)
  at=$(((sectors + 1) * 512 + $(number "$1" $((0x248)) 4)))
  size=$(number "$1" $((0x24c)) 4)
  case $(bytes "$1" "$at" 4 | od -An -v -t x1 | tr -d ' ') in
    1f8b*) unpack=gzip ;;
    fd377a58) unpack=xz ;;
    5d0000*) unpack='xz --format=lzma' ;;
    425a68*) unpack=bzip2 ;;
    28b52ffd) unpack=zstd ;;
    02214c18) unpack=lz4 ;;
    *) return 1 ;;
  esac
  bytes "$1" "$at" "$size" | $unpack -dc 2>/dev/null || true
}

# CONFIG_IKCONFIG puts the config there, compressed, behind a mark.
config_inside() { # BZIMAGE
  local vmlinux at
  vmlinux=$(mktemp)
  payload_of "$1" >"$vmlinux" || true
  at=$(LC_ALL=C grep -aboF $'IKCFG_ST\037\213\010' "$vmlinux" | cut -d : -f 1 | sed -n 1p) ||
    true
  [[ ! $at ]] || tail -c +$((at + 9)) "$vmlinux" | gzip -dc 2>/dev/null || true
  rm "$vmlinux"
}

# take_kernel BZIMAGE DIR: DIR/vmlinuz is a copy, for a build may go on while it boots. DIR/config
# is its config: config-X that lies beside vmlinuz-X, as in a package, or what is inside; empty
# where neither tells.
take_kernel() {
  local beside=${1%/*}/config-${1##*/vmlinuz-}
  mkdir -p "$2"
  cp "$1" "$2/vmlinuz"
  if [[ -f $beside ]]; then
    cp "$beside" "$2/config"
  else
    config_inside "$2/vmlinuz" >"$2/config"
  fi
}

# lacks CONFIG NEEDS: each line of NEEDS that a config has otherwise, and why it is needed. NEEDS is
# ci/live.config, which says what is needed.
lacks() {
  awk '
    FNR == NR { if (/^CONFIG_/) has[substr($0, 1, index($0, "=") - 1)] = $0; next }
    /^$/ { why = "" }
    /^# Needed: / { why = substr($0, 11); next }
    /^# / { if (why) why = why " " substr($0, 3); next }
    why {
      name = substr($0, 1, index($0, "=") - 1)
      if ((name in has ? has[name] : name "=n") != $0) print $0 ": " why
    }' "$1" "$2"
}

# check_kernel DIR: exits with 3 unless what take_kernel() took is of the model's release and has
# what the guest needs.
check_kernel() {
  local release missing
  release=$(release_of "$1/vmlinuz")
  [[ $release =~ ^6\.1[.-] ]] || {
    echo "ci/live: this kernel is Linux $release, the model Linux 6.1: no trace was run" >&2
    exit 3
  }
  [[ -s $1/config ]] || {
    echo "ci/live: this kernel's config cannot be read (CONFIG_IKCONFIG=y tells it): it may" >&2
    echo "ci/live: differ from the model just because a line of ci/live.config is missing there" >&2
    return 0
  }
  missing=$(lacks "$1/config" ci/live.config)
  [[ ! $missing ]] || {
    sed 's|^|ci/live: this kernel lacks |' <<<"$missing" >&2
    exit 3
  }
}
