// Process 1 of a virtual machine that runs the programs of `thp emit-c`, /programs/*, one after the
// other. The console gets `P NAME` before each, its TAP, `E NAME STATUS` after it; at last `DONE
// COUNT`.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "oracle/live/guest/guard.h"

using namespace thp::live;
namespace fs = std::filesystem;

namespace {

constexpr const char* kSwap = "/dev/nvme0n1";

struct Setting {
  const char *path, *value;
};
// As in oracle/live/guest/settings.cc; 4 to drop_caches: it says nothing in the log from then on.
constexpr Setting kSettings[] = {
    {"/proc/sys/kernel/printk", "5 4 1 5"},
    {"/proc/sys/vm/drop_caches", "4"},
    {"/proc/sys/vm/stat_interval", "1000000"},
    {"/proc/sys/vm/overcommit_memory", "1"},
    {"/sys/kernel/mm/transparent_hugepage/enabled", "always"},
    {"/sys/kernel/mm/transparent_hugepage/defrag", "always"},
    {"/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan", "1"},
    {"/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "4000000000"},
};

void set_up() {
  mount_filesystem("sysfs", "/sys");
  mount_filesystem("devtmpfs", "/dev");
  mount_filesystem("debugfs", "/sys/kernel/debug");
  const int console = open("/dev/console", O_RDWR);
  if (dup2(console, 0) < 0 || dup2(console, 1) < 0 || dup2(console, 2) < 0) give_up("no console");
  for (const Setting& s : kSettings)
    if (write_file(s.path, s.value) != 0) say(std::string("no setting ") + s.path);
  for (int tries = 0; access(kSwap, F_OK) != 0 && tries < 100; ++tries) usleep(100'000);
}

std::vector<std::string> programs() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator("/programs"))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// Its exit status, or 128 and the signal that ended it. No huge zero page is left from before.
int run(const std::string& name) {
  write_file("/proc/sys/vm/drop_caches", "2");
  const std::string path = "/programs/" + name;
  const pid_t pid = fork();
  if (pid == 0) {
    execl(path.c_str(), path.c_str(), "--guest", "--swap", kSwap, nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main() {
  refuse_outside_own_vm();
  set_up();
  say("VERSION " + read_file("/proc/version"));
  const std::vector<std::string> all = programs();
  for (const std::string& name : all) {
    say("P " + name);
    say("E " + name + ' ' + std::to_string(run(name)));
  }
  say("DONE " + std::to_string(all.size()));
  power_off();
}
