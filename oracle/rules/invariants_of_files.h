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
};

// What the page cache asks of a folio.
inline constexpr RuleOf<TheFolio> kFileFolioInvariants[] = {
    {"file_folio_is_swapbacked",
     "A folio of a file of memory is swap-backed, and neither anonymous nor in the swap cache.",
     assertion(kEvery), "mm/shmem.c VM_BUG_ON_FOLIO in shmem_add_to_page_cache()",
     [](const TheFolio& f) {
       return !f.is_of_a_file() || (f.has(PG_swapbacked) && !f.has(PG_anon | PG_swapcache));
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
