// Splitting a folio, and the queue of folios that wait for it. v6.1 mm/huge_memory.c.
// Left out: memcg (one queue); XArray nodes, which never fail to allocate here.
#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cerrno>

#include "model/mm/filemap.h"
#include "model/mm/gup.h"
#include "model/mm/huge_memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/shmem.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

constexpr Bits kInherited = PG_referenced | PG_swapbacked | PG_swapcache | PG_mlocked |
                            PG_uptodate | PG_active | PG_locked | PG_unevictable | PG_dirty;

// v6.1 mm/huge_memory.c: lru_add_page_tail()
void lru_add_page_tail(Machine& m, Pfn head, Pfn tail, bool to_list) {
  if (to_list) {
    vm_bug_on(m, test(m, head, PG_lru), "lru_add_page_tail: an isolated head is on the LRU");
    get_page(m, tail);
  } else {
    vm_bug_on(m, !test(m, head, PG_lru), "lru_add_page_tail: the head is not on the LRU");
    m.page(tail).mlock_count = 0;
    set(m, tail, PG_lru);
  }
}

// The reference of the page cache, or of the swap cache.
int cache_ref(const Machine& m, Pfn folio) {
  return is_file_page(m, folio) || folio_test_swapcache(m, folio) ? 1 : 0;
}

// v6.1 mm/huge_memory.c: __split_huge_page_tail(). AnonExclusive is not inherited: that of mapped
// sub-pages waits in migration entries, the rest is garbage.
void split_huge_page_tail(Machine& m, Pfn head, int i, bool to_list) {
  const Pfn tail = Pfn(head + i);
  vm_bug_on(m, m.page(tail).mapcount != -1, "__split_huge_page_tail: still mapped");
  const Page& from = m.page(head);
  Page& page = m.page(tail);
  page.flags = Bits(from.flags & (kInherited | PG_anon));
  page.anon_vma = from.anon_vma;
  page.inode = from.inode;
  page.index = std::uint16_t(from.index + i);
  if (!folio_test_swapcache(m, head)) page.private_slot = 0;
  page_ref_unfreeze(m, tail, 1 + cache_ref(m, head));
  lru_add_page_tail(m, head, tail, to_list);
}

// Where a split ends the file: at its size, or behind what fallocate() has left there.
// v6.1 mm/shmem.c: shmem_fallocend()
int end_of_file(const Machine& m, Pfn folio) {
  const Inode& file = m.inodes[m.page(folio).inode];
  return std::max(file.i_size, file.fallocend);
}

// __split_huge_page() of a tail of a file: what lies beyond the end goes.
void drop_beyond(Machine& m, Pfn tail, int end) {
  if (m.page(tail).index < end) return;
  shmem_uncharge(m, m.page(tail).inode);
  filemap_remove_folio(m, tail);
}

// References of the page cache, or of the swap cache.
int extra_pins(const Machine& m, Pfn folio) {
  return cache_ref(m, folio) * folio_nr_pages(m, folio);
}

// v6.1 mm/huge_memory.c: unmap_folio(). Pages of a file need no migration entries: faults bring
// them back.
void unmap_folio(Machine& m, Pfn folio) {
  if (test(m, folio, PG_anon))
    try_to_migrate(m, folio, {.split_huge_pmd = true});
  else
    try_to_unmap(m, folio, {.split_huge_pmd = true, .ignore_mlock = true});
}

// v6.1 mm/huge_memory.c: remap_page()
void remap_page(Machine& m, Pfn folio) {
  if (test(m, folio, PG_anon)) remove_migration_ptes(m, folio, folio);
}

// v6.1 mm/huge_memory.c: __split_huge_page(). The caller's reference and the page lock stay with
// `page`; every other page is unlocked, and freed if nothing else holds it.
void split_frozen_page(Machine& m, Pfn page, Pfn head, bool to_list) {
  const int nr = m.hpage_nr();
  const bool of_file = is_file_page(m, head);
  const int end = of_file ? end_of_file(m, head) : 0;
  for (int i = nr - 1; i >= 1; --i) {
    split_huge_page_tail(m, head, i, to_list);
    if (of_file) drop_beyond(m, Pfn(head + i), end);
  }
  clear(m, head, PG_head);
  m.compound(head) = Compound{};
  page_ref_unfreeze(m, head, 1 + cache_ref(m, head));
  for (int i = 0; i < nr; ++i) remap_page(m, Pfn(head + i));
  if (folio_test_swapcache(m, head)) split_swap_cluster(m, m.page(head).private_slot);
  for (int i = 0; i < nr; ++i) {
    const Pfn subpage = Pfn(head + i);
    if (subpage == page) continue;
    unlock_page(m, subpage);
    free_page_and_swap_cache(m, subpage);
  }
}

