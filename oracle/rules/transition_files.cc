// Which pages of a file an op may bring into the page cache, and take out of it.
#include <algorithm>

#include "oracle/rules/certainties.h"
#include "oracle/rules/transitions_of_files.h"
#include "oracle/rules/transitions_of_ranges.h"

namespace thp {
namespace {

template <class... Ts>
bool is_named_by(Ops<Ts...> ops, const CellStep& c, PageRange pages) {
  bool named = false;
  visit_one_of(ops, c.t.op, [&](const auto& op) {
    const PageRange range = pages_named(op, c.t.after);
    named = op.inode.id == c.inode && range.first < pages.end && pages.first < range.end;
  });
  return named;
}

// Does the op name a page of the VMA that shows one of these pages of the file?
bool is_touched(const Named& named, const Vma& vma, int inode, PageRange pages) {
  const int shift = vma.start - vma.pgoff;
  const int first = std::max<int>(pages.first + shift, vma.start);
  const int end = std::min<int>(pages.end + shift, vma.end);
  return vma.file == inode && first < end && named.overlaps(named.mm, first, end);
}

}  // namespace

// What a failed fallocate() leaves of a huge page was split by then.
PageRange came_with(const CellStep& c) {
  const Machine& m = c.t.after;
  const bool large = huge_page_behind(m, c.is) != kNoPfn;
  if (!large && (c.t.succeeded() || !c.t.over<Fallocate>())) return {c.index, c.index + 1};
  const int first = pmd_first(m, c.index);
  return {first, first + m.hpage_nr()};
}

bool none_cached(const Transition& t, int inode, PageRange range) {
  const Machine& m = t.after;
  for (int index = range.first; index < range.end; ++index) {
    const Cell cell = m.cell(inode, index);
    if (cell.is_none()) continue;
    const Pfn huge = huge_page_behind(m, cell);
    const int first = pmd_first(m, index), end = first + m.hpage_nr();
    const bool within = range.first <= first && end <= range.end;
    if (huge == kNoPfn || within) return false;
    if (!held(t.count(huge)) && !t.used_up(&Injections::speculative_ref)) return false;
  }
  return true;
}

bool is_unmapped_by_a_split(const Transition& t, int mm, int page) {
  const Pfn pfn = mapped_frame(t.before, mm, page);
  if (pfn == kNoPfn || !is_file_page(t.before, pfn) || !entry_of(t.after, mm, page).is_none())
    return false;
  const Pfn folio = page_folio(t.before, pfn);
  const bool by_pmd = !t.before.pmd(mm, pmd_index(t.before, page)).is_table();
  const bool failed_late = t.used_up(&Injections::speculative_ref) &&
                           t.grown(Event::thp_split_page_failed) > 0;  // nothing is put back
  return folio_test_large(t.before, folio) &&
         (by_pmd || failed_late || !folio_test_large(t.after, folio));
}

bool is_dirty_while_cached(const Transition& t, int mm, int page) {
  const Entry& was = entry_of(t.before, mm, page);
  if (!maps_a_file(t.before, was) || !was.has(kDirty)) return true;
  const Pfn pfn = mapped_frame(t.before, mm, page), folio = page_folio(t.after, pfn);
  return !is_file_page(t.after, pfn) || test(t.after, folio, PG_dirty) ||
         is_dirty_by_an_entry(t.after, folio);
}

// What shmem_enabled, and the advice for the memory that a fault is on, say of a huge page that
// would end at `end`.
static bool is_huge_allowed(const Wanted& w, const Machine& m, int end) {
  if (w.vma != nullptr && w.vma->has(VM_NOHUGEPAGE)) return false;
  if (w.mm >= 0 && m.mms[std::size_t(w.mm)].thp_disabled != 0) return false;
  if (m.shmem_enabled == ShmemHuge::deny) return false;
  if (m.shmem_enabled == ShmemHuge::force || m.shm_mnt.huge == ShmemHuge::always) return true;
  if (m.shm_mnt.huge == ShmemHuge::never) return false;
  const bool within = m.inodes[std::size_t(w.inode)].i_size >= end;
  const bool advised = w.vma != nullptr && w.vma->has(VM_HUGEPAGE);
  return advised || (within && m.shm_mnt.huge == ShmemHuge::within_size);
}

bool may_be_huge(const CellStep& c) {
  const Machine& m = c.t.before;
  const PageRange pages = came_with(c);
  if (c.was.is_folio() || pages.size() == 1) return true;
  if (is_named_by(Fills{}, c, pages)) return is_huge_allowed({c.inode, c.index}, m, pages.end);
  const Named named = named_by(c.t);
  return named.mm >= 0 && std::ranges::any_of(c.t.after.vmas(named.mm), [&](const Vma& vma) {
           return is_touched(named, vma, c.inode, pages) &&
                  is_huge_allowed({c.inode, c.index, named.mm, &vma}, m, pages.end);
         });
}

static Wanted wanted_at(const Machine& m, int mm, int page) {
  const Vma* vma = m.mms[std::size_t(mm)].alive ? vma_at(m, mm, page) : nullptr;
  if (vma == nullptr || vma->is_anonymous() || !entry_of(m, mm, page).is_none()) return {};
  return {vma->file, vma->index_of(page), mm, vma};
}
Wanted wanted_by(const Pwrite& op, const Transition&) { return {op.inode.id, op.page.number}; }
Wanted wanted_by(const Load& op, const Transition& t) {
  return wanted_at(t.before, op.mm.id, op.page.number);
}
Wanted wanted_by(const Store& op, const Transition& t) {
  return wanted_at(t.before, op.mm.id, op.page.number);
}

bool wants_huge(const Wanted& w, const Machine& m) {
  if (w.inode < 0 || w.index >= m.pages()) return false;
  const int first = pmd_first(m, w.index), end = first + m.hpage_nr();
  for (int index = first; index < end; ++index)
    if (!m.cell(w.inode, index).is_none()) return false;
  return is_huge_allowed(w, m, end);
}

bool has_huge(const Wanted& w, const Machine& m) {
  if (w.inode < 0 || w.index >= m.pages()) return false;
  return huge_page_behind(m, m.cell(w.inode, w.index)) != kNoPfn;
}

bool fits_a_pmd(const Wanted& w, const Machine& m, int page) {
  const int first = pmd_first(m, page);
  return has_huge(w, m) && w.vma->start <= first && first + m.hpage_nr() <= w.vma->end &&
         (w.vma->start - w.vma->pgoff) % m.hpage_nr() == 0;
}

bool may_come(const CellStep& c) {
  const PageRange pages = came_with(c);
  if (is_named_by(Joined<Cuts, Fills>{}, c, pages)) return true;
  if (!c.t.over<Looks, Takes, Mlock, Populates, Mprotect, Remaps>()) return false;
  const Named named = named_by(c.t);
  return named.mm >= 0 && std::ranges::any_of(c.t.after.vmas(named.mm), [&](const Vma& vma) {
           return is_touched(named, vma, c.inode, pages);
         });
}

bool may_go(const CellStep& c) {
  const Inode& file = c.t.after.inodes[std::size_t(c.inode)];
  if (!file.alive || is_named_by(Joined<Cuts, Fills>{}, c, {c.index, c.index + 1})) return true;
  return c.index >= std::max(file.i_size, file.fallocend) && c.t.grown(Event::thp_split_page) > 0;
}

}  // namespace thp
