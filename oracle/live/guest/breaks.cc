// The three ways in which a kernel that is studied goes wrong: it dies, it complains, it hangs.
#include "oracle/live/guest/breaks.h"

#include <unistd.h>

#include "oracle/live/guest/guard.h"

namespace thp::live {
namespace {

[[noreturn]] void fall_silent() {
  alarm(0);
  for (;;) pause();
}

}  // namespace

void break_if_asked(const Trace& trace) {
  if (trace.ops.size() != 1 || !is_op<Exit>(trace.ops[0])) return;
  const std::string cmdline = read_file("/proc/cmdline");
  const auto asked = [&](const char* how) {
    return cmdline.find(std::string(" thp.break=") + how) != std::string::npos;
  };
  if (asked("panic")) write_file("/proc/sysrq-trigger", "c");  // v6.1 drivers/tty/sysrq.c
  if (asked("warning")) write_file("/dev/kmsg", "WARNING: as it was asked for\n");
  if (asked("silence")) fall_silent();
}

}  // namespace thp::live
