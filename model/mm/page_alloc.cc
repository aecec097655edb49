// Frames and references. v6.1 mm/page_alloc.c, mm/swap.c, mm/internal.h, mm/gup.c.
// A block of hpage_nr() frames is one compound page, or small pages, or free. No buddy lists: the
// lowest frame that fits is taken, a small one from a block already broken up where there is one.
#include "model/mm/page_alloc.h"

#include <utility>

#include "model/mm/migrate.h"

namespace thp {
namespace {

// A small page: tails have no references either.
bool is_free(const Machine& m, Pfn pfn) { return m.page(pfn).refcount == 0; }

int block_of(const Machine& m, Pfn pfn) { return pfn >> m.geometry.order; }

// v6.1 mm/page_alloc.c: prep_compound_page()
Pfn alloc_compound(Machine& m, bool transhuge) {
  int block = 0;
  while (block < m.geometry.frame_blocks() && m.used_frames(block) != 0) ++block;
  if (block == m.geometry.frame_blocks()) return kNoPfn;
  const Pfn head = Pfn(block << m.geometry.order);
  for (int i = 0; i < m.hpage_nr(); ++i) {
    m.page(Pfn(head + i)) = Page{.flags = Bits(i == 0 ? PG_head : PG_tail)};
    m.stamps.frame(Pfn(head + i));
  }
  m.page(head).refcount = 1;
  m.compound(head) = Compound{.transhuge = transhuge};
  m.used_frames(block) = std::uint16_t(m.hpage_nr());
  return head;
}

// The block that the next small page comes from: one broken up already, or the first free one.
int small_block(const Machine& m) {
  int unbroken = -1;
  for (int block = 0; block < m.geometry.frame_blocks(); ++block) {
    const int used = m.used_frames(block);
    if (used > 0 && used < m.hpage_nr()) return block;
    if (used == 0 && unbroken < 0) unbroken = block;
  }
  return unbroken;
}

bool consume(std::uint8_t& injected) { return std::exchange(injected, std::uint8_t{0}) != 0; }

// v6.1 mm/page_alloc.c: free_pages_prepare(), free_page_is_bad(), free_tail_pages_check()
void free_page_check(Machine& m, Pfn pfn) {
  const Page& page = m.page(pfn);
  vm_bug_on(m, page.mapcount != -1, "free_pages_prepare: nonzero mapcount");
  vm_bug_on(m, page.refcount != 0, "free_pages_prepare: nonzero _refcount");
  vm_bug_on(m, page.inode != kNoInode, "free_pages_prepare: non-NULL mapping");
  vm_bug_on(
      m, test(m, pfn, PG_locked | PG_lru | PG_writeback | PG_active | PG_unevictable | PG_mlocked),
      "free_pages_prepare: PAGE_FLAGS_CHECK_AT_FREE flag(s) set");
  m.page(pfn) = Page{};
  --m.used_frames(block_of(m, pfn));
  m.stamps.frame(pfn);
}

// v6.1 include/linux/mm_inline.h: __folio_clear_lru_flags(). Both flags at once stay: a bad page.
void folio_clear_lru_flags(Machine& m, Pfn folio) {
  clear(m, folio, PG_lru);
  if (test(m, folio, PG_active) && test(m, folio, PG_unevictable)) return;
  clear(m, folio, PG_active | PG_unevictable);
}

// v6.1 mm/huge_memory.c: free_transhuge_page(); mm/page_alloc.c: free_compound_page()
void free_compound(Machine& m, Pfn head) {
  Compound& compound = m.compound(head);
  if (compound.transhuge && compound.deferred) m.remove_deferred(head);
  vm_bug_on(m, compound.mapcount != -1, "free_tail_pages_check: nonzero compound_mapcount");
  compound = Compound{};
  for (int i = 0; i < m.hpage_nr(); ++i) free_page_check(m, Pfn(head + i));
}

}  // namespace

Pfn alloc_huge(Machine& m) {
  return consume(m.inject.fail_huge_alloc) ? kNoPfn : alloc_compound(m, true);
}

Pfn alloc_huge_zero(Machine& m) {
  return consume(m.inject.fail_huge_alloc) ? kNoPfn : alloc_compound(m, false);
}

Pfn alloc_page(Machine& m) {
  if (consume(m.inject.fail_small_alloc)) return kNoPfn;
  const int block = small_block(m);
  if (block < 0) return kNoPfn;
  Pfn pfn = Pfn(block << m.geometry.order);
  while (!is_free(m, pfn)) ++pfn;
  m.page(pfn) = Page{.refcount = 1};
  ++m.used_frames(block);
  m.stamps.frame(pfn);
  return pfn;
}

bool mem_cgroup_charge(Machine& m, Pfn) { return !consume(m.inject.fail_charge); }

// v6.1 include/linux/mm.h: get_page(), folio_get()
void get_page(Machine& m, Pfn pfn, int refs) {
  const Pfn folio = page_folio(m, pfn);
  vm_bug_on(m, m.page(folio).refcount <= 0, "folio_get: zero or negative refcount");
  page_ref_add(m, folio, refs);
}

void page_ref_add(Machine& m, Pfn folio, int refs) {
  m.page(folio).refcount += refs;
  m.stamps.frame(folio);
}

// v6.1 include/linux/mm.h: put_page(); mm/swap.c: __folio_put()
void put_page(Machine& m, Pfn pfn, int refs) {
  const Pfn folio = page_folio(m, pfn);
  if (m.page(folio).refcount < refs) {
    vm_bug_on(m, true, "put_page_testzero: refcount is zero");
    return;
  }
  page_ref_add(m, folio, -refs);
  if (m.page(folio).refcount == 0) destroy_folio(m, folio);
}

// v6.1 mm/swap.c: __folio_put(), __page_cache_release(); mm/page_alloc.c: destroy_large_folio(),
// free_pages_prepare(), which forgives PG_mlocked
void destroy_folio(Machine& m, Pfn folio) {
  if (is_zero_page(m, folio)) {
    vm_bug_on(m, true, "free_pages_prepare: the zero page");
    return;
  }
  if (test(m, folio, PG_lru)) folio_clear_lru_flags(m, folio);
  clear(m, folio, PG_mlocked);
  m.page(folio).mlock_count = 0;
  if (folio_test_large(m, folio))
    free_compound(m, folio);
  else
    free_page_check(m, folio);
}

// v6.1 include/linux/page_ref.h: page_ref_freeze()
bool page_ref_freeze(Machine& m, Pfn folio, int expected) {
  const int speculative = consume(m.inject.speculative_ref) ? 1 : 0;
  if (m.page(folio).refcount + speculative != expected) return false;
  m.page(folio).refcount = 0;
  m.stamps.frame(folio);
  return true;
}

void page_ref_unfreeze(Machine& m, Pfn pfn, int count) {
  vm_bug_on(m, m.page(pfn).refcount != 0, "page_ref_unfreeze: page_count() != 0");
  vm_bug_on(m, count <= 0, "page_ref_unfreeze: count == 0");
  m.page(pfn).refcount = count;
  m.stamps.frame(pfn);
}

// v6.1 mm/gup.c: try_grab_page(); 6.1.192 leaves the 4K zero page alone
void pin_page(Machine& m, Pfn pfn) {
  if (is_zero_page(m, pfn)) return;
  const Pfn folio = page_folio(m, pfn);
  if (folio_test_large(m, folio)) {
    ++m.compound(folio).pincount;
    page_ref_add(m, folio, 1);
  } else {
    page_ref_add(m, folio, kGupPinCountingBias);
  }
  count_vm_event(m, Event::nr_foll_pin_acquired);
}

// v6.1 mm/gup.c: unpin_user_page(), gup_put_folio(), sanity_check_pinned_pages()
void unpin_page(Machine& m, Pfn pfn) {
  if (is_zero_page(m, pfn)) return;
  const Pfn folio = page_folio(m, pfn);
  if (test(m, folio, PG_anon)) {
    const bool exclusive = test(m, folio, PG_anon_exclusive) || test(m, pfn, PG_anon_exclusive);
    vm_bug_on(m, !exclusive, "sanity_check_pinned_pages: pinned anon page is not exclusive");
  }
  count_vm_event(m, Event::nr_foll_pin_released);
  if (folio_test_large(m, folio)) {
    --m.compound(folio).pincount;
    put_page(m, folio);
  } else {
    put_page(m, folio, kGupPinCountingBias);
  }
}

// v6.1 include/linux/mm.h: folio_maybe_dma_pinned()
bool folio_maybe_dma_pinned(const Machine& m, Pfn folio) {
  if (folio_test_large(m, folio)) return m.compound(folio).pincount > 0;
  return m.page(folio).refcount >= kGupPinCountingBias;
}

// v6.1 include/linux/pagemap.h: folio_trylock()
bool trylock_page(Machine& m, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  if (consume(m.inject.contend_page_lock) || test(m, folio, PG_locked)) return false;
  set(m, folio, PG_locked);
  return true;
}

// v6.1 mm/filemap.c: __folio_lock(); only a migration in flight holds a page lock between ops. It
// meets the caller's reference and gives up, so that the page is the same still.
void lock_page(Machine& m, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  if (test(m, folio, PG_locked) && m.migration.in_flight()) wait_for_migration(m);
  vm_bug_on(m, test(m, folio, PG_locked), "lock_page: nobody will ever unlock");
  set(m, folio, PG_locked);
}

void unlock_page(Machine& m, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  vm_bug_on(m, !test(m, folio, PG_locked), "folio_unlock: not locked");
  clear(m, folio, PG_locked);
}

// v6.1 mm/swap.c: folio_add_lru(), lru_add_fn()
void folio_add_lru(Machine& m, Pfn folio) {
  vm_bug_on(m, test(m, folio, PG_lru), "folio_add_lru: on the LRU already");
  vm_bug_on(m, test(m, folio, PG_active) && test(m, folio, PG_unevictable),
            "folio_add_lru: active and unevictable");
  clear(m, folio, PG_unevictable);
  set(m, folio, PG_lru);
  if (!test(m, folio, PG_mlocked)) return;
  clear(m, folio, PG_active);
  set(m, folio, PG_unevictable);
  m.page(folio).mlock_count = 0;
}

// v6.1 mm/vmscan.c: folio_isolate_lru()
bool folio_isolate_lru(Machine& m, Pfn folio) {
  if (!test(m, folio, PG_lru)) return false;
  clear(m, folio, PG_lru);
  get_page(m, folio);
  return true;
}

// v6.1 mm/vmscan.c: folio_putback_lru()
void folio_putback_lru(Machine& m, Pfn folio) {
  folio_add_lru(m, folio);
  put_page(m, folio);
}

}  // namespace thp
