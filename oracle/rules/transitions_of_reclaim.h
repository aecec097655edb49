// Rules about reclaim of a page. Most are asked only where nothing disturbs: no failure is
// injected, nothing migrates, no locked VMA maps the folio, and it does not lie behind a huge PMD
// of another. Part of transitions.cc.
#pragma once
#include <cerrno>

#include "oracle/rules/transitions.h"

namespace thp {

// It may have left the swap cache, and memory, at once.
inline bool is_swapped_whole(const Machine& m, Pfn folio) {
  const bool freed = m.used_frames(folio >> m.geometry.order) == 0;
  return freed || (folio_test_large(m, folio) && !is_mapped(m, folio));
}

inline int count_frames_in_use(const Machine& m) {
  int frames = 0;
  for (const std::uint16_t used : m.used_frames()) frames += used;
  return frames;
}

// Is a huge page split, and of its pages mlocked what somebody locks, and nothing else?
inline bool is_split_by_locks(const Scan& s) {
  const Machine& m = s.t.after;
  if (folio_test_large(m, s.folio)) return false;
  for (Pfn pfn = s.folio; pfn < s.folio + m.hpage_nr(); ++pfn)
    if (test(m, pfn, PG_mlocked) != (count_locks_of(m, pfn) > 0)) return false;
  return true;
}

// Pages of the range that MADV_PAGEOUT must unmap are still there.
bool pageout_leaves_some(const MadvisePageout& op, const Transition& t);

inline constexpr RuleOf<Scan> kScanRules[] = {
    {"held_folio_is_not_freed", "Reclaim frees no folio that somebody holds.",
     promise(kEvery, "core-api/pin_user_pages.rst; admin-guide/mm/concepts.rst, Reclaim"),
     "mm/vmscan.c: shrink_folio_list(), __remove_mapping()",
     [](const Scan& s) { return !s.is_held() || s.t.result <= 0; }},
    {"reclaim_tries_evictable_pages",
     "Reclaim tries a page that is on the LRU, evictable and not held.", choice(k6_1),
     "mm/vmscan.c: isolate_lru_folios(), shrink_folio_list()",
     [](const Scan& s) { return !s.mapped() || !s.listed() || s.is_held() || s.t.succeeded(); }},
    {"used_page_stays",
     "A page that was used stays mapped, and in the swap cache unless swap is more than half full.",
     choice(k6_1), "mm/vmscan.c: folio_check_references(), shrink_folio_list(): activate_locked",
     [](const Scan& s) {
       const int users = s.t.succeeded() && s.scanned() ? s.users() : 0;
       const bool leaves_cache = !is_swap_full(s.m) && s.has(PG_swapcache) &&
                                 !test(s.t.after, s.folio_now(), PG_swapcache);
       return users == 0 || (s.now().is_present() && !leaves_cache);
     }},
    {"activated_page_leaves_full_swap",
     "A page that reclaim finds locked, or used twice while swap is more than half full, leaves "
     "the swap cache, if no swap entry or writeback needs it there.",
     choice(k6_1), "mm/vmscan.c: shrink_folio_list(): activate_locked: folio_free_swap()",
     [](const Scan& s) {
       if (!s.t.succeeded() || !s.mapped() || !s.listed() || !s.has(PG_swapcache)) return true;
       if (!is_idle_but_for_mapping(s.m, s.folio)) return true;
       const bool undisturbed = s.t.nothing_injected() && !s.m.migration.in_flight() &&
                                !mapped_behind_a_huge_pmd(s.m, s.folio);
       const bool locked = undisturbed && count_locks_of(s.m, s.folio) > 0;
       const int users = s.scanned() && is_swap_full(s.m) ? s.users() : 0;
       const bool twice = users > 1 || (users == 1 && s.has(PG_referenced));
       return !(locked || twice) || !test(s.t.after, s.folio_now(), PG_swapcache);
     }},
    {"huge_page_is_swapped_whole",
     "Reclaim swaps out whole a huge page that a PMD maps and nobody holds or has used, if a "
     "cluster is free.",
     choice(k6_1),
     "mm/vmscan.c: shrink_folio_list(): add_to_swap(); mm/swapfile.c: swap_alloc_cluster()",
     [](const Scan& s) {
       return !s.t.succeeded() || !s.scanned() || s.users() > 0 ||
              !certainly_swaps_whole(s.m, s.folio, s.count) || is_swapped_whole(s.t.after, s.folio);
     }},
    {"idle_page_is_swapped_out",
     "Reclaim unmaps a page that nobody holds, locks or has used, if there is a slot.",
     choice(k6_1), "mm/vmscan.c: shrink_folio_list()",
     [](const Scan& s) {
       return !s.t.succeeded() || !s.unmapped() || !test(s.m, s.pfn, PG_swapbacked) ||
              !s.now().is_present();
     }},
    {"unlocked_rest_is_reclaimable",
     "Reclaim splits a huge page that nobody holds or has used and that PTEs alone map, some of "
     "them in locked VMAs. What is locked there is mlocked then, and the rest evictable.",
     promise(k6_1, "mm/unevictable-lru.rst, MLOCKING Transparent Huge Pages"),
     "mm/rmap.c: folio_referenced_one(); mm/vmscan.c: shrink_folio_list(): split_folio_to_list()",
     [](const Scan& s) {
       return !s.t.succeeded() || !s.partly_locked() || s.users() > 0 || is_split_by_locks(s);
     }},
    {"unneeded_page_is_freed",
     "Reclaim frees a page that nobody holds, that the disk has and one at most maps, and one that "
     "was given away by its only user.",
     choice(k6_1), "mm/vmscan.c: __remove_mapping(); mm/rmap.c: try_to_unmap_one(): lazyfree",
     [](const Scan& s) {
       const int references = s.count.references(s.large());
       if (s.is_cached_only())
         return references != s.pages() || s.has(PG_dirty) || s.t.result == s.pages();
       if (!s.scanned() || s.has(PG_dirty) || s.entry.has(kDirty) || s.users() > 0) return true;
       if (s.has(PG_swapcache) && references == 2 && s.unmapped()) return s.t.result == 1;
       if (s.has(PG_swapbacked) || references != 1) return true;
       const bool discarded = s.large() ? s.count.pmds == 1 : s.unmapped();
       return !discarded || s.t.result == s.pages();
     }},
};

inline constexpr OpRule kReclaimRules[] = {
    {"folio_is_isolated_once", "A folio is isolated by one holder at a time.",
     promise(kEvery, "mm/page_migration.rst, In kernel use of migrate_pages()"),
     "mm/vmscan.c: folio_isolate_lru()", over<Reclaim>([](const Reclaim&, const Transition& t) {
       const Pfn pfn = t.page.frame_was;
       const FolioCount count = pfn == kNoPfn ? FolioCount{} : t.count(page_folio(t.before, pfn));
       return count.isolations + count.migration == 0 || t.result == -EBUSY;
     }),
     over<Isolate>([](const Isolate& op, const Transition& t) {
       const Pfn pfn = t.page.frame_was;
       const bool free = t.before.holders[std::size_t(op.holder.id)].kind == HolderKind::none;
       if (!free || pfn == kNoPfn) return true;
       return t.result == (test(t.before, page_folio(t.before, pfn), PG_lru) ? 0 : -EBUSY);
     }),
     over<MigrateBegin>([](const MigrateBegin&, const Transition& t) {
       const Pfn pfn = t.page.frame_was;
       const bool isolated = pfn != kNoPfn && t.count(page_folio(t.before, pfn)).isolations > 0;
       return !isolated || !t.succeeded();
     })},
    // At a huge page that it cannot split the walk leaves the page table: no document says so.
    {"advised_page_is_swapped_out",
     "MADV_PAGEOUT swaps out each page of its range that nobody else maps or holds, whatever its "
     "neighbours are, if there are slots. Where a huge page is shared or held, what lies behind it "
     "in its block may stay.",
     promise(k6_1, "madvise(2), MADV_PAGEOUT"),
     "mm/madvise.c: madvise_cold_or_pageout_pte_range(); mm/vmscan.c: reclaim_pages()",
     after<MadvisePageout>([](const MadvisePageout& op, const Transition& t) {
       return !pageout_leaves_some(op, t);
     })},
    {"advised_huge_page_is_swapped_whole",
     "MADV_PAGEOUT swaps out whole a huge page that it means all of, that a PMD maps and nobody "
     "holds or locks, if a cluster is free.",
     choice(k6_1),
     "mm/vmscan.c: shrink_folio_list(): add_to_swap(); mm/swapfile.c: swap_alloc_cluster()",
     after<MadvisePageout>([](const MadvisePageout& op, const Transition& t) {
       const Machine& m = t.before;
       const int first = op.range.first;
       const Pfn folio = mapped_frame(m, op.mm.id, first);
       if (folio == kNoPfn || op.range.size() != m.hpage_nr() || first != pmd_first(m, first))
         return true;
       if (m.pmd(op.mm.id, pmd_index(m, first)).is_table() || !nothing_interferes(m, folio))
         return true;
       if (!test(m, folio, PG_lru) || test(m, folio, PG_writeback | PG_unevictable)) return true;
       return !certainly_swaps_whole(m, folio, t.count(folio)) || is_swapped_whole(t.after, folio);
     })},
    {"split_head_is_swapped_out",
     "The head of a huge page that reclaim splits for want of a cluster is swapped out, where a "
     "slot is left.",
     choice(k6_1), "mm/vmscan.c: shrink_folio_list(): add_to_swap() after split_folio_to_list()",
     over<Reclaim>([](const Reclaim&, const Transition& t) {
       const Pfn pfn = t.page.frame_was;
       if (t.grown(Event::thp_swpout_fallback) == 0 || pfn == kNoPfn) return true;
       const Pfn folio = page_folio(t.before, pfn);
       return !has_free_slots(t.before, 1) || test(t.after, folio, PG_swapcache | PG_mlocked) ||
              !is_mapped(t.after, folio);
     })},
    // Not counted is what a split frees, and what goes when reclaim puts back what nobody has.
    {"reclaim_says_what_it_freed",
     "Reclaim frees as many pages as it says, or more where it splits or slots get idle.",
     accounting(kEvery), "mm/vmscan.c: shrink_folio_list(): nr_reclaimed",
     over<Reclaim>(count(
         [](const Reclaim&, const Transition& t) {
           const bool splits = t.page.frame_was != kNoPfn && large_blocks_of(t.before) != 0;
           const int freed = count_frames_in_use(t.before) - count_frames_in_use(t.after);
           const int said = std::max(t.result, 0);
           const bool exact = t.nothing_injected() && !splits && !has_idle_slots(t.before);
           return exact ? freed : std::min(freed, said);
         },
         [](const Reclaim&, const Transition& t) { return std::max(t.result, 0); }))},
};

}  // namespace thp
