// What /proc/vmstat says after an op is certain too: the op's work shows in the state, so that what
// it counted can be laid beside what there was before and is now.
#pragma once
#include <array>
#include <cstdint>

#include "model/ops.h"
#include "oracle/recount.h"

namespace thp {

// The counters before an op, and what they will be held against. Plain data.
struct Tally {
  std::array<std::uint32_t, kEvents> events{};
  Injections inject;
  std::uint64_t large = 0;       // blocks: transparent huge pages
  std::uint64_t queued = 0;      // of these: waiting for their split
  std::uint64_t splittable = 0;  // of these: not under writeback
  std::uint64_t pte_mapped = 0;  // blocks: huge pages that PTEs map
  std::uint16_t empty = 0;       // PMDs; bit: mm * kMaxPmds + i
  std::uint16_t huge = 0;        // PMDs that are neither empty nor tables
  bool memory_full = false;      // no block is free
  bool huge_zero_page = false;
  bool migrating = false;
  std::uint8_t migrating_large = 0;
  int written = 0, written_large = 0;  // pages and huge pages under writeback
  bool slots_left = false;             // of swap: two at least
  int frames = 0;                      // in use
  bool slots_idle = false;             // a search for a slot may free pages of the swap cache
  Entry entry;                         // that of the op's page, if it is of one page
  bool below_table = false;            // it is a PTE
  bool cached = false;                 // it is swapped out, and in the swap cache
  Pfn folio = kNoPfn;                  // that it maps
  bool by_pmd = false;                 // some PMD maps that
};
Tally tally_before(const Machine& m, const Recount& recount, const Op& op);

// The sentence about counters that does not hold in the machine after the op, or nullptr.
const char* miscounted(const Tally& before, const Op& op, const Machine& m, int result);

}  // namespace thp
