// The ops in the order of model/ops.h. A worker does what its address space is to do; the
// controller does what needs a file of /proc, /sys or a ring of its own.
#include "oracle/live/guest/execute.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "oracle/live/guest/execute_files.h"
#include "oracle/live/guest/guard.h"
#include "oracle/live/guest/settings.h"
#include "oracle/live/guest/workers.h"
#include "oracle/live/live_ops.h"

namespace thp::live {
namespace {

std::uint64_t start_of(PageRange range) { return address_of(range.first); }
std::uint64_t bytes_of(PageRange range) { return std::uint64_t(range.size()) * kPageBytes; }

std::uint64_t prot_of(Protection prot) {
  return prot == Protection::rw  ? PROT_READ | PROT_WRITE
         : prot == Protection::r ? PROT_READ
                                 : PROT_NONE;
}

// A system call whose result is an address or 0.
int zero_or_error(long result) { return result < 0 && result > -4096 ? int(result) : 0; }

int call_on_range(MmId mm, long number, PageRange range, std::uint64_t argument = 0) {
  if (!is_alive(mm.id)) return -ESRCH;
  return zero_or_error(call(mm.id, number, {start_of(range), bytes_of(range), argument}));
}

int write_of_process(MmId mm, const char* file, std::string_view text) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", pid_of(mm.id), file);
  return write_file(path, text);
}

Held& held_by(Guest& guest, HolderId holder) { return guest.holders[std::size_t(holder.id)]; }

// pin_page() or get_page(), unless the harness itself knows the answer.
int hold(Guest& guest, HolderId holder, MmId mm, PageNr page, HolderKind kind,
         int (*take)(int, int, std::uint64_t)) {
  Held& held = held_by(guest, holder);
  if (held.kind != HolderKind::none) return -EBUSY;
  if (!is_alive(mm.id)) return -ESRCH;
  const std::uint64_t address = address_of(page.number);
  if (const int error = take(holder.id, mm.id, address); error != 0) return error;
  held = {kind, address, guest.observer.frame_of(mm.id, page.number)};
  return 0;
}

int let_go(Guest& guest, HolderId holder, HolderKind kind, int (*release)(int)) {
  Held& held = held_by(guest, holder);
  if (held.kind != kind) return -EINVAL;
  const int result = release(holder.id);
  held = {};
  return result;
}

// The status of the page; a folio that could not be migrated is counted, but its status is not set.
int move_page(pid_t pid, std::uint64_t address, int node) {
  const void* pages[] = {reinterpret_cast<const void*>(address)};
  int status = -EAGAIN;
  const long failed = syscall(SYS_move_pages, pid, 1, pages, &node, &status, MPOL_MF_MOVE_ALL);
  if (failed < 0) return -errno;
  return failed > 0 ? -EAGAIN : std::min(status, 0);
}

// --- Address spaces.

int run(Guest&, const Mmap& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  return zero_or_error(call(op.mm.id, SYS_mmap,
                            {start_of(op.range), bytes_of(op.range), prot_of(op.prot),
                             MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, std::uint64_t(-1), 0}));
}
int run(Guest& guest, const MmapFile& op) {
  const int file = guest.files[std::size_t(op.inode.id)];
  if (!is_alive(op.mm.id)) return -ESRCH;
  if (file < 0) return -EBADF;
  const std::uint64_t sharing = op.sharing == Sharing::shared ? MAP_SHARED : MAP_PRIVATE;
  return zero_or_error(
      call(op.mm.id, SYS_mmap,
           {start_of(op.range), bytes_of(op.range), prot_of(op.prot), MAP_FIXED | sharing,
            std::uint64_t(file), std::uint64_t(op.offset.number) * kPageBytes}));
}
// What lands elsewhere, far above, goes at once.
int run(Guest&, const MmapHint& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  const std::uint64_t bytes = bytes_of(op.range);
  const long address = call(op.mm.id, SYS_mmap,
                            {start_of(op.range), bytes, prot_of(op.prot),
                             MAP_PRIVATE | MAP_ANONYMOUS, std::uint64_t(-1), 0});
  if (address < 0 || std::uint64_t(address) == start_of(op.range)) return zero_or_error(address);
  call(op.mm.id, SYS_munmap, {std::uint64_t(address), bytes});
  return kElsewhere;
}
int run(Guest&, const Munmap& op) { return call_on_range(op.mm, SYS_munmap, op.range); }
int run(Guest&, const Mprotect& op) {
  return call_on_range(op.mm, SYS_mprotect, op.range, prot_of(op.prot));
}
// What ends past the last page would be allowed: only the model knows of an end there.
std::uint64_t target_of(const Guest& guest, int to, int size) {
  return to + size > guest.geometry.pages() ? std::uint64_t{1} << 47 : address_of(to);
}
int run(Guest& guest, const Mremap& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  const int size = op.size.of(op.range);
  return zero_or_error(call(op.mm.id, SYS_mremap,
                            {start_of(op.range), bytes_of(op.range), size * kPageBytes,
                             MREMAP_MAYMOVE | MREMAP_FIXED, target_of(guest, op.to.number, size)}));
}
// Past the last page: so far that the program itself is in the way.
int run(Guest& guest, const MremapResize& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  const int size = op.size.of(op.range);
  const bool past = op.range.first + size > guest.geometry.pages();
  const std::uint64_t bytes =
      past ? (std::uint64_t{1} << 47) - start_of(op.range) : size * kPageBytes;
  return zero_or_error(
      call(op.mm.id, SYS_mremap, {start_of(op.range), bytes_of(op.range), bytes, 0}));
}
int run(Guest& guest, const MremapDontunmap& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  return zero_or_error(call(op.mm.id, SYS_mremap,
                            {start_of(op.range), bytes_of(op.range), bytes_of(op.range),
                             MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                             target_of(guest, op.to.number, op.range.size())}));
}
int run(Guest& guest, const Fork& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  if (is_alive(op.child.id)) return -EEXIST;
  const std::int64_t before = guest.observer.pgreuse();
  const pid_t pid = fork_worker(op.mm.id, op.child.id);
  if (pid < 0) return pid;
  guest.observer.forgive_pgreuse(before);
  guest.observer.add_space(op.child.id, find_space(guest.kernel, pid));
  return 0;
}
int run(Guest& guest, const Exit& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  guest.observer.remove_space(op.mm.id);
  exit_worker(op.mm.id);
  return 0;
}
int run(Guest&, const Mlock& op) { return call_on_range(op.mm, SYS_mlock, op.range); }
int run(Guest&, const Munlock& op) { return call_on_range(op.mm, SYS_munlock, op.range); }
int run(Guest& guest, const ClearSoftDirty& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  const std::int64_t before = guest.observer.pgreuse();
  const int result = write_of_process(op.mm, "clear_refs", "4");
  warm_up(op.mm.id);
  guest.observer.forgive_pgreuse(before);
  return result;
}

// --- Accesses.

int run(Guest&, const Store& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  return store_byte(op.mm.id, op.page.number, std::uint8_t(op.value.number));
}
int run(Guest&, const Load& op) {
  return is_alive(op.mm.id) ? load_byte(op.mm.id, op.page.number) : -ESRCH;
}
int run(Guest&, const StoreForced& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/mem", pid_of(op.mm.id));
  const int file = open_for_writing(path, 0);
  if (file < 0) return file;
  const auto value = std::uint8_t(op.value.number);
  const ssize_t written = pwrite(file, &value, 1, off_t(address_of(op.page.number)));
  const int result = written == 1 ? 0 : -errno;
  close(file);
  return result;
}

// --- Advice.

// v6.1 include/uapi/asm-generic/mman-common.h; newer than the C library's headers may be.
constexpr int kMadvPopulateRead = 22, kMadvPopulateWrite = 23, kMadvCollapse = 25;

int advise(const auto& op, int advice) {
  return call_on_range(op.mm, SYS_madvise, op.range, std::uint64_t(advice));
}
int run(Guest&, const MadviseHugepage& op) { return advise(op, MADV_HUGEPAGE); }
int run(Guest&, const MadviseNohugepage& op) { return advise(op, MADV_NOHUGEPAGE); }
int run(Guest&, const MadviseDontneed& op) { return advise(op, MADV_DONTNEED); }
int run(Guest&, const MadviseFree& op) { return advise(op, MADV_FREE); }
int run(Guest&, const MadviseCold& op) { return advise(op, MADV_COLD); }
int run(Guest&, const MadvisePageout& op) { return advise(op, MADV_PAGEOUT); }
int run(Guest&, const MadviseCollapse& op) { return advise(op, kMadvCollapse); }
int run(Guest&, const MadvisePopulateRead& op) { return advise(op, kMadvPopulateRead); }
int run(Guest&, const MadvisePopulateWrite& op) { return advise(op, kMadvPopulateWrite); }
int run(Guest&, const MadviseDontfork& op) { return advise(op, MADV_DONTFORK); }
int run(Guest&, const MadviseDofork& op) { return advise(op, MADV_DOFORK); }

// --- References that outlive the op.

int run(Guest& guest, const Pin& op) {
  return hold(guest, op.holder, op.mm, op.page, HolderKind::pin, pin_page);
}
int run(Guest& guest, const Unpin& op) {
  return let_go(guest, op.holder, HolderKind::pin, unpin_page);
}
int run(Guest& guest, const Get& op) {
  return hold(guest, op.holder, op.mm, op.page, HolderKind::get, get_page);
}
int run(Guest& guest, const Put& op) { return let_go(guest, op.holder, HolderKind::get, put_page); }
int run(Guest& guest, const StoreViaPin& op) {
  const Held& held = held_by(guest, op.holder);
  if (held.kind != HolderKind::pin) return -EINVAL;
  return store_through_pin(op.holder.id, held.address, std::uint8_t(op.value.number));
}
int run(Guest& guest, const LoadViaPin& op) {
  const Held& held = held_by(guest, op.holder);
  if (held.kind == HolderKind::none) return -EINVAL;
  return held.kind == HolderKind::pin ? load_through_pin(op.holder.id, held.address)
                                      : load_through_pipe(op.holder.id);
}

// --- Splitting and shrinking.

int run(Guest&, const SplitFolio& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  char line[96];
  const int length = std::snprintf(line, sizeof line, "%d,0x%lx,0x%lx", pid_of(op.mm.id),
                                   start_of(op.range), start_of(op.range) + bytes_of(op.range));
  split_huge_pages({line, std::size_t(length)});
  return 0;
}
int run(Guest&, const DropCaches&) { return drop_caches(); }

// --- Swap and migration.

int run(Guest& guest, const Swapon&) {
  if (guest.swap_is_on) return -EBUSY;
  const int result = swap_on_with(guest.swap_device, guest.geometry.swap_slots());
  guest.swap_is_on = result == 0;
  return result;
}
int run(Guest& guest, const Swapoff&) {
  if (!guest.swap_is_on) return -EINVAL;
  const int result = swap_off(guest.swap_device.c_str());
  guest.swap_is_on = result != 0;
  return result;
}
int run(Guest& guest, const MovePages& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  const std::uint32_t pfn = guest.observer.frame_of(op.mm.id, op.page.number);
  const int node = pfn == kNoFrame ? 0 : guest.observer.node_of(pfn);
  return move_page(pid_of(op.mm.id), address_of(op.page.number), node == 0 ? 1 : 0);
}

// --- Settings.

int run(Guest& guest, const SetEnabled& op) {
  guest.settings_changed = true;
  return set_enabled(op.policy);
}
int run(Guest& guest, const SetUseZeroPage& op) {
  guest.settings_changed = true;
  return set_use_zero_page(op.value == Toggle::on);
}

int run(Guest& guest, const ShmemEnabled& op) {
  guest.settings_changed = true;
  return set_shmem_enabled(op.policy);
}

int run(Guest&, const PrctlThpDisable& op) {
  if (!is_alive(op.mm.id)) return -ESRCH;
  return int(call(op.mm.id, SYS_prctl,
                  {PR_SET_THP_DISABLE, op.value == ThpDisable::on, op.value == ThpDisable::bad}));
}

// Those that live_ops.h says to be none of ours.
template <class OpT>
  requires(!kWhyNotLive<OpT>.empty())
int run(Guest&, const OpT&) {
  return -ENOSYS;
}

// Every page that some op of the trace names: where its author looks.
std::vector<int> pages_named(const Trace& trace) {
  std::vector<int> pages;
  const auto add = [&](int page) {
    if (page >= 0 && page < trace.geometry.pages()) pages.push_back(page);
  };
  const auto visit = [&]<class Arg>(const Arg& arg) {
    if constexpr (std::is_same_v<Arg, PageNr> || std::is_same_v<Arg, Offset>) add(arg.number);
    if constexpr (std::is_same_v<Arg, FileSize>) add(arg.pages);
    if constexpr (std::is_same_v<Arg, PageRange>) {
      add(arg.first);
      add(arg.end - 1);
      add(arg.end);
    }
  };
  for (const Op& op : trace.ops) visit_op([&](const auto& o) { visit_args(o, visit); }, op);
  std::ranges::sort(pages);
  pages.erase(std::ranges::unique(pages).begin(), pages.end());
  return pages;
}

}  // namespace

