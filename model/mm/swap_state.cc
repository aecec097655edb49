// The swap cache, and reading a slot back. v6.1 mm/swap_state.c, mm/page_io.c, mm/ksm.c.
// The device is an emulated NVMe disk: not SWP_SYNCHRONOUS_IO, so that every page read enters the
// swap cache. Left out: read-ahead (vm.page-cluster = 0), frontswap, failures of I/O and of the
// XArray; reads are complete when the op is.
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// v6.1 mm/swap_state.c: add_to_swap_cache(). One reference for each slot, all on the head.
void add_to_swap_cache(Machine& m, Pfn folio, Slot slot) {
  vm_bug_on(m, !test(m, folio, PG_locked), "add_to_swap_cache: folio not locked");
  vm_bug_on(m, folio_test_swapcache(m, folio), "add_to_swap_cache: already in the swap cache");
  vm_bug_on(m, !test(m, folio, PG_swapbacked), "add_to_swap_cache: folio not swapbacked");
  const int nr = folio_nr_pages(m, folio);
  page_ref_add(m, folio, nr);
  set(m, folio, PG_swapcache);
  for (int i = 0; i < nr; ++i) {
    m.stamps.frame(Pfn(folio + i));
    m.page(Pfn(folio + i)).private_slot = Slot(slot + i);
    m.swap(Slot(slot + i)).cache = Pfn(folio + i);
  }
  m.nr_swapcache += nr;
}

// v6.1 mm/workingset.c: workingset_refault(). What has left the cache left a shadow there, as
// __remove_mapping() alone takes out what swap PTEs still need; and the refault distance is small.
void workingset_refault(Machine& m, Pfn page) { set(m, page, PG_active); }

// A locked page, charged, with what the slot holds on disk.
// v6.1 mm/swap_state.c: __read_swap_cache_async(); mm/page_io.c: swap_readpage()
Pfn read_swap_cache(Machine& m, Slot slot) {
  const Pfn page = alloc_page(m);
  if (page == kNoPfn) return kNoPfn;
  set(m, page, PG_locked | PG_swapbacked);
  if (!mem_cgroup_charge(m, page)) {
    unlock_page(m, page);
    put_page(m, page);
    return kNoPfn;
  }
  add_to_swap_cache(m, page, slot);
  workingset_refault(m, page);
  folio_add_lru(m, page);
  count_vm_event(m, Event::pswpin);
  m.page(page).content = m.swap(slot).content;
  set(m, page, PG_uptodate);
  return page;
}

}  // namespace

// v6.1 mm/swap_state.c: add_to_swap()
bool add_to_swap(Machine& m, Pfn folio) {
  vm_bug_on(m, !test(m, folio, PG_locked), "add_to_swap: folio not locked");
  vm_bug_on(m, !test(m, folio, PG_uptodate), "add_to_swap: folio not uptodate");
  const int slot = folio_alloc_swap(m, folio);
  if (slot < 0) return false;
  add_to_swap_cache(m, folio, Slot(slot));
  folio_mark_dirty(m, folio);
  return true;
}

// v6.1 mm/swap_state.c: __delete_from_swap_cache(), with the put_swap_folio() that always follows
void delete_frozen_from_swap_cache(Machine& m, Pfn folio) {
  vm_bug_on(m, !test(m, folio, PG_locked), "__delete_from_swap_cache: folio not locked");
  vm_bug_on(m, !folio_test_swapcache(m, folio), "__delete_from_swap_cache: not in swap cache");
  vm_bug_on(m, test(m, folio, PG_writeback), "__delete_from_swap_cache: folio under writeback");
  const int nr = folio_nr_pages(m, folio);
  const Slot slot = m.page(folio).private_slot;
  for (int i = 0; i < nr; ++i) {
    vm_bug_on(m, m.swap(Slot(slot + i)).cache != folio + i,
              "__delete_from_swap_cache: the slot holds another page");
    m.stamps.frame(Pfn(folio + i));
    m.page(Pfn(folio + i)).private_slot = 0;
  }
  clear(m, folio, PG_swapcache);
  m.nr_swapcache -= nr;
  put_swap_folio(m, folio, slot);
}

