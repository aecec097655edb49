#!/usr/bin/env bash
# Which kernel ci/live boots, and whether it may: ci/kernel.sh and ci/guest.sh, without QEMU.
source "$(dirname "$0")/lib.sh"
from=$(mktemp -d)
trap 'rm -rf "$from"' EXIT
export XDG_CACHE_HOME=$from/cache
source ci/guest.sh

check() { # WHAT COMMAND...
  "${@:2}" || { echo "does not hold: $1" >&2; exit 1; }
}
is() { [[ $1 == "$2" ]] || { printf 'is not %s: %s\n' "$2" "$1" >&2; return 1; }; } # FOUND WANTED
# It ends with this status, and says this.
ends() { # STATUS TEXT COMMAND...
  local status=0 said
  said=$("${@:3}" 2>&1) || status=$?
  is "$status" "$1" && [[ $said == *"$2"* ]] || { echo "it said: $said" >&2; return 1; }
}
put() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; } # FILE AT TEXT

# A bzImage of two sectors of set-up: what the kernel's release is, and its compressed payload.
bzimage() { # FILE RELEASE PAYLOAD
  local size
  size=$(stat -c %s "$3")
  truncate -s 1536 "$1"
  put "$1" $((0x1f1)) '\x02'
  put "$1" $((0x202)) HdrS
  put "$1" $((0x20e)) '\x00\x01'
  put "$1" $((0x248)) '\x10\x00\x00\x00'
  put "$1" $((0x24c)) "\\x$(printf %02x $((size & 255)))\\x$(printf %02x $((size >> 8)))\\x00\\x00"
  put "$1" $((0x300)) "$2 (somebody@somewhere) #1\\x00"
  truncate -s 1552 "$1"
  cat "$3" >>"$1"
}
payload() { # CONFIG COMPRESSOR
  { printf 'code and data IKCFG_ST'; gzip -c "$1"; printf 'IKCFG_ED and more'; } | $2 -c
  printf '\x10\x00\x00\x00' # how large it is
}

needs=ci/live.config
grep '^CONFIG_' "$needs" | grep -v '=n$' >"$from/config"

# The header and the payload.
for compressor in gzip xz bzip2; do
  command -v "$compressor" >/dev/null || continue
  payload "$from/config" "$compressor" >"$from/payload"
  bzimage "$from/bzImage" 6.1.192-mine "$from/payload"
  check "it is a bzImage" is_bzimage "$from/bzImage"
  check "its release" is "$(release_of "$from/bzImage")" 6.1.192-mine
  take_kernel "$from/bzImage" "$from/$compressor"
  check "the kernel as it is ($compressor)" cmp "$from/bzImage" "$from/$compressor/vmlinuz"
  check "the config inside ($compressor)" cmp "$from/config" "$from/$compressor/config"
  rm "$from/bzImage"
done
bzimage "$from/bzImage" 6.1.0 /dev/null
take_kernel "$from/bzImage" "$from/silent"
check "no config inside" is "$(cat "$from/silent/config")" ''
cp "$from/bzImage" "$from/vmlinuz-6.1.0"
echo CONFIG_BESIDE=y >"$from/config-6.1.0"
take_kernel "$from/vmlinuz-6.1.0" "$from/beside"
check "the config beside it" is "$(cat "$from/beside/config")" CONFIG_BESIDE=y

# --kernel
choose_kernel 6.12
check "a series" is "$kernel" 6.12
choose_kernel bzImage
check "a file, from where the user stands" is "$kernel" "$from/bzImage"
choose_kernel "$from/vmlinuz-6.1.0"
check "a file, from the root" is "$kernel" "$from/vmlinuz-6.1.0"
for word in nothing ./6.1 . '' 6.1. ..; do
  check "no file: $word" ends 2 "--kernel $word: no readable file" choose_kernel "$word"
done
check "neither" ends 2 'config: neither a bzImage' choose_kernel config

