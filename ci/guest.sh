# What ci/live, ci/emit-c and ci/defect share: QEMU, a machine, and a kernel to boot. find_guest
# says SKIPPED, and exits with 4, where QEMU or the kernel is missing and cannot be had.
# shellcheck shell=bash
source ci/kernel.sh
cache=${XDG_CACHE_HOME:-${HOME:-build}/.cache}/thp-live
mkdir -p "$cache"

# The machine: two nodes, for move_pages(); nothing at random; RCU hurried, for which swapoff()
# waits; the string instructions, which are slow under TCG, are off.
guest_machine=(
  -nodefaults -no-user-config -display none -no-reboot -smp 1 -m 1G
  -object memory-backend-ram,id=m0,size=512M -object memory-backend-ram,id=m1,size=512M
  -numa node,nodeid=0,cpus=0,memdev=m0 -numa node,nodeid=1,memdev=m1
)
guest_tcg_cpu=max,-erms,-fsrm
guest_append="console=ttyS0 nokaslr no5lvl panic=-1 oops=panic loglevel=5 mitigations=off \
norandmaps tsc=reliable init_on_alloc=0 cgroup_disable=memory numa_balancing=disable \
apparmor=0 idle=poll rcu_nocbs=all rcupdate.rcu_expedited=1 rcutree.jiffies_till_first_fqs=0 \
rcutree.jiffies_till_next_fqs=0 rdinit=/init thp.live=1"

have_qemu() { command -v qemu-system-x86_64 >/dev/null; }
install_qemu() {
  local as_root=()
  ((EUID == 0)) || { command -v sudo >/dev/null && as_root=(sudo -n) || return 1; }
  echo "installing qemu-system-x86"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends qemu-system-x86 >/dev/null
}

# choose_kernel WORD: $kernel is a series of Debian's, such as 6.1, or the file that WORD names from
# $from, where the user stands.
choose_kernel() {
  kernel=$1
  [[ ! $kernel =~ ^[0-9]+(\.[0-9]+)*$ ]] || return 0
  # shellcheck disable=SC2154
  kernel=$(cd "$from" && realpath -m -- "$1" 2>/dev/null) || true
  [[ -f $kernel && -r $kernel ]] || refuse "$1" "no readable file, and no series such as 6.1"
  is_bzimage "$kernel" || is_deb "$kernel" ||
    refuse "$1" "neither a bzImage (arch/x86/boot/bzImage of a build) nor a .deb"
}
refuse() { # KERNEL WHY
  echo "ci/${0##*/}: --kernel $1: $2" >&2
  exit 2
}

# unpack DEB NAME: its kernel is $cache/NAME/boot/vmlinuz-* then. Only all of it bears the name.
unpack() {
  local new=$cache/new.$$
  [[ ! -d $cache/$2 ]] || return 0
  rm -rf "$new" && mkdir "$new"
  dpkg-deb --fsys-tarfile "$1" | tar -x -C "$new" ./boot && mv -T "$new" "$cache/$2" || {
    rm -rf "$new"
    return 1
  }
}
# The newest one of what unpack() has named so.
vmlinuz_of() { # NAME, or a pattern
  find "$cache" -path "$cache/$1/boot/vmlinuz-*" | sort -V | tail -n 1
}

# The newest cloud kernel of a series in the archive: linux-image-6.1.0-56-cloud-amd64.
newest_package() {
  apt-cache pkgnames "linux-image-$kernel." 2>/dev/null |
    grep -E '^linux-image-[0-9.+deb~-]+-cloud-amd64$' | sort -V | tail -n 1
}
# NAME_VERSION_amd64.deb: the archive has no two of them.
file_of() { apt-get download --print-uris "$1" 2>/dev/null | cut -d ' ' -f 2; } # PACKAGE
download() { # PACKAGE
  local file
  file=$(file_of "$1")
  [[ $file ]] || return 1
  [[ -d $cache/${file%.deb} ]] || {
    echo "downloading $1" >&2
    (cd "$cache" && apt-get download -q "$1" >/dev/null) && unpack "$cache/$file" "${file%.deb}"
    rm -f "$cache/$file"
  }
  vmlinuz_of "${file%.deb}"
}

# The newest of the series: of the archive, or of those that were taken from there before.
vmlinuz_of_series() {
  local package found=''
  package=$(newest_package)
  [[ ! $package ]] || found=$(download "$package")
  [[ $found ]] || found=$(vmlinuz_of "linux-image-$kernel.*")
  echo "$found"
}
vmlinuz_of_deb() { # FILE: a package that is built anew is another one, whatever its name
  local name
  name=deb-$(sha256sum <"$1" | cut -d ' ' -f 1)
  unpack "$1" "$name" && vmlinuz_of "$name"
}

skip() { # WHY
  echo "${0##*/}: no guest was started: $1" >&2
  echo "SKIPPED"
  exit 4
}
# find_guest DIR: DIR/vmlinuz and DIR/config are those of $kernel.
find_guest() {
  have_qemu || install_qemu || true
  have_qemu || skip "there is no qemu-system-x86_64, and it could not be installed"
  local vmlinuz=$kernel
  if [[ ! -f $kernel ]]; then
    vmlinuz=$(vmlinuz_of_series)
    [[ $vmlinuz ]] || skip "no package of kernel $kernel can be had"
  elif ! is_bzimage "$kernel"; then
    vmlinuz=$(vmlinuz_of_deb "$kernel" || true)
    [[ $vmlinuz ]] || refuse "$kernel" "this .deb has no boot/vmlinuz-*"
  fi
  take_kernel "$vmlinuz" "$1"
}
