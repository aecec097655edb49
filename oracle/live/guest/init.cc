// Process 1 of the virtual machine: runs the traces of the batch disk and writes what it saw after
// each op to the observation disk. The console gets `T ID` before each trace, so that whatever the
// kernel says there can be told to whom, and `DONE TRACES OPS SECONDS` at the end.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstring>

#include "model/trace/trace.h"
#include "oracle/live/guest/breaks.h"
#include "oracle/live/guest/disks.h"
#include "oracle/live/guest/execute.h"
#include "oracle/live/guest/guard.h"
#include "oracle/live/guest/scan_reasons.h"
#include "oracle/live/guest/settings.h"
#include "oracle/live/guest/workers.h"
#include "oracle/live/live_ops.h"
#include "oracle/live/wire.h"

namespace thp::live {
namespace {

constexpr unsigned kPatience = 20;  // seconds for one op
constexpr int kSettleTries = 4'000;

volatile sig_atomic_t current_trace, current_op;

void on_alarm(int) {
  char line[64];
  std::snprintf(line, sizeof line, "HANG %d %d", int(current_trace), int(current_op));
  say(line);
  power_off();
}

void mount_all() {
  mount_filesystem("sysfs", "/sys");
  mount_filesystem("devtmpfs", "/dev");
  mount_filesystem("debugfs", "/sys/kernel/debug");
}

// All that runs for a trace runs here, and finds one set of per-CPU lists, however many CPUs there
// are. (More than one keep the kernel from caching swap slots: see settings.h.)
void stay_on_first_cpu() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(0, &cpus);
  sched_setaffinity(0, sizeof cpus, &cpus);
}

void say_which_kernel() {
  utsname name{};
  uname(&name);
  std::string version = read_file("/proc/version");
  if (!version.empty()) version.pop_back();
  say("KERNEL " + std::string(name.release));
  say("VERSION " + version);
}

// v6.1 mm/memory.c: zap_page_range() drains this CPU's LRU batches, and finds nothing here to zap.
void drain_lru_batches() {
  static void* const page =
      mmap(nullptr, kPageBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(page, kPageBytes, MADV_DONTNEED);
}

// All memory that this process will write is its own from now on: what it faults in or copies later
// would count among the pages of a trace (NR_ANON_MAPPED). Not inlined, so that later calls have
// this very stack.
[[gnu::noinline]] void own_all_memory() {
  constexpr int kMadvPopulateWrite = 23;
  constexpr std::size_t kHeap = 32 << 20, kStack = 256 << 10;
  mallopt(M_TOP_PAD, int(kHeap));
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_MMAP_MAX, 0);
  free(malloc(kHeap / 2));
  volatile char stack[kStack] = {};
  for (std::size_t i = 0; i < kStack; i += kPageBytes) stack[i] = stack[0];
  const std::string maps = read_file("/proc/self/maps");
  for (std::size_t at = 0; at < maps.size(); at = maps.find('\n', at) + 1) {
    unsigned long first = 0, end = 0;
    char access[5] = {};
    if (std::sscanf(maps.c_str() + at, "%lx-%lx %4s", &first, &end, access) == 3 &&
        std::string_view(access) == "rw-p")
      madvise(reinterpret_cast<void*>(first), end - first, kMadvPopulateWrite);
  }
}

bool is_busy(const Observation& o) {
  for (const PageRun& run : o.pages)
    if ((run.flags & PG_tail) == 0 && (run.flags & (PG_writeback | PG_locked)) != 0) return true;
  return false;
}

bool is_in_swap_cache(const Observation& o) {
  for (const PageRun& run : o.pages)
    if ((run.flags & PG_swapcache) != 0) return true;
  return false;
}

// Looks when nothing is under way any more: reads from and writes to swap have completed. What
// stays locked all the same is told as it is. A write that completes between drain and look leaves
// its folio in a batch again, with a reference: in the swap cache only the second quiet look
// counts.
Observation& settled(Guest& guest, bool last) {
  bool was_quiet = false;
  for (int tries = 0;; ++tries) {
    drain_lru_batches();
    Observation& o = guest.observer.look(guest.holders, guest.swap_is_on, last);
    if (tries == kSettleTries) return o;
    const bool quiet = !is_busy(o);
    if (quiet && (was_quiet || !guest.swap_is_on || !is_in_swap_cache(o))) return o;
    was_quiet = quiet;
    if (!quiet) usleep(100);
  }
}

bool is_live(const Trace& trace) {
  if (trace.geometry.order != Geometry::kMaxOrder) return false;
  for (const Op& op : trace.ops)
    if (!why_not_live(op).empty()) return false;
  return true;
}

void run_trace(Guest& guest, std::uint32_t id, const Trace& trace, ObservationDisk& disk) {
  current_trace = sig_atomic_t(id);
  current_op = -1;
  alarm(kPatience);
  begin_trace(guest, trace);
  break_if_asked(trace);
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    current_op = sig_atomic_t(i);
    alarm(kPatience);
    const int result = execute(guest, trace.ops[i]);
    const std::int32_t reason = is_op<MadviseCollapse>(trace.ops[i]) ? reason_of_scans() : kUnseen;
    Observation& seen = settled(guest, i + 1 == trace.ops.size());
    seen.globals.result = result;
    seen.globals.reason = reason;
    disk.append(id, std::uint32_t(i), seen);
  }
  current_op = sig_atomic_t(trace.ops.size());
  alarm(kPatience);
  end_trace(guest);
  alarm(0);
  disk.flush();
}

