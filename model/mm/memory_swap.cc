// The fault on a swap or migration entry. v6.1 mm/memory.c. Left out: device memory, hwpoison, PTE
// markers, userfaultfd, I/O errors, KSM pages. The device is neither SWP_SYNCHRONOUS_IO (each page
// read enters the swap cache) nor SWP_STABLE_WRITES (a folio under writeback may be written to).
#include "model/mm/memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// v6.1 mm/memory.c: should_try_to_free_swap(). Two references are the swap cache's and ours: a THP
// has more there.
bool should_try_to_free_swap(const Machine& m, Pfn folio, const Vma& vma, bool write) {
  if (!folio_test_swapcache(m, folio)) return false;
  if (vma.has(VM_LOCKED) || test(m, folio, PG_mlocked) || vm_swap_full(m)) return true;
  return write && m.page(folio).refcount == 2;
}

// v6.1 mm/filemap.c: __folio_lock_or_retry(), with FAULT_FLAG_ALLOW_RETRY. false: who had to wait
// for the lock, with a reference in hand, does not get it.
bool folio_lock_or_retry(Machine& m, Pfn folio) {
  if (trylock_page(m, folio)) return true;
  lock_page(m, folio);
  unlock_page(m, folio);
  return false;
}

// Puts `pfn`, which is locked, in the place of the swap entry; its reference is the mapping's now.
// It is `swapcache` itself or a copy of it. Exclusive is what the entry says is, a copy, and a page
// that has left the swap cache and is ours alone. Returns whether that served a write.
bool map_swapped_page(Machine& m, int mm, const Vma& vma, int page, Pfn pfn, Pfn swapcache,
                      bool write) {
  const Entry entry = m.pte(mm, page);
  const Pfn folio = page_folio(m, pfn);
  vm_bug_on(m, test(m, folio, PG_anon) && test(m, pfn, PG_anon_exclusive),
            "do_swap_page: PageAnonExclusive in the swap cache");
  bool exclusive = entry.has(kExclusive) || pfn != swapcache;
  swap_free(m, entry.frame);
  if (should_try_to_free_swap(m, folio, vma, write)) folio_free_swap(m, folio);
  exclusive |= m.page(folio).refcount == 1;

  ++m.mms[std::size_t(mm)].anon_pages;
  --m.mms[std::size_t(mm)].swap_entries;
  auto bits = std::uint8_t(kYoung | (entry.bits & kSoftDirty));
  if (exclusive && write) bits |= kMkDirty | (vma.has(VM_WRITE) ? kWrite : 0);
  if (pfn != swapcache) {
    page_add_new_anon_rmap(m, pfn, vma, page, false);
    lru_cache_add_inactive_or_unevictable(m, pfn, vma);
  } else {
    page_add_anon_rmap(m, pfn, vma, page, false, exclusive);
  }
  vm_bug_on(m, (bits & kWrite) != 0 && !test(m, pfn, PG_anon_exclusive),
            "do_swap_page: writable, but not PageAnonExclusive");
  m.set_pte(mm, page, {EntryKind::present, bits, pfn});
  return exclusive && write;
}

}  // namespace

// v6.1 mm/memory.c: do_swap_page()
Fault do_swap_page(Machine& m, int mm, Vma& vma, int page, Access access) {
  const Entry entry = m.pte(mm, page);
  if (entry.is_migration()) {
    migration_entry_wait(m, entry.frame);
    return Fault::done;
  }
  Pfn swapcache = swap_cache_get_page(m, entry.frame);
  if (swapcache == kNoPfn) swapcache = swapin_readahead(m, entry.frame);
  if (swapcache == kNoPfn) return Fault::oom;
  const Pfn folio = page_folio(m, swapcache);
  if (!folio_lock_or_retry(m, folio)) {
    put_page(m, folio);
    return Fault::retry;
  }
  if (!folio_test_swapcache(m, folio) || m.page(swapcache).private_slot != entry.frame) {
    unlock_and_put(m, folio);
    return Fault::done;
  }
  const Pfn pfn = ksm_might_need_to_copy(m, swapcache, vma, page);
  if (pfn == kNoPfn) {
    unlock_and_put(m, folio);
    return Fault::oom;
  }
  const bool write = access == Access::write;
  const bool written = map_swapped_page(m, mm, vma, page, pfn, swapcache, write);
  unlock_page(m, pfn);
  if (pfn != swapcache) unlock_and_put(m, folio);
  return write && !written ? do_wp_page(m, mm, vma, page, false) : Fault::done;
}

}  // namespace thp
