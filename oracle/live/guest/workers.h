// The processes of a trace. Each address space is a process that does one system call, load or
// store after the other for the controller (process 1), and nothing of its own: it lives on a stack
// in memory that all share, and never writes to private memory, so that whatever its counters tell
// comes from the trace. All are children of the controller and forks of the zygote, and all share
// its table of descriptors: what it opens they can map, each the same struct file.
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>

#include "model/geometry.h"

namespace thp::live {

inline constexpr std::uint64_t kPageSize = 4096, kPmdSize = 512 * kPageSize;
// Page 0 of every address space. The memory that all share lies two PMDs below, under the same PMD
// table: the tables above the traced range are always there.
inline constexpr std::uint64_t kBase = (std::uint64_t{1} << 40) + (std::uint64_t{1} << 29);

inline std::uint64_t address_of(int page) { return kBase + std::uint64_t(page) * kPageSize; }

// Who may be called: an address space's number, or one of these two.
inline constexpr int kZygote = Geometry::kMaxMms, kDecoy = kZygote + 1, kWorkers = kDecoy + 1;

// Makes the shared memory, the zygote and the decoy, before the controller's memory grows. The
// decoy has khugepaged's whole attention: see settings.cc.
void start_workers();

// A fork of `parent`: the process, or -errno.
pid_t fork_worker(int parent, int child);
// Once its soft-dirty bits are cleared, a process faults on its next write to shared memory: it is
// to do that now. A new process does so by itself.
void warm_up(int who);
void exit_worker(int who);
bool is_alive(int who);
pid_t pid_of(int who);

// The result of a system call of a process, or -errno.
long call(int who, long number, std::array<std::uint64_t, 6> args);
// A struct iovec that the process can see: its address, for the next call.
std::uint64_t lend(int who, iovec range);

// By the processor: 0 or the byte; kSigsegv, or kOom on SIGBUS.
int store_byte(int who, int page, std::uint8_t value);
int load_byte(int who, int page);

}  // namespace thp::live
