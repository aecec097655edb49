// The mappings of an anonymous folio become migration entries, and mappings again.
// v6.1 mm/rmap.c, mm/migrate.c, mm/huge_memory.c. Left out: files, device memory, hwpoison,
// userfaultfd. A migration entry holds no reference and counts in no mapcount; rss still counts it.
#include "model/mm/huge_memory.h"
#include "model/mm/page_alloc.h"
#include "model/mm/page_vma_mapped.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// v6.1 include/linux/swapops.h: make_*_migration_entry()
Entry make_migration_entry(Entry old, bool exclusive) {
  const std::uint8_t kept = old.bits & (kWrite | kYoung | kDirty | kSoftDirty);
  const bool readable_exclusive = exclusive && !old.has(kWrite);
  return {EntryKind::migration, std::uint8_t(kept | (readable_exclusive ? kExclusive : 0)),
          old.frame};
}

// The mapping that a migration entry stood for, now of `pfn`. Permissions and the dirty state may
// have changed meanwhile; and pte_mkdirty() of x86 sets soft-dirty too.
Entry restore_entry(const Machine& m, Entry old, const Vma& vma, Pfn pfn) {
  std::uint8_t bits = old.bits & (kYoung | kSoftDirty);
  if (old.has(kDirty) && test(m, page_folio(m, pfn), PG_dirty)) bits |= kMkDirty;
  if (old.has(kWrite) && vma.has(VM_WRITE)) bits |= kWrite;
  return {EntryKind::present, bits, pfn};
}

bool is_readable(Entry migration_entry) { return !migration_entry.has(kWrite | kExclusive); }

// v6.1 mm/huge_memory.c: set_pmd_migration_entry(). false: pinned, the PMD stays.
bool set_pmd_migration_entry(Machine& m, int mm, const Vma& vma, int page) {
  const int i = pmd_index(m, page);
  const Entry old = m.pmd(mm, i);
  const Pfn head = old.frame;
  const bool exclusive = test(m, head, PG_anon_exclusive);
  if (exclusive && !page_try_share_anon_rmap(m, head)) return false;
  if (old.has(kDirty)) folio_mark_dirty(m, head);
  m.set_pmd(mm, i, make_migration_entry(old, exclusive));
  page_remove_rmap(m, head, vma, true);
  put_page(m, head);
  return true;
}

// The PTE part of try_to_migrate_one(). false: pinned, the PTE stays, but its dirty bit has reached
// the folio.
bool set_pte_migration_entry(Machine& m, int mm, const Vma& vma, int page) {
  const Entry old = m.pte(mm, page);
  const Pfn subpage = old.frame;
  const bool exclusive = test(m, subpage, PG_anon_exclusive);
  if (old.has(kDirty)) folio_mark_dirty(m, page_folio(m, subpage));
  vm_bug_on(m, old.has(kWrite) && !exclusive, "try_to_migrate_one: writable, but not exclusive");
  if (exclusive && !page_try_share_anon_rmap(m, subpage)) return false;
  m.set_pte(mm, page, make_migration_entry(old, exclusive));
  page_remove_rmap(m, subpage, vma, false);
  put_page(m, subpage);
  return true;
}

// v6.1 mm/rmap.c: try_to_migrate_one(). false: a pinned page ends the whole walk.
bool try_to_migrate_one(Machine& m, int mm, const Vma& vma, int page, Pfn folio, TtuFlags flags) {
  if (flags.split_huge_pmd) split_huge_pmd(m, mm, vma, page, true, folio);
  bool unmapped = true;
  page_vma_mapped_walk(m, mm, vma, page, folio, Walk::present, [&](int at, bool pmd_mapped) {
    unmapped = pmd_mapped ? set_pmd_migration_entry(m, mm, vma, at)
                          : set_pte_migration_entry(m, mm, vma, at);
    return unmapped;
  });
  return unmapped;
}

// v6.1 mm/huge_memory.c: remove_migration_pmd()
void remove_migration_pmd(Machine& m, int mm, const Vma& vma, int page, Pfn folio) {
  const int i = pmd_index(m, page);
  const Entry old = m.pmd(mm, i);
  get_page(m, folio);
  const Entry pmd = restore_entry(m, old, vma, folio);
  page_add_anon_rmap(m, folio, vma, pmd_first(m, page), true, !is_readable(old));
  vm_bug_on(m, pmd.has(kWrite) && !test(m, folio, PG_anon_exclusive),
            "remove_migration_pmd: writable, but not exclusive");
  m.set_pmd(mm, i, pmd);
}

// v6.1 mm/migrate.c: remove_migration_pte()
void remove_migration_pte(Machine& m, int mm, const Vma& vma, int page, Pfn pfn) {
  const Entry old = m.pte(mm, page);
  get_page(m, pfn);
  page_add_anon_rmap(m, pfn, vma, page, false, !is_readable(old));
  m.set_pte(mm, page, restore_entry(m, old, vma, pfn));
}

}  // namespace

// v6.1 mm/rmap.c: try_to_migrate(). Who wants the mapping gone looks at folio_mapped() afterwards.
void try_to_migrate(Machine& m, Pfn folio, TtuFlags flags) {
  rmap_walk(m, folio, [&](int mm, const Vma& vma, int page) {
    return try_to_migrate_one(m, mm, vma, page, folio, flags) && folio_mapped(m, folio);
  });
}

// See defects.h.
static bool has_migration_pte(const Machine& m, int mm, PageRange pages, Pfn folio) {
  for (int page = pages.first; page < pages.end; ++page) {
    const Entry& pte = m.pte(mm, page);
    if (pte.is_migration() && page_folio(m, pte.frame) == folio) return true;
  }
  return false;
}

// v6.1 mm/migrate.c: remove_migration_ptes(). Entries of `src` become mappings of `dst`, which may
// be `src` itself; the walk follows the anon_vma and index of `dst`.
void remove_migration_ptes(Machine& m, Pfn src, Pfn dst) {
  const bool large = folio_test_large(m, dst);
  const int first_index = m.page(src).index;
  rmap_walk(m, dst, [&](int mm, const Vma& vma, int page) {
    const auto remove = [&](int at, bool pmd_mapped) {
      if (pmd_mapped)
        remove_migration_pmd(m, mm, vma, at, dst);
      else
        remove_migration_pte(m, mm, vma, at,
                             Pfn(large ? dst + vma.index_of(at) - first_index : dst));
      return true;
    };
    const PageRange missed = page_vma_mapped_walk(m, mm, vma, page, src, Walk::migration, remove);
    if (has_migration_pte(m, mm, missed, src)) m.defect = &kStrandedMigrationEntries;
    return true;
  });
}

}  // namespace thp
