// Rules about page-table entries, VMAs, anon_vmas and address spaces. Part of invariants.cc.
#pragma once
#include <algorithm>
#include <bit>

#include "oracle/rule.h"
#include "oracle/rules/subjects.h"
#include "oracle/translate.h"

namespace thp {

inline constexpr RuleOf<TheEntry> kEntryInvariants[] = {
    {"entry_inside_a_vma", "Every PTE lies in a VMA, and every huge PMD wholly in one.",
     promise(kEvery, "munmap(2), DESCRIPTION"),
     "mm/memory.c unmap_page_range(); VM_BUG_ON_VMA in __split_huge_pmd_locked()",
     [](const TheEntry& e) {
       return e.entry.is_table() || (e.vma != nullptr && e.end() <= e.vma->end);
     }},
    {"table_serves_a_vma", "A page table stands only where some VMA reaches into its block.",
     accounting(kEvery), "mm/memory.c free_pgtables()",
     [](const TheEntry& e) {
       const auto reaches = [&](const Vma& vma) { return vma.start < e.end() && e.page < vma.end; };
       return !e.entry.is_table() || std::ranges::any_of(e.m.vmas(e.mm), reaches);
     }},
    {"pte_below_a_table", "PTEs stand only below a PMD that is a page table.", assertion(kEvery),
     "mm/huge_memory.c pgtable_trans_huge_withdraw(); BUG_ON of pte_none in the PMD split",
     [](const TheEntry& e) { return e.huge || e.pmd().is_table(); }},
    {"entry_names_what_exists",
     "A PTE names a page or a slot of a device in use; a PMD a page table or the head of a "
     "huge page.",
     assertion(kEvery),
     "mm/memory.c vm_normal_page(); mm/swapfile.c get_swap_device(); mm/rmap.c "
     "VM_BUG_ON_PAGE(!PageTransHuge)",
     [](const TheEntry& e) {
       const bool slot = e.m.swap_on && e.entry.frame < e.m.geometry.swap_slots();
       if (e.entry.is_swap()) return !e.huge && slot;
       if (e.entry.is_table()) return e.huge;
       if (!e.has_pfn()) return true;
       const bool is_head = (e.entry.frame & (e.pages() - 1)) == 0;
       return e.pfn_exists() && (!e.huge || (is_head && test(e.m, e.entry.frame, PG_head)));
     }},
    {"writable_where_allowed", "An entry is writable only where its VMA permits writing.",
     promise(kEvery, "mprotect(2), DESCRIPTION"),
     "mm/memory.c maybe_mkwrite(); mm/mprotect.c change_pte_range()",
     [](const TheEntry& e) {
       return !e.entry.has(kWrite) || (e.vma != nullptr && e.vma->has(VM_WRITE));
     }},
    {"entry_has_bits_of_its_kind",
     "A migration entry is writable, or exclusive, or neither; a swap entry is soft-dirty and "
     "exclusive at most; what is mapped is not exclusive by its entry.",
     assertion(kEvery),
     "include/linux/swapops.h make_writable_migration_entry(); arch/x86/include/asm/pgtable.h",
     [](const TheEntry& e) {
       const auto has_only = [&](int bits) { return (e.entry.bits & ~bits) == 0; };
       if (e.entry.is_migration()) return !e.entry.has(kWrite) || !e.entry.has(kExclusive);
       if (e.entry.is_swap()) return has_only(kSoftDirty | kExclusive);
       return has_only(e.entry.is_present() || e.entry.is_zero() ? ~kExclusive : 0);
     }},
    {"zero_entry_is_the_zero_page",
     "A zero entry maps the zero page of its size read-only, and its process is counted as a "
     "user of the huge one.",
     assertion(kEvery),
     "mm/huge_memory.c set_huge_zero_page(), mm_get_huge_zero_page(); mm/memory.c",
     [](const TheEntry& e) {
       if (!e.entry.is_zero()) return true;
       const Pfn zero = e.huge ? e.m.huge_zero_page : e.m.zero_pfn();
       const bool counted = !e.huge || e.m.mms[std::size_t(e.mm)].huge_zero_page != 0;
       return e.entry.frame == zero && counted && !e.entry.has(kWrite);
     }},
    {"migration_entry_is_in_flight", "A migration entry leads to the folio that is migrating.",
     assertion(kEvery),
     "mm/migrate.c remove_migration_ptes(); include/linux/swapops.h pfn_swap_entry_to_page()",
     [](const TheEntry& e) {
       if (!e.entry.is_migration() || !e.pfn_exists()) return !e.entry.is_migration();
       return page_folio(e.m, e.entry.frame) == e.m.migration.src;
     }},
    {"pinned_page_is_known_to_fork",
     "Who maps a pinned exclusive page is marked so that fork() copies it.", assertion(kEvery),
     "mm/gup.c mm_set_has_pinned_flag(); include/linux/mm.h page_needs_cow_for_dma()",
     [](const TheEntry& e) {
       if (!e.entry.is_present() || !e.pfn_exists()) return true;
       const Pfn pfn = e.entry.frame;
       const int pins = e.huge ? e.r.block(pfn >> e.m.geometry.order).pins : e.r.frame(pfn).pins;
       return pins == 0 || !test(e.m, pfn, PG_anon_exclusive) ||
              e.m.mms[std::size_t(e.mm)].has_pinned;
     }},
    {"mapping_is_found_by_rmap",
     "From a folio's anon_vma, or file, and index the reverse map finds every entry that maps it.",
     assertion(kEvery), "mm/rmap.c VM_BUG_ON in __page_check_anon_rmap(); rmap_walk_anon()",
     [](const TheEntry& e) {
       return !e.has_pfn() || !e.pfn_exists() || e.found_by_rmap_of(e.entry.frame);
     }},
    {"no_pte_beyond_the_size", "No PTE of a file's mapping lies beyond the size of the file.",
     promise(kEvery, "mmap(2), ERRORS: SIGBUS; ftruncate(2)"),
     "mm/shmem.c: shmem_setattr(): unmap_mapping_range(); mm/filemap.c: next_uptodate_page()",
     [](const TheEntry& e) {
       const bool of_a_file = e.vma != nullptr && !e.vma->is_anonymous();
       if (e.huge || !of_a_file) return true;
       return e.vma->index_of(e.page) < e.m.inodes[e.vma->file].i_size;
     }},
    {"swap_in_is_found_by_rmap",
     "Swapping in would map a cached page where the reverse map finds it.", assertion(k6_1),
     "mm/rmap.c __page_set_anon_rmap(): mapping and index stay from the first mapping",
     [](const TheEntry& e) {
       if (!e.entry.is_swap() || e.entry.frame >= e.m.geometry.swap_slots()) return true;
       const Pfn cache = e.m.swap(e.entry.frame).cache;
       if (cache >= e.m.frames() || !test(e.m, page_folio(e.m, cache), PG_anon)) return true;
       return e.found_by_rmap_of(cache);
     }},
};

inline constexpr RuleOf<TheVma> kVmaInvariants[] = {
    {"vma_has_its_anon_vma",
     "A VMA hangs in trees of anon_vmas exactly if it has an anon_vma: in the tree of that, "
     "and only of its family.",
     assertion(kEvery),
     "mm/rmap.c __anon_vma_prepare(), anon_vma_clone(); WARN_ON_ONCE in lock_anon_vma_root()",
     [](const TheVma& v) {
       if (v.vma.anon_vma == kNoAnonVma) return v.vma.chain == 0;
       if (v.vma.anon_vma >= kMaxAnonVmas || (v.vma.chain >> v.vma.anon_vma & 1) == 0) return false;
       const auto root_of = [&](int id) { return v.m.anon_vmas[std::size_t(id)].root; };
       for (std::uint64_t chain = v.vma.chain; chain != 0; chain &= chain - 1)
         if (root_of(std::countr_zero(chain)) != root_of(v.vma.anon_vma)) return false;
       return true;
     }},
    {"untouched_vma_is_linear",
     "An anonymous VMA that never had an anon_vma has the offset of its address.",
     assertion(kEvery), "mm/mmap.c mmap_region(), copy_vma()",
     [](const TheVma& v) {
       const bool untouched = v.vma.is_anonymous() && v.vma.anon_vma == kNoAnonVma;
       return !untouched || v.vma.pgoff == v.vma.start;
     }},
    {"vma_has_its_turn",
     "VMAs of one family at the same offset stand in its trees one behind the other.",
     accounting(kEvery), "mm/interval_tree.c anon_vma_interval_tree_insert()",
     [](const TheVma& v) {
       int others = 0;  // that are not behind it
       for (int mm = 0; mm < v.m.geometry.mms; ++mm)
         for (const Vma& other : v.m.vmas(mm))
           others += v.is_equal(other) && other.turn <= v.vma.turn;
       return v.vma.turn == others;
     }},
};

inline constexpr RuleOf<TheAnonVma> kAnonVmaInvariants[] = {
    {"anon_vma_lives_with_its_vmas",
     "An anon_vma lives as long as a VMA hangs in its tree, or a migration holds it.",
     accounting(kEvery), "mm/rmap.c unlink_anon_vmas(); mm/migrate.c folio_get_anon_vma()",
     [](const TheAnonVma& a) {
       const Pfn src = a.m.migration.src;
       const bool held = src < a.m.frames() && a.m.page(src).anon_vma == a.id;
       return a.anon_vma.used ? a.vmas > 0 || held : a.vmas == 0 && a.anon_vma == AnonVma{};
     }},
    {"anon_vma_counts", "An anon_vma counts the VMAs that call it theirs, and its children.",
     accounting(kEvery), "mm/rmap.c anon_vma_fork(); VM_WARN_ON in unlink_anon_vmas()",
     [](const TheAnonVma& a) {
       return !a.anon_vma.used || (a.anon_vma.num_active_vmas == a.active_vmas &&
                                   a.anon_vma.num_children == a.children);
     }},
    {"anon_vma_of_one_process", "All VMAs that call an anon_vma theirs belong to one process.",
     assertion(kEvery),
     "mm/rmap.c anon_vma_clone(): only an anon_vma that no VMA calls its own is reused",
     [](const TheAnonVma& a) { return (a.active_mms & (a.active_mms - 1)) == 0; }},
    {"anon_vma_has_a_parent",
     "The parent and the root of an anon_vma live, in the same family; a root is its own "
     "parent.",
     assertion(kEvery), "mm/rmap.c anon_vma_fork(), anon_vma_alloc()",
     [](const TheAnonVma& a) {
       if (!a.anon_vma.used) return true;
       if (a.anon_vma.parent >= kMaxAnonVmas || a.anon_vma.root >= kMaxAnonVmas) return false;
       const AnonVma& parent = a.m.anon_vmas[a.anon_vma.parent];
       const AnonVma& root = a.m.anon_vmas[a.anon_vma.root];
       const bool is_root = a.anon_vma.root == a.id, is_own_parent = a.anon_vma.parent == a.id;
       return parent.used && root.used && parent.root == a.anon_vma.root &&
              root.root == a.anon_vma.root && is_root == is_own_parent;
     }},
};

inline constexpr RuleOf<TheMm> kMmInvariants[] = {
    {"rss_is_mapped_pages",
     "RssAnon counts the pages that a process maps, migrating ones included.",
     accounting(kEvery, "proc(5), RssAnon"), "mm/memory.c; kernel/fork.c check_mm()",
     count([](const TheMm& a) { return int(a.count.anon_pages); },
           [](const TheMm& a) { return int(a.mm.anon_pages); })},
    {"rss_shmem_is_mapped_pages",
     "RssShmem counts the pages of files of memory that a process maps.",
     accounting(kEvery, "proc(5), RssShmem"),
     "mm/memory.c mm_counter_file(); kernel/fork.c check_mm()",
     count([](const TheMm& a) { return int(a.count.shmem_pages); },
           [](const TheMm& a) { return int(a.mm.shmem_pages); })},
    {"vm_swap_is_swap_entries", "VmSwap is the number of swap entries.",
     accounting(kEvery, "proc(5), VmSwap"), "kernel/fork.c check_mm()",
     count([](const TheMm& a) { return int(a.count.swap_entries); },
           [](const TheMm& a) { return int(a.mm.swap_entries); })},
    {"swap_user_is_listed",
     "A process that has swap entries is on the list for swapoff, once, and one that has "
     "exited is not.",
     accounting(kEvery), "mm/swapfile.c try_to_unuse(); kernel/fork.c __mmput()",
     [](const TheMm& a) {
       const MmList& list = a.m.mmlist;
       const std::span ids(list.ids.data(), std::min<std::size_t>(list.count, list.ids.size()));
       const auto times = std::ranges::count(ids, a.id);
       return times <= a.mm.alive && (times == 1 || a.count.swap_entries == 0);
     }},
    {"huge_pmd_has_a_table_in_store",
     "For each huge, huge zero and migration PMD one page table is in store.", accounting(kEvery),
     "mm/pgtable-generic.c pgtable_trans_huge_deposit(); mm/huge_memory.c",
     count([](const TheMm& a) { return int(a.count.huge); },
           [](const TheMm& a) { return int(a.mm.deposits); })},
    {"vm_pte_is_page_tables", "VmPTE counts the page tables, those in use and those in store.",
     accounting(kEvery, "proc(5), VmPTE"),
     "include/linux/mm.h mm_inc_nr_ptes(); kernel/fork.c check_mm()",
     count([](const TheMm& a) { return a.count.tables + a.count.huge; },
           [](const TheMm& a) { return int(a.mm.nr_ptes); })},
    {"exit_leaves_nothing", "A process that has exited has no VMA, entry, count or flag.",
     assertion(kEvery), "mm/mmap.c exit_mmap(); kernel/fork.c check_mm(), __mmput()",
     [](const TheMm& a) { return a.mm.alive || (a.mm == Mm{} && a.count == MmCount{}); }},
};

}  // namespace thp
