// What a guest's console says about a kernel that is not well, and about which trace.
#include "fuzz/live_guest.h"
#include "properties/check.h"

using namespace thp;
using namespace thp::live;

namespace {

void a_sound_log_has_none() {
  check(complaints_in("").empty(), "nothing at all");
  check(complaints_in("KERNEL 6.1.0\nT 0\nT 1\nDONE 2 24 0.5\nreboot: Power down\n").empty(),
        "a batch that went well");
}

void a_complaint_belongs_to_the_trace_before() {
  const auto found = complaints_in(
      "T 0\nT 7\n[ 3.1] WARNING: CPU: 0 PID: 9 at mm/rmap.c:1\n[ 3.1] Call Trace:\nT 8\n");
  check(found.size() == 1 && found[0].trace == 7, "the trace that began last");
  check(found[0].log.contains("rmap.c") && found[0].log.contains("Call Trace"),
        "with what follows");
  check(!found[0].log.contains("T 8"), "up to the next trace");
}

void every_kind_is_noticed() {
  for (const char* line :
       {"kernel BUG at mm/huge_memory.c:9!", "BUG: unable to handle page fault", "Oops: 0000",
        "Kernel panic - not syncing", "general protection fault", "rcu: INFO: rcu_preempt stall",
        "BUG: Bad page state in process init", "HANG 3 4", "FAIL no swap disk"})
    check(complaints_in(std::string("T 3\n") + line + "\n").size() == 1, line);
  check(complaints_in("T 1\nWARNING: a\nT 2\nWARNING: b\n").size() == 2, "one of each trace");
}

}  // namespace

int main() {
  a_sound_log_has_none();
  a_complaint_belongs_to_the_trace_before();
  every_kind_is_noticed();
  return failures();
}
