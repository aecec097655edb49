// Unmapping a folio for reclaim or a split, and asking whether anybody used it. v6.1 mm/rmap.c.
// Left out: hugetlb, hwpoison, userfaultfd, page_idle, the multi-generational LRU
// (built in by Debian, but off), and the TLB flush that reclaim puts off.
#include "model/mm/huge_memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/page_vma_mapped.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// MADV_FREE: the page goes without a trace if its only references are its mappings and the
// isolation, and nobody wrote to it. Otherwise (false) it is an ordinary page again.
bool discard_lazyfree_pte(Machine& m, Pfn folio, int mm, int page, Entry entry) {
  const bool unreferenced = m.page(folio).refcount == 1 + total_mapcount(m, folio);
  if (unreferenced && !test(m, folio, PG_dirty)) {
    --m.mms[std::size_t(mm)].anon_pages;
    return true;
  }
  m.set_pte(mm, page, entry);
  set(m, folio, PG_swapbacked);
  return false;
}

// The slot's count rises before the page may turn out pinned; then the PTE comes back: false.
bool set_swap_pte(Machine& m, int mm, int page, Entry entry) {
  const Slot slot = m.page(entry.frame).private_slot;
  const bool exclusive = test(m, entry.frame, PG_anon_exclusive);
  swap_duplicate(m, slot);
  if (exclusive && !page_try_share_anon_rmap(m, entry.frame)) {
    swap_free(m, slot);
    m.set_pte(mm, page, entry);
    return false;
  }
  mmlist_add(m, mm, -1);
  --m.mms[std::size_t(mm)].anon_pages;
  ++m.mms[std::size_t(mm)].swap_entries;
  const auto bits = std::uint8_t((entry.bits & kSoftDirty) | (exclusive ? kExclusive : 0));
  m.set_pte(mm, page, {EntryKind::swap, bits, slot});
  return true;
}

// Of a file nothing is left but what a fault finds. See defects.h.
bool unmap_file_pte(Machine& m, Pfn folio, int mm, const Vma& vma, int page, Entry entry) {
  if (entry.has(kSoftDirty) && !vma.has(VM_SOFTDIRTY))
    m.strikes.add(kUnmappedFilePageIsSoftClean, mm, page, page + 1);
  --m.mms[std::size_t(mm)].shmem_pages;
  page_remove_rmap(m, entry.frame, vma, false);
  if (vma.has(VM_LOCKED)) m.mlock_pvec.clear();  // mlock_page_drain_local()
  put_page(m, folio);
  return true;
}

// One PTE of v6.1 mm/rmap.c: try_to_unmap_one(). Its dirty bit reaches the folio even where it has
// to come back. false: still mapped.
bool try_to_unmap_pte(Machine& m, Pfn folio, int mm, const Vma& vma, int page) {
  const Entry entry = m.pte(mm, page);
  m.set_pte(mm, page, {});
  if (entry.has(kDirty)) folio_mark_dirty(m, folio);
  if (is_file_page(m, folio)) return unmap_file_pte(m, folio, mm, vma, page, entry);
  const bool swapbacked = test(m, folio, PG_swapbacked);
  if (swapbacked != folio_test_swapcache(m, folio)) {
    vm_bug_on(m, true, "try_to_unmap_one: swapbacked, but not in the swap cache");
    return false;
  }
  const bool unmapped = swapbacked ? set_swap_pte(m, mm, page, entry)
                                   : discard_lazyfree_pte(m, folio, mm, page, entry);
  if (!unmapped) return false;
  page_remove_rmap(m, entry.frame, vma, false);
  put_page(m, folio);
  return true;
}

// v6.1 mm/rmap.c: try_to_unmap_one(). false: the walk over all VMAs ends here.
bool try_to_unmap_one(Machine& m, Pfn folio, int mm, const Vma& vma, int page, TtuFlags flags) {
  if (flags.split_huge_pmd) split_huge_pmd(m, mm, vma, page, false, folio);
  bool go_on = true;
  page_vma_mapped_walk(m, mm, vma, page, folio, Walk::present, [&](int at, bool pmd_mapped) {
    vm_bug_on(m, pmd_mapped, "try_to_unmap_one: unexpected PMD-mapped THP");
    if (pmd_mapped) return go_on = false;
    if (vma.has(VM_LOCKED) && !flags.ignore_mlock) {
      mlock_vma_page(m, folio, vma, false);  // restores the mlock that got missed; not of a THP
      return go_on = false;
    }
    return go_on = try_to_unmap_pte(m, folio, mm, vma, at);
  });
  return go_on;
}

// Takes the young bit from an entry, and tells whether it was there.
// v6.1 mm/pgtable-generic.c: ptep_clear_flush_young(), pmdp_clear_flush_young()
bool clear_young(Machine& m, int mm, int page, bool pmd_mapped) {
  Entry entry = pmd_mapped ? m.pmd(mm, pmd_index(m, page)) : m.pte(mm, page);
  if (!entry.has(kYoung)) return false;
  entry.bits &= std::uint8_t(~kYoung);
  if (pmd_mapped)
    m.set_pmd(mm, pmd_index(m, page), entry);
  else
    m.set_pte(mm, page, entry);
  return true;
}

struct Referenced {
  int mapcount;        // mappings not seen yet
  int referenced = 0;  // VMAs that used the folio
  bool vm_locked = false;
};

// v6.1 mm/rmap.c: folio_referenced_one(). false: the walk over all VMAs ends here. A VM_LOCKED VMA
// ends it, and what was found young there does not count; but by PTEs it maps a THP like any other.
bool folio_referenced_one(Machine& m, Pfn folio, int mm, const Vma& vma, int page, Referenced& r) {
  bool young = false;
  page_vma_mapped_walk(m, mm, vma, page, folio, Walk::present, [&](int at, bool pmd_mapped) {
    if (vma.has(VM_LOCKED) && (pmd_mapped || !folio_test_large(m, folio))) {
      mlock_vma_page(m, folio, vma, pmd_mapped);
      r.vm_locked = true;
      return false;
    }
    young |= clear_young(m, mm, at, pmd_mapped);
    --r.mapcount;
    return true;
  });
  if (r.vm_locked) return false;
  r.referenced += young;
  return r.mapcount != 0;
}

}  // namespace

// v6.1 mm/rmap.c: try_to_unmap()
void try_to_unmap(Machine& m, Pfn folio, TtuFlags flags) {
  rmap_walk(m, folio, [&](int mm, const Vma& vma, int page) {
    return try_to_unmap_one(m, folio, mm, vma, page, flags) && folio_mapped(m, folio);
  });
}

// v6.1 mm/rmap.c: folio_referenced()
int folio_referenced(Machine& m, Pfn folio, bool& vm_locked) {
  Referenced r{.mapcount = total_mapcount(m, folio)};
  vm_locked = false;
  if (r.mapcount == 0) return 0;
  rmap_walk(m, folio, [&](int mm, const Vma& vma, int page) {
    return folio_referenced_one(m, folio, mm, vma, page, r);
  });
  vm_locked = r.vm_locked;
  return r.referenced;
}

}  // namespace thp
