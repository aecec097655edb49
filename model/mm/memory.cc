// Faults by PTE, copy-on-write, copying at fork. v6.1 mm/memory.c.
// Faults on files are in memory_file.cc. Left out: userfaultfd, NUMA hinting, KSM pages; page
// tables never fail to allocate.
#include "model/mm/memory.h"

#include "model/mm/migrate.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// v6.1 mm/memory.c: do_anonymous_page()
Fault do_anonymous_page(Machine& m, int mm, Vma& vma, int page, bool write) {
  pte_alloc(m, mm, pmd_index(m, page));
  if (!write) {
    m.set_pte(mm, page, {EntryKind::zero, kYoung, m.zero_pfn()});
    return Fault::done;
  }
  if (!anon_vma_prepare(m, mm, vma)) return Fault::oom;
  const Pfn pfn = new_anon_page(m, 0);
  if (pfn == kNoPfn) return Fault::oom;
  const auto bits = std::uint8_t(kYoung | (vma.has(VM_WRITE) ? kMkDirty | kWrite : 0));
  ++m.mms[std::size_t(mm)].anon_pages;
  map_new_anon_page(m, mm, vma, page, pfn, bits);
  return Fault::done;
}

// v6.1 mm/memory.c: wp_page_copy(). `old` is kNoPfn for the zero page.
Fault wp_page_copy(Machine& m, int mm, Vma& vma, int page, Pfn old, bool unshare) {
  if (old != kNoPfn) get_page(m, old);
  const std::uint8_t content = old == kNoPfn ? 0 : m.page(old).content;
  const Pfn copy = anon_vma_prepare(m, mm, vma) ? new_anon_page(m, content) : kNoPfn;
  if (copy == kNoPfn) {
    if (old != kNoPfn) put_page(m, old);
    return Fault::oom;
  }
  const bool of_a_file = old != kNoPfn && is_file_page(m, old);
  if (of_a_file) --m.mms[std::size_t(mm)].shmem_pages;
  if (old == kNoPfn || of_a_file) ++m.mms[std::size_t(mm)].anon_pages;
  const std::uint8_t shared = m.pte(mm, page).bits & kSoftDirty;
  const std::uint8_t bits = unshare ? shared : std::uint8_t(kMkDirty | maybe_mkwrite(vma));
  map_new_anon_page(m, mm, vma, page, copy, std::uint8_t(kYoung | bits));
  if (old == kNoPfn) return Fault::done;
  page_remove_rmap(m, old, vma, false);
  put_page(m, old);
  free_swap_cache(m, old);
  put_page(m, old);
  return Fault::done;
}

// The test of do_wp_page() for a page that is not exclusive yet: are we the folio's only user?
// It counts one reference for the swap cache even where a THP has N of them there.
bool wp_can_reuse(Machine& m, const Vma& vma, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  const bool cached = folio_test_swapcache(m, folio);
  if (page_count(m, folio) > 1 + (cached ? 1 : 0) || !trylock_page(m, folio)) return false;
  if (cached) folio_free_swap(m, folio);
  const bool ours = page_count(m, folio) == 1;
  if (ours) page_move_anon_rmap(m, pfn, vma);
  unlock_page(m, folio);
  return ours;
}

// v6.1 mm/memory.c: handle_pte_fault(). On x86 ptep_set_access_flags() stores the entry for writes
// only.
Fault handle_pte_fault(Machine& m, int mm, Vma& vma, int page, Access access) {
  const bool none = m.pmd(mm, pmd_index(m, page)).is_none() || m.pte(mm, page).is_none();
  if (none && !vma.is_anonymous()) return do_fault(m, mm, vma, page, access == Access::write);
  if (none) return do_anonymous_page(m, mm, vma, page, access == Access::write);
  const Entry entry = m.pte(mm, page);
  if (!entry.is_present() && !entry.is_zero()) return do_swap_page(m, mm, vma, page, access);
  if (access != Access::read && !entry.has(kWrite))
    return do_wp_page(m, mm, vma, page, access == Access::unshare);
  if (access != Access::write) return Fault::done;
  m.set_pte(mm, page, {entry.kind, std::uint8_t(entry.bits | kYoung | kMkDirty), entry.frame});
  return Fault::done;
}

}  // namespace

Pfn new_anon_page(Machine& m, std::uint8_t content) {
  const Pfn page = alloc_page(m);
  if (page == kNoPfn) return kNoPfn;
  if (!mem_cgroup_charge(m, page)) {
    put_page(m, page);
    return kNoPfn;
  }
  m.page(page).content = content;
  set(m, page, PG_uptodate);
  return page;
}

void map_new_anon_page(Machine& m, int mm, const Vma& vma, int page, Pfn pfn, std::uint8_t bits) {
  page_add_new_anon_rmap(m, pfn, vma, page, false);
  lru_cache_add_inactive_or_unevictable(m, pfn, vma);
  m.set_pte(mm, page, {EntryKind::present, bits, pfn});
}

