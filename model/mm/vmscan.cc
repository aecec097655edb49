// Reclaim of isolated folios, one after the other. v6.1 mm/vmscan.c, mm/page_io.c. Left out: file
// folios but for MADV_FREE's, demotion, memcg, workingset, the multi-generational LRU (off in
// Debian), scan and throttling statistics. GFP_KERNEL outside kswapd, as for MADV_PAGEOUT.
#include "model/mm/vmscan.h"

#include <algorithm>
#include <optional>

#include "model/mm/huge_memory.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// The label at which shrink_folio_list() is done with a folio, and what sent it there. At `keep`
// the folio is unlocked already.
enum class Label : std::uint8_t { freed, activate_locked, keep_locked, keep };
struct Verdict {
  Label label;
  Reason reason;
};
using MaybeVerdict = std::optional<Verdict>;  // none: go on with the folio

// v6.1 include/linux/huge_mm.h: split_folio_to_list(). Tails have to be reclaimed next, lowest
// first: the end of the list is where shrink_folio_list() takes from.
bool split_folio_to_list(Machine& m, Pfn folio, FolioList& list) {
  const int nr = folio_nr_pages(m, folio);
  if (split_huge_page(m, folio, true) != 0) return false;
  for (int i = nr - 1; i >= 1; --i) list.push_back(Pfn(folio + i));
  return true;
}

// v6.1 mm/vmscan.c: folio_check_references(). The first sight of a young entry spares the folio,
// the second activates it. FOLIOREF_RECLAIM_CLEAN is left out: it matters to files only.
MaybeVerdict folio_check_references(Machine& m, Pfn folio) {
  bool vm_locked = false;
  const int referenced_ptes = folio_referenced(m, folio, vm_locked);
  const bool referenced_folio = test_and_clear(m, folio, PG_referenced);
  if (vm_locked) return Verdict{Label::activate_locked, Reason::keep_unevictable};
  if (referenced_ptes == 0) return {};
  set(m, folio, PG_referenced);
  const bool activate = referenced_folio || referenced_ptes > 1;
  return Verdict{activate ? Label::activate_locked : Label::keep_locked, Reason::keep_referenced};
}

// Swap space for an anonymous folio that has none: a cluster for a THP that some PMD maps, slots
// for what is left of any other.
MaybeVerdict provide_swap(Machine& m, Pfn folio, FolioList& list) {
  if (folio_maybe_dma_pinned(m, folio)) return Verdict{Label::keep_locked, Reason::keep_pinned};
  if (folio_test_large(m, folio)) {
    if (!can_split_folio(m, folio))
      return Verdict{Label::activate_locked, Reason::keep_cannot_split};
    if (compound_mapcount(m, folio) == 0 && !split_folio_to_list(m, folio, list))
      return Verdict{Label::activate_locked, Reason::keep_split_failed};
  }
  if (add_to_swap(m, folio)) return {};
  if (folio_test_large(m, folio)) {
    if (!split_folio_to_list(m, folio, list))
      return Verdict{Label::activate_locked, Reason::keep_split_failed};
    count_vm_event(m, Event::thp_swpout_fallback);
    if (add_to_swap(m, folio)) return {};
  }
  return Verdict{Label::activate_locked, Reason::keep_no_swap};
}

// The contents reach the disk here, however long PG_writeback stays.
// v6.1 mm/page_io.c: __swap_writepage(), count_swpout_vm_event()
void submit_swap_write(Machine& m, Pfn folio) {
  const int nr = folio_nr_pages(m, folio);
  vm_bug_on(m, !folio_test_swapcache(m, folio), "__swap_writepage: not in the swap cache");
  if (folio_test_large(m, folio)) count_vm_event(m, Event::thp_swpout);
  count_vm_event(m, Event::pswpout, nr);
  set(m, folio, PG_writeback);
  unlock_page(m, folio);
  for (int i = 0; i < nr; ++i) {
    const Page& page = m.page(Pfn(folio + i));
    m.swap(page.private_slot).content = page.content;
  }
}

// v6.1 mm/vmscan.c: pageout(), is_page_cache_freeable(); mm/page_io.c: swap_writepage(). A folio
// whose swap entries are all gone needs no write, but has become dirty.
Verdict pageout(Machine& m, Pfn folio) {
  const bool freeable = m.page(folio).refcount == 1 + folio_nr_pages(m, folio);
  if (!freeable || !folio_test_swapcache(m, folio)) return {Label::keep_locked, Reason::keep_dirty};
  clear(m, folio, PG_dirty);
  set(m, folio, PG_reclaim);
  if (folio_free_swap(m, folio)) {
    unlock_page(m, folio);
    clear(m, folio, PG_reclaim);
    return {Label::keep, Reason::keep_swap_freed};
  }
  submit_swap_write(m, folio);
  return {Label::keep, Reason::keep_writeback};
}

// v6.1 mm/vmscan.c: __remove_mapping(): freezes the references of the isolation and the swap cache,
// and only those, then takes the folio out of the swap cache.
bool remove_mapping(Machine& m, Pfn folio) {
  const int refcount = 1 + folio_nr_pages(m, folio);
  if (!folio_test_swapcache(m, folio) || !page_ref_freeze(m, folio, refcount)) return false;
  if (test(m, folio, PG_dirty)) {
    page_ref_unfreeze(m, folio, refcount);
    return false;
  }
  delete_frozen_from_swap_cache(m, folio);
  return true;
}

