// Rules about calls on files. Part of transitions.cc.
#pragma once
#include <cerrno>

#include "oracle/rules/certainties.h"
#include "oracle/rules/transitions.h"

namespace thp {

// What a call on a file may take out of it, or bring in: the pages that it names.
inline PageRange pages_named(const Pwrite& op, const Machine&) {
  return {op.page.number, op.page.number + 1};
}
inline PageRange pages_named(const Fallocate& op, const Machine&) { return op.range; }
inline PageRange pages_named(const Punch& op, const Machine&) { return op.range; }
inline PageRange pages_named(const Truncate& op, const Machine& m) {
  return {op.size.pages, m.pages()};
}
inline PageRange pages_named(const Close&, const Machine& m) { return {0, m.pages()}; }

// Does the op cut off its file what is mapped at the page?
inline bool is_cut_off(const Transition& t, int mm, int page) {
  const Vma* vma = vma_at(t.before, mm, page);
  if (vma == nullptr || vma->is_anonymous()) return false;
  bool cut = false;
  visit_one_of(Ops<Punch, Truncate>{}, t.op, [&](const auto& op) {
    const PageRange range = pages_named(op, t.after);
    const int index = vma->index_of(page);
    cut = op.inode.id == vma->file && range.first <= index && index < range.end;
    const Pfn pfn = mapped_frame(t.before, mm, page);
    const bool copied = pfn == kNoPfn || !is_file_page(t.before, pfn);
    if (is_op<Punch>(t.op) && copied) cut = false;
  });
  return cut;
}

// Was the page mapped as a part of a huge page of a file, and has the op split that, or its huge
// mapping? Then a fault brings it back.
bool is_unmapped_by_a_split(const Transition& t, int mm, int page);

// If an entry told a page of a file as dirty, and the file has it still: is it dirty?
bool is_dirty_while_cached(const Transition& t, int mm, int page);

// May the cache of a file have got this huge page: by shmem_enabled, the advice of the VMA that a
// fault was on, and the size before?
bool may_be_huge(const CellStep& c);

// What a call or a fault on one page of a file would bring, from what was there before.
struct Wanted {
  int inode = -1, index = 0;
  int mm = -1;               // of a fault
  const Vma* vma = nullptr;  // that it was on
};
Wanted wanted_by(const Pwrite& op, const Transition& t);
Wanted wanted_by(const Load& op, const Transition& t);
Wanted wanted_by(const Store& op, const Transition& t);

// Is a huge page what is wanted: nothing of the block is there, and the settings say so?
bool wants_huge(const Wanted& w, const Machine& m);
// Is the page that was wanted a part of a huge one now?
bool has_huge(const Wanted& w, const Machine& m);
// Would a PMD map the huge page that is there now?
bool fits_a_pmd(const Wanted& w, const Machine& m, int page);

// What came into the page cache at once with a page: it alone, or its block, as a huge page.
PageRange came_with(const CellStep& c);

// May a call, or a fault, of the op have brought the page of the file? It names it, or what came
// with it, or touches a mapping of that.
bool may_come(const CellStep& c);

// May it go? A call names it, its file goes, or a split finds it beyond the end.
bool may_go(const CellStep& c);

// Is every page of the range behind its index?
inline bool all_cached(const Machine& m, int inode, PageRange range) {
  for (int index = range.first; index < range.end; ++index)
    if (m.cell(inode, index).is_none()) return false;
  return true;
}
// Is none, but of a huge page that reaches beyond and that could not be split?
bool none_cached(const Transition& t, int inode, PageRange range);

// Huge folios that have come into the page cache.
inline int count_huge_cells_new(const Transition& t) {
  int pages = 0;
  for (const std::uint16_t id : t.changed.delta().cells()) {
    const int inode = id / t.after.pages(), index = id % t.after.pages();
    const Cell was = t.before.cell(inode, index), is = t.after.cell(inode, index);
    pages += was.is_none() && huge_page_behind(t.after, is) != kNoPfn;
  }
  return pages / t.after.hpage_nr();
}

inline constexpr OpRule kFileRules[] = {
    {"huge_file_page_where_allowed",
     "A write to a file of memory, or a fault on it, where nothing of the block is there, gets a "
     "huge page, if shmem_enabled says so and there is memory.",
     promise(kEvery, "admin-guide/mm/transhuge.rst, Hugepages in tmpfs/shmem"),
     "mm/shmem.c: shmem_get_folio_gfp(), shmem_is_huge()",
     after<Pwrite, Load, Store>([](const auto& op, const Transition& t) {
       const Wanted w = wanted_by(op, t);
       const bool certain = t.nothing_injected() && free_blocks(t.before) >= 2;
       return !certain || !wants_huge(w, t.before) || has_huge(w, t.after);
     })},
    {"huge_file_page_is_mapped_whole",
     "A load maps a huge page of a file by a PMD, where nothing was mapped and the mapping suits, "
     "and so does a store, if that is shared.",
     choice(k6_1), "mm/memory.c: finish_fault(), do_set_pmd(); mm/filemap.c: filemap_map_pmd()",
     after<Load, Store>([](const auto& op, const Transition& t) {
       const Wanted w = wanted_by(op, t);
       const int i = pmd_index(t.after, op.page.number);
       const bool copies = t.over<Store>() && w.vma != nullptr && !w.vma->has(VM_SHARED);
       if (w.vma == nullptr || copies || !t.before.pmd(w.mm, i).is_none()) return true;
       return !fits_a_pmd(w, t.after, op.page.number) || maps_a_file(t.after, t.after.pmd(w.mm, i));
     })},
    {"file_huge_page_counters",
     "thp_file_alloc counts the huge pages that files get. A write counts in thp_file_fallback "
     "what it could not get, and in thp_file_fallback_charge what could not be charged.",
     promise(kEvery, "admin-guide/mm/transhuge.rst, Monitoring usage"),
     "mm/shmem.c: shmem_add_to_page_cache(), shmem_alloc_hugefolio()",
     over_any(count(
         [](const Transition& t) {
           return t.over<Fallocate>() && !t.succeeded() ? kAnyCount : count_huge_cells_new(t);
         },
         [](const Transition& t) { return t.grown(Event::thp_file_alloc); })),
     over<Pwrite>(count(
         [](const Pwrite& op, const Transition& t) {
           if (t.result == -EBADF || !wants_huge(wanted_by(op, t), t.before)) return 0;
           const bool failed = t.used_up(&Injections::fail_huge_alloc);
           if (!failed && free_blocks(t.before) == 0) return kAnyCount;
           return int(failed || t.used_up(&Injections::fail_charge));
         },
         [](const Pwrite&, const Transition& t) { return t.grown(Event::thp_file_fallback); })),
     over<Pwrite>(count(
         [](const Pwrite& op, const Transition& t) {
           if (t.result == -EBADF || !wants_huge(wanted_by(op, t), t.before)) return 0;
           if (free_blocks(t.before) == 0) return kAnyCount;
           return int(t.used_up(&Injections::fail_charge) &&
                      !t.used_up(&Injections::fail_huge_alloc));
         },
         [](const Pwrite&, const Transition& t) {
           return t.grown(Event::thp_file_fallback_charge);
         }))},
    {"file_mapped_counter",
     "thp_file_mapped counts the huge pages of files that faults map by PMDs.",
     promise(kEvery, "admin-guide/mm/transhuge.rst, Monitoring usage"), "mm/memory.c: do_set_pmd()",
     over<Load, Store>(count(
         [](const auto& op, const Transition& t) {
           const int mm = op.mm.id, i = pmd_index(t.after, op.page.number);
           const Entry &was = t.before.pmd(mm, i), &is = t.after.pmd(mm, i);
           const bool again = !was.has(kWrite) && is.has(kWrite);  // split, and then mapped
           return int(maps_a_file(t.after, is) && (was.is_none() || again));
         },
         [](const auto&, const Transition& t) { return t.grown(Event::thp_file_mapped); }))},
    {"cut_leaves_no_page",
     "A hole that is punched has no page, nor has a file beyond the size that it is cut to; but a "
     "huge page of which a part is cut off stays while somebody holds it.",
     promise(kEvery, "fallocate(2), Deallocating file space; ftruncate(2)"),
     "mm/shmem.c: shmem_undo_range()", after<Punch>([](const Punch& op, const Transition& t) {
       return none_cached(t, op.inode.id, op.range);
     }),
     after<Truncate>([](const Truncate& op, const Transition& t) {
       const bool grows = op.size.pages > t.before.inodes[std::size_t(op.inode.id)].i_size;
       return grows || none_cached(t, op.inode.id, pages_named(op, t.after));
     })},
    {"fallocate_leaves_no_hole",
     "What fallocate() has allocated is there: a later write cannot fail for want of space.",
     promise(kEvery, "fallocate(2), Allocating disk space"), "mm/shmem.c: shmem_fallocate()",
     after<Fallocate>([](const Fallocate& op, const Transition& t) {
       return all_cached(t.after, op.inode.id, op.range);
     })},
    {"failed_fallocate_keeps_blocks",
     "A fallocate() that fails leaves the file as many blocks as it had, and its end where it was; "
     "but of a huge page that begins before the range Linux keeps some.",
     choice(kEvery), "mm/shmem.c: shmem_fallocate(): undo_fallocend; shmem_undo_range(unfalloc)",
     over<Fallocate>([](const Fallocate& op, const Transition& t) {
       const auto id = std::size_t(op.inode.id);
       const bool amid = op.range.first % t.after.hpage_nr() != 0;
       if (t.succeeded() || (amid && t.grown(Event::thp_file_alloc) > 0)) return true;
       Inode was = t.before.inodes[id];
       was.on_shrinklist = t.after.inodes[id].on_shrinklist;  // until somebody looks
       return was == t.after.inodes[id];
     })},
    {"fallocated_end_is_kept", "A file knows how far fallocate() went, until that is cut off.",
     choice(kEvery), "mm/shmem.c: shmem_inode_info.fallocend",
     after<Fallocate>([](const Fallocate& op, const Transition& t) {
       return t.after.inodes[std::size_t(op.inode.id)].fallocend >= op.range.end;
     }),
     after<Truncate>([](const Truncate& op, const Transition& t) {
       const Inode &was = t.before.inodes[std::size_t(op.inode.id)],
                   &is = t.after.inodes[std::size_t(op.inode.id)];
       const bool cuts = op.size.pages <= was.i_size && was.alloced > 0;
       return is.fallocend == (cuts ? std::min<int>(was.fallocend, op.size.pages) : was.fallocend);
     })},
    {"filled_page_is_dirty",
     "A page that is written, or allocated for later, is dirty: memory pressure may not drop it.",
     promise(kEvery, "write(2), DESCRIPTION; fallocate(2), Allocating disk space"),
     "mm/shmem.c: shmem_write_end(): set_page_dirty(); shmem_fallocate(): folio_mark_dirty()",
     after<Fills>([](const auto& op, const Transition& t) {
       const PageRange range = pages_named(op, t.after);
       for (int index = range.first; index < range.end; ++index) {
         const Cell cell = t.after.cell(op.inode.id, index);
         if (!cell.is_folio() || cell.frame >= t.after.frames()) continue;
         if (!test(t.after, page_folio(t.after, cell.frame), PG_dirty)) return false;
       }
       return true;
     })},
};

inline constexpr RuleOf<CellStep> kCellRules[] = {
    {"only_named_pages_come_and_go",
     "A page of a file comes into the page cache only by a call that names it or a fault on a "
     "mapping of it, or as a part of a huge page that does. It leaves by a call that names it, "
     "with the file, or, beyond the end, by a split. pread() brings none.",
     choice(kEvery), "mm/shmem.c: shmem_get_folio_gfp(), shmem_undo_range()",
     [](const CellStep& c) { return c.is.is_none() ? may_go(c) : may_come(c); }},
    {"cached_page_stays_itself",
     "What is behind an index is another page only after it was taken out.", choice(kEvery),
     "mm/filemap.c: __filemap_get_folio()",
     [](const CellStep& c) { return c.was.is_none() || c.is.is_none(); }},
    {"huge_file_page_only_where_allowed",
     "A file of memory gets a huge page only where shmem_enabled says so: always and force, "
     "within_size if the file reaches to its end, advise for memory with MADV_HUGEPAGE. No fault "
     "brings one to memory with MADV_NOHUGEPAGE, or to a process with PR_SET_THP_DISABLE.",
     promise(kEvery,
             "admin-guide/mm/transhuge.rst, Hugepages in tmpfs/shmem; madvise(2), MADV_NOHUGEPAGE; "
             "prctl(2), PR_SET_THP_DISABLE"),
     "mm/shmem.c: shmem_is_huge()", [](const CellStep& c) { return may_be_huge(c); }},
};

}  // namespace thp
