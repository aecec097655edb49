// Single VMAs of an address space, by their index in m.vmas(): merging and splitting.
// v6.1 mm/mmap.c.
#pragma once
#include <algorithm>
#include <cerrno>

#include "model/args.h"
#include "model/machine.h"

namespace thp {

inline int map_count(const Machine& m, int mm) { return m.mms[std::size_t(mm)].map_count; }
int find_vma_index(const Machine& m, int mm, int page);  // the first that ends above page
int sysctl_max_map_count(const Machine& m);
void vma_set_page_prot(Vma& vma);

// v6.1 kernel/fork.c: vm_area_dup(): linked to no anon_vma yet.
Vma vm_area_dup(const Vma& vma);

// May a mapping like `area` (its bounds, pgoff, flags and anon_vma) become part of `vma`, which
// starts where it ends, or ends where it starts?
bool can_vma_merge_before(const Vma& vma, const Vma& area);
bool can_vma_merge_after(const Vma& vma, const Vma& area);

// Gives the VMA at index `i` new bounds, and makes room or fills up beside it: `expand` is the
// index of the VMA that grows, i or i + 1. Returns that VMA's index afterwards.
int vma_adjust(Machine& m, int mm, int i, int start, int end, int pgoff, int expand);

// Merges `area` with its neighbours; `prev` is the index of the VMA that starts below it, or -1.
// Returns the index of the VMA that took it in, or -1. The flags of that VMA are its own still.
int vma_merge(Machine& m, int mm, int prev, const Vma& area);

// The neighbours of [start, end) that tell all their pages as soft-dirty. See defects.h: a merge
// may make one say so no more.
class SoftDirtyNeighbours {
 public:
  SoftDirtyNeighbours(Machine& m, int mm, int start, int end);
  void strike(Machine& m) const;  // after the merge

 private:
  int mm_;
  PageRange below_{0, 0}, above_{0, 0};
};

// i_mmap (interval_tree.c): as anon_vma_interval_tree_insert() and _remove() in rmap.h, for a VMA
// of a file; others they leave alone. `_after`: right behind `prev`, its equal.
void vma_interval_tree_insert(Machine& m, Vma& vma);
void vma_interval_tree_insert_after(Machine& m, Vma& vma, const Vma& prev);
void vma_interval_tree_remove(Machine& m, Vma& vma);

// Splits the VMA at index `i` in two at `page`: i and i + 1. split_vma() heeds the limit of VMAs
// and returns 0 or -ENOMEM.
void split_vma_unchecked(Machine& m, int mm, int i, int page);
int split_vma(Machine& m, int mm, int i, int page);

// The loop of do_mprotect_pkey() and apply_vma_lock_flags(): calls fixup(i, start, end) for the
// part of each VMA that lies in [start, end); it returns the index of the VMA that covers the part
// then, or -errno. -ENOMEM at the first hole: what came before it has changed by then.
template <class Fixup>
int fixup_vmas(Machine& m, int mm, int start, int end, Fixup fixup) {
  for (int i = find_vma_index(m, mm, start);; ++i) {
    if (i == map_count(m, mm) || m.vmas(mm)[i].start > start) return -ENOMEM;
    i = fixup(i, start, std::min(end, int(m.vmas(mm)[i].end)));
    if (i < 0) return i;
    start = m.vmas(mm)[i].end;
    if (start >= end) return 0;
  }
}

}  // namespace thp
