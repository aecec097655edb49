// The sweep over the tables: holders, what the op is about, the op, and then what it has changed:
// pages, PMDs, address spaces, slots.
#include "oracle/rules/transitions.h"

#include "oracle/rules/rules.h"
#include "oracle/rules/transitions_of_accesses.h"
#include "oracle/rules/transitions_of_collapse.h"
#include "oracle/rules/transitions_of_counters.h"
#include "oracle/rules/transitions_of_files.h"
#include "oracle/rules/transitions_of_keeping.h"
#include "oracle/rules/transitions_of_locks.h"
#include "oracle/rules/transitions_of_migration.h"
#include "oracle/rules/transitions_of_pages.h"
#include "oracle/rules/transitions_of_ranges.h"
#include "oracle/rules/transitions_of_reclaim.h"
#include "oracle/rules/transitions_of_spaces.h"
#include "oracle/rules/transitions_of_splits.h"
#include "oracle/rules/transitions_of_swapping.h"

namespace thp {
namespace {

// --- Rules over ops: the tests of all rows, and of each kind of op those that are for it.

struct Asked {
  const OpRule* rule = nullptr;
  OpTest test{};
};

template <const auto&... tables>
consteval auto joined() {
  constexpr int kTests = ([](const auto& table) {
    int tests = 0;
    for (const OpRule& rule : table) tests += rule.count;
    return tests;
  }(tables) + ...);
  std::array<Asked, kTests> all{};
  std::size_t i = 0;
  const auto add = [&](const auto& table) {
    for (const OpRule& rule : table)
      for (int n = 0; n < rule.count; ++n) all[i++] = {&rule, rule.tests[std::size_t(n)]};
  };
  (add(tables), ...);
  return all;
}
constexpr auto kAsked =
    joined<kSplitRules, kAccessRules, kSwapRules, kLockRules, kReclaimRules, kMigrationRules,
           kSpaceRules, kCounterRules, kRangeRules, kKeepRules, kFileRules>();

// The tests that are for one kind of op, ever or where it has changed something; those of any op
// are as many as there are.
struct Chosen {
  std::array<std::uint16_t, kAsked.size()> tests{};
  std::size_t count = 0;
};
template <class Wanted>
consteval Chosen chosen(Wanted wanted) {
  Chosen of;
  for (std::size_t i = 0; i < kAsked.size(); ++i)
    if (wanted(kAsked[i].test)) of.tests[of.count++] = std::uint16_t(i);
  return of;
}
consteval Chosen chosen_of(std::size_t kind, bool change) {
  return chosen([&](const OpTest& test) {
    return test.of_kind[kind] != nullptr && test.of_change == change && !test.of_all;
  });
}
template <std::size_t kind>
constexpr Chosen kOfKind = chosen_of(kind, false);
template <std::size_t kind>
constexpr Chosen kOfChange = chosen_of(kind, true);
constexpr Chosen kOfAll = chosen([](const OpTest& test) { return test.of_all; });

// Which test does not hold is looked for only where one does not.
Broken first_false(const Chosen& of, const Transition& t) {
  for (std::size_t i = 0; i < of.count; ++i) {
    const Asked& ask = kAsked[of.tests[i]];
    if (ask.test.of_kind[t.op.index()](t) || is_muted(*ask.rule)) continue;
    return broken_by(*ask.rule, ask.test.numbers, t, {.thing = Where::Thing::op});
  }
  return {};
}

// The calls are unrolled, as those of an invariant: each is compiled for its op.
template <const Chosen& of, std::size_t kind = 0>
Broken broken_of_chosen(const Transition& t) {
  const bool all = [&]<std::size_t... i>(std::index_sequence<i...>) {
    return (kAsked[of.tests[i]].test.of_kind[kind](t) && ...);
  }(std::make_index_sequence<of.count>());
  return all ? Broken{} : first_false(of, t);
}
template <std::size_t kind>
Broken broken_of_kind(const Transition& t) {
  if (const Broken broken = broken_of_chosen<kOfKind<kind>, kind>(t)) return broken;
  return t.changed.anything() ? broken_of_chosen<kOfChange<kind>, kind>(t) : Broken{};
}

using BrokenOf = Broken (*)(const Transition&);
constexpr auto kBrokenOfKind = []<std::size_t... kind>(std::index_sequence<kind...>) {
  return std::array<BrokenOf, kOpKinds>{&broken_of_kind<kind>...};
}(std::make_index_sequence<kOpKinds>());

Broken broken_of_op(const Transition& t) {
  if (const Broken broken = kBrokenOfKind[t.op.index()](t)) return broken;
  return t.changed.anything() ? broken_of_chosen<kOfAll>(t) : Broken{};
}

// --- Rules over what an op is about.

template <const auto& table>
Broken broken_of_subject(const auto& subject) {
  return first_broken_of<table>(subject, {.thing = Where::Thing::op});
}

Broken broken_of_plan(const SplitPlan& plan) { return broken_of_subject<kSplitPlanRules>(plan); }

// Whoever adds an op has to say what it is about, if only here: nothing that has rules.
using AboutNothing =
    Joined<Mmap, MmapHint, MmapFile, Munmap, Mprotect, Fork, Exit, Locks, Populates, MarksHuge,
           MarksFork, Discards, Clears, References, Get, StoreForced, Pin, Shrinks, Swapon, Swapoff,
           WritebackEnd, Migrates, Arms, Sets, Cuts, Fills, Reads>;
template <class O>
  requires(times_in<O>(AboutNothing{}) > 0)
Broken about(const O&, const Transition&) {
  return {};
}
Broken about(const SplitFolio& op, const Transition& t) { return broken_of_plan(plan_of(op, t)); }
Broken about(const SplitFile& op, const Transition& t) { return broken_of_plan(plan_of(op, t)); }
Broken about(const ShrinkDeferred&, const Transition& t) {
  return broken_of_plan(plan_of_queue(t));
}
Broken about(const ShrinkShmem&, const Transition& t) {
  return broken_of_plan(plan_of_shrinklist(t));
}
// What is injected meets whatever comes first.
Broken about(const DropCaches&, const Transition& t) {
  if (const Broken broken = broken_of_plan(plan_of_shrinklist(t))) return broken;
  const bool alone = t.nothing_injected() || t.before.shm_mnt.shrinklist_len == 0;
  return alone ? broken_of_plan(plan_of_queue(t)) : Broken{};
}
Broken about(const MadviseCold& op, const Transition& t) {
  return broken_of_plan(plan_of_advice(op.mm.id, op.range, false, t));
}
Broken about(const MadvisePageout& op, const Transition& t) {
  return broken_of_plan(plan_of_advice(op.mm.id, op.range, false, t));
}
Broken about(const MadviseFree& op, const Transition& t) {
  return broken_of_plan(plan_of_advice(op.mm.id, op.range, true, t));
}
Broken about(const MadviseCollapse& op, const Transition& t) {
  return broken_of_subject<kCollapseRules>(collapse_of(op, t));
}
template <class O>
  requires(times_in<O>(Remaps{}) > 0)
Broken about(const O& op, const Transition& t) {
  return t.succeeded() ? broken_of_subject<kMoveRules>(move_of(as_mremap(op), t)) : Broken{};
}
Broken about(const Reclaim& op, const Transition& t) {
  const auto scan = scan_of(op, t);
  return scan ? broken_of_subject<kScanRules>(*scan) : Broken{};
}
Broken broken_of_swap_in(const auto& op, bool write, const Transition& t) {
  const auto in = t.succeeded() ? swap_in_of(op.mm.id, op.page.number, write, t) : std::nullopt;
  return in ? broken_of_subject<kSwapInRules>(*in) : Broken{};
}
Broken about(const Load& op, const Transition& t) { return broken_of_swap_in(op, false, t); }
Broken about(const Store& op, const Transition& t) { return broken_of_swap_in(op, true, t); }

// --- Rules over what an op has changed.

Broken broken_of_pages(const Transition& t) {
  for (const auto [mm, first, count] : t.changed.pages()) {
    const Entry &was = entry_of(t.before, mm, first), &is = entry_of(t.after, mm, first);
    const int i = pmd_index(t.after, first);
    // Where nothing was or is there is little to ask.
    const Traits had = is.is_none() ? Traits(kThere | (was.is_swap() ? kSwapped : 0))
                                    : traits_of(t.before, mm, was, t.before.pmd(mm, i).is_table());
    const Traits has =
        was.is_none() ? Traits(kThere) : traits_of(t.after, mm, is, t.after.pmd(mm, i).is_table());
    if (had == has) continue;  // nothing is lost, and nothing new
    const PageStep step{t, mm, first, first + count, had, has};
    if (const Broken broken =
            first_broken_of<kPageRules>(step, {Where::Thing::pages, mm, first, count}))
      return broken;
  }
  return {};
}

// Most that changes is what the op names.
Broken broken_outside(const Transition& t) {
  if (t.changed.pages().empty()) return {};
  const Named named = named_by(t);
  for (const auto [mm, first, count] : t.changed.pages()) {
    if (named.overlaps(mm, first, first + count)) continue;
    const Entry &was = entry_of(t.before, mm, first), &is = entry_of(t.after, mm, first);
    const bool exists = was.is_present() && was.frame < t.before.frames();
    if (exists && page_folio(t.before, was.frame) == named.folio) continue;
    if ((named.swapped && was.is_swap()) || overlooked_by_advice(t, was)) continue;
    const OutsideStep step{
        t, mm, first, was, is, traits_of(t.before, mm, first), traits_of(t.after, mm, first)};
    if (const Broken broken =
            first_broken_of<kOutsideRules>(step, {Where::Thing::pages, mm, first, count}))
      return broken;
  }
  return {};
}

Broken broken_of_pmd(const PmdStep& step, Where where) {
  if (const Broken broken = first_broken_of<kPmdRules>(step, where)) return broken;
  return first_broken_of<kRangePmdRules>(step, where);
}

Broken broken_of_pmds(const Transition& t) {
  Broken broken;
  for_each_pmd(t.changed.pmds(), [&](int mm, int i) {
    const PmdStep step{t, mm, i, t.before.pmd(mm, i), t.after.pmd(mm, i)};
    if (!broken)
      broken = broken_of_pmd(
          step, {Where::Thing::pmd, mm, i << t.after.geometry.order, t.after.hpage_nr()});
  });
  return broken;
}

Broken broken_of_slots(const Transition& t) {
  if (!t.changed.delta().slots()) return {};
  for (int i = 0; t.before.swap_on && i < t.before.geometry.swap_slots(); ++i) {
    const SwapSlot &was = t.before.swap(Slot(i)), &is = t.after.swap(Slot(i));
    if (was == is) continue;
    if (const Broken broken =
            first_broken_of<kSlotRules>(SlotStep{t, was, is}, {Where::Thing::slot, -1, i}))
      return broken;
  }
  return {};
}

Broken broken_of_cells(const Transition& t) {
  for (const std::uint16_t id : t.changed.delta().cells()) {
    const int inode = id / t.after.pages(), index = id % t.after.pages();
    const CellStep step{t, inode, index, t.before.cell(inode, index), t.after.cell(inode, index)};
    if (const Broken broken = first_broken_of<kCellRules>(step, {Where::Thing::cell, inode, index}))
      return broken;
  }
  return {};
}

Broken broken_of_holders(const Transition& t) {
  for (unsigned left = t.memory.holders(); left != 0; left &= left - 1) {
    const int i = std::countr_zero(left);
    const Holder &was = t.before.holders[std::size_t(i)], &is = t.after.holders[std::size_t(i)];
    if (const Broken broken =
            first_broken_of<kHolderRules>(HolderStep{t, i, was, is}, {Where::Thing::holder, -1, i}))
      return broken;
  }
  return {};
}

}  // namespace

Broken first_broken(const Transition& t) {
  const bool anything = t.changed.anything();
  if (anything)
    if (const Broken broken = broken_of_holders(t)) return broken;
  if (const Broken broken = visit_op([&](const auto& op) { return about(op, t); }, t.op))
    return broken;
  if (const Broken broken = broken_of_op(t)) return broken;
  if (!anything) return {};
  if (const Broken broken = broken_of_pages(t)) return broken;
  if (const Broken broken = broken_outside(t)) return broken;
  if (const Broken broken = broken_of_pmds(t)) return broken;
  if (const Broken broken = broken_of_cells(t)) return broken;
  return broken_of_slots(t);
}

Broken first_broken_where_changed(const Transition& t) {
  for (const Asked& ask : kAsked) {
    const auto holds = ask.test.of_kind[t.op.index()];
    if (!ask.test.of_change || ask.test.of_all || holds == nullptr || holds(t)) continue;
    return broken_by(*ask.rule, ask.test.numbers, t, {.thing = Where::Thing::op});
  }
  return {};
}

void append_transition_rules(std::vector<ListedRule>& all) {
  append_rules(all, kHolderRules, "a holder, before and after");
  append_rules(all, kSplitPlanRules, "what an op tries to split");
  append_rules(all, kCollapseRules, "a range to collapse");
  append_rules(all, kMoveRules, "what mremap() moves");
  append_rules(all, kScanRules, "the folio that reclaim looks at");
  append_rules(all, kSwapInRules, "a page that is read back");
  append_rules(all, kSplitRules, "an op");
  append_rules(all, kAccessRules, "an op");
  append_rules(all, kSwapRules, "an op");
  append_rules(all, kLockRules, "an op");
  append_rules(all, kReclaimRules, "an op");
  append_rules(all, kMigrationRules, "an op");
  append_rules(all, kSpaceRules, "an op");
  append_rules(all, kCounterRules, "an op");
  append_rules(all, kRangeRules, "an op");
  append_rules(all, kKeepRules, "an op");
  append_rules(all, kFileRules, "an op");
  append_rules(all, kCellRules, "a changed index of a file");
  append_rules(all, kPageRules, "a changed page");
  append_rules(all, kOutsideRules, "a changed page that an op does not name");
  append_rules(all, kPmdRules, "a changed PMD");
  append_rules(all, kRangePmdRules, "a changed PMD");
  append_rules(all, kSlotRules, "a changed swap slot");
}

}  // namespace thp
