// What reclaim and migration of a page must do, or may not.
#include <cerrno>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

// PG_dirty may be added: the dirty bits of entries are collected there.
constexpr Bits kMigratingFlags =
    PG_referenced | PG_uptodate | PG_active | PG_swapbacked | PG_swapcache;

// May reclaim add the folio to the swap cache, whole?
void expect_cache(const Machine& m, Pfn folio, const FolioCount& count, Answers& a) {
  const bool large = folio_test_large(m, folio);
  a.before = folio;
  if (test(m, folio, PG_swapcache)) return;
  if (count.pins > 0 || (large && held(count)) || locked_by_pmd(m, folio)) a.expect(Then::uncached);
  if (large && count.pmds == 0) a.expect(Then::not_swapped_whole);
}

// What is swapped out, and in the swap cache still: is it on the disk, so that nobody needs it?
// Where nothing maps it reclaim asks whether it is pinned before it asks whether it is dirty.
void expect_of_cached(const Machine& m, const Recount& recount, Pfn cached, Answers& a) {
  if (cached >= m.frames() || !nothing_interferes(m)) return;
  const Pfn folio = page_folio(m, cached);
  const FolioCount count = recount.folio(m, folio);
  const int nr = folio_nr_pages(m, folio);
  if (!test(m, folio, PG_lru) || test(m, folio, PG_writeback | PG_unevictable | PG_mlocked)) return;
  if (count.references(nr > 1) == nr && !test(m, folio, PG_dirty)) a.result(kFrees, nr, nr);
  if (count.pins == 0 || count.mapped_anywhere()) return;
  a.before = folio;
  a.expect(Then::pinned_is_active);
}

// How many VMAs used the folio: is a page of it young there?
int count_users(const Machine& m, Pfn folio) {
  int users = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm)) {
      bool young = false;
      for (int page = vma.start; page < vma.end; ++page) {
        const Pfn pfn = mapped_frame(m, mm, page);
        young |= pfn != kNoPfn && page_folio(m, pfn) == folio && entry_of(m, mm, page).has(kYoung);
      }
      users += young;
    }
  return users;
}

// A folio that reclaim looks at: is it used, or what becomes of it?
void expect_of_scanned(const Machine& m, Pfn folio, const FolioCount& count, int users,
                       Answers& a) {
  a.expect(Then::aged);
  if (users > 0) {
    a.active = users > 1 || test(m, folio, PG_referenced);
    if (a.active && is_swap_full(m) && test(m, folio, PG_swapcache) &&
        is_idle_but_for_mapping(m, folio))
      a.expect(Then::let_go);
    return a.expect(Then::used);
  }
  a.expect(Then::submitted);
  if (certainly_swaps_whole(m, folio, count)) a.expect(Then::swapped_whole);
}

// Who is locked anew is not active any more.
bool keeps_flags(const Machine& m, Pfn folio, const Answers& a) {
  if (!all_locks_counted(m, folio)) return false;
  return test(m, folio, PG_mlocked) ||
         (m.page(folio).flags & kMigratingFlags) == (a.flags & kMigratingFlags);
}

// Locked, but not known to be so: reclaim finds out, and needs no slot for it.
void expect_locked(const Machine& m, Pfn folio, Answers& a) {
  if (m.inject != Injections{} || m.migration.in_flight() || !test(m, folio, PG_swapcache)) return;
  const bool idle = is_idle_but_for_mapping(m, folio) && !mapped_behind_a_huge_pmd(m, folio);
  if (idle && has_locks(m, folio)) a.expect(Then::let_go);
}

// It will succeed. A huge page needs another huge one, or it is split.
void moves(const Machine& m, const MovePages& op, Pfn folio, Answers& a) {
  a.result(kMigrates, 0, 0);
  if (folio_test_large(m, folio) && m.inject.fail_huge_alloc != 0) return;
  a.about(op.mm.id, op.page.number, op.page.number + 1);
  a.bits = entry_of(m, op.mm.id, op.page.number).bits;
  a.flags = m.page(folio).flags;
  a.whole = pmds_of(m, folio);
  a.expect(Then::migrated_as_is);
  a.expect(Then::whole);
}

}  // namespace

std::uint16_t pmds_of(const Machine& m, Pfn folio) {
  unsigned pmds = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int i = 0; i < m.geometry.pmds; ++i)
      if (m.pmd(mm, i).is_present() && m.pmd(mm, i).frame == folio) pmds |= pmd_bit(mm, i);
  return std::uint16_t(pmds);
}