int split_failed(Machine& m, Reason reason, int error, bool counted = true) {
  m.reason = reason;
  if (counted) count_vm_event(m, Event::thp_split_page_failed);
  return error;
}

}  // namespace

// v6.1 mm/huge_memory.c: can_split_folio()
bool can_split_folio(const Machine& m, Pfn folio) {
  return total_mapcount(m, folio) == m.page(folio).refcount - extra_pins(m, folio) - 1;
}

// v6.1 mm/huge_memory.c: split_huge_page_to_list(). Two exits count no event; once the mappings are
// gone, failure is not a no-op: remap_page() restores PTEs, never a PMD, and nothing of a file. A
// sequential machine finds no folio that its file has lost.
int split_huge_page(Machine& m, Pfn page, bool to_list) {
  const Pfn folio = page_folio(m, page);
  vm_bug_on(m, !test(m, folio, PG_locked), "split_huge_page_to_list: folio not locked");
  vm_bug_on(m, !folio_test_large(m, folio), "split_huge_page_to_list: folio not large");
  if (is_huge_zero_page(m, folio)) return split_failed(m, Reason::split_EBUSY_zero, -EBUSY, false);
  if (test(m, folio, PG_writeback))
    return split_failed(m, Reason::split_EBUSY_writeback, -EBUSY, false);
  if (test(m, folio, PG_anon) && folio_get_anon_vma(m, folio) == kNoAnonVma)
    return split_failed(m, Reason::split_EBUSY_unmapped, -EBUSY);
  if (!can_split_folio(m, folio)) return split_failed(m, Reason::split_EAGAIN_pinned, -EAGAIN);

  unmap_folio(m, folio);
  if (!page_ref_freeze(m, folio, 1 + extra_pins(m, folio))) {
    remap_page(m, folio);
    return split_failed(m, Reason::split_EAGAIN_freeze, -EAGAIN);
  }
  if (m.compound(folio).deferred) m.remove_deferred(folio);
  if (is_file_page(m, folio)) m.nr_shmem_thps -= m.hpage_nr();
  split_frozen_page(m, page, folio, to_list);
  m.reason = Reason::split;
  count_vm_event(m, Event::thp_split_page);
  return 0;
}

bool trylock_and_split(Machine& m, Pfn page) {
  get_page(m, page);
  const bool locked = trylock_page(m, page);
  const bool split = locked && split_huge_page(m, page) == 0;
  if (locked) unlock_page(m, page);
  put_page(m, page);
  return split;
}

// v6.1 mm/huge_memory.c: deferred_split_huge_page(). In the swap cache reclaim has it in hand.
void deferred_split_huge_page(Machine& m, Pfn head) {
  if (folio_test_swapcache(m, head) || m.compound(head).deferred) return;
  count_vm_event(m, Event::thp_deferred_split_page);
  m.push_deferred(head);
}

// v6.1 mm/huge_memory.c: deferred_split_scan() with nr_to_scan unlimited. Every folio is held at
// once, so a split of one can't free another; those that stay go back in their order.
int deferred_split_scan(Machine& m) {
  boost::container::small_vector<Pfn, Geometry::kMaxBlocks> list;
  for (const Pfn head : m.deferred_queue()) {
    get_page(m, head);
    list.push_back(head);
  }
  int split = 0;
  for (const Pfn head : list) {
    if (trylock_page(m, head)) {
      split += split_huge_page(m, head) == 0;
      unlock_page(m, head);
    }
    put_page(m, head);
  }
  return split;
}

// v6.1 mm/huge_memory.c: split_huge_pages_in_file(). It does not ask first whether a pin is there.
int split_huge_pages_in_file(Machine& m, int inode, int start, int end) {
  int split = 0;
  for (int index = start, next; index < end; index = next) {
    next = index + 1;
    const Cell cell = m.cell(inode, index);
    if (!cell.is_folio()) continue;
    const Pfn folio = page_folio(m, cell.frame);
    if (!folio_test_large(m, folio)) continue;
    next = index + m.hpage_nr();
    split += trylock_and_split(m, folio);
  }
  return split;
}

// v6.1 mm/huge_memory.c: split_huge_pages_pid(). It skips what a pin would make fail, stops at the
// first hole, and sees each sub-page of a PTE-mapped folio in turn.
int split_huge_pages_pid(Machine& m, int mm, int start, int end) {
  int split = 0;
  for (int page = start; page < end && vma_lookup(m, mm, page) != nullptr; ++page) {
    const int found = follow_page_get(m, mm, page);
    if (found < 0) continue;
    const Pfn pfn = Pfn(found);
    const Pfn folio = page_folio(m, pfn);
    if (folio_test_large(m, folio) && can_split_folio(m, folio) && trylock_page(m, pfn)) {
      split += split_huge_page(m, pfn) == 0;
      unlock_page(m, pfn);
    }
    put_page(m, pfn);
  }
  return split;
}

}  // namespace thp
