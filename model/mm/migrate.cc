// Migration of one folio, as move_pages(2) with MPOL_MF_MOVE_ALL does it. v6.1 mm/migrate.c, mode
// MIGRATE_SYNC. Left out: files, hugetlb, device memory, NUMA nodes, memcg, isolated-page counts.
// migrate_pages() repeats what said -EAGAIN, and from the fourth of its ten passes on it sleeps on
// page locks and writeback (`force`). A pass that fails leaves traces (PG_double_map is lost, and
// the next pass then queues the folio for splitting), so that all ten are gone through. Those after
// the one that an op boundary interrupts belong to migrate_end().
#include "model/mm/migrate.h"

#include <cerrno>
#include <utility>

#include "model/mm/huge_memory.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/vmscan.h"

namespace thp {
namespace {

constexpr int MIGRATEPAGE_SUCCESS = 0, MIGRATEPAGE_UNMAP = 1;
constexpr int NR_MAX_MIGRATE_PAGES_RETRY = 10;

// The swap cache's part of folio_migrate_mapping(): every slot and every page->private moves.
void migrate_swap_cache(Machine& m, Pfn dst, Pfn src) {
  const int nr = folio_nr_pages(m, src);
  page_ref_add(m, dst, nr);
  set(m, dst, PG_swapcache);
  if (test_and_clear(m, src, PG_dirty)) set(m, dst, PG_dirty);
  for (int i = 0; i < nr; ++i) {
    const Slot slot = m.page(Pfn(src + i)).private_slot;
    m.page(Pfn(dst + i)).private_slot = slot;
    m.stamps.frame(Pfn(dst + i));
    m.swap(slot).cache = Pfn(dst + i);
  }
}

// v6.1 mm/migrate.c: folio_migrate_mapping(), folio_expected_refs(). The isolation's reference and
// the swap cache's must be all there are. Only the swap cache can freeze them; false: some more.
bool folio_migrate_mapping(Machine& m, Pfn dst, Pfn src) {
  const bool cached = folio_test_swapcache(m, src);
  const int cache_refs = cached ? folio_nr_pages(m, src) : 0;
  if (cached ? !page_ref_freeze(m, src, 1 + cache_refs) : m.page(src).refcount != 1) return false;
  m.page(dst).index = m.page(src).index;
  m.page(dst).anon_vma = m.page(src).anon_vma;
  set(m, dst, m.page(src).flags & (PG_anon | PG_swapbacked));
  if (cached) {
    migrate_swap_cache(m, dst, src);
    page_ref_unfreeze(m, src, 1);
  }
  return true;
}

// v6.1 mm/migrate.c: folio_migrate_flags(). PG_mlocked went with the VM_LOCKED mappings and comes
// back with them; PG_lru is given anew. The head's AnonExclusive is garbage here, yet copied.
void folio_migrate_flags(Machine& m, Pfn dst, Pfn src) {
  constexpr Bits kCopied = PG_referenced | PG_uptodate | PG_anon_exclusive | PG_dirty | PG_reclaim;
  set(m, dst, m.page(src).flags & kCopied);
  if (test_and_clear(m, src, PG_active)) {
    vm_bug_on(m, test(m, src, PG_unevictable), "folio_migrate_flags: active and unevictable");
    set(m, dst, PG_active);
  } else if (test_and_clear(m, src, PG_unevictable)) {
    set(m, dst, PG_unevictable);
  }
  clear(m, src, PG_swapcache);
}

// v6.1 mm/migrate.c: move_to_new_folio(), migrate_folio_extra(), folio_migrate_copy()
bool move_to_new_folio(Machine& m, Pfn dst, Pfn src) {
  vm_bug_on(m, !test(m, src, PG_locked), "move_to_new_folio: source not locked");
  vm_bug_on(m, test(m, src, PG_writeback), "migrate_folio_extra: under writeback");
  if (!folio_migrate_mapping(m, dst, src)) return false;
  for (int i = 0; i < folio_nr_pages(m, src); ++i) {
    m.page(Pfn(dst + i)).content = m.page(Pfn(src + i)).content;
    m.page(Pfn(src + i)).private_slot = 0;
    m.stamps.frame(Pfn(dst + i));
  }
  folio_migrate_flags(m, dst, src);
  return true;
}

// v6.1 mm/migrate.c: __migrate_folio_unmap(). false: a pin kept some mapping, the others are back.
bool lock_and_unmap(Machine& m, Pfn dst, Pfn src, bool force) {
  if (!trylock_page(m, src)) {
    if (!force) return false;
    lock_page(m, src);
  }
  if (test(m, src, PG_writeback) && !force) {
    unlock_page(m, src);
    return false;
  }
  folio_wait_writeback(m, src);
  lock_page(m, dst);
  try_to_migrate(m, src, {});
  if (!folio_mapped(m, src)) return true;
  remove_migration_ptes(m, src, src);
  unlock_page(m, dst);
  unlock_page(m, src);
  return false;
}

// v6.1 mm/migrate.c: migrate_folio_unmap()
int migrate_folio_unmap(Machine& m, Pfn& dst, Pfn src, bool force) {
  if (m.page(src).refcount == 1) {  // nobody needs it any more: freeing it is as good
    clear(m, src, PG_active | PG_unevictable);
    put_page(m, src);
    return MIGRATEPAGE_SUCCESS;
  }
  dst = folio_test_large(m, src) ? alloc_huge(m) : alloc_page(m);
  if (dst == kNoPfn) return -ENOMEM;
  if (lock_and_unmap(m, dst, src, force)) return MIGRATEPAGE_UNMAP;
  put_page(m, dst);
  return -EAGAIN;
}

// v6.1 mm/migrate.c: migrate_folio_move(), __migrate_folio_move(), migrate_folio_done(). The target
// is on the LRU before it is mapped, so that mlock counts its mappings right.
int migrate_folio_move(Machine& m, Pfn dst, Pfn src) {
  const bool moved = move_to_new_folio(m, dst, src);
  if (moved) folio_add_lru(m, dst);
  remove_migration_ptes(m, src, moved ? dst : src);
  unlock_page(m, dst);
  unlock_page(m, src);
  put_page(m, dst);
  if (!moved) return -EAGAIN;
  put_page(m, src);
  return MIGRATEPAGE_SUCCESS;
}

// v6.1 mm/migrate.c: the counters of migrate_pages(), and putback_movable_pages() of what stays
int migrated(Machine& m, Pfn src, int nr_pages, int rc) {
  const bool ok = rc == MIGRATEPAGE_SUCCESS, thp = nr_pages > 1;
  count_vm_event(m, ok ? Event::pgmigrate_success : Event::pgmigrate_fail, nr_pages);
  if (thp) count_vm_event(m, ok ? Event::thp_migration_success : Event::thp_migration_fail);
  m.reason = ok              ? Reason::migrated
             : rc == -ENOMEM ? Reason::migrate_ENOMEM
                             : Reason::migrate_EAGAIN;
  if (!ok) folio_putback_lru(m, src);
  return rc;
}

// v6.1 mm/migrate.c: try_split_folio()
bool try_split_folio(Machine& m, Pfn folio) {
  lock_page(m, folio);
  const bool split = split_huge_page(m, folio, true) == 0;
  unlock_page(m, folio);
  return split;
}

// v6.1 mm/migrate.c: migrate_pages_batch() where a THP finds no huge target. Its pages get a single
// pass, without force; the first that finds no memory ends it. 0 if every page has moved, although
// the THP counts as failed.
int split_and_migrate(Machine& m, Pfn thp) {
  if (!try_split_folio(m, thp)) return migrated(m, thp, m.hpage_nr(), -ENOMEM);
  count_vm_event(m, Event::thp_migration_fail);
  count_vm_event(m, Event::thp_migration_split);
  int result = MIGRATEPAGE_SUCCESS;
  for (int i = m.hpage_nr() - 1; i >= 0; --i) {  // the list's order: tails from the last, the head
    const Pfn src = Pfn(thp + i);
    if (result == -ENOMEM) {
      folio_putback_lru(m, src);
      continue;
    }
    Pfn dst = kNoPfn;
    int rc = migrate_folio_unmap(m, dst, src, false);
    if (rc == MIGRATEPAGE_UNMAP) rc = migrate_folio_move(m, dst, src);
    if (migrated(m, src, 1, rc) != MIGRATEPAGE_SUCCESS) result = rc;
  }
  if (result == -EAGAIN) m.reason = Reason::migrate_EAGAIN;
  return result;
}

// v6.1 mm/migrate.c: migrate_pages_batch(), the passes over one folio from `pass` on. At the first
// that has unmapped it a begun migration stops, between unmap and move.
int migrate_passes(Machine& m, Pfn src, int pass, bool stop_unmapped) {
  const int nr_pages = folio_nr_pages(m, src);
  int rc = -EAGAIN;
  for (; rc == -EAGAIN && pass < NR_MAX_MIGRATE_PAGES_RETRY; ++pass) {
    Pfn dst = kNoPfn;
    rc = migrate_folio_unmap(m, dst, src, pass > 2);
    if (rc == MIGRATEPAGE_UNMAP && stop_unmapped) {
      m.migration = {src, dst};
      return 0;
    }
    if (rc == MIGRATEPAGE_UNMAP) rc = migrate_folio_move(m, dst, src);
  }
  return rc == -ENOMEM && nr_pages > 1 ? split_and_migrate(m, src) : migrated(m, src, nr_pages, rc);
}

}  // namespace

// v6.1 mm/migrate.c: add_page_for_migration(), migrate_pages_batch() up to MIGRATEPAGE_UNMAP
int migrate_begin(Machine& m, Pfn pfn) {
  if (m.migration.in_flight()) return -EBUSY;
  const Pfn src = page_folio(m, pfn);
  return folio_isolate_lru(m, src) ? migrate_passes(m, src, 0, true) : -EBUSY;
}

// v6.1 mm/migrate.c: migrate_pages_batch() from MIGRATEPAGE_UNMAP on
int migrate_end(Machine& m) {
  if (!m.migration.in_flight()) return -EINVAL;
  const auto [src, dst] = std::exchange(m.migration, {});
  const int nr_pages = folio_nr_pages(m, src);
  const int rc = migrate_folio_move(m, dst, src);
  return rc == -EAGAIN ? migrate_passes(m, src, 1, false) : migrated(m, src, nr_pages, rc);
}

void wait_for_migration(Machine& m) {
  const Reason reason = m.reason;
  migrate_end(m);
  m.reason = reason;
}

}  // namespace thp
