// Commands travel through a slot for each process in shared memory; futexes wake the other side.
// Between fork and exit a worker runs only what is marked here: no libc, no errno, no statics.
#include "oracle/live/guest/workers.h"

#include <link.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>

#include "model/ops.h"
#include "oracle/live/guest/guard.h"

// The accesses, and where their handler finds them: a fault between the labels returns what the
// handler put into %eax.
asm(R"(
.text
.globl thp_load_byte, thp_store_byte, thp_access_failed
thp_load_byte:
  movzbl (%rdi), %eax
  ret
thp_store_byte:
  movb %sil, (%rdi)
  xorl %eax, %eax
thp_access_failed:
  ret
)");
extern "C" {
int thp_load_byte(std::uint64_t address);
int thp_store_byte(std::uint64_t address, int value);
void thp_access_failed();
[[noreturn, gnu::used]] void thp_worker(int who);
}

namespace thp::live {
namespace {

enum class Command : std::uint32_t { system_call, load, store, fork, warm_up, exit };

struct Slot {
  std::atomic<std::uint32_t> asked, answered;  // how many commands
  std::atomic<std::uint32_t> started;
  Command command;
  long number, result;
  std::array<std::uint64_t, 6> args;
  iovec range;
  pid_t pid;  // 0: not alive
};

constexpr std::size_t kStackBytes = 32768;

// The program itself, which lies in a tmpfs: what is mapped of it counts in the rss of a worker,
// and a child has to fault it in again.
struct Program {
  struct Segment {
    std::uint64_t start, bytes;
  };
  std::array<Segment, 8> segments{};
  std::size_t count = 0;
};

struct Shared {
  std::array<Slot, kWorkers> slots;
  Program program;
  alignas(kPageSize) std::array<std::array<std::byte, kStackBytes>, kWorkers> stacks;
};
static_assert(sizeof(Shared) < kPmdSize);

Shared& shared() { return *reinterpret_cast<Shared*>(kBase - 2 * kPmdSize); }
Slot& slot_of(int who) { return shared().slots[std::size_t(who)]; }

long raw(long number, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0,
         std::uint64_t d = 0, std::uint64_t e = 0, std::uint64_t f = 0) {
  long result;
  register std::uint64_t r10 asm("r10") = d;
  register std::uint64_t r8 asm("r8") = e;
  register std::uint64_t r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

// A new process that begins in thp_worker() on the stack of `who`.
long clone_onto_stack_of(int who, std::uint64_t flags) {
  auto& stack = shared().stacks[std::size_t(who)];
  long result;
  register std::uint64_t r10 asm("r10") = 0;
  register std::uint64_t r8 asm("r8") = 0;
  asm volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "movl %[who], %%edi\n\t"
      "call thp_worker\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone), "D"(flags), "S"(stack.data() + stack.size()), "d"(0), "r"(r10),
        "r"(r8), [who] "b"(who)
      : "rcx", "r11", "memory");
  return result;
}

void wait_while(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  while (word.load() == value)
    raw(SYS_futex, reinterpret_cast<std::uint64_t>(&word), FUTEX_WAIT, value);
}
void wake(std::atomic<std::uint32_t>& word) {
  raw(SYS_futex, reinterpret_cast<std::uint64_t>(&word), FUTEX_WAKE, 1);
}

int add_segment(dl_phdr_info* info, std::size_t, void*) {
  Program& program = shared().program;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) continue;
    const std::uint64_t start = (info->dlpi_addr + header.p_vaddr) & ~(kPageSize - 1);
    const std::uint64_t end = info->dlpi_addr + header.p_vaddr + header.p_memsz;
    program.segments.at(program.count++) = {start,
                                            (end - start + kPageSize - 1) & ~(kPageSize - 1)};
  }
  return 1;  // the first is this program
}

// Reads all pages that a worker ever reads, and writes to all that it ever writes to.
void touch_own_memory(int who) {
  constexpr int kMadvPopulateRead = 22;
  const auto read_all = [](std::uint64_t start, std::uint64_t bytes) {
    raw(SYS_madvise, start, bytes, kMadvPopulateRead);
  };
  const Program& program = shared().program;
  for (std::size_t i = 0; i < program.count; ++i)
    read_all(program.segments[i].start, program.segments[i].bytes);
  read_all(reinterpret_cast<std::uint64_t>(&shared()),
           (sizeof(Shared) + kPageSize - 1) & ~(kPageSize - 1));
  auto& stack = shared().stacks[std::size_t(who)];
  for (std::size_t at = 0; at < stack.size(); at += kPageSize) {
    volatile std::byte& byte = stack[at];
    byte = byte;
  }
  volatile long& result = slot_of(who).result;
  result = result;
}

