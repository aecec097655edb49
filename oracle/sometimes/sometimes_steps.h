// Steps that traces must come by: what an op did, by the machine before and after it. Part of
// sometimes.cc.
#pragma once
#include <cerrno>

#include "oracle/sometimes/sometimes.h"

namespace thp {

// Swap PTEs that there were before the op and are no more.
inline int swapped_in(const TheStep& s) {
  int entries = 0;
  for (std::size_t mm = 0; mm < s.m.mms.size(); ++mm)
    entries += s.before.mms[mm].swap_entries - s.m.mms[mm].swap_entries;
  return entries;
}

// Folios that this op has split from the deferred split queue.
inline int split_by_a_scan(const TheStep& s) {
  return s.is<ShrinkDeferred, DropCaches>() ? s.counted(Event::thp_split_page) : 0;
}

inline constexpr Sometimes kSteps[] = {
    // --- Copy on write.
    {"reuse_of_a_shared_huge_page",
     "A store makes a huge page exclusive again: the others are gone.",
     [](const TheStep& s) {
       return s.is<Store, StoreForced>() && s.some_pmd([](Entry was, Entry now, Bits head) {
         return was.is_present() && now.is_present() && was.frame == now.frame &&
                (head & PG_anon_exclusive) == 0 && now.has(kWrite);
       });
     }},
    {"reuse_of_an_exclusive_huge_page", "A store makes an exclusive read-only PMD writable again.",
     [](const TheStep& s) {
       return s.is<Store>() && s.some_pmd([](Entry was, Entry now, Bits head) {
         return was.is_present() && now.is_present() && was.frame == now.frame &&
                !was.has(kWrite) && now.has(kWrite) && (head & PG_anon_exclusive) != 0;
       });
     }},
    {"copy_splits_the_pmd", "A store to a shared huge page splits the PMD and copies one page.",
     [](const TheStep& s) {
       return s.is<Store>() && s.some_pmd([](Entry was, Entry now, Bits head) {
         return was.is_present() && now.is_table() && (head & PG_anon_exclusive) == 0;
       });
     }},
    {"store_to_huge_zero", "A store splits the huge zero PMD.",
     [](const TheStep& s) {
       return s.is<Store>() && s.some_pmd([](Entry was, Entry now, Bits) {
         return was.is_zero() && now.is_table();
       });
     }},
    {"forced_store_leaves_read_only",
     "A forced store writes to a huge page, its PMD stays read-only.",
     [](const TheStep& s) {
       return s.is<StoreForced>() && s.result == 0 && s.some_pmd([](Entry was, Entry now, Bits) {
         return now.is_present() && !now.has(kWrite) && now.has(kDirty) && was != now;
       });
     }},
    {"unshared_by_a_pin", "A read pin of a shared huge page copies or reuses it first.",
     [](const TheStep& s) {
       const auto* pin = std::get_if<Pin>(&s.op);
       return pin != nullptr && pin->mode == PinMode::r && s.result == 0 &&
              s.counted(Event::thp_split_pmd) > 0;
     }},
    {"device_writes_to_an_orphan", "A device writes to a page that nobody maps any more.",
     [](const TheStep& s) {
       const auto* store = std::get_if<StoreViaPin>(&s.op);
       if (store == nullptr || s.result != 0) return false;
       const Pfn pfn = s.m.holders[std::size_t(store->holder.id)].pfn;
       return pfn < s.m.frames() && !s.r.folio(s.m, page_folio(s.m, pfn)).mapped_anywhere();
     }},
    // --- Fork.
    {"fork_shares_a_huge_page", "Fork shares a huge page whole.",
     [](const TheStep& s) {
       return s.is<Fork>() && s.some_pmd([](Entry was, Entry now, Bits) {
         return was.is_none() && now.is_present();
       });
     }},
    {"fork_splits_a_pinned_huge_page", "Fork splits the PMD of a pinned huge page and copies.",
     [](const TheStep& s) {
       return s.is<Fork>() && s.some_pmd([](Entry was, Entry now, Bits head) {
         return was.is_present() && now.is_table() && (head & PG_anon_exclusive) != 0;
       });
     }},
    {"fork_copies_a_migration_pmd", "Fork copies a migration PMD.",
     [](const TheStep& s) {
       return s.is<Fork>() && s.some_pmd([](Entry was, Entry now, Bits) {
         return was.is_none() && now.is_migration();
       });
     }},
    {"fork_copies_a_huge_zero_pmd", "Fork copies a huge zero PMD.",
     [](const TheStep& s) {
       return s.is<Fork>() &&
              s.some_pmd([](Entry was, Entry now, Bits) { return was.is_none() && now.is_zero(); });
     }},
    {"fork_fails", "Fork finds no memory and leaves no child.",
     [](const TheStep& s) { return s.is<Fork>() && s.result == -ENOMEM; }},
    // --- Losing mappings.
    {"munmap_splits", "munmap() of a part splits a PMD.",
     [](const TheStep& s) { return s.is<Munmap>() && s.counted(Event::thp_split_pmd) > 0; }},
    {"mprotect_splits", "mprotect() of a part splits a PMD.",
     [](const TheStep& s) { return s.is<Mprotect>() && s.counted(Event::thp_split_pmd) > 0; }},
    {"mlock_splits", "mlock() or munlock() of a part splits a PMD.",
     [](const TheStep& s) {
       return s.is<Mlock, Munlock>() && s.counted(Event::thp_split_pmd) > 0;
     }},
    {"dontneed_splits", "MADV_DONTNEED of a part splits a PMD.",
     [](const TheStep& s) {
       return s.is<MadviseDontneed>() && s.counted(Event::thp_split_pmd) > 0;
     }},
    {"free_splits_the_folio", "MADV_FREE of a part splits the folio.",
     [](const TheStep& s) { return s.is<MadviseFree>() && s.counted(Event::thp_split_page) > 0; }},
    {"cold_splits_the_folio", "MADV_COLD of a part splits the folio.",
     [](const TheStep& s) { return s.is<MadviseCold>() && s.counted(Event::thp_split_page) > 0; }},
    {"pageout_whole", "MADV_PAGEOUT writes a huge page out whole.",
     [](const TheStep& s) { return s.is<MadvisePageout>() && s.counted(Event::thp_swpout) > 0; }},
    {"mremap_moves_a_huge_pmd", "mremap() moves a huge PMD whole.",
     [](const TheStep& s) {
       return s.is<Mremap>() && s.result >= 0 && s.counted(Event::thp_split_pmd) == 0 &&
              s.some_pmd(
                  [](Entry was, Entry now, Bits) { return was.is_none() && now.is_present(); });
     }},
    {"mremap_splits", "mremap() to where a huge PMD can't be splits it.",
     [](const TheStep& s) { return s.is<Mremap>() && s.counted(Event::thp_split_pmd) > 0; }},
    {"exit_queues", "An exit unmaps the last PMD of a folio that others map in part.",
     [](const TheStep& s) { return s.is<Exit>() && s.m.deferred_len > s.before.deferred_len; }},
    {"exit_in_flight", "An address space exits while its pages migrate.",
     [](const TheStep& s) {
       const auto* exit = std::get_if<Exit>(&s.op);
       return exit != nullptr && s.result == 0 && s.m.migration.in_flight() &&
              s.before.mms[std::size_t(exit->mm.id)].anon_pages > 0;
     }},
    // --- Cutting huge pages of files.
    {"cut_splits_a_huge_page", "A cut amid a huge page of a file splits it.",
     [](const TheStep& s) {
       return s.is<Truncate, Punch>() && s.counted(Event::thp_split_page) > 0;
     }},
    {"cut_of_a_held_huge_page", "A cut amid a huge page of a file cannot split it.",
     [](const TheStep& s) {
       return s.is<Truncate, Punch>() && s.counted(Event::thp_split_page_failed) > 0;
     }},
    {"split_drops_what_lies_beyond", "A split of a huge page drops what its file does not have.",
     [](const TheStep& s) {
       return s.is<SplitFile, SplitFolio, ShrinkShmem>() && s.counted(Event::thp_split_page) > 0 &&
              s.m.nr_shmem < s.before.nr_shmem;
     }},
    {"store_maps_a_huge_page_again", "A store splits the huge mapping of a file and maps it again.",
     [](const TheStep& s) {
       return s.is<Store>() && s.counted(Event::thp_split_pmd) > 0 &&
              s.counted(Event::thp_file_mapped) > 0;
     }},
    // --- Splitting folios.
    {"freeze_fails_and_queues", "A split fails at the freeze, and the folio has queued itself.",
     [](const TheStep& s) {
       return s.ends_in(Reason::split_EAGAIN_freeze) && s.m.deferred_len > s.before.deferred_len;
     }},
    {"freeze_fails_and_splits_pmds", "A split fails at the freeze, and PMDs have become PTEs.",
     [](const TheStep& s) {
       return s.ends_in(Reason::split_EAGAIN_freeze) && s.counted(Event::thp_split_pmd) > 0;
     }},
    {"split_of_a_huge_page_of_two", "A folio is split that two PMDs mapped.",
     [](const TheStep& s) {
       return s.counted(Event::thp_split_page) == 1 && s.counted(Event::thp_split_pmd) >= 2;
     }},
    {"scan_splits_two", "One scan of the queue splits two folios.",
     [](const TheStep& s) { return split_by_a_scan(s) >= 2; }},
    {"scan_leaves_some", "A scan of the queue splits some folios and leaves others queued.",
     [](const TheStep& s) { return split_by_a_scan(s) > 0 && s.m.deferred_len > 0; }},
    {"scan_frees_unmapped_pages", "A split frees pages that nobody maps.",
     [](const TheStep& s) {
       int held = 0;
       for (const int used : s.r.used_frames()) held += used > 0 && used < s.m.hpage_nr();
       return split_by_a_scan(s) > 0 && held > 0;
     }},
    // --- Swap.
    {"swap_out_split", "No cluster is free, so that a huge page is split and swapped out by pages.",
     [](const TheStep& s) { return s.counted(Event::thp_swpout_fallback) > 0; }},
    {"swap_in_copies_a_tail", "A tail in the swap cache is not mapped again but copied.",
     [](const TheStep& s) {
       const auto* load = std::get_if<Load>(&s.op);
       if (load == nullptr || swapped_in(s) != 1 || s.counted(Event::pswpin) > 0) return false;
       const Entry pte = s.m.pte(load->mm.id, load->page.number);
       return pte.is_present() && !test(s.m, pte.frame, PG_head | PG_tail | PG_swapcache) &&
              s.m.nr_swapcache > 0;
     }},
    {"swap_in_reads", "A page is read from the device.",
     [](const TheStep& s) { return s.is<Load, Store>() && s.counted(Event::pswpin) > 0; }},
    {"swapoff_reads_back", "swapoff() reads pages back.",
     [](const TheStep& s) { return s.is<Swapoff>() && s.result == 0 && swapped_in(s) > 0; }},
    {"swapoff_fails", "swapoff() finds no memory.",
     [](const TheStep& s) { return s.is<Swapoff>() && s.result == -ENOMEM; }},
    {"reclaim_frees_a_huge_page", "Reclaim frees a huge page whole.",
     [](const TheStep& s) { return s.is<Reclaim>() && s.result == s.m.hpage_nr(); }},
    {"reclaim_discards", "Reclaim discards a lazily freed page without writing it.",
     [](const TheStep& s) {
       return s.ends_in(Reason::reclaimed) && s.counted(Event::pswpout) == 0 &&
              s.m.nr_swapcache == 0;
     }},
    // --- Migration.
    {"migration_moves_two_pmds", "A huge page that two PMDs map has moved.",
     [](const TheStep& s) {
       int moved = 0;
       s.some_pmd([&](Entry was, Entry now, Bits) {
         moved += now.is_present() &&
                  (was.is_migration() || (was.is_present() && was.frame != now.frame));
         return false;
       });
       return s.counted(Event::thp_migration_success) > 0 && moved >= 2;
     }},
    {"migration_puts_a_huge_page_back", "A migration fails at its end, and PMDs come back as PMDs.",
     [](const TheStep& s) {
       return s.is<MigrateEnd>() && s.result == -EAGAIN &&
              s.some_pmd([](Entry was, Entry now, Bits) {
                return was.is_migration() && now.is_present();
              });
     }},
    {"fault_waits_for_migration", "An access waits for a migration to end.",
     [](const TheStep& s) {
       return s.is<Load, Store>() && s.before.migration.in_flight() && !s.m.migration.in_flight();
     }},
    {"migration_pmd_is_split", "A migration PMD is split into migration PTEs.",
     [](const TheStep& s) {
       return s.some_pmd(
           [](Entry was, Entry now, Bits) { return was.is_migration() && now.is_table(); });
     }},
    // --- Collapse.
    {"collapse_replaces_a_shared_page", "A collapse copies what another address space maps too.",
     [](const TheStep& s) {
       if (!s.ends_in(Reason::SCAN_SUCCEED) || s.counted(Event::thp_collapse_alloc) == 0)
         return false;
       int mms = 0;
       for (const Mm& mm : s.m.mms) mms += mm.anon_pages > 0;
       return mms >= 2;
     }},
    {"collapse_swaps_in", "A collapse swaps pages in first.",
     [](const TheStep& s) {
       return s.ends_in(Reason::SCAN_SUCCEED) && s.counted(Event::thp_collapse_alloc) > 0 &&
              swapped_in(s) > 0;
     }},
    {"collapse_fills_holes", "A collapse fills holes and zero pages.",
     [](const TheStep& s) {
       int grown = 0;
       for (std::size_t mm = 0; mm < s.m.mms.size(); ++mm)
         grown += s.m.mms[mm].anon_pages > s.before.mms[mm].anon_pages;
       return s.ends_in(Reason::SCAN_SUCCEED) && s.counted(Event::thp_collapse_alloc) > 0 && grown;
     }},
    // --- Faults and answers.
    {"sigsegv", "An access is not allowed.", [](const TheStep& s) { return s.result == kSigsegv; }},
    {"oom", "An access finds no memory.", [](const TheStep& s) { return s.result == kOom; }},
    {"huge_zero_is_shrunk", "The shrinker frees the huge zero page.",
     [](const TheStep& s) { return s.before.huge_zero && s.m.huge_zero_page == kNoPfn; }},
    {"isolate_fails", "A folio can't be isolated twice.",
     [](const TheStep& s) { return s.is<Isolate>() && s.result == -EBUSY; }},
    // --- Failures that came true.
    {"no_huge_page", "The allocation of a huge page was made to fail.",
     [](const TheStep& s) { return s.consumed(&Injections::fail_huge_alloc); }},
    {"no_small_page", "The allocation of a small page was made to fail.",
     [](const TheStep& s) { return s.consumed(&Injections::fail_small_alloc); }},
    {"no_charge", "A charge was made to fail.",
     [](const TheStep& s) { return s.consumed(&Injections::fail_charge); }},
    {"no_cluster", "A whole swap cluster was made unavailable.",
     [](const TheStep& s) { return s.consumed(&Injections::fail_swap_cluster); }},
    {"lock_contended", "A trylock met a locked page.",
     [](const TheStep& s) { return s.consumed(&Injections::contend_page_lock); }},
    {"reference_in_the_way", "A freeze met a speculative reference.",
     [](const TheStep& s) { return s.consumed(&Injections::speculative_ref); }},
};

}  // namespace thp
