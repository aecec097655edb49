// Taking pages out of a file: truncate, punched holes, undoing fallocate(). v6.1 mm/shmem.c.
#include <algorithm>

#include "model/args.h"
#include "model/mm/filemap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/shmem.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

bool goes(const Machine& m, Pfn folio, bool unfalloc) {
  return !unfalloc || !test(m, folio, PG_uptodate);
}

// The first pass: folios that lie within the range, but for those that somebody has locked.
// v6.1 mm/filemap.c: find_lock_entries()
void undo_unlocked(Machine& m, int inode, int start, int end, bool unfalloc) {
  for (int index = start, next; index < end; index = next) {
    next = index + 1;
    const Cell cell = m.cell(inode, index);
    if (cell.is_none()) continue;
    const Pfn folio = page_folio(m, cell.frame);
    const int first = m.page(folio).index;
    next = first + folio_nr_pages(m, folio);
    if (first < start || next > end) continue;
    get_page(m, folio);
    if (trylock_page(m, folio)) {
      if (goes(m, folio, unfalloc)) truncate_inode_folio(m, folio);
      unlock_page(m, folio);
    }
    put_page(m, folio);
  }
}

// The folio at an edge of the range, if it reaches beyond it. What can't be split stays: then the
// range for the last pass ends, or begins, beside it.
void undo_edge(Machine& m, int inode, int edge, PageRange cut, PageRange& left, bool& same_folio) {
  const Pfn folio =
      edge < m.pages() ? filemap_lock_folio(m, inode, edge) : kNoPfn;  // shmem_get_partial_folio()
  if (folio == kNoPfn) return;
  const int first = m.page(folio).index, next = first + folio_nr_pages(m, folio);
  const bool at_start = edge == cut.first;
  if (at_start) same_folio = cut.end <= next || cut.end > m.pages();
  folio_mark_dirty(m, folio);
  if (!truncate_inode_partial_folio(m, folio, cut.first, cut.end)) {
    if (at_start) left.first = next;
    if (!at_start || same_folio) left.end = first;
  }
  unlock_and_put(m, folio);
}

// The last pass waits for whoever has a lock. Once it has split a folio it begins anew, and not
// quite: it misses the first page.
void undo_locked(Machine& m, int inode, PageRange left, PageRange cut, bool unfalloc) {
  const int end = std::min(left.end, m.pages());
  for (int index = left.first; index < end; ++index) {
    const Pfn folio = filemap_lock_folio(m, inode, index);
    if (folio == kNoPfn) continue;
    const bool large = folio_test_large(m, folio);
    int next = m.page(folio).index + folio_nr_pages(m, folio);
    if (goes(m, folio, unfalloc)) {
      if (!large)
        truncate_inode_folio(m, folio);
      else if (truncate_inode_partial_folio(m, folio, cut.first, cut.end) &&
               !folio_test_large(m, folio))
        next = left.first + 1;
    }
    index = next - 1;
    unlock_and_put(m, folio);
  }
}

// See defects.h.
bool is_left_behind(const Machine& m, int inode, int first) {
  for (int index = first; index < m.pages(); ++index)
    if (!m.cell(inode, index).is_none()) return true;
  return false;
}

}  // namespace

// v6.1 mm/shmem.c: shmem_undo_range(). An end beyond m.pages() stands for -1: a truncation. Then
// what it could not split at the new end keeps the last pass from what lies behind.
void shmem_undo_range(Machine& m, int inode, int start, int end, bool unfalloc) {
  Inode& file = m.inodes[std::size_t(inode)];
  if (file.fallocend > start && file.fallocend <= end && !unfalloc)
    file.fallocend = std::uint16_t(start);
  undo_unlocked(m, inode, start, std::min(end, m.pages()), unfalloc);
  const PageRange cut{start, end};
  PageRange left = cut;
  bool same_folio = end == start + 1;
  if (!unfalloc) {
    undo_edge(m, inode, start, cut, left, same_folio);
    if (!same_folio) undo_edge(m, inode, end - 1, cut, left, same_folio);
  }
  undo_locked(m, inode, left, cut, unfalloc);
  if (left.end < cut.first && is_left_behind(m, inode, left.first))
    m.defect = &kTruncationStopsShort;
  shmem_recalc_inode(m, inode);
}

}  // namespace thp