void expect_reclaim(const Machine& m, const Recount& recount, const Reclaim& op, Answers& a) {
  const int page = op.page.number;
  const Entry& entry = entry_of(m, op.mm.id, page);
  if (entry.is_swap() && m.mms[std::size_t(op.mm.id)].alive != 0)
    return expect_of_cached(m, recount, m.swap(entry.frame).cache, a);
  const Pfn pfn = mapped_frame(m, op.mm.id, page);
  if (pfn == kNoPfn) return;
  const Pfn folio = page_folio(m, pfn);
  const FolioCount count = recount.folio(m, folio);
  a.about(op.mm.id, page, page + 1);
  expect_cache(m, folio, count, a);
  expect_young_locks(m, folio, a);
  if (count.isolations + count.migration > 0) return a.result(kIsolatedOnce, -EBUSY, -EBUSY);
  if (held(count)) a.result(kHeldNotReclaimed, Answers::kMin, 0);
  if (!test(m, folio, PG_lru) || test(m, folio, PG_unevictable)) return;
  if (!held(count)) a.result(kReclaimTries, 0, Answers::kMax);
  expect_locked(m, folio, a);
  if (!nothing_interferes(m) || m.migration.in_flight() || test(m, folio, PG_writeback) ||
      mapped_behind_a_huge_pmd(m, folio))
    return;
  const int users = count_users(m, folio), nr = folio_nr_pages(m, folio);
  expect_of_scanned(m, folio, count, users, a);
  const bool given_away = users == 0 && nr > 1 && count.pmds == 1 && count.references(true) == 1;
  if (given_away && !test(m, folio, PG_swapbacked | PG_dirty) && !entry.has(kDirty))
    a.result(kFrees, nr, nr);
  if (held(count) || users > 0 || !certainly_unmapped(m, pfn, count)) return;
  const bool discarded = !test(m, pfn, PG_swapbacked | PG_dirty) && !entry.has(kDirty);
  if (discarded && count.references(false) == 1) a.result(kFrees, 1, 1);
  a.expect(test(m, pfn, PG_swapbacked) ? Then::unmapped : Then::swapbacked);
}

// Reclaim has asked whether the page was used, and forgets it.
bool aged(const Machine& m, const Answers& a) {
  const Entry& entry = entry_of(m, a.mm, a.first);
  return !entry.is_present() || !entry.has(kYoung);
}

// What was used is where it was.
bool used(const Machine& m, const Answers& a) {
  const Pfn folio = page_folio(m, a.before);
  const bool marked = test(m, folio, PG_referenced) && test(m, folio, PG_active) == a.active;
  return entry_of(m, a.mm, a.first).is_present() && marked;
}

// It may have left the swap cache, and memory, at once.
bool swapped_whole(const Machine& m, const Answers& a) {
  const bool freed = m.used_frames(a.before >> m.geometry.order) == 0;
  return freed || (folio_test_large(m, a.before) && !is_mapped(m, a.before));
}

// The first page under writeback that is dirty and active.
void expect_no_rotation(const Machine& m, Answers& a) {
  for (int pfn = 0; pfn < m.frames() && !a.expects(Then::stays_active); ++pfn) {
    constexpr Bits kAll = PG_writeback | PG_dirty | PG_active;
    if ((m.page(Pfn(pfn)).flags & kAll) != kAll) continue;
    a.before = Pfn(pfn);
    a.expect(Then::stays_active);
  }
}

bool is_active(const Machine& m, const Answers& a) {
  return test(m, page_folio(m, a.before), PG_active);
}

// Nobody but the swap cache refers to it: it is written, under way, or has left the swap cache.
bool submitted(const Machine& m, const Answers& a) {
  const Pfn folio = page_folio(m, a.before);
  if (!test(m, folio, PG_swapcache) || is_mapped(m, folio)) return true;
  const int nr = folio_nr_pages(m, folio);
  return m.page(folio).refcount != nr || !test(m, folio, PG_dirty);
}

void expect_move_pages(const Machine& m, const Recount& recount, const MovePages& op, Answers& a) {
  const Pfn pfn = mapped_frame(m, op.mm.id, op.page.number);
  const Vma* vma = vma_at(m, op.mm.id, op.page.number);
  if (vma == nullptr || m.migration.in_flight()) return;
  if (vma->has(VM_READ) && entry_of(m, op.mm.id, op.page.number).is_zero())
    a.result(kZeroDoesNotMigrate, -EFAULT, -EFAULT);
  if (pfn == kNoPfn) return;
  if (held(recount.folio(m, page_folio(m, pfn))))
    a.must_fail(kHeldNotMigrated);
  else if (vma->has(VM_READ) && certainly_migrates(m, pfn))
    moves(m, op, page_folio(m, pfn), a);
}

// The target of a migration that was begun before.
void expect_arrival(const Machine& m, Answers& a) {
  if (!m.migration.in_flight() || m.migration.dst >= m.frames()) return;
  a.before = m.migration.dst;
  a.flags = m.page(m.migration.src).flags;
  a.expect(Then::arrived);
}

bool arrived(const Machine& m, const Answers& a) {
  const Pfn folio = page_folio(m, a.before);
  return !is_mapped(m, folio) || keeps_flags(m, folio, a);
}

// All but soft-dirty, which pte_mkdirty() adds; and the new page is locked by all who map it.
bool migrated_as_is(const Machine& m, const Answers& a) {
  const Entry& entry = entry_of(m, a.mm, a.first);
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  if (pfn == kNoPfn || (entry.bits | kSoftDirty) != (a.bits | kSoftDirty)) return false;
  return keeps_flags(m, page_folio(m, pfn), a);
}

}  // namespace thp
