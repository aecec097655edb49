// References that outlive their process. Each holder has a ring and a pipe, made by the controller
// before the workers, which share its descriptors: a pin is the ring's registered buffer, a get
// is the page in the pipe. All results are the kernel's, 0 or -errno.
#pragma once
#include <array>
#include <cstdint>

#include "oracle/live/observation.h"

namespace thp::live {

struct Held {
  HolderKind kind = HolderKind::none;
  std::uint64_t address = 0;  // in the process that took it
  std::uint32_t pfn = kNoFrame;
};
using Holders = std::array<Held, kMaxHolders>;

void open_holders();  // before the workers start
void map_rings();     // after

int pin_page(int holder, int who, std::uint64_t address);
int unpin_page(int holder);
int get_page(int holder, int who, std::uint64_t address);
int put_page(int holder);
int store_through_pin(int holder, std::uint64_t address, std::uint8_t value);
int load_through_pin(int holder, std::uint64_t address);  // the byte, or -errno
int load_through_pipe(int holder);                        // the byte, or -errno

}  // namespace thp::live