long execute(int who, const Slot& slot) {
  const auto& a = slot.args;
  switch (slot.command) {
    case Command::system_call:
      return raw(slot.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    case Command::load:
      return thp_load_byte(a[0]);
    case Command::store:
      return thp_store_byte(a[0], int(a[1]));
    case Command::fork:
      return clone_onto_stack_of(int(a[0]), CLONE_PARENT | CLONE_FILES | SIGCHLD);
    case Command::warm_up:
      touch_own_memory(who);
      return 0;
    case Command::exit:
      raw(SYS_exit_group, 0);
  }
  return -ENOSYS;
}

// Other than in an access of the trace, a fault is a mistake of ours: the default action follows.
void on_fault(int signal, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto at = std::uint64_t(registers[REG_RIP]);
  if (at < std::uint64_t(&thp_load_byte) || at >= std::uint64_t(&thp_access_failed)) {
    raw(SYS_exit_group, 99);
    return;
  }
  registers[REG_RAX] = signal == SIGSEGV ? kSigsegv : kSigbus;
  registers[REG_RIP] = greg_t(&thp_access_failed);
}

void catch_faults() {
  struct sigaction action{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

// The kernel would write to a registered area of each process after it was interrupted.
void unregister_rseq() {
  auto* const area = static_cast<std::byte*>(__builtin_thread_pointer()) + __rseq_offset;
  if (__rseq_size != 0) syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

void make_shared_memory() {
  void* memory = mmap(&shared(), sizeof(Shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
  if (memory != &shared()) give_up("no shared memory");
  new (memory) Shared;
}

// Runs a command to its answer.
long ask(int who, Command command) {
  Slot& slot = slot_of(who);
  slot.command = command;
  const std::uint32_t before = slot.answered.load();
  slot.asked.fetch_add(1);
  wake(slot.asked);
  wait_while(slot.answered, before);
  return slot.result;
}

void await_start(int who, pid_t pid) {
  slot_of(who).pid = pid;
  wait_while(slot_of(who).started, 0);
}

void reset(Slot& slot) {
  slot.asked = slot.answered = slot.started = 0;
  slot.pid = 0;
}

void start(int who) {
  reset(slot_of(who));
  const long pid = clone_onto_stack_of(who, CLONE_FILES | SIGCHLD);
  if (pid < 0) give_up("no worker");
  await_start(who, pid_t(pid));
}

}  // namespace

void start_workers() {
  refuse_outside_own_vm();
  make_shared_memory();
  dl_iterate_phdr(add_segment, nullptr);
  catch_faults();
  unregister_rseq();
  start(kZygote);
  start(kDecoy);
}

pid_t fork_worker(int parent, int child) {
  reset(slot_of(child));
  slot_of(parent).args = {std::uint64_t(child)};
  const long pid = ask(parent, Command::fork);
  if (pid > 0) await_start(child, pid_t(pid));
  return pid_t(pid);
}

void warm_up(int who) { ask(who, Command::warm_up); }

void exit_worker(int who) {
  Slot& slot = slot_of(who);
  slot.command = Command::exit;
  slot.asked.fetch_add(1);
  wake(slot.asked);
  while (waitpid(slot.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  slot.pid = 0;
}

bool is_alive(int who) { return slot_of(who).pid != 0; }
pid_t pid_of(int who) { return slot_of(who).pid; }

long call(int who, long number, std::array<std::uint64_t, 6> args) {
  slot_of(who).number = number;
  slot_of(who).args = args;
  return ask(who, Command::system_call);
}

std::uint64_t lend(int who, iovec range) {
  slot_of(who).range = range;
  return reinterpret_cast<std::uint64_t>(&slot_of(who).range);
}

int store_byte(int who, int page, std::uint8_t value) {
  slot_of(who).args = {address_of(page), value};
  return int(ask(who, Command::store));
}

int load_byte(int who, int page) {
  slot_of(who).args = {address_of(page)};
  return int(ask(who, Command::load));
}

}  // namespace thp::live

// What a worker is: it never returns, and ends by a command.
void thp_worker(int who) {
  using namespace thp::live;
  Slot& slot = slot_of(who);
  touch_own_memory(who);
  slot.started.store(1);
  wake(slot.started);
  for (std::uint32_t done = 0;; ++done) {
    wait_while(slot.asked, done);
    slot.result = execute(who, slot);
    slot.answered.store(done + 1);
    wake(slot.answered);
  }
}
