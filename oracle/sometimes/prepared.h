// Huge pages and page tables in states that take several ops to prepare.
#pragma once
#include <array>
#include <bit>
#include <bitset>
#include <cstdint>

#include "model/machine.h"

namespace thp {

// Of huge pages bits of the blocks of memory that they are in, of PMDs bits of `below`.
struct Prepared {
  using Blocks = std::uint64_t;
  static_assert(Geometry::kMaxBlocks <= 64);
  static constexpr std::size_t kPmds = Geometry::kMaxMms * Geometry::kMaxPmds;

  std::array<Blocks, kPmds> below{};  // whose pages PTEs map
  Blocks given_away = 0;              // by MADV_FREE; PTEs alone map them
  Blocks in_part = 0;                 // PTEs alone map some of their pages, but not all
  Blocks held = 0;                    // pinned, got or isolated
  // A walk of the reverse map meets a PMD that is none before it comes, in the same VMA, to the
  // PTEs or the migration PTEs that it looks for.
  Blocks behind_a_gap = 0, migrating_behind_a_gap = 0;

  static std::size_t pmd(int mm, int i) { return std::size_t(mm * Geometry::kMaxPmds + i); }
  bool has_two_below(int mm, int i) const { return std::popcount(below[pmd(mm, i)]) >= 2; }
};

Prepared prepared(const Machine& m);

}  // namespace thp
