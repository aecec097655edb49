// The machine as every trace finds it: settings of THP, khugepaged asleep, swap off, nothing left
// over.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "model/ops.h"

namespace thp::live {

// The swap header takes a cluster for itself: the device's first slot is that of the next one.
inline constexpr std::uint32_t kFirstSlot = 512;

void set_up_machine();
int set_enabled(Enabled policy);
int set_shmem_enabled(ShmemHuge policy);
// By debugfs: PID,START,END or PATH,OFFSET,OFFSET. It fails wherever it split nothing: nobody asks.
void split_huge_pages(std::string_view what);
int set_use_zero_page(bool on);
int drop_caches();  // both shrinkers, and every other

// v6.1 mm/swap_slots.c: check_cache_active(): above 320 free slots for each CPU online, the kernel
// takes and gives back single slots 64 at a time. The model does neither. Seven CPUs would stop it
// on a device of 2048 slots; on the one that ci/live gives, comparing ends where it may show:
// oracle/live/reach.h.

// Writes a swap header with exactly `slots` usable slots onto the device, if it has another one,
// and turns it on.
int swap_on_with(const std::string& device, int slots);

}  // namespace thp::live
