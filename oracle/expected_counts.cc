// Which laws of the counters hold for which ops.
#include "oracle/expected_counts.h"

#include <type_traits>

#include "oracle/expected_growth.h"

namespace thp {
namespace {

template <class O, class... Of>
constexpr bool kIsOneOf = (std::is_same_v<O, Of> || ...);

// Ops that fault pages in, and touch no other mapping.
template <class O>
constexpr bool kFaults = kIsOneOf<O, Load, Store, StoreForced, Pin, Get, Mlock>;
template <class O>
constexpr bool kOfOnePage = requires(const O& op) {
  op.mm;
  op.page;
};
template <class O>
constexpr bool kWritesOut = kIsOneOf<O, Reclaim, MadvisePageout>;
template <class O>
constexpr bool kSplitsOnly = kIsOneOf<O, SplitFolio, ShrinkDeferred, DropCaches>;
// Ops that unmap in one go.
template <class O>
constexpr bool kUnmaps = kIsOneOf<O, Mmap, Munmap, MadviseDontneed, Exit>;
// Ops that may put a page table, or another huge page, where a huge page was.
template <class O>
constexpr bool kRemaps = kIsOneOf<O, Mmap, Mremap, MadviseCollapse>;

template <class O>
AnswerRuleId miscounts(const O& op, const Growth& g) {
  const Machine& m = g.m;
  if (!g.huge_zero_page()) return kCountsZeroPage;
  if constexpr (std::is_same_v<O, Load>)
    if (!g.before.migrating && !g.huge_zero_page_failed()) return kCountsZeroPage;
  if constexpr (kFaults<O>)
    if (!g.before.migrating && !g.faults(kOfOnePage<O>)) return kCountsFaults;
  if constexpr (std::is_same_v<O, MadviseCollapse>)
    if (!g.before.migrating && !g.collapses()) return kCountsCollapses;
  if constexpr (kSplitsOnly<O>)
    if (!g.splits()) return kCountsSplits;
  if constexpr (std::is_same_v<O, ShrinkDeferred>)
    if (!g.tries_of_the_queue()) return kCountsSplits;
  if (!g.queues(kUnmaps<O>)) return kCountsQueued;
  if constexpr (!kRemaps<O>)
    if (!g.pmd_splits()) return kCountsPmdSplits;
  if constexpr (kWritesOut<O>)
    if (!g.writes()) return kCountsSwap;
  if constexpr (std::is_same_v<O, Reclaim>) {
    if (!g.counts_fallbacks()) return kCountsSwap;
    if (!g.swaps_the_head()) return kHeadIsSwapped;
    if (!g.reclaims()) return kReclaimCounts;
  }
  if constexpr (kFaults<O> && kOfOnePage<O>)
    if (!g.reads(entry_of(m, op.mm.id, op.page.number))) return kCountsSwap;
  if constexpr (std::is_same_v<O, MigrateEnd>)
    return g.before.migrating && !g.ends_migration() ? kCountsMigrations : kRules;
  if constexpr (std::is_same_v<O, MovePages>)
    return !g.before.migrating && !g.moves() ? kCountsMigrations : kRules;
  if constexpr (!kIsOneOf<O, MigrateBegin>)
    if (!g.before.migrating && !g.migrates_nothing()) return kCountsMigrations;
  if constexpr (std::is_same_v<O, Store>)
    if (g.result == 0 && !g.reuses(mapped_frame(m, op.mm.id, op.page.number))) return kCountsReuse;
  return kRules;
}

}  // namespace

Tally tally_before(const Machine& m, const Recount& recount, const Op& op) {
  Tally t;
  t.events = m.events;
  t.inject = m.inject;
  t.large = large_blocks(m);
  t.queued = queued_blocks(m);
  for (std::uint64_t left = t.large; left != 0; left &= left - 1) {
    const int block = std::countr_zero(left);
    const std::uint64_t bit = left & -left;
    if (recount.block(block).ptes > 0) t.pte_mapped |= bit;
    const bool written = test(m, Pfn(block << m.geometry.order), PG_writeback);
    if ((t.queued & bit) != 0 && !written) t.splittable |= bit;
  }
  for_each_pmd(m, [&](std::uint16_t bit, int mm, int i) {
    const Entry& pmd = m.pmd(mm, i);
    if (pmd.is_none())
      t.empty |= bit;
    else if (is_huge(pmd))
      t.huge |= bit;
  });
  t.memory_full = free_blocks(m) == 0;
  t.huge_zero_page = m.huge_zero_page != kNoPfn;
  t.migrating = m.migration.in_flight();
  t.migrating_large = t.migrating && folio_test_large(m, m.migration.src);
  visit_op(
      [&]<class O>(const O& o) {
        if constexpr (kWritesOut<O>) count_written(m, t.written, t.written_large);
        if constexpr (std::is_same_v<O, Reclaim>) {
          t.slots_left = has_free_slots(m, 1);
          t.frames = frames_in_use(m);
          t.slots_idle = has_idle_slots(m);
        }
        if constexpr (kOfOnePage<O>) {
          t.entry = entry_of(m, o.mm.id, o.page.number);
          t.below_table = m.pmd(o.mm.id, pmd_index(m, o.page.number)).is_table();
          t.cached = t.entry.is_swap() && m.swap(t.entry.frame).cache != kNoPfn;
          const Pfn pfn = mapped_frame(m, o.mm.id, o.page.number);
          if (pfn != kNoPfn) t.folio = page_folio(m, pfn);
          if constexpr (std::is_same_v<O, Reclaim>)
            t.by_pmd = pfn != kNoPfn && pmds_of(m, t.folio) != 0;
        }
      },
      op);
  return t;
}

const char* miscounted(const Tally& before, const Op& op, const Machine& m, int result) {
  const AnswerRuleId rule =
      visit_op([&](const auto& o) { return miscounts(o, Growth{before, m, result}); }, op);
  return rule == kRules ? nullptr : answer_rules()[rule].sentence;
}

}  // namespace thp