int execute(Guest& guest, const Op& op) {
  return visit_op([&](const auto& o) { return run(guest, o); }, op);
}

void begin_trace(Guest& guest, const Trace& trace) {
  guest.geometry = trace.geometry;
  const pid_t pid = fork_worker(kZygote, 0);
  if (pid < 0) give_up("no process for address space A");
  guest.observer.begin(trace.geometry, find_space(guest.kernel, pid), pages_named(trace));
}

void end_trace(Guest& guest) {
  for (int mm = Geometry::kMaxMms - 1; mm >= 0; --mm)
    if (is_alive(mm)) run(guest, Exit{.mm = {mm}});
  for (int id = 0; id < kMaxHolders; ++id) {
    run(guest, Unpin{.holder = {id}});
    run(guest, Put{.holder = {id}});
  }
  for (int inode = 0; inode < Geometry::kMaxInodes; ++inode) run(guest, Close{.inode = {inode}});
  if (guest.swap_is_on) run(guest, Swapoff{});
  if (guest.settings_changed) {
    set_enabled(Enabled::always);
    set_use_zero_page(true);
    set_shmem_enabled(ShmemHuge::never);
    guest.settings_changed = false;
  }
  if (guest.kernel.memory.get<std::uint64_t>(guest.kernel.huge_zero_page) != 0) drop_caches();
}

}  // namespace thp::live
