// The entries of a process in the traced range, read from its page tables.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "oracle/live/guest/kernel.h"
#include "oracle/live/observation.h"

namespace thp::live {

struct Tables {
  std::array<std::uint64_t, Geometry::kMaxPmds> pmds{};
  std::array<std::array<std::uint64_t, 512>, Geometry::kMaxPmds> ptes{};  // of PMDs that are tables
};

void read_tables(const Kernel& kernel, const Space& space, int pmds, Tables& tables);

// Adds the entries of address space `mm`.
void append_entries(const Kernel& kernel, const Tables& tables, int pmds, int mm,
                    std::uint32_t huge_zero_pfn, std::vector<EntryRun>& entries);

// Page tables deposited under the PMD table of a process.
int count_deposits(const Kernel& kernel, const Space& space);

// The frame behind a page, kNoFrame if none is mapped; zero pages have one.
std::uint32_t frame_at(const Tables& tables, int page);

}  // namespace thp::live
