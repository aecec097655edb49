// Rules about frames and folios. Part of invariants.cc.
#pragma once
#include <algorithm>

#include "oracle/rule.h"
#include "oracle/rules/certainties.h"
#include "oracle/rules/subjects.h"
#include "oracle/translate.h"

namespace thp {

inline constexpr RuleOf<TheFrame> kFrameInvariants[] = {
    {"tail_is_bare",
     "The frames behind a head, and only they, are tails. A tail has no reference, index or "
     "anon_vma of its own, and no flag but AnonExclusive.",
     assertion(kEvery),
     "mm/page_alloc.c prep_compound_page(), free_tail_pages_check(); include/linux/page-flags.h "
     "PF_HEAD",
     [](const TheFrame& f) {
       const bool first = f.pfn == f.block;
       if (f.has(PG_tail) != (!first && f.in_compound()) || (!first && f.has(PG_head)))
         return false;
       if (!f.has(PG_tail)) return true;
       return (f.page.flags & ~(PG_tail | PG_anon_exclusive)) == 0 && f.page.refcount == 0 &&
              f.page.index == 0 && f.page.anon_vma == kNoAnonVma && f.page.inode == kNoInode &&
              f.page.mlock_count == 0;
     }},
    // Where a PMD maps a page, pagemap asks its head: kHeadSpeaksForAll in model/defects.h. Of such
    // a tail only what kpagecount tells is right.
    {"mapcount_is_mappings",
     "kpagecount tells of a page how often it is mapped, by PTEs and as part of its huge page, and "
     "bit 56 of pagemap whether that is once. Of a PMD bit 56 tells it of the head.",
     promise(kEvery, "admin-guide/mm/pagemap.rst; proc(5), /proc/kpagecount and pagemap"),
     "fs/proc/page.c kpagecount_read(); fs/proc/task_mmu.c pte_to_pagemap_entry(); "
     "include/linux/mm.h page_mapcount()",
     count([](const TheFrame& f) { return f.count.ptes + f.pmds(); },
           [](const TheFrame& f) { return told_mapcount(f.m, f.pfn); })},
    {"no_compound_no_compound_state", "Where no compound page is, its fields are clear.",
     assertion(k6_1),
     "mm/page_alloc.c free_tail_pages_check(); mm/huge_memory.c free_transhuge_page()",
     [](const TheFrame& f) {
       return !f.begins_block() || f.in_compound() || f.m.compound(f.block) == Compound{};
     }},
    {"writable_pte_is_exclusive", "A page that a PTE maps writable is exclusive, or of a file.",
     assertion(kEvery), "mm/memory.c VM_BUG_ON in wp_page_reuse(), do_swap_page()",
     [](const TheFrame& f) {
       return f.count.writable_ptes == 0 || f.has(PG_anon_exclusive) || f.is_of_a_file();
     }},
    {"exclusive_page_is_alone",
     "An exclusive page that a PTE maps has no other mapping, swap entry or migration entry.",
     assertion(kEvery),
     "include/linux/page-flags.h PG_anon_exclusive; VM_BUG_ON_PAGE in page_add_anon_rmap()",
     [](const TheFrame& f) {
       if (f.count.ptes == 0 || !f.has(PG_anon_exclusive)) return true;
       const int swapped = f.cached() ? f.slot().ptes : 0;
       return f.count.ptes == 1 && f.pmds() == 0 && f.count.migration_ptes == 0 && swapped == 0;
     }},
    {"exclusive_migration_is_alone",
     "A page with a writable or exclusive migration PTE is mapped by nothing else.",
     assertion(kEvery), "include/linux/swapops.h; mm/rmap.c try_to_migrate_one()",
     [](const TheFrame& f) {
       if (f.count.exclusive_migration_ptes == 0) return true;
       return f.count.migration_ptes == 1 && f.count.ptes == 0 && f.pmds() == 0;
     }},
    {"exclusive_is_anonymous", "Only pages of an anonymous folio are exclusive.", assertion(kEvery),
     "include/linux/page-flags.h VM_BUG_ON_PGFLAGS in PageAnonExclusive()",
     [](const TheFrame& f) { return !f.has(PG_anon_exclusive) || test(f.m, f.head, PG_anon); }},
    {"cached_page_knows_its_slot",
     "Each page of a folio in the swap cache stands in one slot and knows it, those of a huge "
     "page in a row. No other page does.",
     assertion(kEvery),
     "mm/swap_state.c add_to_swap_cache(); VM_BUG_ON_PAGE in __delete_from_swap_cache()",
     [](const TheFrame& f) {
       if (!f.cached()) return f.count.cache_slots == 0 && f.page.private_slot == 0;
       const bool in_order = f.page.private_slot == f.m.page(f.head).private_slot + f.pfn - f.head;
       return in_order && f.count.cache_slots == 1 &&
              f.page.private_slot < f.m.geometry.swap_slots() &&
              f.m.swap(f.page.private_slot).cache == f.pfn;
     }},
    {"zero_page_stays_zero",
     "A zero page, small or huge, holds zeroes, and is neither mlocked nor on an LRU list.",
     promise(kEvery, "admin-guide/mm/concepts.rst, Anonymous Memory"),
     "mm/huge_memory.c get_huge_zero_page(); mm/memory.c do_anonymous_page()",
     [](const TheFrame& f) {
       const bool is_zero = is_huge_zero_page(f.m, f.head) || is_zero_page(f.m, f.pfn);
       return !is_zero || (f.page.content == 0 && !f.has(PG_mlocked | PG_unevictable | PG_lru));
     }},
};

// Does a page of a folio in the swap cache, that somebody needs, hold what its slot does not?
bool differs_from_disk(const TheFolio& f);

inline constexpr RuleOf<TheFolio> kFolioInvariants[] = {
    {"unheld_folio_is_free", "A folio that nobody holds is free, and a free frame is clean.",
     assertion(kEvery), "mm/swap.c __folio_put(); mm/page_alloc.c free_pages_prepare()",
     [](const TheFolio& f) { return (f.references() == 0) == (f.page == Page{}); }},
    {"refcount_is_holders",
     "A folio's reference count is the number of its holders: PMDs, PTEs, pages of the page cache "
     "and of the swap cache, gets, pins, isolations, a migration. A pin of a small page counts "
     "GUP_PIN_COUNTING_BIAS times.",
     accounting(kEvery, "mm/transhuge.rst, Refcounts"),
     "mm/huge_memory.c, mm/swap.c, mm/rmap.c: get_page(), put_page()",
     count([](const TheFolio& f) { return f.references(); },
           [](const TheFolio& f) { return int(f.page.refcount); })},
    {"pincount_is_pins", "A large folio's pin count is the number of its pins.",
     accounting(kEvery, "core-api/pin_user_pages.rst"), "mm/gup.c try_grab_folio()",
     count([](const TheFolio& f) { return f.large ? f.count.pins : kAnyCount; },
           [](const TheFolio& f) { return int(f.compound().pincount); })},
    {"compound_mapcount_is_pmds",
     "compound_mapcount is the number of PMDs that map the folio, less one.",
     accounting(k6_1, "mm/transhuge.rst, Refcounts"), "mm/page_alloc.c free_tail_pages_check()",
     count([](const TheFolio& f) { return f.large ? f.count.pmds - 1 : kAnyCount; },
           [](const TheFolio& f) { return int(f.compound().mapcount); })},
    {"double_map_needs_a_pmd",
     "DoubleMap of an anonymous folio is set only while some PMD maps it.", choice(k6_1),
     "mm/rmap.c page_remove_anon_compound_rmap(); mm/huge_memory.c __split_huge_pmd_locked()",
     [](const TheFolio& f) {
       return !f.large || !f.has(PG_anon) || !f.compound().double_map || f.count.pmds > 0;
     }},
    {"writable_pmd_is_exclusive", "A folio that a PMD maps writable is exclusive, or of a file.",
     assertion(kEvery), "mm/huge_memory.c VM_BUG_ON in remove_migration_pmd()",
     [](const TheFolio& f) {
       return f.count.writable_pmds == 0 || f.has(PG_anon_exclusive) || f.is_of_a_file();
     }},
    {"exclusive_pmd_is_alone", "An exclusive folio that a PMD maps has no other mapping.",
     assertion(kEvery),
     "include/linux/page-flags.h PG_anon_exclusive; VM_BUG_ON_PAGE in page_add_anon_rmap()",
     [](const TheFolio& f) {
       if (f.count.pmds == 0 || !f.has(PG_anon_exclusive)) return true;
       return f.count.pmds == 1 && f.count.ptes == 0 && f.count.migration_pmds == 0 &&
              f.count.migration_ptes == 0;
     }},
    {"exclusive_migration_pmd_is_alone",
     "A folio with a writable or exclusive migration PMD is mapped by nothing else.",
     assertion(kEvery), "mm/huge_memory.c set_pmd_migration_entry(), copy_huge_pmd()",
     [](const TheFolio& f) {
       if (f.count.exclusive_migration_pmds == 0) return true;
       return f.count.migration_pmds == 1 && f.count.migration_ptes == 0 &&
              !f.count.mapped_anywhere();
     }},
    {"mapped_page_has_a_mapping",
     "What an entry maps is anonymous or of a file, has its data, and is not a zero page.",
     assertion(kEvery), "mm/rmap.c __page_set_anon_rmap(); mm/memory.c vm_normal_page()",
     [](const TheFolio& f) {
       if (!f.count.mapped_anywhere()) return true;
       const bool has_mapping = f.has(PG_anon) || f.is_of_a_file();
       return has_mapping && f.has(PG_uptodate) && f.count.pointer == 0;
     }},
    {"anonymous_has_anon_vma", "A folio points to an anon_vma exactly while it is anonymous.",
     assertion(kEvery), "include/linux/page-flags.h PAGE_MAPPING_ANON",
     [](const TheFolio& f) { return f.has(PG_anon) == (f.page.anon_vma != kNoAnonVma); }},
    {"cached_folio_is_swapbacked",
     "A folio in the swap cache is swap-backed and has its data; no other is under writeback.",
     assertion(kEvery),
     "mm/swap_state.c VM_BUG_ON_FOLIO in add_to_swap_cache(), __delete_from_swap_cache()",
     [](const TheFolio& f) {
       if (!f.has(PG_swapcache)) return !f.has(PG_writeback);
       return f.has(PG_swapbacked) && f.has(PG_uptodate);
     }},
    {"clean_cached_page_is_on_disk",
     "A page in the swap cache that is not dirty, by its flag or by an entry, nor under writeback "
     "holds what its slot holds, if anybody maps it or has swapped it out.",
     promise(kEvery, "admin-guide/mm/pagemap.rst, DIRTY; filesystems/proc.rst, SwapCached"),
     "mm/vmscan.c pageout(); mm/rmap.c try_to_unmap_one(): folio_mark_dirty(); mm/memory.c "
     "do_swap_page()",
     [](const TheFolio& f) {
       if (!f.has(PG_swapcache) || f.has(PG_dirty | PG_writeback)) return true;
       return !differs_from_disk(f) || is_dirty_by_an_entry(f.m, f.head);
     }},
    {"large_cached_folio_owns_a_cluster",
     "A large folio in the swap cache owns a whole cluster, which is marked huge.", assertion(k6_1),
     "mm/swapfile.c swap_alloc_cluster(); VM_BUG_ON in put_swap_folio()",
     [](const TheFolio& f) {
       if (!f.large || !f.has(PG_swapcache)) return true;
       const int cluster = f.page.private_slot >> f.m.geometry.order;
       return f.page.private_slot == cluster << f.m.geometry.order &&
              cluster < f.m.geometry.swap_clusters() && f.m.cluster_huge(cluster);
     }},
    {"migrating_folio_is_locked", "Between ops exactly the folios of the migration are locked.",
     promise(kEvery, "mm/page_migration.rst, How migrate_pages() works"),
     "mm/migrate.c __unmap_and_move()",
     [](const TheFolio& f) { return f.has(PG_locked) == f.in_flight(); }},
    {"folio_is_listed_or_isolated",
     "An anonymous folio, and one of the page cache or the swap cache, is on the LRU, or one "
     "holder "
     "has isolated it.",
     choice(kEvery),
     "mm/vmscan.c folio_isolate_lru(), folio_putback_lru(); mm/swap.c folio_add_lru()",
     [](const TheFolio& f) {
       const bool reclaimable = f.has(PG_anon | PG_swapcache) || f.is_of_a_file();
       return f.off_lru() <= 1 && f.has(PG_lru) == (reclaimable && f.off_lru() == 0);
     }},
    {"mlocked_folio_is_unevictable",
     "A folio on the LRU is unevictable exactly while it is mlocked, and then not active.",
     assertion(kEvery), "mm/mlock.c; mm/swap.c lru_add_fn(); VM_BUG_ON_FOLIO in folio_lru_list()",
     [](const TheFolio& f) {
       if (!f.has(PG_lru)) return true;
       const bool wrong_list = f.has(PG_unevictable) && f.has(PG_active);
       return f.has(PG_unevictable) == f.has(PG_mlocked) && !wrong_list;
     }},
    {"queued_folio_is_splittable",
     "Only a live transparent huge page is on the deferred split queue.", assertion(kEvery),
     "mm/huge_memory.c deferred_split_huge_page(), free_transhuge_page()",
     [](const TheFolio& f) {
       if (!f.large || !f.compound().deferred) return true;
       return f.page.refcount > 0 && f.compound().transhuge;
     }},
    // Membership is sticky, so nothing is said of fully mapped folios. The two exceptions are
    // kPartlyMappedIsForgotten in model/defects.h.
    {"partly_mapped_is_queued",
     "A large anonymous folio without PMDs, of which some pages are mapped and others not, is "
     "queued for splitting; but one that was in the swap cache may have lost pages there, and one "
     "that has "
     "migrated its place in the queue.",
     promise(k6_1, "mm/transhuge.rst, Partial unmap and deferred_split_huge_page()"),
     "mm/rmap.c page_remove_anon_compound_rmap(): deferred_split_huge_page()",
     [](const TheFolio& f) {
       const int mapped = f.count.mapped;
       const bool partly = f.count.pmds == 0 && mapped > 0 && mapped < f.m.hpage_nr();
       if (!f.large || f.is_of_a_file() || !partly) return true;
       return f.compound().deferred || f.r.wandered(f.head);
     }},
    {"anonymous_huge_page_is_transparent",
     "A huge page is transparent if it is anonymous or of a file, and not if it is the zero page.",
     choice(kEvery), "mm/huge_memory.c prep_transhuge_page(), get_huge_zero_page()",
     [](const TheFolio& f) {
       if (!f.large) return true;
       return f.compound().transhuge ? f.count.pointer == 0 : !f.has(PG_anon) && !f.is_of_a_file();
     }},
    {"migrating_folio_is_unmapped",
     "A folio that migrates has a target of its size, and nothing maps the one or the other.",
     promise(kEvery, "mm/page_migration.rst, How migrate_pages() works"),
     "mm/migrate.c __unmap_and_move()",
     [](const TheFolio& f) {
       const auto [src, dst] = f.m.migration;
       if (!f.in_flight()) return true;
       if (src == dst || std::max(src, dst) >= f.m.frames()) return false;
       const bool same_size = folio_test_large(f.m, src) == folio_test_large(f.m, dst);
       return same_size && !f.count.mapped_anywhere();
     }},
};

// Off the LRU lists nothing is counted, and the first lock that goes is taken for the last: there
// may be more locks than are counted.
inline constexpr RuleOf<TheMlocked> kMlockedInvariants[] = {
    {"no_lock_is_left_behind",
     "A mlocked folio is mapped in a locked VMA, a huge one by a PMD. It counts no more locks than "
     "there are.",
     promise(kEvery,
             "mm/unevictable-lru.rst, Basic Management and mlock() System Call Handling; mlock(2), "
             "NOTES"),
     "mm/mlock.c __munlock_page(); mm/internal.h munlock_vma_page(); mm/rmap.c page_remove_rmap()",
     [](const TheMlocked& f) { return f.locks > 0 && counted_locks_of(f.m, f.folio) <= f.locks; }},
};

}  // namespace thp
