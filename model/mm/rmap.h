// Reverse mapping: the only code that changes a mapcount, and the walks that find mappings.
// v6.1 mm/rmap.c, mm/util.c, include/linux/rmap.h, include/linux/mm.h.
#pragma once
#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "model/machine.h"

namespace thp {

// --- Queries.
inline int compound_mapcount(const Machine& m, Pfn head) { return m.compound(head).mapcount + 1; }
int page_mapcount(const Machine& m, Pfn pfn);     // of one sub-page
int total_mapcount(const Machine& m, Pfn folio);  // folio_mapcount(): of all of it
bool folio_mapped(const Machine& m, Pfn folio);

// --- Mapping and unmapping. `compound` maps the whole folio by a PMD; `pfn` is then its head.
void page_add_new_anon_rmap(Machine& m, Pfn pfn, const Vma& vma, int page, bool compound);
void page_add_anon_rmap(Machine& m, Pfn pfn, const Vma& vma, int page, bool compound,
                        bool exclusive);
void page_add_file_rmap(Machine& m, Pfn pfn, const Vma& vma, bool compound);
void page_dup_file_rmap(Machine& m, Pfn pfn);  // at fork
void page_remove_rmap(Machine& m, Pfn pfn, const Vma& vma, bool compound);
void page_move_anon_rmap(Machine& m, Pfn pfn, const Vma& vma);  // the folio's mapping, AE of pfn
// false where a pinned page forbids sharing; else clears AE and counts one mapping more (dup only).
bool page_try_dup_anon_rmap(Machine& m, Pfn pfn, bool compound, int src_mm);
bool page_try_share_anon_rmap(Machine& m, Pfn pfn);
// The mapcount side of __split_huge_pmd_locked(): N PTE maps for one PMD map, DoubleMap rules.
void rmap_split_pmd(Machine& m, Pfn head);

// --- anon_vma (rmap_anon_vma.cc). false: no anon_vma is left (-ENOMEM).
bool anon_vma_prepare(Machine& m, int mm, Vma& vma);  // of a VMA in m.vmas(mm)
void anon_vma_clone(Machine& m, Vma& dst, const Vma& src);
bool anon_vma_fork(Machine& m, Vma& child, const Vma& parent);
void unlink_anon_vmas(Machine& m, Vma& vma);
int anon_vma_root(const Machine& m, int anon_vma);
// Before and after the bounds of a VMA change, even if its pgoff does not: it comes last then.
void anon_vma_interval_tree_remove(Machine& m, Vma& vma);
void anon_vma_interval_tree_insert(Machine& m, Vma& vma);
// folio_get_anon_vma(): kNoAnonVma unless the folio is mapped.
std::uint8_t folio_get_anon_vma(const Machine& m, Pfn folio);

// --- Walks. Visits, in the order of its tree (of the anon_vma, or of the file), each VMA that may
// map the folio: rmap_walk(m, folio, [&](int mm, Vma& vma, int page) { ...; return go_on; }), where
// `page` is the first address of the VMA at which some sub-page of the folio could be mapped.
template <class Visit>
void rmap_walk(Machine& m, Pfn folio, Visit visit);

struct TtuFlags {
  bool split_huge_pmd = false;
  bool ignore_mlock = false;
};
void try_to_unmap(Machine& m, Pfn folio, TtuFlags flags);      // PTEs become swap entries, or go
void try_to_migrate(Machine& m, Pfn folio, TtuFlags flags);    // entries become migration entries
void remove_migration_ptes(Machine& m, Pfn src, Pfn dst);      // and back, now to dst
int folio_referenced(Machine& m, Pfn folio, bool& vm_locked);  // clears young; number of references

// v6.1 include/linux/mm.h: vma_interval_tree_foreach(), anon_vma_interval_tree_foreach(): the VMAs
// of a tree that reach into [first, end) of its linear pages, by pgoff, and equals by their turn.
template <class IsInTree, class Visit>
void interval_tree_foreach(Machine& m, int first, int end, IsInTree is_in_tree,
                           std::uint8_t Vma::* turn, Visit visit) {
  struct Place {
    Vma* vma;
    int mm, order;
  };
  boost::container::small_vector<Place, 8> places;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (Vma& vma : m.vmas(mm))
      if (is_in_tree(vma) && vma.pgoff < end && vma.pgoff + vma.end - vma.start > first)
        places.push_back({&vma, mm, vma.pgoff << 8 | vma.*turn});
  std::ranges::sort(places, {}, &Place::order);
  for (const auto& [vma, mm, order] : places)
    if (!visit(mm, *vma)) return;
}

// v6.1 mm/rmap.c: rmap_walk_anon(), rmap_walk_file(), vma_address()
template <class Visit>
void rmap_walk(Machine& m, Pfn folio, Visit visit) {
  const Page& head = m.page(folio);
  const int first = head.index, end = first + folio_nr_pages(m, folio);
  const bool of_file = head.inode != kNoInode;
  if (head.anon_vma == kNoAnonVma && !of_file) return;
  const auto is_in_tree = [of_file, inode = head.inode, anon_vma = head.anon_vma](const Vma& vma) {
    return of_file ? vma.file == inode : (vma.chain >> anon_vma & 1) != 0;
  };
  interval_tree_foreach(
      m, first, end, is_in_tree, of_file ? &Vma::file_turn : &Vma::turn,
      [&](int mm, Vma& vma) { return visit(mm, vma, vma.start + std::max(first - vma.pgoff, 0)); });
}

}  // namespace thp