// Unmapping and what follows it.
Verdict unmap_and_free(Machine& m, Pfn folio) {
  const bool lazyfree = !test(m, folio, PG_swapbacked);
  if (folio_mapped(m, folio)) {
    try_to_unmap(m, folio, {.split_huge_pmd = folio_test_large(m, folio)});
    if (folio_mapped(m, folio)) return {Label::activate_locked, Reason::keep_mapped};
  }
  if (folio_maybe_dma_pinned(m, folio)) return {Label::activate_locked, Reason::keep_pinned};
  if (test(m, folio, PG_dirty)) {
    if (!lazyfree) return pageout(m, folio);
    set(m, folio, PG_reclaim);  // for the LRU a file, and only kswapd writes those
    return {Label::activate_locked, Reason::keep_dirty};
  }
  if (!(lazyfree ? page_ref_freeze(m, folio, 1) : remove_mapping(m, folio)))
    return {Label::keep_locked, Reason::keep_freeze};
  unlock_page(m, folio);
  return {Label::freed, Reason::reclaimed};
}

// One round of v6.1 mm/vmscan.c: shrink_folio_list(). Where it splits a THP it goes on with the
// head, and the tails join the list.
Verdict shrink_folio(Machine& m, Pfn folio, FolioList& list) {
  if (!trylock_page(m, folio)) return {Label::keep, Reason::keep_locked};
  vm_bug_on(m, test(m, folio, PG_active), "shrink_folio_list: active folio");
  if (test(m, folio, PG_mlocked)) return {Label::activate_locked, Reason::keep_unevictable};
  if (test(m, folio, PG_writeback)) {
    set(m, folio, PG_reclaim);
    return {Label::activate_locked, Reason::keep_writeback};
  }
  if (const MaybeVerdict verdict = folio_check_references(m, folio)) return *verdict;
  if (test(m, folio, PG_swapbacked) && !folio_test_swapcache(m, folio))
    if (const MaybeVerdict verdict = provide_swap(m, folio, list)) return *verdict;
  return unmap_and_free(m, folio);
}

// v6.1 mm/vmscan.c: shrink_folio_list(), from `activate_locked` on
void keep_folio(Machine& m, Pfn folio, Label label) {
  if (label == Label::activate_locked) {
    const bool mlocked = test(m, folio, PG_mlocked);
    if (folio_test_swapcache(m, folio) && (mlocked || vm_swap_full(m))) folio_free_swap(m, folio);
    vm_bug_on(m, test(m, folio, PG_active), "shrink_folio_list: active folio");
    if (!mlocked) set(m, folio, PG_active);
  }
  if (label != Label::keep) unlock_page(m, folio);
  vm_bug_on(m, test(m, folio, PG_lru | PG_unevictable),
            "shrink_folio_list: folio on the LRU or unevictable");
}

// Takes folios off the end of the list until it is empty, and collects those that stay.
int shrink_folio_list(Machine& m, FolioList& list, FolioList& kept) {
  int reclaimed = 0;
  while (!list.empty()) {
    const Pfn folio = list.back();
    list.pop_back();
    const Verdict verdict = shrink_folio(m, folio, list);
    m.reason = verdict.reason;
    if (verdict.label == Label::freed) {
      reclaimed += folio_nr_pages(m, folio);
      destroy_folio(m, folio);
    } else {
      keep_folio(m, folio, verdict.label);
      kept.push_back(folio);
    }
  }
  return reclaimed;
}

// v6.1 mm/swap.c: folio_rotate_reclaimable(), lru_move_tail_fn(): to the inactive list's tail
void folio_rotate_reclaimable(Machine& m, Pfn folio) {
  if (test(m, folio, PG_locked | PG_dirty | PG_unevictable) || !test(m, folio, PG_lru)) return;
  clear(m, folio, PG_active);
}

// v6.1 mm/filemap.c: folio_end_writeback(); mm/page_io.c: end_swap_bio_write()
void folio_end_writeback(Machine& m, Pfn folio) {
  if (test_and_clear(m, folio, PG_reclaim)) folio_rotate_reclaimable(m, folio);
  clear(m, folio, PG_writeback);
}

}  // namespace

// v6.1 mm/vmscan.c: reclaim_pages(), reclaim_folio_list(). Those that stay go back all together.
int reclaim_folio_list(Machine& m, FolioList& folios) {
  for (const Pfn folio : folios) clear(m, folio, PG_active);
  std::ranges::reverse(folios);
  FolioList kept;
  const int reclaimed = shrink_folio_list(m, folios, kept);
  for (const Pfn folio : kept) folio_putback_lru(m, folio);
  return reclaimed;
}

void end_writeback(Machine& m) {
  for (int pfn = 0; pfn < m.frames(); ++pfn) {
    if (m.used_frames(pfn >> m.geometry.order) == 0) pfn |= m.hpage_nr() - 1;
    if (test(m, Pfn(pfn), PG_writeback)) folio_end_writeback(m, Pfn(pfn));
  }
}

// v6.1 mm/page-writeback.c: folio_wait_writeback()
void folio_wait_writeback(Machine& m, Pfn folio) {
  if (test(m, folio, PG_writeback)) folio_end_writeback(m, folio);
}

}  // namespace thp
