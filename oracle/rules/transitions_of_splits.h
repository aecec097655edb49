// Rules about splitting huge pages, and about advice that does. Part of transitions.cc.
#pragma once
#include <bit>

#include "oracle/rules/transitions.h"

namespace thp {

inline bool are_split(const Machine& m, std::uint64_t blocks, bool split) {
  for (; blocks != 0; blocks &= blocks - 1)
    if (folio_test_large(m, Pfn(std::countr_zero(blocks) << m.geometry.order)) == split)
      return false;
  return true;
}

// Advice: what it is asked of.
struct Advised {
  bool any = false;  // is there a page that nobody shares, and nothing in the way?
  bool active = false;
};
Advised cold_page(const MadviseCold& op, const Transition& t);
Advised free_page(const MadviseFree& op, const Transition& t);

// Of huge PMDs: is none a page table now that...
// ...maps a folio of which the range maps nothing?
bool stays_whole_unless_meant(const Transition& t, int mm, PageRange range);
// ...was moved as a whole?
bool moves_whole(const Transition& t, const Mremap& op);
// ...maps the folio that move_pages() must move, with a huge page to move it to?
bool migrates_whole(const Transition& t, const MovePages& op);

inline constexpr RuleOf<SplitPlan> kSplitPlanRules[] = {
    {"splittable_folio_is_split",
     "An op that splits folios, or advice for a part of one, splits each that only mappings "
     "and the swap cache refer to, if nothing disturbs. Advice asks that nobody shares it.",
     choice(kEvery), "mm/huge_memory.c: split_huge_pages_pid(), split_huge_page_to_list()",
     [](const SplitPlan& plan) { return are_split(plan.t.after, plan.split, true); }},
    {"unsplittable_folio_stays_large",
     "No op splits a folio that is held or under writeback, or an anonymous one that is unmapped. "
     "Advice splits none that others map, split_folio and split_file none outside their range.",
     choice(k6_1), "mm/huge_memory.c: split_huge_page_to_list(): -EBUSY, -EAGAIN",
     [](const SplitPlan& plan) { return are_split(plan.t.after, plan.whole, false); }},
    {"shrinker_splits_the_queue",
     "shrink_deferred and shrink_shmem say how many folios they have split: each that certainly "
     "can be, and no more than can be.",
     promise(k6_1, "admin-guide/mm/transhuge.rst, thp_deferred_split_page"),
     "mm/huge_memory.c: deferred_split_scan()",
     [](const SplitPlan& plan) {
       const int certainly = std::popcount(plan.split), result = plan.t.result;
       if (plan.t.over<ShrinkShmem>() && !plan.t.nothing_injected()) return true;
       return !plan.t.over<ShrinkDeferred, ShrinkShmem>() ||
              (certainly <= result && result <= certainly + plan.perhaps);
     }},
};

inline bool is_thp_disabled(const Machine& m, int mm) {
  return m.mms[std::size_t(mm)].thp_disabled != 0;
}

inline constexpr OpRule kSplitRules[] = {
    {"whole_pmd_stays_huge",
     "A huge PMD stays huge where split_folio means nothing of it, where mremap() moves it whole, "
     "and over move_pages().",
     choice(k6_1), "mm/huge_memory.c: split_huge_pages_pid(), move_huge_pmd(); mm/migrate.c",
     after<SplitFolio>([](const SplitFolio& op, const Transition& t) {
       return stays_whole_unless_meant(t, op.mm.id, op.range);
     }),
     after<Moves>(
         [](const auto& op, const Transition& t) { return moves_whole(t, as_mremap(op)); }),
     after<MovePages>(
         [](const MovePages& op, const Transition& t) { return migrates_whole(t, op); })},
    {"unused_huge_zero_page_is_freed",
     "drop_caches frees the huge zero page if no process uses it, and else nothing does. "
     "shrink_huge_zero says how many pages it has freed so.",
     choice(k6_1), "mm/huge_memory.c: shrink_huge_zero_page_scan()",
     over<ShrinkHugeZero>([](const ShrinkHugeZero&, const Transition& t) {
       return t.result == (has_unused_huge_zero_page(t.before) ? t.before.hpage_nr() : 0);
     }),
     after<DropCaches>([](const DropCaches&, const Transition& t) {
       return !has_unused_huge_zero_page(t.before) || t.after.huge_zero_page == kNoPfn;
     }),
     over_any([](const Transition& t) {
       return t.before.huge_zero_page == kNoPfn || t.after.huge_zero_page != kNoPfn ||
              t.over<ShrinkHugeZero, DropCaches>();
     })},
    {"huge_advice_is_kept", "A VMA has the huge page advice that was given last.",
     promise(kEvery, "madvise(2), MADV_HUGEPAGE and MADV_NOHUGEPAGE"),
     "mm/khugepaged.c: hugepage_madvise()",
     after<MarksHuge>([]<class O>(const O& op, const Transition& t) {
       constexpr std::uint32_t kBoth = VM_HUGEPAGE | VM_NOHUGEPAGE;
       const std::uint32_t set = std::is_same_v<O, MadviseHugepage> ? VM_HUGEPAGE : VM_NOHUGEPAGE;
       return have_flags(t.after, op.mm.id, op.range, set, kBoth & ~set);
     })},
    {"thp_disable_is_kept",
     "A process has the state that PR_SET_THP_DISABLE gave it, and so has its child.",
     promise(kEvery, "prctl(2), PR_SET_THP_DISABLE"),
     "kernel/sys.c: prctl(); include/linux/sched/coredump.h: MMF_INIT_MASK",
     after<PrctlThpDisable>([](const PrctlThpDisable& op, const Transition& t) {
       return is_thp_disabled(t.after, op.mm.id) == (op.value == ThpDisable::on);
     }),
     after<Fork>([](const Fork& op, const Transition& t) {
       return is_thp_disabled(t.after, op.child.id) == is_thp_disabled(t.before, op.mm.id) &&
              is_thp_disabled(t.after, op.mm.id) == is_thp_disabled(t.before, op.mm.id);
     })},
    {"cold_page_is_deactivated",
     "After MADV_COLD the first page, if nobody shares it and it is small or meant whole, is "
     "neither young nor active.",
     promise(k6_1, "madvise(2), MADV_COLD"),
     "mm/madvise.c: madvise_cold_or_pageout_pte_range(); mm/swap.c: lru_deactivate_fn()",
     after<MadviseCold>([](const MadviseCold& op, const Transition& t) {
       const int mm = op.mm.id, first = op.range.first;
       if (!cold_page(op, t).any) return true;
       const Pfn pfn = mapped_frame(t.after, mm, first);
       return pfn != kNoPfn && !entry_of(t.after, mm, first).has(kYoung) &&
              !test(t.after, pfn, PG_active);
     })},
    // What was given away before may have become active since.
    {"freed_page_is_discardable",
     "MADV_FREE makes its first page, if nobody shares it and it is not cached, old, clean and "
     "not swap-backed. An active one is inactive then, unless it was given away before.",
     promise(k6_1, "madvise(2), MADV_FREE; filesystems/proc.rst, LazyFree"),
     "mm/madvise.c: madvise_free_pte_range(), mm/huge_memory.c: madvise_free_huge_pmd(), "
     "mm/swap.c: lru_lazyfree_fn()",
     after<MadviseFree>([](const MadviseFree& op, const Transition& t) {
       const Advised page = free_page(op, t);
       if (!page.any) return true;
       const Pfn pfn = mapped_frame(t.after, op.mm.id, op.range.first);
       if (pfn == kNoPfn) return false;
       const Entry& entry = entry_of(t.after, op.mm.id, op.range.first);
       const Pfn folio = page_folio(t.after, pfn);
       return !entry.has(kDirty) && !entry.has(kYoung) &&
              !test(t.after, folio, PG_swapbacked | PG_dirty) &&
              (page.active || !test(t.after, folio, PG_active));
     })},
};

}  // namespace thp