// v6.1 mm/memory.c: wp_page_reuse()
void wp_page_reuse(Machine& m, int mm, const Vma& vma, int page) {
  Entry entry = m.pte(mm, page);
  const bool anon = test(m, page_folio(m, entry.frame), PG_anon);
  vm_bug_on(m, anon && !test(m, entry.frame, PG_anon_exclusive),
            "wp_page_reuse: not PageAnonExclusive");
  entry.bits |= std::uint8_t(kYoung | kMkDirty | maybe_mkwrite(vma));
  m.set_pte(mm, page, entry);
  count_vm_event(m, Event::pgreuse);
}

// v6.1 mm/memory.c: do_wp_page(). Also for unsharing: a private copy that stays read-only.
Fault do_wp_page(Machine& m, int mm, Vma& vma, int page, bool unshare) {
  const Entry entry = m.pte(mm, page);
  if (entry.is_zero()) return unshare ? Fault::done : wp_page_copy(m, mm, vma, page, kNoPfn, false);
  if (is_file_page(m, entry.frame)) {
    if (unshare) return Fault::done;
    return vma.has(VM_SHARED) ? wp_page_shared(m, mm, vma, page)
                              : wp_page_copy(m, mm, vma, page, entry.frame, false);
  }
  if (!test(m, entry.frame, PG_anon_exclusive) && !wp_can_reuse(m, vma, entry.frame))
    return wp_page_copy(m, mm, vma, page, entry.frame, unshare);
  if (!unshare) wp_page_reuse(m, mm, vma, page);
  return Fault::done;
}

// v6.1 mm/memory.c: wp_huge_pmd(). COW and write notification of a file happen by PTEs.
static Fault wp_huge_pmd(Machine& m, int mm, Vma& vma, int page, bool unshare) {
  if (vma.is_anonymous()) return do_huge_pmd_wp_page(m, mm, vma, page, unshare);
  split_huge_pmd(m, mm, vma, page);
  return Fault::fallback;
}

// v6.1 mm/memory.c: __handle_mm_fault()
Fault handle_mm_fault(Machine& m, int mm, Vma& vma, int page, Access access) {
  const Entry pmd = m.pmd(mm, pmd_index(m, page));
  if (pmd.is_none() && vma.is_anonymous() && hugepage_vma_check(m, mm, vma, true, true)) {
    const Fault fault = do_huge_pmd_anonymous_page(m, mm, vma, page, access == Access::write);
    if (fault != Fault::fallback) return fault;
  } else if (pmd.is_migration()) {
    migration_entry_wait(m, pmd.frame);
    return Fault::done;
  } else if (pmd.is_present() || pmd.is_zero()) {
    if (access == Access::read || pmd.has(kWrite)) {
      huge_pmd_set_accessed(m, mm, page, access == Access::write);
      return Fault::done;
    }
    const Fault fault = wp_huge_pmd(m, mm, vma, page, access == Access::unshare);
    if (fault != Fault::fallback) return fault;
  }
  return handle_pte_fault(m, mm, vma, page, access);
}

Pfn follow_pfn(const Machine& m, int mm, int page) {
  const Entry& pmd = m.pmd(mm, pmd_index(m, page));
  if (pmd.is_present() || pmd.is_zero()) return Pfn(pmd.frame + (page - pmd_first(m, page)));
  if (!pmd.is_table()) return kNoPfn;
  const Entry& pte = m.pte(mm, page);
  return pte.is_present() || pte.is_zero() ? pte.frame : kNoPfn;
}

bool entry_writable(const Machine& m, int mm, int page) {
  const Entry& pmd = m.pmd(mm, pmd_index(m, page));
  if (!pmd.is_table()) return pmd.is_present() && pmd.has(kWrite);
  return m.pte(mm, page).is_present() && m.pte(mm, page).has(kWrite);
}

// The processor sets Accessed and Dirty; soft-dirty is the kernel's alone.
void touch_entry(Machine& m, int mm, int page, bool write) {
  const auto bits = std::uint8_t(kYoung | (write ? kDirty : 0));
  const int i = pmd_index(m, page);
  Entry entry = m.pmd(mm, i).is_table() ? m.pte(mm, page) : m.pmd(mm, i);
  if ((entry.bits & bits) == bits) return;
  entry.bits |= bits;
  if (m.pmd(mm, i).is_table())
    m.set_pte(mm, page, entry);
  else
    m.set_pmd(mm, i, entry);
}

// v6.1 mm/memory.c: __pte_alloc()
void pte_alloc(Machine& m, int mm, int i) {
  if (!m.pmd(mm, i).is_none()) return;
  m.set_pmd(mm, i, {EntryKind::table, 0, 0});
  ++m.mms[std::size_t(mm)].nr_ptes;
}

// v6.1 mm/migrate.c: migration_entry_wait(): sleeps until the folio's lock is free
void migration_entry_wait(Machine& m, Pfn pfn) {
  vm_bug_on(m, !m.migration.in_flight() || page_folio(m, pfn) != m.migration.src,
            "migration_entry_wait: nothing will remove the entry");
  wait_for_migration(m);
}

}  // namespace thp
