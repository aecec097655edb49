// What the demonstrations of defects share: process 1 of a virtual machine, and processes that do
// what it tells them. Whatever changes the machine goes through guest/guard.h.
#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "oracle/live/guest/guard.h"

namespace thp::defects {

inline constexpr std::size_t kPage = 4096, kHuge = 512 * kPage;
inline constexpr char kStored = 7;  // in every byte
inline char* const kMemory = reinterpret_cast<char*>(0x40000000);
inline constexpr const char *kGroups = "/cgroup", *kGroup = "/cgroup/all";  // all but process 1

inline constexpr const char* kEnabled = "/sys/kernel/mm/transparent_hugepage/enabled";

inline void must(bool holds, const char* what) {
  if (holds) return;
  std::printf("FAIL %s: %s\n", what, std::strerror(errno));
  if (getpid() == 1) live::power_off();
  _exit(2);
}

inline std::string in_group(const char* file) { return std::string(kGroup) + "/" + file; }

// Mounts what is needed; turns swap, the memory controller and huge pages on.
class Guest {
 public:
  Guest() {
    live::refuse_outside_own_vm();
    for (const auto& [type, where] :
         {std::pair{"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"cgroup2", kGroups}}) {
      must(live::mount_filesystem(type, where) == 0, where);
    }
    const int console = open("/dev/console", O_RDWR);
    must(dup2(console, 1) == 1 && dup2(console, 2) == 2, "console");
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    must(live::write_file("/cgroup/cgroup.subtree_control", "+memory") == 0, "+memory");
    must(mkdir(kGroup, 0755) == 0, kGroup);
    for (int tries = 0; access("/dev/nvme0n1", F_OK) != 0 && tries < 100; ++tries) usleep(100'000);
    must(live::swap_on("/dev/nvme0n1") == 0, "swapon");
    must(live::write_file(kEnabled, "always") == 0, kEnabled);
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() { live::power_off(); }
};

// A process that runs what it is told to, one thing at a time. It is born at start(), of process 1,
// or at start_from(), of another one; it dies at exit().
class Process {
 public:
  using Action = int (*)();

  Process() { must(pipe(to_.data()) == 0 && pipe(from_.data()) == 0, "pipe"); }

  void start() {
    pid_ = fork();
    must(pid_ >= 0, "fork");
    if (pid_ == 0) serve();
    must(live::write_file(in_group("cgroup.procs").c_str(), std::to_string(pid_)) == 0, kGroup);
  }
  void start_from(Process& parent) { pid_ = parent.order({nullptr, this}); }
  int run(Action action) { return order({action, nullptr}); }  // what the action returns
  void exit() {
    order({nullptr, nullptr}, false);
    waitpid(pid_, nullptr, 0);
  }
  int pid() const { return pid_; }

  // What pagemap tells of a page: is it there, in swap, or neither? does nobody else map it?
  const char* where(const void* page) const {
    const std::uint64_t entry = pagemap(page);
    return (entry >> 63) != 0 ? "present" : (entry >> 62 & 1) != 0 ? "swapped" : "none";
  }
  bool told_exclusive(const void* page) const { return (pagemap(page) >> 56 & 1) != 0; }

 private:
  std::uint64_t pagemap(const void* page) const {
    std::uint64_t entry = 0;
    const int fd = open(("/proc/" + std::to_string(pid_) + "/pagemap").c_str(), O_RDONLY);
    must(pread(fd, &entry, sizeof entry, off_t(std::uintptr_t(page) / kPage * sizeof entry)) > 0,
         "pagemap");
    close(fd);
    return entry;
  }

  // One of three: do something; have that child; or exit.
  struct Order {
    Action action;
    Process* child;
  };

  int order(Order what, bool has_answer = true) {
    int answer = 0;
    must(write(to_[1], &what, sizeof what) == sizeof what, "order");
    if (has_answer) must(read(from_[0], &answer, sizeof answer) == sizeof answer, "answer");
    return answer;
  }

  [[noreturn]] void serve() {
    Order what{};
    while (read(to_[0], &what, sizeof what) == sizeof what) {
      if (what.action == nullptr && what.child == nullptr) break;
      int answer = 0;
      if (what.child != nullptr) {
        answer = fork();
        if (answer == 0) what.child->serve();
      } else {
        answer = what.action();
      }
      must(write(from_[1], &answer, sizeof answer) == sizeof answer, "answer");
    }
    _exit(0);
  }

  std::array<int, 2> to_, from_;
  int pid_ = 0;
};

inline void map_memory(std::size_t size) {
  void* const memory = mmap(kMemory, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  must(memory == kMemory, "mmap");
}

// One pass over all that can be had.
inline void reclaim() { live::write_file(in_group("memory.reclaim").c_str(), "4M"); }

inline void reclaim_until_swapped(const Process& process, const void* page) {
  const auto is_swapped = [&] { return std::strcmp(process.where(page), "swapped") == 0; };
  for (int pass = 0; pass < 20 && !is_swapped(); ++pass) reclaim();
  must(is_swapped(), "reclaim");
}

// Of a demonstration that says what is read in the end, once without the step that loses it, and
// once with that.
inline void show(int (*demonstrate)(bool with)) {
  const Guest guest;
  const bool sound = demonstrate(false) == kStored, lost = demonstrate(true) != kStored;
  std::printf("SHOWN %s\n", sound && lost ? "yes" : "no");
}

}  // namespace thp::defects
