// Rules about swap slots, holders, and the machine as a whole. Part of invariants.cc.
#pragma once
#include <bit>

#include "oracle/rule.h"
#include "oracle/rules/subjects.h"

namespace thp {

inline constexpr RuleOf<TheSlot> kSlotInvariants[] = {
    {"swap_count_is_entries", "A slot's count is the number of swap entries that hold it.",
     accounting(kEvery), "mm/swapfile.c swap_duplicate(), swap_entry_free()",
     count([](const TheSlot& s) { return int(s.count.ptes); },
           [](const TheSlot& s) { return int(s.slot.count); })},
    {"exclusive_swap_entry_is_alone",
     "An exclusive swap entry is the only one of its slot, and nothing maps the cached page.",
     assertion(kEvery),
     "mm/memory.c copy_nonpresent_pte(), BUG_ON in do_swap_page(); mm/rmap.c try_to_unmap_one()",
     [](const TheSlot& s) {
       if (s.count.exclusive_ptes == 0) return true;
       return s.count.ptes == 1 && !(s.cached() && s.cache_is_mapped());
     }},
};

inline constexpr RuleOf<TheHolder> kHolderInvariants[] = {
    {"isolation_is_of_a_folio", "Only folios are isolated, never tails or zero pages.",
     assertion(kEvery), "mm/vmscan.c folio_isolate_lru()",
     [](const TheHolder& h) {
       if (h.holder.kind != HolderKind::isolation) return true;
       return h.on_frame() && !test(h.m, h.holder.pfn, PG_tail) &&
              h.holder.pfn != h.m.huge_zero_page;
     }},
    {"pinned_page_is_exclusive",
     "A pinned anonymous page is exclusive, by its own flag or its head's, until it is "
     "unpinned.",
     assertion(kEvery), "mm/gup.c VM_BUG_ON_PAGE in sanity_check_pinned_pages()",
     [](const TheHolder& h) {
       if (h.holder.kind != HolderKind::pin || !h.on_frame()) return true;
       const Pfn folio = page_folio(h.m, h.holder.pfn);
       return !test(h.m, folio, PG_anon) || test(h.m, folio, PG_anon_exclusive) ||
              test(h.m, h.holder.pfn, PG_anon_exclusive);
     }},
};

inline constexpr RuleOf<TheMachine> kMachineInvariants[] = {
    {"used_frames_are_counted",
     "The allocator counts as used the frames of a block that are not free.",
     accounting(kEvery, "filesystems/proc.rst, MemFree"), "mm/page_alloc.c __free_one_page()",
     [](const TheMachine& t) { return std::ranges::equal(t.m.used_frames(), t.r.used_frames()); }},
    {"anon_huge_pages_is_pmd_mapped", "AnonHugePages is the pages of the folios that PMDs map.",
     accounting(kEvery, "filesystems/proc.rst, AnonHugePages"),
     "mm/rmap.c page_add_anon_rmap(), page_remove_anon_compound_rmap()",
     count([](const TheMachine& t) { return t.r.nr_anon_thps(); },
           [](const TheMachine& t) { return int(t.m.nr_anon_thps); })},
    // The surplus is kAnonPagesDrifts in model/defects.h.
    {"anon_pages_is_mapped_pages",
     "AnonPages is the pages that something maps. What PTEs map beside a PMD counts twice where a "
     "migration or a swap-in has put the one beside the other, and, once that PMD is split, for "
     "ever.",
     accounting(k6_1, "filesystems/proc.rst, AnonPages"),
     "mm/rmap.c; mm/huge_memory.c __split_huge_pmd_locked(), remove_migration_pmd()",
     count([](const TheMachine& t) { return t.r.nr_anon_mapped(t.m) + t.r.drift_allowed(); },
           [](const TheMachine& t) { return int(t.m.nr_anon_mapped); })},
    {"swap_cached_is_cached_pages", "SwapCached is the pages in the swap cache.",
     accounting(kEvery, "filesystems/proc.rst, SwapCached"),
     "mm/swap_state.c add_to_swap_cache(), __delete_from_swap_cache()",
     count([](const TheMachine& t) { return t.r.nr_swapcache(); },
           [](const TheMachine& t) { return int(t.m.nr_swapcache); })},
    {"shmem_is_cached_pages", "Shmem is the pages of files of memory that are in the page cache.",
     accounting(kEvery, "filesystems/proc.rst, Shmem"),
     "mm/shmem.c shmem_add_to_page_cache(); mm/filemap.c filemap_unaccount_folio()",
     count([](const TheMachine& t) { return t.r.nr_shmem(); },
           [](const TheMachine& t) { return int(t.m.nr_shmem); })},
    {"shmem_huge_pages_is_cached_huge_pages",
     "ShmemHugePages is the pages of huge folios in the page cache, mapped or not, whatever the "
     "settings say.",
     accounting(kEvery, "filesystems/proc.rst, ShmemHugePages"),
     "mm/shmem.c shmem_add_to_page_cache(); mm/huge_memory.c split_huge_page_to_list()",
     count([](const TheMachine& t) { return t.r.nr_shmem_thps(t.m); },
           [](const TheMachine& t) { return int(t.m.nr_shmem_thps); })},
    {"shmem_pmd_mapped_is_pmd_mapped",
     "ShmemPmdMapped is the pages of the folios of files that PMDs map.",
     accounting(kEvery, "filesystems/proc.rst, ShmemPmdMapped"),
     "mm/rmap.c page_add_file_rmap(), page_remove_file_rmap()",
     count([](const TheMachine& t) { return t.r.nr_shmem_pmdmapped(); },
           [](const TheMachine& t) { return int(t.m.nr_shmem_pmdmapped); })},
    {"mapped_is_mapped_file_pages", "Mapped counts each page of a file that something maps, once.",
     accounting(kEvery, "filesystems/proc.rst, Mapped"),
     "mm/rmap.c page_add_file_rmap(), page_remove_file_rmap()",
     count([](const TheMachine& t) { return t.r.nr_file_mapped(); },
           [](const TheMachine& t) { return int(t.m.nr_file_mapped); })},
    {"shrinklist_holds_marked_files",
     "The list of files whose huge pages may reach beyond their end holds each that is marked so, "
     "once.",
     accounting(kEvery), "mm/shmem.c shmem_unused_huge_shrink()",
     [](const TheMachine& t) {
       unsigned listed = 0, marked = 0;
       for (int i = 0; i < t.m.shm_mnt.shrinklist_len; ++i)
         listed |= 1u << (t.m.shm_mnt.shrinklist[std::size_t(i)] & 31);
       for (int i = 0; i < t.m.geometry.inodes; ++i)
         marked |= unsigned(t.m.inodes[std::size_t(i)].on_shrinklist != 0) << i;
       return listed == marked && std::popcount(listed) == t.m.shm_mnt.shrinklist_len;
     }},
    {"pins_balance", "Pins acquired less pins released are the pins that are held.",
     accounting(kEvery, "core-api/pin_user_pages.rst, Unit testing"),
     "include/linux/mmzone.h NR_FOLL_PIN_ACQUIRED; mm/gup.c",
     count([](const TheMachine& t) { return t.r.outstanding_pins(); },
           [](const TheMachine& t) {
             const auto acquired = t.m.events[std::size_t(Event::nr_foll_pin_acquired)];
             const auto released = t.m.events[std::size_t(Event::nr_foll_pin_released)];
             return int(acquired - released);
           })},
    {"huge_zero_refcount_is_users",
     "The huge zero page is a compound page with one reference for each process that has used "
     "it, and the shrinker's; without it there is none.",
     accounting(kEvery), "mm/huge_memory.c mm_get_huge_zero_page(); BUG_ON in put_huge_zero_page()",
     [](const TheMachine& t) {
       const Pfn page = t.m.huge_zero_page;
       int users = page != kNoPfn;
       for (const Mm& mm : t.m.mms) users += mm.huge_zero_page;
       if (t.m.huge_zero_refcount != users || (users > 0) != (page != kNoPfn)) return false;
       return page == kNoPfn || (page < t.m.frames() && test(t.m, page, PG_head));
     }},
    {"queue_holds_marked_folios",
     "The deferred split queue holds each folio that is marked as queued, once.",
     accounting(kEvery), "mm/huge_memory.c deferred_split_huge_page(), deferred_split_scan()",
     [](const TheMachine& t) {
       std::uint64_t queued = 0;
       for (const Pfn head : t.m.deferred_queue())
         queued |= std::uint64_t{1} << (head >> t.m.geometry.order & 63);
       return queued == t.r.deferred_blocks() && std::popcount(queued) == t.m.deferred_len;
     }},
    {"huge_cluster_has_a_large_folio",
     "A swap cluster is marked huge only while a large folio owns it.", choice(k6_1),
     "mm/swapfile.c put_swap_folio(), split_swap_cluster()",
     [](const TheMachine& t) {
       for (int i = 0; i < t.m.geometry.swap_clusters(); ++i) {
         if (!t.m.cluster_huge(i)) continue;
         const Pfn cache = t.m.swap(Slot(i << t.m.geometry.order)).cache;
         if (cache >= t.m.frames() || !test(t.m, cache, PG_head)) return false;
       }
       return true;
     }},
    {"no_page_waits_for_a_flush", "No page waits for a TLB flush between ops.", choice(kEvery),
     "mm/mmu_gather.c", [](const TheMachine& t) { return t.m.gather.empty(); }},
};

// What the swap device says of itself.
inline constexpr RuleOf<TheMachine> kDeviceInvariants[] = {
    {"cluster_counts_its_slots",
     "A swap cluster counts its slots that are in use, or past the device's end.", accounting(k6_1),
     "mm/swapfile.c inc_cluster_info_page(), dec_cluster_info_page()",
     [](const TheMachine& t) {
       const auto used = t.r.used_slots();
       const int nr = t.m.hpage_nr(), slots = t.m.geometry.swap_slots();
       for (int i = 0; i < t.m.geometry.swap_clusters() && t.m.swap_on; ++i) {
         const int past_the_end = std::max((i + 1) * nr - slots, 0);
         const auto n = std::size_t(i);
         if (t.m.swap_device.used[n] != used[n] + past_the_end) return false;
       }
       return true;
     }},
    {"free_list_holds_free_clusters",
     "The list of free clusters holds each that has no slot in use, once.", accounting(k6_1),
     "mm/swapfile.c alloc_cluster(), free_cluster()",
     [](const TheMachine& t) {
       const SwapDevice& device = t.m.swap_device;
       unsigned listed = 0, unused = 0;
       const int count = std::min(int(device.nr_free), int(device.free_clusters.size()));
       for (int i = 0; i < count; ++i) listed |= 1u << (device.free_clusters[std::size_t(i)] & 31);
       for (int i = 0; i < t.m.geometry.swap_clusters(); ++i)
         unused |= unsigned(device.used[std::size_t(i)] == 0) << i;
       return !t.m.swap_on || (listed == unused && std::popcount(listed) == device.nr_free);
     }},
};

}  // namespace thp
