// Ops on files, done by the controller: reading and writing are its own, so that no address space
// touches memory for them. A file that is not open has descriptor -1: the kernel says EBADF.
#pragma once
#include "oracle/live/guest/execute.h"

namespace thp::live {

int run(Guest& guest, const Creat& op);
int run(Guest& guest, const Close& op);
int run(Guest& guest, const Pread& op);
int run(Guest& guest, const Pwrite& op);
int run(Guest& guest, const Fallocate& op);
int run(Guest& guest, const Punch& op);
int run(Guest& guest, const Truncate& op);
int run(Guest& guest, const SplitFile& op);

}  // namespace thp::live
