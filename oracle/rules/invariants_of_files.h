// Rules about files and the page cache. Part of invariants.cc.
#pragma once
#include "oracle/rule.h"
#include "oracle/rules/subjects.h"

namespace thp {

inline constexpr RuleOf<TheCell> kCellInvariants[] = {
    {"cell_is_its_page",
     "Behind an index of a file is the page of that index, of a folio of that file.",
     assertion(kEvery), "mm/filemap.c VM_BUG_ON_FOLIO(!folio_contains()) in find_lock_entries()",
     [](const TheCell& c) {
       if (c.cell.is_none()) return true;
       if (c.cell.frame >= c.m.frames()) return false;
       const Pfn folio = page_folio(c.m, c.cell.frame);
       const Page& head = c.m.page(folio);
       return head.inode == c.inode && head.index + c.cell.frame - folio == c.index;
     }},
    {"huge_folio_fills_a_block",
     "A huge folio of a file stands behind each index of one block, and behind no other.",
     assertion(kEvery), "mm/shmem.c VM_BUG_ON_FOLIO in shmem_add_to_page_cache()",
     [](const TheCell& c) {
       const Pfn folio = huge_page_behind(c.m, c.cell);
       if (folio == kNoPfn) return true;
       const int first = pmd_first(c.m, c.index);
       for (int i = 0; i < c.m.hpage_nr(); ++i)
         if (c.m.cell(c.inode, first + i).frame != folio + i) return false;
       return true;
     }},
};

// What the page cache asks of a folio.
inline constexpr RuleOf<TheFolio> kFileFolioInvariants[] = {
    {"file_folio_is_swapbacked",
     "A folio of a file of memory is swap-backed, and neither anonymous nor in the swap cache.",
     assertion(kEvery), "mm/shmem.c VM_BUG_ON_FOLIO in shmem_add_to_page_cache()",
     [](const TheFolio& f) {
       return !f.is_of_a_file() || (f.has(PG_swapbacked) && !f.has(PG_anon | PG_swapcache));
     }},
    {"file_double_map_says_ptes", "DoubleMap is set on a huge folio of a file that PTEs map.",
     promise(k6_1, "mm/transhuge.rst, Refcounts"), "mm/rmap.c page_add_file_rmap()",
     [](const TheFolio& f) {
       return !f.large || !f.is_of_a_file() || f.count.ptes == 0 || f.compound().double_map != 0;
     }},
};

inline constexpr RuleOf<TheInode> kInodeInvariants[] = {
    {"nrpages_is_cached_pages", "A file's nrpages is how many of its pages are in the page cache.",
     accounting(kEvery), "mm/truncate.c clear_inode(): BUG_ON(inode->i_data.nrpages)",
     count([](const TheInode& i) { return int(i.count.folio_cells); },
           [](const TheInode& i) { return int(i.inode.nrpages); })},
    {"blocks_are_cached_pages", "The blocks of a file of memory are those of its cached pages.",
     accounting(kEvery, "stat(2), st_blocks"),
     "mm/shmem.c shmem_recalc_inode(); WARN_ON(inode->i_blocks) in shmem_evict_inode()",
     count([](const TheInode& i) { return int(i.count.folio_cells); },
           [](const TheInode& i) { return int(i.inode.alloced); })},
    {"evicted_file_leaves_nothing", "A file that is gone has no page, size or count.",
     promise(kEvery, "memfd_create(2), DESCRIPTION"),
     "mm/shmem.c shmem_evict_inode(); fs/inode.c clear_inode()",
     [](const TheInode& i) {
       return i.inode.alive ? i.inode.open != 0 || i.is_mapped()
                            : i.inode == Inode{} && i.count == InodeCount{};
     }},
};

}  // namespace thp