# Two packages of one name.
package() { # BZIMAGE
  rm -rf "$from/deb"
  mkdir -p "$from/deb/DEBIAN" "$from/deb/boot"
  printf '%s\n' 'Package: linux-image' 'Version: 1' 'Architecture: all' 'Maintainer: a <a@b.c>' \
    'Description: a kernel' >"$from/deb/DEBIAN/control"
  [[ ! ${1-} ]] || cp "$1" "$from/deb/boot/vmlinuz-6.1.0"
  dpkg-deb --root-owner-group -b "$from/deb" "$from/image.deb" >/dev/null
}
have_qemu() { true; }
for word in one two; do
  cp "$from/bzImage" "$from/$word"
  echo "$word" >>"$from/$word"
  package "$from/$word"
  choose_kernel image.deb
  find_guest "$from/guest"
  check "the package as it is now: $word" cmp "$from/guest/vmlinuz" "$from/$word"
done
package
check "a package without a kernel" ends 2 'has no boot/vmlinuz' find_guest "$from/guest"

# A series, where the archive cannot be asked: the newest that was taken from there before.
newest_package() { false; }
for release in 6.1.0-9 6.1.0-57 6.12.1; do
  mkdir -p "$cache/linux-image-$release-cloud-amd64/boot"
  cp "$from/bzImage" "$cache/linux-image-$release-cloud-amd64/boot/vmlinuz-$release"
  echo "$release" >>"$cache/linux-image-$release-cloud-amd64/boot/vmlinuz-$release"
done
choose_kernel 6.1
find_guest "$from/guest"
check "the newest of the series" is "$(tail -c 9 "$from/guest/vmlinuz")" 6.1.0-57
choose_kernel 6.13
check "none of the series" ends 4 'SKIPPED' find_guest "$from/guest"

# What is needed.
mkdir "$from/fit"
put "$from/bzImage" $((0x300)) '6.1.192 '
cp "$from/bzImage" "$from/fit/vmlinuz"
cp "$from/config" "$from/fit/config"
check "the recipe's own config" ends 0 '' check_kernel "$from/fit"
sed -i '/DEBUG_VM=y/d; s/IO_URING=y/IO_URING=m/; /NUMA_BALANCING/d' "$from/fit/config"
echo CONFIG_DEVICE_PRIVATE=y >>"$from/fit/config"
check "three that it lacks, and what it may lack" \
  is "$(lacks "$from/fit/config" "$needs" | sed 's/:.*//' | tr '\n' ' ')" \
  'CONFIG_IO_URING=y CONFIG_NUMA_BALANCING=y CONFIG_DEVICE_PRIVATE=n '
check "each is told, and why" \
  ends 3 'this kernel lacks CONFIG_NUMA_BALANCING=y: without it' check_kernel "$from/fit"
: >"$from/fit/config"
check "it tells no config" ends 0 'config cannot be read' check_kernel "$from/fit"
put "$from/fit/vmlinuz" $((0x300)) '6.12.117 '
check "another release" ends 3 'is Linux 6.12.117, the model' check_kernel "$from/fit"

# Arguments of the user's for the kernel come after ours.
mkdir "$from/bin" "$from/boot"
cat >"$from/bin/qemu-system-x86_64" <<'QEMU'
#!/bin/sh
printf '%s\n' "$@" | tee "$WORDS" >"${WORDS%/*}/serial.log"
QEMU
chmod +x "$from/bin/qemu-system-x86_64"
touch "$from/boot/batch"
WORDS=$from/boot/words PATH=$from/bin:$PATH THP_LIVE_APPEND='slub_debug=F quiet' \
  THP_LIVE_KERNEL=a THP_LIVE_INITRD=b THP_LIVE_ACCEL=tcg ci/live --boot-once "$from/boot"
check "--append" grep -q '^console=.* thp.live=1 slub_debug=F quiet$' "$from/boot/words"
check "--append what?" ends 2 'Usage: ci/live' ci/live --append