// Runs all traces; the number of ops done.
std::size_t run_batch(Guest& guest, const std::string& batch, ObservationDisk& disk) {
  BatchHeader header;
  std::memcpy(&header, batch.data(), sizeof header);
  std::size_t at = sizeof header, ops = 0;
  for (std::uint32_t n = 0; n < header.traces; ++n) {
    TraceHeader trace;
    if (at + sizeof trace > batch.size()) give_up("the batch ends in a header");
    std::memcpy(&trace, batch.data() + at, sizeof trace);
    at += sizeof trace;
    if (trace.magic != kTraceMagic || at + trace.bytes > batch.size()) give_up("a broken batch");
    say("T " + std::to_string(trace.id));
    const auto parsed = parse_trace(std::string_view(batch).substr(at, trace.bytes));
    if (parsed && is_live(parsed->trace)) {
      run_trace(guest, trace.id, parsed->trace, disk);
      ops += parsed->trace.ops.size();
    } else {
      disk.append_not_run(trace.id);
    }
    at = (at + trace.bytes + 7) & ~std::size_t{7};
  }
  disk.append_end(header.traces);
  disk.flush();
  return ops;
}

// Processes first, while process 1 is small: they are its copies. It then wants no huge pages.
[[noreturn]] void serve() {
  stay_on_first_cpu();
  mount_all();
  say_which_kernel();
  open_holders();
  start_workers();
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  map_rings();
  set_up_machine();
  watch_scans();
  const Kernel kernel = look_up_kernel();
  const std::string batch = read_batch_disk(find_disk("thpbatch"));
  ObservationDisk disk(find_disk("thpseen"));
  Observer observer(kernel);
  own_all_memory();
  Guest guest{.kernel = kernel, .observer = observer, .swap_device = find_disk("thpswap")};
  signal(SIGALRM, on_alarm);
  const auto start = std::chrono::steady_clock::now();
  const std::size_t ops = run_batch(guest, batch, disk);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  BatchHeader header;
  std::memcpy(&header, batch.data(), sizeof header);
  char line[96];
  std::snprintf(line, sizeof line, "DONE %u %zu %.3f", header.traces, ops, taken.count());
  say(line);
  power_off();
}

}  // namespace
}  // namespace thp::live

int main() {
  thp::live::refuse_outside_own_vm();
  thp::live::serve();
}
