// Merging and splitting of VMAs. v6.1 mm/mmap.c.
// It decides where huge pages fit, so the rules are the kernel's to the letter. Left out: memory
// policies, names, userfaultfd; allocation of a VMA or a tree node never fails.
#include "model/mm/mmap_vma.h"

#include <bit>

#include "model/mm/huge_memory.h"
#include "model/mm/mmap.h"
#include "model/mm/rmap.h"

namespace thp {
namespace {

// v6.1 mm/mmap.c: is_mergeable_anon_vma(). Without a common anon_vma one side must have none, and
// `vma`, if given, be linked to exactly one: not to its parents', and not to none either, so that
// pages never go to a neighbour that has had no fault yet.
bool is_mergeable_anon_vma(std::uint8_t a, std::uint8_t b, const Vma* vma) {
  const bool one_has_none = a == kNoAnonVma || b == kNoAnonVma;
  return a == b || (one_has_none && (vma == nullptr || std::has_single_bit(vma->chain)));
}

// v6.1 mm/mmap.c: is_mergeable_vma()
bool is_mergeable(const Vma& vma, const Vma& area) {
  return ((vma.flags ^ area.flags) & ~VM_SOFTDIRTY) == 0 && vma.file == area.file &&
         is_mergeable_anon_vma(area.anon_vma, vma.anon_vma, &vma);
}

// What moving the bounds of a VMA does to the VMAs behind it.
struct Plan {
  int importer = -1, exporter = -1;  // the importer may receive pages of the exporter
  int first_removed = 0, removed = 0;
  int adjust_next = 0;  // pages by which the next VMA's start moves
};

Plan plan_adjust(std::span<const Vma> vmas, int i, int end, int expand) {
  const int next = i + 1;
  if (next == int(vmas.size())) return {};
  const Vma& after = vmas[next];
  if (end >= after.end) {
    if (expand == next)  // case 8
      return {.importer = next, .exporter = i, .first_removed = i, .removed = 1};
    const int removed = end > after.end ? 2 : 1;  // case 6; cases 1 and 7
    const bool from_second = removed == 2 && after.anon_vma == kNoAnonVma;
    return {.importer = i,
            .exporter = from_second ? next + 1 : next,
            .first_removed = next,
            .removed = removed};
  }
  if (end > after.start)  // case 5
    return {.importer = i, .exporter = next, .adjust_next = end - after.start};
  if (end < vmas[i].end)  // case 4
    return {.importer = next, .exporter = i, .adjust_next = end - vmas[i].end};
  return {};
}

// v6.1 include/linux/rmap.h: anon_vma_merge()
void remove_merged(Machine& m, int mm, int i, std::uint8_t survivor) {
  Vma& vma = m.vmas(mm)[i];
  vm_bug_on(m, vma.anon_vma != kNoAnonVma && vma.anon_vma != survivor,
            "anon_vma_merge: the VMAs have different anon_vmas");
  unlink_anon_vmas(m, vma);
  vma_interval_tree_remove(m, vma);
  m.erase_vma(mm, i);
}

// Its place in the trees is as if it were new, even where its pgoff stays.
void set_bounds(Machine& m, Vma& vma, int start, int end, int pgoff) {
  anon_vma_interval_tree_remove(m, vma);
  vma_interval_tree_remove(m, vma);
  vma.start = std::uint16_t(start);
  vma.end = std::uint16_t(end);
  vma.pgoff = std::uint16_t(pgoff);
  anon_vma_interval_tree_insert(m, vma);
  vma_interval_tree_insert(m, vma);
}

}  // namespace

// v6.1 mm/mmap.c: can_vma_merge_before()
bool can_vma_merge_before(const Vma& vma, const Vma& area) {
  return is_mergeable(vma, area) && vma.pgoff == area.index_of(area.end);
}

// v6.1 mm/mmap.c: can_vma_merge_after()
bool can_vma_merge_after(const Vma& vma, const Vma& area) {
  return is_mergeable(vma, area) && vma.index_of(vma.end) == area.pgoff;
}

// The array of VMAs is short, and the kernel lets map_count pass its limit by three for a moment.
// Where every page can have a VMA of its own no limit is ever met, like the kernel's own 65530.
int sysctl_max_map_count(const Machine& m) {
  const int room = m.max_map_count();
  return room < m.pages() ? room - 3 : room + 6;
}

// v6.1 mm/mmap.c: vma_set_page_prot(), vma_wants_writenotify(). A shared page is mapped writable at
// its first touch, unless stores are tracked.
void vma_set_page_prot(Vma& vma) {
  vma.prot_write = vma.has(VM_SHARED) && vma.has(VM_WRITE) && vma.has(VM_SOFTDIRTY);
}

int find_vma_index(const Machine& m, int mm, int page) {
  int i = 0;
  while (i < map_count(m, mm) && m.vmas(mm)[i].end <= page) ++i;
  return i;
}

Vma* find_vma(Machine& m, int mm, int page) {
  const int i = find_vma_index(m, mm, page);
  return i < map_count(m, mm) ? &m.vmas(mm)[i] : nullptr;
}

Vma* vma_lookup(Machine& m, int mm, int page) {
  Vma* vma = find_vma(m, mm, page);
  return vma != nullptr && vma->covers(page) ? vma : nullptr;
}

Vma vm_area_dup(const Vma& vma) {
  Vma copy = vma;
  copy.chain = 0;
  return copy;
}

// v6.1 mm/mmap.c: __vma_adjust() without a VMA to insert; vma_expand() comes to the same.
int vma_adjust(Machine& m, int mm, int i, int start, int end, int pgoff, int expand) {
  const auto vmas = m.vmas(mm);
  const Plan plan = plan_adjust(vmas, i, end, expand);
  if (plan.importer >= 0) {
    Vma& importer = vmas[plan.importer];
    const Vma& exporter = vmas[plan.exporter];
    if (exporter.anon_vma != kNoAnonVma && importer.anon_vma == kNoAnonVma) {
      importer.anon_vma = exporter.anon_vma;
      anon_vma_clone(m, importer, exporter);
    }
  }
  vma_adjust_trans_huge(m, mm, vmas[i], start, end, plan.adjust_next);

  Vma& vma = vmas[plan.removed > 0 ? expand : i];
  set_bounds(m, vma, start, end, pgoff);
  if (plan.adjust_next != 0) {
    Vma& next = vmas[i + 1];
    set_bounds(m, next, next.start + plan.adjust_next, next.end, next.pgoff + plan.adjust_next);
  }
  const std::uint8_t survivor = vma.anon_vma;
  for (int n = 0; n < plan.removed; ++n) remove_merged(m, mm, plan.first_removed, survivor);
  return plan.first_removed < expand ? expand - plan.removed : expand;
}

// v6.1 mm/mmap.c: vma_merge(). A at `area`, P before it, N behind or below it, X behind N:
//   A in a hole, or all of N:   PPAANN -> PPPPPP 1, PPPPNN 2, PPNNNN 3
//                               PPNNXX -> PPPPPP 6, PPPPXX 7, PPXXXX 8
//   A the end of P:             PPPPNN -> PPNNNN 4;    A the start of N:   PPNNNN -> PPPPNN 5
int vma_merge(Machine& m, int mm, int prev, const Vma& area) {
  const auto vmas = m.vmas(mm);
  const int count = int(vmas.size()), mid = prev + 1;
  const int next = mid < count && vmas[mid].end == area.end ? mid + 1 : mid;
  const bool merge_prev =
      prev >= 0 && vmas[prev].end == area.start && can_vma_merge_after(vmas[prev], area);
  const bool merge_next =
      next < count && vmas[next].start == area.end && can_vma_merge_before(vmas[next], area);
  if (merge_prev) {
    const Vma p = vmas[prev];
    const bool both = merge_next && is_mergeable_anon_vma(p.anon_vma, vmas[next].anon_vma, nullptr);
    return vma_adjust(m, mm, prev, p.start, both ? vmas[next].end : area.end, p.pgoff, prev);
  }
  if (!merge_next) return -1;
  if (prev >= 0 && area.start < vmas[prev].end)
    return vma_adjust(m, mm, prev, vmas[prev].start, area.start, vmas[prev].pgoff, next);
  return vma_adjust(m, mm, mid, area.start, vmas[next].end, area.pgoff, next);
}

SoftDirtyNeighbours::SoftDirtyNeighbours(Machine& m, int mm, int start, int end) : mm_(mm) {
  const auto soft_dirty = [&](int page) -> PageRange {
    const Vma* vma = vma_lookup(m, mm, page);
    return vma != nullptr && vma->has(VM_SOFTDIRTY) ? PageRange{vma->start, vma->end}
                                                    : PageRange{0, 0};
  };
  if (start > 0) below_ = soft_dirty(start - 1);
  if (end < m.pages()) above_ = soft_dirty(end);
}

void SoftDirtyNeighbours::strike(Machine& m) const {
  for (const PageRange& range : {below_, above_})
    if (range.size() > 0 && !vma_lookup(m, mm_, range.first)->has(VM_SOFTDIRTY))
      m.strikes.add(kMergeLosesSoftDirty, mm_, range.first, range.end);
}

// v6.1 mm/mmap.c: __split_vma(). Which half is the new struct makes no difference here.
void split_vma_unchecked(Machine& m, int mm, int i, int page) {
  Vma& vma = m.vmas(mm)[i];
  Vma upper = vm_area_dup(vma);
  upper.start = std::uint16_t(page);
  upper.pgoff = std::uint16_t(vma.index_of(page));
  anon_vma_clone(m, upper, vma);
  vma_adjust_trans_huge(m, mm, vma, vma.start, page, 0);
  set_bounds(m, vma, vma.start, page, vma.pgoff);
  vma_interval_tree_insert(m, m.insert_vma(mm, i + 1, upper));
}

// v6.1 mm/mmap.c: split_vma()
int split_vma(Machine& m, int mm, int i, int page) {
  if (map_count(m, mm) >= sysctl_max_map_count(m)) return -ENOMEM;
  split_vma_unchecked(m, mm, i, page);
  return 0;
}

// What mprotect_fixup(), mlock_fixup() and madvise_update_vma() have in common. The flags are
// stored, not added: where VMAs merge, VM_SOFTDIRTY of the other is lost, as in the kernel.
int vma_modify(Machine& m, int mm, int i, int start, int end, std::uint32_t flags) {
  Vma area = m.vmas(mm)[i];
  if (area.flags == flags) return i;
  const int prev = start > area.start ? i : i - 1;
  area.pgoff = std::uint16_t(area.index_of(start));
  area.start = std::uint16_t(start);
  area.end = std::uint16_t(end);
  area.flags = flags;
  const SoftDirtyNeighbours around(m, mm, start, end);
  if (const int merged = vma_merge(m, mm, prev, area); merged >= 0) {
    i = merged;
  } else {
    if (start != m.vmas(mm)[i].start && split_vma(m, mm, i++, start) != 0) return -ENOMEM;
    if (end != m.vmas(mm)[i].end && split_vma(m, mm, i, end) != 0) return -ENOMEM;
  }
  m.vmas(mm)[i].flags = flags;
  around.strike(m);
  return i;
}

}  // namespace thp
