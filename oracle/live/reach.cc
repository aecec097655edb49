// The table of what is beyond live, the end of comparing, and the judge's walk along a live trace.
#include "oracle/live/reach.h"

#include <algorithm>

#include "oracle/live/live_ops.h"
#include "oracle/live/observe.h"
#include "oracle/translate.h"

namespace thp::live {
namespace {

constexpr std::string_view kMemory =
    "live traces stay within memory: a kernel has more of it than a model";
constexpr std::string_view kSettled = "the guest looks when writeback has ended";
constexpr std::string_view kOneCaller = "nobody else holds the page's lock or isolates it";
constexpr std::string_view kSlotCache =
    "the kernel's caches of slots (mm/swap_slots.c) keep some from being used";
constexpr std::string_view kNoPmdTable = "each address space begins with a page of PMDs";
constexpr std::string_view kPageoutSplits =
    "MADV_PAGEOUT takes whole what one PMD maps and nobody else; it splits or skips all others";
constexpr std::string_view kPageoutSkips = "MADV_PAGEOUT leaves out what is locked into memory";
constexpr std::string_view kEnds = "a trace ends where a defect of the kernel strikes";
constexpr std::string_view kNearlyHalfFull =
    "swap is nearly half full: with the slots in its caches (mm/swap_slots.c) the kernel may call "
    "it full, the model does not yet";

constexpr BeyondLive kBeyond[] = {
    {"isolated_orphan", kHalfDone},
    {"isolate_fails", kHalfDone},
    {"held_huge_page_out_of_its_file", kHalfDone},
    {"cut_of_a_held_huge_page", kHalfDone},
    {"migrating_pmds_of_two", kHalfDone},
    {"migrating_both_ways", kHalfDone},
    {"migrating_for_nobody", kHalfDone},
    {"migrating_from_swap_cache", kHalfDone},
    {"migrating_queued", kHalfDone},
    {"writable_migration_entry", kHalfDone},
    {"exclusive_migration_entry", kHalfDone},
    {"shared_migration_entry", kHalfDone},
    {"fork_copies_a_migration_pmd", kHalfDone},
    {"exit_in_flight", kHalfDone},
    {"migration_puts_a_huge_page_back", kHalfDone},
    {"fault_waits_for_migration", kHalfDone},
    {"migration_pmd_is_split", kHalfDone},
    {"SCAN_PAGE_LRU", kOneCaller},
    {"SCAN_PAGE_LOCK", kOneCaller},
    {"keep_locked", kOneCaller},
    {"lock_contended", kInjection},
    {"reference_in_the_way", kInjection},
    {"keep_freeze", kInjection},
    {"no_huge_page", kInjection},
    {"no_small_page", kInjection},
    {"no_charge", kInjection},
    {"no_cluster", kInjection},
    {"thp_fault_fallback", kInjection},
    {"thp_fault_fallback_charge", kInjection},
    {"thp_collapse_alloc_failed", kInjection},
    {"thp_file_fallback", kInjection},
    {"thp_file_fallback_charge", kInjection},
    {"thp_zero_page_alloc_failed", kInjection},
    {"thp_migration_split", kInjection},
    {"migrate_ENOMEM", kInjection},
    {"SCAN_ALLOC_HUGE_PAGE_FAIL", kInjection},
    {"SCAN_CGROUP_CHARGE_FAIL", kInjection},
    {"SCAN_FAIL", kMemory},
    {"memory_full", kMemory},
    {"fork_fails", kMemory},
    {"swapoff_fails", kMemory},
    {"oom", kMemory},
    {"swap_full", kSlotCache},
    {"keep_split_failed", kPageoutSplits},
    {"queued_in_swap_cache", kPageoutSplits},
    {"huge_cached_and_mapped", kPageoutSplits},
    {"reclaim_frees_a_huge_page", kPageoutSplits},
    {"keep_unevictable", kPageoutSkips},
    {"keep_swap_freed", kOneFolio},
    {"mapped_under_writeback", kSettled},
    {"split_EBUSY_writeback", kSettled},
    {"SCAN_PMD_NULL", kNoPmdTable},
    {"huge_zero_pinned", kReadingPin},
    {"unshared_by_a_pin", kReadingPin},
    {"stranded_migration_entries", kEnds},
    {"lazyfree_of_a_shared_page", kEnds},
    {"collapse_lets_the_first_of_two_go", kPageoutSplits},
    {"collapse_of_two_without_memory", kInjection},
    {"given_away_by_ptes_is_discarded", kPageoutSplits},
    {"given_away_in_part_is_discarded", kPageoutSplits},
    {"given_away_until_stored_to", kPageoutSplits},
    {"given_away_but_held", kPageoutSplits},
    {"given_away_but_locked", kPageoutSplits},
};

// More than half of the slots in use is full (v6.1 include/linux/swap.h: vm_swap_full()). To these
// the kernel counts what a CPU has taken ahead, 63 of 64 at most, and what it has not yet given
// back, 64 at most (mm/swap_slots.c: refill_swap_slots_cache(), free_swap_slot()); it does so on a
// device of more than 320 slots only (check_cache_active(), of one CPU). The model has no caches.
bool is_swap_nearly_half_full(const Machine& m) {
  constexpr int kThresholdActivate = 5 * 64, kMostCached = 63 + 64;
  const int slots = m.geometry.swap_slots(), half = slots / 2;
  if (slots <= kThresholdActivate) return false;
  int used = 0;
  for (int slot = 0; slot < slots; ++slot) used += is_in_use(m.swap(Slot(slot)));
  return half - kMostCached <= used && used <= half;
}

}  // namespace

std::span<const BeyondLive> beyond_live() { return kBeyond; }

bool is_beyond_live(std::string_view sometimes) {
  return std::ranges::find(kBeyond, sometimes, &BeyondLive::name) != std::end(kBeyond);
}

std::string_view why_comparing_ends(const Machine& m) {
  if (m.defect != nullptr) return kEnds;
  if (is_swap_nearly_half_full(m)) return kNearlyHalfFull;
  return {};
}

std::optional<Violation> watch(Judge& judge, std::span<const Op> ops, Reached& reached) {
  const auto step = [&](const Op& op) {
    auto broken = judge.step(op);
    if (!broken) reached.update(judge.machine(), judge.recount(), op, judge.result());
    return broken;
  };
  reached.begin(judge.machine());
  for (const Op& op : ops) {
    auto broken = step(op);
    while (!broken && is_under_writeback(judge.machine())) broken = step(WritebackEnd{});
    if (broken) return broken;
  }
  return {};
}

}  // namespace thp::live
