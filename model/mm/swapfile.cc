// The slots of the swap device: who uses them, and giving them up. v6.1 mm/swapfile.c. A cluster is
// hpage_nr() slots. Which slot a folio gets is in swapfile_alloc.cc, swapoff() in
// swapfile_swapoff.cc. Left out: slot caches (a slot given back is free at once), the charge of
// swap, continued counts.
#include "model/mm/swapfile.h"

#include <cerrno>
#include <numeric>

#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"

namespace thp {
namespace {

// v6.1 mm/swapfile.c: swap_entry_free(): nothing remembers what the disk holds
void free_if_unused(Machine& m, Slot slot) {
  if (is_used(m.swap(slot))) return;
  m.swap(slot) = {};
  dec_cluster_info_page(m, slot);
}

// Is `slot`, or in a huge cluster any slot of it, in some page table?
// v6.1 mm/swapfile.c: swap_page_trans_huge_swapped()
bool swap_page_trans_huge_swapped(const Machine& m, Slot slot) {
  const int cluster = cluster_of(m, slot);
  if (!m.cluster_huge(cluster)) return m.swap(slot).count > 0;
  for (int i = 0; i < m.hpage_nr(); ++i)
    if (m.swap(Slot(first_slot(m, cluster) + i)).count > 0) return true;
  return false;
}

}  // namespace

// si->inuse_pages
int slots_in_use(const Machine& m) {
  const auto& used = m.swap_device.used;
  const int past_the_end = first_slot(m, m.geometry.swap_clusters()) - m.geometry.swap_slots();
  return std::accumulate(used.begin(), used.end(), 0) - past_the_end;
}

// v6.1 mm/swapfile.c: put_swap_folio()
void put_swap_folio(Machine& m, Pfn folio, Slot slot) {
  if (folio_test_large(m, folio)) {
    std::uint8_t& huge = m.cluster_huge(cluster_of(m, slot));
    vm_bug_on(m, !huge, "put_swap_folio: the cluster is not huge");
    huge = 0;
  }
  for (int i = 0; i < folio_nr_pages(m, folio); ++i) {
    SwapSlot& entry = m.swap(Slot(slot + i));
    vm_bug_on(m, entry.cache == kNoPfn, "put_swap_folio: no SWAP_HAS_CACHE");
    entry.cache = kNoPfn;
    free_if_unused(m, Slot(slot + i));
  }
}

// v6.1 mm/swapfile.c: swap_duplicate()
void swap_duplicate(Machine& m, Slot slot) {
  vm_bug_on(m, !is_used(m.swap(slot)), "swap_duplicate: unused swap entry");
  ++m.swap(slot).count;
}

// v6.1 mm/swapfile.c: swap_free()
void swap_free(Machine& m, Slot slot) {
  vm_bug_on(m, m.swap(slot).count == 0, "swap_free: unused swap entry");
  if (m.swap(slot).count > 0) --m.swap(slot).count;
  free_if_unused(m, slot);
}

// v6.1 mm/swapfile.c: __try_to_reclaim_swap(); without TTRS_ANYWAY with TTRS_UNMAPPED | TTRS_FULL
void try_to_reclaim_swap(Machine& m, Slot slot, Ttrs flags) {
  const Pfn page = filemap_get_page(m, slot);
  if (page == kNoPfn) return;
  const Pfn folio = page_folio(m, page);
  if (trylock_page(m, folio)) {
    if (flags == TTRS_ANYWAY || !folio_mapped(m, folio) || vm_swap_full(m))
      folio_free_swap(m, folio);
    unlock_page(m, folio);
  }
  put_page(m, folio);
}

// v6.1 mm/swapfile.c: free_swap_and_cache()
void free_swap_and_cache(Machine& m, Slot slot) {
  swap_free(m, slot);
  if (m.swap(slot).count == 0 && !swap_page_trans_huge_swapped(m, slot))
    try_to_reclaim_swap(m, slot, TTRS_UNMAPPED);
}

// v6.1 mm/swapfile.c: folio_swapped()
bool folio_swapped(const Machine& m, Pfn folio) {
  const Slot slot = m.page(folio).private_slot;
  if (!folio_test_large(m, folio)) return m.swap(slot).count > 0;
  return swap_page_trans_huge_swapped(m, slot);
}

// v6.1 mm/swapfile.c: folio_free_swap()
bool folio_free_swap(Machine& m, Pfn folio) {
  vm_bug_on(m, !test(m, folio, PG_locked), "folio_free_swap: folio not locked");
  if (!folio_test_swapcache(m, folio) || test(m, folio, PG_writeback)) return false;
  if (folio_swapped(m, folio)) return false;
  delete_from_swap_cache(m, folio);
  set(m, folio, PG_dirty);
  return true;
}

// v6.1 mm/swapfile.c: split_swap_cluster()
void split_swap_cluster(Machine& m, Slot slot) { m.cluster_huge(cluster_of(m, slot)) = 0; }

// v6.1 include/linux/swap.h: vm_swap_full(). What shares a cluster with the header is no slot of
// ours: a real device marks it bad, so that it counts our slots and no other. While swapoff() reads
// back, the device counts none.
bool vm_swap_full(const Machine& m) {
  const int total = m.swap_on ? m.geometry.swap_slots() : 0;
  return (total - slots_in_use(m)) * 2 < total;
}

bool swap_in_use(const Machine& m) { return slots_in_use(m) > 0; }

// v6.1 mm/swapfile.c: swapon()
int sys_swapon(Machine& m) {
  if (m.swap_on) return -EBUSY;
  if (m.geometry.swap_slots() == 0) return -EINVAL;  // read_swap_header(): an empty swap-file
  setup_swap_map(m);
  m.swap_on = true;
  return 0;
}

}  // namespace thp
