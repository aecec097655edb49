// Who may do what: only process 1 of a virtual machine of our own.
#include "oracle/live/guest/guard.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace thp::live {
namespace {

constexpr std::string_view kToken = " thp.live=1 ";

bool has_token(std::string cmdline) {
  if (!cmdline.empty() && cmdline.back() == '\n') cmdline.pop_back();
  return (' ' + cmdline + ' ').find(kToken) != std::string::npos;
}

// A container's process 1 has a /proc, its host's command line, and no token.
bool find_out() {
  if (getpid() != 1) return false;
  if (access("/proc/cmdline", R_OK) != 0) {
    mkdir("/proc", 0755);
    if (mount("proc", "/proc", "proc", 0, nullptr) != 0) return false;
  }
  return has_token(read_file("/proc/cmdline"));
}

}  // namespace

void refuse_outside_own_vm() {
  static const bool own = find_out();
  if (own && getpid() == 1) return;
  say("thp_init: this is no virtual machine of ours; nothing was done");
  _exit(2);
}

int write_file(const char* path, std::string_view text) {
  const int file = open_for_writing(path, 0);
  if (file < 0) return file;
  const ssize_t written = write(file, text.data(), text.size());
  const int error = written < 0 ? -errno : 0;
  close(file);
  return error;
}

int open_for_writing(const char* path, int flags) {
  refuse_outside_own_vm();
  const int file = open(path, O_RDWR | O_CLOEXEC | flags);
  if (file >= 0) return file;
  const int only = open(path, O_WRONLY | O_CLOEXEC | flags);
  return only >= 0 ? only : -errno;
}

int mount_filesystem(const char* type, const char* path) {
  refuse_outside_own_vm();
  mkdir(path, 0755);
  return mount(type, path, type, 0, nullptr) == 0 ? 0 : -errno;
}

int swap_on(const char* device) {
  refuse_outside_own_vm();
  return swapon(device, 0) == 0 ? 0 : -errno;
}

int swap_off(const char* device) {
  refuse_outside_own_vm();
  return swapoff(device) == 0 ? 0 : -errno;
}

void power_off() {
  refuse_outside_own_vm();
  tcdrain(STDOUT_FILENO);
  reboot(RB_POWER_OFF);
  for (;;) pause();
}

std::string read_file(const char* path) {
  std::string text;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  std::size_t used = 0;
  for (;;) {
    if (text.size() < used + 65536) text.resize(2 * text.size() + 65536);
    const ssize_t got = read(file, text.data() + used, text.size() - used);
    if (got <= 0) break;
    used += std::size_t(got);
  }
  close(file);
  text.resize(used);
  return text;
}

void say(std::string_view line) {
  std::string text(line);
  text += '\n';
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) return;
}

void give_up(std::string_view why) {
  say("FAIL " + std::string(why));
  power_off();
}

}  // namespace thp::live