// v6.1 mm/swap_state.c: delete_from_swap_cache()
void delete_from_swap_cache(Machine& m, Pfn folio) {
  delete_frozen_from_swap_cache(m, folio);
  page_ref_add(m, folio, -folio_nr_pages(m, folio));
}

// v6.1 mm/swap_state.c: free_swap_cache()
void free_swap_cache(Machine& m, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  if (!folio_test_swapcache(m, folio) || folio_mapped(m, folio) || !trylock_page(m, folio)) return;
  folio_free_swap(m, folio);
  unlock_page(m, folio);
}

// v6.1 mm/swap_state.c: free_page_and_swap_cache()
void free_page_and_swap_cache(Machine& m, Pfn pfn) {
  free_swap_cache(m, pfn);
  if (!is_huge_zero_page(m, pfn)) put_page(m, pfn);
}

// v6.1 mm/page-writeback.c: folio_mark_dirty(), noop_dirty_folio(). A file is a folio's mapping;
// of an anonymous one only the swap cache is.
bool folio_mark_dirty(Machine& m, Pfn folio) {
  const bool has_mapping = folio_test_swapcache(m, folio) || m.page(folio).inode != kNoInode;
  if (has_mapping) clear(m, folio, PG_reclaim);
  const bool was_dirty = test(m, folio, PG_dirty);
  set(m, folio, PG_dirty);
  return !was_dirty;
}

// v6.1 mm/filemap.c: filemap_get_folio(), folio_file_page()
Pfn filemap_get_page(Machine& m, Slot slot) {
  const Pfn page = m.swap(slot).cache;
  if (page != kNoPfn) get_page(m, page);
  return page;
}

// v6.1 mm/swap_state.c: swap_cache_get_folio(). It takes PG_readahead from a small page, and that
// is the bit of PG_reclaim.
Pfn swap_cache_get_page(Machine& m, Slot slot) {
  const Pfn page = filemap_get_page(m, slot);
  if (page != kNoPfn && !folio_test_large(m, page_folio(m, page))) clear(m, page, PG_reclaim);
  return page;
}

// v6.1 mm/swap_state.c: swapin_readahead(), with a window of one page: swap_readpage() then waits
// for the disk, and the page comes unlocked.
Pfn swapin_readahead(Machine& m, Slot slot) {
  const Pfn page = read_swap_cache(m, slot);
  if (page != kNoPfn) unlock_page(m, page);
  return page;
}

// v6.1 mm/ksm.c: ksm_might_need_to_copy(). It takes a page whose index or anon_vma does not fit the
// address for a KSM page that lost its mark. Tails of a THP have no index of their own (struct page
// keeps there what its last owner left), so that they are copied, though nothing was ever merged.
Pfn ksm_might_need_to_copy(Machine& m, Pfn pfn, const Vma& vma, int page) {
  const Pfn folio = page_folio(m, pfn);
  if (!test(m, folio, PG_anon)) return pfn;
  const bool index_fits = pfn == folio && m.page(folio).index == vma.index_of(page);
  if (index_fits && anon_vma_root(m, m.page(folio).anon_vma) == anon_vma_root(m, vma.anon_vma))
    return pfn;
  if (!test(m, folio, PG_uptodate)) return pfn;
  const Pfn copy = alloc_page(m);
  if (copy == kNoPfn) return kNoPfn;
  if (!mem_cgroup_charge(m, copy)) {
    put_page(m, copy);
    return kNoPfn;
  }
  m.page(copy).content = m.page(pfn).content;
  set(m, copy, PG_dirty | PG_uptodate | PG_locked);
  return copy;
}

}  // namespace thp
