// The executor changes a machine as only its owner may: it refuses to do so anywhere but in its own
// virtual machine. Every write to /proc, /sys and disks, every mount, swapon and power-off goes
// through this file.
#pragma once
#include <string>
#include <string_view>

namespace thp::live {

// Prints one line and exits with 2 unless this is process 1 of a kernel that was booted with
// `thp.live=1`. Mounts /proc where process 1 finds none.
void refuse_outside_own_vm();

// 0 or -errno each.
int write_file(const char* path, std::string_view text);
int open_for_writing(const char* path, int flags);  // the descriptor or -errno
int mount_filesystem(const char* type, const char* path);
int swap_on(const char* device);
int swap_off(const char* device);
[[noreturn]] void power_off();

std::string read_file(const char* path);  // empty: it cannot be read
void say(std::string_view line);          // to the serial console
[[noreturn]] void give_up(std::string_view why);

}  // namespace thp::live
