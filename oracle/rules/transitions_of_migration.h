// Rules about migration. Part of transitions.cc.
#pragma once
#include <cerrno>

#include "oracle/rules/transitions.h"

namespace thp {

// PG_dirty may be added: the dirty bits of entries are collected there. Who is locked anew is not
// active any more.
inline bool migrates_flags(const Machine& m, Pfn folio, Bits flags) {
  constexpr Bits kKept = PG_referenced | PG_uptodate | PG_active | PG_swapbacked | PG_swapcache;
  if (!all_locks_counted(m, folio)) return false;
  return test(m, folio, PG_mlocked) || (m.page(folio).flags & kKept) == (flags & kKept);
}

// One folio, to its end. A huge page that is split on the way counts as failed, wherever its pages
// go, though the document says that this is neither migrated nor split.
inline bool counts_migration(const Transition& t, bool large, bool moved) {
  const bool split = large && t.grown(Event::thp_split_page) > 0;
  if (t.grown(Event::thp_migration_split) != split) return false;
  if (split)
    return t.grown(Event::thp_migration_fail) <= 1 &&
           (t.result == 0) == (t.grown(Event::pgmigrate_fail) == 0);
  if (!moved)
    return t.grown(Event::pgmigrate_fail) > 0 && t.grown(Event::thp_migration_fail) == large;
  return t.grown(Event::pgmigrate_success) == (large ? t.after.hpage_nr() : 1) &&
         t.grown(Event::thp_migration_success) == large;
}

// What is not accessible counts as not present; what migrates already is none of these.
inline bool says_where_it_stands(const MovePages& op, const Transition& t) {
  const Vma* vma = vma_at(t.before, op.mm.id, op.page.number);
  const bool is_absent = t.result == -ENOENT || t.result == -EFAULT;
  if (vma == nullptr) return t.result == -EFAULT;
  if (t.before.migration.in_flight()) return true;
  const Entry was = t.page.was;
  if (was.is_none() || !vma->has(VM_READ)) return is_absent;
  if (was.is_zero()) return t.result == -EFAULT;
  if (was.is_swap()) return t.result == -ENOENT;
  const bool elsewhere = t.page.frame_is != kNoPfn && t.page.frame_is != t.page.frame_was;
  return t.succeeded() ? elsewhere : !is_absent;
}

inline constexpr OpRule kMigrationRules[] = {
    {"held_folio_does_not_migrate", "A folio that somebody holds does not migrate.",
     promise(kEvery, "mm/page_migration.rst, How migrate_pages() works; move_pages(2), EBUSY"),
     "mm/migrate.c: folio_migrate_mapping(): -EAGAIN",
     over<MovePages>([](const MovePages& op, const Transition& t) {
       const Pfn pfn = movable(op, t);
       return pfn == kNoPfn || !held(t.count(page_folio(t.before, pfn))) || !t.succeeded();
     }),
     over<MigrateEnd>([](const MigrateEnd&, const Transition& t) {
       if (!t.before.migration.in_flight()) return true;
       const FolioCount count = t.count(t.before.migration.src);
       return count.pins + count.gets + count.isolations == 0 || !t.succeeded();
     })},
    {"migrate_end_needs_a_migration", "migrate_end without a migration says EINVAL.",
     choice(kEvery), "the op's own", over<MigrateEnd>([](const MigrateEnd&, const Transition& t) {
       return t.before.migration.in_flight() || t.result == -EINVAL;
     })},
    {"free_folio_migrates",
     "move_pages() moves a folio that only mappings and the swap cache refer to, if there is "
     "memory.",
     promise(k6_1, "mm/page_migration.rst, How migrate_pages() works"),
     "mm/migrate.c: folio_expected_refs(), migrate_pages()",
     over<MovePages>([](const MovePages& op, const Transition& t) {
       return t.result == 0 || !must_migrate(op, t);
     })},
    // What no fault has put there is EFAULT in anonymous memory, though the manual page keeps that
    // for what is not mapped: mm/gup.c no_page_table() with FOLL_DUMP.
    {"move_pages_says_where_it_stands",
     "move_pages() that succeeds has moved the page to another frame. It says EFAULT where no "
     "memory is mapped and of a zero page, ENOENT of a page that is not present, and neither of "
     "one that is. Of what was never there it may say either.",
     promise(kEvery, "move_pages(2), DESCRIPTION and Page states; mm/page_migration.rst"),
     "mm/migrate.c: add_page_for_migration(), move_pages_and_store_status()",
     over<MovePages>([](const MovePages& op, const Transition& t) {
       if (t.before.mms[std::size_t(op.mm.id)].alive == 0) return t.result == -ESRCH;
       return says_where_it_stands(op, t);
     })},
    // All but soft-dirty, which pte_mkdirty() adds; and the new page is locked by all who map it.
    {"migration_keeps_flags",
     "A page that migrates stays as used, active, swap-backed and cached as it was, or has its "
     "locks counted. After move_pages() its entry says what it said.",
     promise(k6_1,
             "mm/page_migration.rst, How migrate_pages() works; mm/unevictable-lru.rst, Migrating "
             "MLOCKED Pages"),
     "mm/migrate.c: folio_migrate_flags(), remove_migration_pte()",
     after<MovePages>([](const MovePages& op, const Transition& t) {
       if (!must_migrate_whole(op, t)) return true;
       const Pfn now = t.page.frame_is;
       if (now == kNoPfn || (t.page.is.bits | kSoftDirty) != (t.page.was.bits | kSoftDirty))
         return false;
       const Bits flags = t.before.page(page_folio(t.before, t.page.frame_was)).flags;
       return migrates_flags(t.after, page_folio(t.after, now), flags);
     }),
     after<MigrateEnd>([](const MigrateEnd&, const Transition& t) {
       const auto [src, dst] = t.before.migration;
       if (src == kNoPfn || dst >= t.before.frames()) return true;
       const Pfn folio = page_folio(t.after, dst);
       return !is_mapped(t.after, folio) ||
              migrates_flags(t.after, folio, t.before.page(src).flags);
     })},
    {"migration_counters",
     "pgmigrate_success and _fail count pages, thp_migration_success, _fail and _split huge pages, "
     "and where one was split the result is that of all its pages. Linux counts that as a failure, "
     "too.",
     promise(k6_1, "mm/page_migration.rst, Monitoring Migration"), "mm/migrate.c: migrate_pages()",
     over_any([](const Transition& t) {
       const Machine& m = t.before;
       const Migration migration = m.migration;
       if (t.over<MigrateEnd>())
         return !migration.in_flight() ||
                counts_migration(t, folio_test_large(m, migration.src), t.result == 0);
       if (migration.in_flight() || t.over<MigrateBegin>()) return true;
       if (t.over<MovePages>()) {
         const Pfn pfn = t.page.frame_was;
         const Reason reason = t.after.reason;
         const bool moved = reason == Reason::migrated;
         const bool large = pfn != kNoPfn && folio_test_large(m, page_folio(m, pfn));
         const bool tried =
             moved || reason == Reason::migrate_EAGAIN || reason == Reason::migrate_ENOMEM;
         return !tried || counts_migration(t, large, moved);
       }
       return t.grown(Event::pgmigrate_success) + t.grown(Event::pgmigrate_fail) +
                  t.grown(Event::thp_migration_success) + t.grown(Event::thp_migration_fail) ==
              0;
     })},
};

}  // namespace thp
