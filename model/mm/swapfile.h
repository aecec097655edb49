// Swap slots and the swap cache. v6.1 mm/swapfile.c, mm/swap_state.c, mm/swap_slots.c.
#pragma once
#include "model/machine.h"

namespace thp {

// --- Swap cache (swap_state.cc).
bool add_to_swap(Machine& m, Pfn folio);  // false: no slots; a THP needs a whole free cluster
void delete_from_swap_cache(Machine& m, Pfn folio);
void delete_frozen_from_swap_cache(Machine& m, Pfn folio);  // the same, with no references to drop
void free_swap_cache(Machine& m, Pfn pfn);  // folio_free_swap() of an unmapped, unlocked folio
void free_page_and_swap_cache(Machine& m, Pfn pfn);  // free_swap_cache(), then put_page()
bool folio_mark_dirty(Machine& m, Pfn folio);        // false: it was dirty already

// --- Swapping in (swap_state.cc). A sub-page with a reference for the caller, or kNoPfn.
Pfn filemap_get_page(Machine& m, Slot slot);     // kNoPfn: not in the swap cache
Pfn swap_cache_get_page(Machine& m, Slot slot);  // the same, for who wants to map it
Pfn swapin_readahead(Machine& m, Slot slot);     // reads the slot from disk; kNoPfn: -ENOMEM
// `pfn` itself where it can serve `page`, or else a new locked copy; kNoPfn: -ENOMEM.
Pfn ksm_might_need_to_copy(Machine& m, Pfn pfn, const Vma& vma, int page);

// --- Which slot (swapfile_alloc.cc).
inline int cluster_of(const Machine& m, int slot) { return slot >> m.geometry.order; }
inline int first_slot(const Machine& m, int cluster) { return cluster << m.geometry.order; }
bool is_used(const SwapSlot& slot);                 // by swap PTEs or the swap cache
int folio_alloc_swap(Machine& m, Pfn folio);        // the first slot of a folio, or -1
void dec_cluster_info_page(Machine& m, Slot slot);  // the slot is free again
void setup_swap_map(Machine& m);                    // of a new device: all is free

// --- Slots (swapfile.cc).
void put_swap_folio(Machine& m, Pfn folio, Slot slot);  // the swap cache lets go of the slots
void swap_duplicate(Machine& m, Slot slot);             // one swap PTE more
void swap_free(Machine& m, Slot slot);                  // one swap PTE less
enum Ttrs : std::uint8_t { TTRS_ANYWAY, TTRS_UNMAPPED };
// Drops a cached page that is not locked, written to, or swapped; TTRS_UNMAPPED: nor mapped, unless
// swap is full.
void try_to_reclaim_swap(Machine& m, Slot slot, Ttrs flags);
void free_swap_and_cache(Machine& m, Slot slot);  // swap_free(), and drop a cache nobody needs
bool folio_swapped(const Machine& m, Pfn folio);
bool folio_free_swap(Machine& m, Pfn folio);     // true if it left the swap cache; sets PG_dirty
void split_swap_cluster(Machine& m, Slot slot);  // clears CLUSTER_FLAG_HUGE
int slots_in_use(const Machine& m);              // inuse_pages
bool vm_swap_full(const Machine& m);             // more than half of the device is used
bool swap_in_use(const Machine& m);              // any slot is

// --- The device. 0 or -errno.
int sys_swapon(Machine& m);
// Puts an address space on mmlist, if it is not there, behind the other one (-1: first of all).
void mmlist_add(Machine& m, int mm, int behind);
void mmlist_del(Machine& m, int mm);
int sys_swapoff(Machine& m);  // try_to_unuse(): reads everything back; -ENOMEM leaves it on

}  // namespace thp
