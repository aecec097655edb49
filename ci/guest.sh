# What ci/live, ci/emit-c and ci/defect share: QEMU, and a kernel to boot. `kernel` is its series,
# 6.1 or 6.12; THP_LIVE_DEB a package that lies here already. find_guest says SKIPPED, and exits
# with 4, where one of both is missing and cannot be had; $THP_LIVE_KERNEL is the kernel then.
# shellcheck shell=bash
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

# The newest cloud kernel of a series in the archive: linux-image-6.1.0-56-cloud-amd64.
newest_package() {
  apt-cache pkgnames "linux-image-$kernel." 2>/dev/null |
    grep -E '^linux-image-[0-9.+deb~-]+-cloud-amd64$' | sort -V | tail -n 1
}
vmlinuz_of() { find "$cache/$1" -path '*/boot/vmlinuz-*' 2>/dev/null | head -n 1; }

# A package that is unpacked already serves for ever; THP_LIVE_DEB names one that lies here.
find_kernel() {
  local package=''
  if [[ -n ${THP_LIVE_DEB-} ]]; then
    package=$(basename "$THP_LIVE_DEB" .deb)
    [[ -n $(vmlinuz_of "$package") ]] || dpkg -x "$THP_LIVE_DEB" "$cache/$package" || return 1
  else
    package=$(newest_package)
    if [[ -n $package && -z $(vmlinuz_of "$package") ]]; then
      echo "downloading $package"
      (cd "$cache" && apt-get download -q "$package" >/dev/null) && {
        dpkg -x "$cache/$package"_*.deb "$cache/$package.new"
        mv "$cache/$package.new" "$cache/$package"
        rm -f "$cache/$package"_*.deb
      }
    fi
    [[ -n $package && -n $(vmlinuz_of "$package") ]] ||
      package=$(cd "$cache" && printf '%s\n' "linux-image-$kernel."* | sort -V | tail -n 1)
  fi
  THP_LIVE_KERNEL=$(vmlinuz_of "$package")
  [[ -n $THP_LIVE_KERNEL ]]
}

skip() { # WHY
  echo "${0##*/}: no guest was started: $1" >&2
  echo "SKIPPED"
  exit 4
}
find_guest() {
  have_qemu || install_qemu || true
  have_qemu || skip "there is no qemu-system-x86_64, and it could not be installed"
  find_kernel || skip "no package of kernel $kernel can be had"
}
