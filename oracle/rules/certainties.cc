// Who holds, locks and maps what.
#include "oracle/rules/certainties.h"

#include <algorithm>

namespace thp {

bool have_flags(const Machine& m, int mm, PageRange range, std::uint32_t set, std::uint32_t clear) {
  return std::ranges::all_of(m.vmas(mm), [&](const Vma& vma) {
    const bool outside = vma.end <= range.first || range.end <= vma.start;
    return outside || (vma.flags & (set | clear)) == set;
  });
}

bool is_pinned(const Machine& m, Pfn folio) {
  return std::ranges::any_of(m.holders, [&](const Holder& holder) {
    return holder.kind == HolderKind::pin && holder.pfn <= m.frames() &&
           page_folio(m, holder.pfn) == folio;
  });
}

bool may_be_huge(const Machine& m, int mm, int i, bool ask_enabled) {
  const Vma* vma = vma_at(m, mm, i * m.hpage_nr());
  if (vma == nullptr || vma->has(VM_NOHUGEPAGE) || !vma->is_anonymous()) return false;
  if (m.mms[std::size_t(mm)].thp_disabled != 0) return false;
  return !ask_enabled || m.enabled == Enabled::always ||
         (m.enabled == Enabled::madvise && vma->has(VM_HUGEPAGE));
}

bool is_in_a_locked_vma(const Machine& m, Pfn folio) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      for (int page = vma.start; vma.has(VM_LOCKED) && page < vma.end; ++page)
        if (const Pfn pfn = mapped_frame(m, mm, page); pfn != kNoPfn)
          if (page_folio(m, pfn) == folio) return true;
  return false;
}

// Is this page of the folio, and the folio's first address of this VMA below PMD `i`?
static bool begins_in(const Machine& m, int mm, int i, int page, Pfn folio) {
  const Pfn pfn = mapped_frame(m, mm, page);
  const Vma* vma = vma_at(m, mm, page);
  if (pfn == kNoPfn || page_folio(m, pfn) != folio || vma == nullptr) return false;
  return pmd_index(m, std::max<int>(page - (pfn - folio), vma->start)) == i;
}

bool held_below_a_table(const Machine& m, const Recount& recount, int mm, PageRange range) {
  bool found = false;
  for_each_whole_pmd(m, mm, range.first, range.end, [&](int i) {
    for (int sub = 0; sub < m.hpage_nr() && m.pmd(mm, i).is_table(); ++sub) {
      const Pfn pfn = mapped_frame(m, mm, i * m.hpage_nr() + sub);
      found |= pfn != kNoPfn && held(recount.folio(m, page_folio(m, pfn)));
    }
  });
  return found;
}

bool mapped_behind_a_huge_pmd(const Machine& m, Pfn folio) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int i = 1; i < m.geometry.pmds; ++i) {
      if (!is_huge(m.pmd(mm, i - 1)) || !m.pmd(mm, i).is_table()) continue;
      for (int page = i * m.hpage_nr(); page < (i + 1) * m.hpage_nr(); ++page)
        if (begins_in(m, mm, i - 1, page, folio)) return true;
    }
  return false;
}

// Without a huge page for it a THP is split, and its pages get one pass that waits for nothing.
bool certainly_migrates(const Machine& m, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  Injections others = m.inject;
  others.fail_huge_alloc = 0;
  const bool splits = m.inject.fail_huge_alloc != 0 && folio_test_large(m, folio);
  return !m.migration.in_flight() && others == Injections{} && test(m, folio, PG_lru) &&
         !(splits && test(m, folio, PG_writeback)) && !mapped_behind_a_huge_pmd(m, folio) &&
         free_blocks(m) >= 2;  // one may be anything but what is asked for
}

bool nothing_interferes(const Machine& m, Pfn folio) {
  return m.inject == Injections{} && !is_in_a_locked_vma(m, folio);
}

bool is_reclaimable(const Machine& m, Pfn pfn, const FolioCount& count) {
  return !folio_test_large(m, pfn) && count.ptes == 1 && test(m, pfn, PG_lru) &&
         !test(m, pfn, PG_writeback | PG_unevictable);
}

bool certainly_unmapped(const Machine& m, Pfn pfn, const FolioCount& count) {
  const bool has_slot = count.cache_slots > 0 || !test(m, pfn, PG_swapbacked);
  FolioCount one = count;
  if (test(m, pfn, PG_swapbacked)) one.ptes = std::min(one.ptes, 1);
  return nothing_interferes(m, pfn) && is_reclaimable(m, pfn, one) &&
         (has_slot || has_free_slots(m, 1));
}

static int slots_in_use(const Machine& m) {
  int used = 0;
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) used += is_in_use(m.swap(Slot(slot)));
  return used;
}

// v6.1 include/linux/swap.h: vm_swap_full(): more than half.
bool is_swap_full(const Machine& m) {
  const int slots = m.geometry.swap_slots();
  return 2 * slots_in_use(m) > slots;
}

// v6.1 mm/swapfile.c: scan_swap_map_slots() may pass by the one slot where it begins.
bool has_free_slots(const Machine& m, int wanted) {
  return m.swap_on && m.geometry.swap_slots() - slots_in_use(m) > wanted;
}

bool certainly_swaps_whole(const Machine& m, Pfn folio, const FolioCount& count) {
  const bool free = m.swap_on && m.swap_device.nr_free > 0 && m.inject.fail_swap_cluster == 0;
  return folio_test_large(m, folio) && count.pmds == 1 && count.ptes == 0 && !held(count) &&
         test(m, folio, PG_swapbacked) && (count.cache_slots > 0 || free);
}

bool is_mapped(const Machine& m, Pfn folio) {
  const bool large = folio_test_large(m, folio);
  bool mapped = large && m.compound(folio).mapcount >= 0;
  for (int sub = 0; sub < folio_nr_pages(m, folio) && folio + sub < m.frames(); ++sub)
    mapped |= m.page(Pfn(folio + sub)).mapcount >= 0;
  return mapped;
}

bool is_dirty_by_an_entry(const Machine& m, Pfn folio) {
  const auto dirties = [&](const Entry& entry) {
    return entry.is_present() && entry.has(kDirty) && entry.frame < m.frames() &&
           page_folio(m, entry.frame) == folio;
  };
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int i = 0; i < m.geometry.pmds; ++i) {
      if (dirties(m.pmd(mm, i))) return true;
      for (int page = i * m.hpage_nr(); page < (i + 1) * m.hpage_nr(); ++page)
        if (m.pmd(mm, i).is_table() && dirties(m.pte(mm, page))) return true;
    }
  return false;
}

bool is_idle_but_for_mapping(const Machine& m, Pfn folio) {
  for (int sub = 0; sub < folio_nr_pages(m, folio); ++sub) {
    const Slot slot = m.page(Pfn(folio + sub)).private_slot;
    if (slot >= m.geometry.swap_slots() || m.swap(slot).count != 0) return false;
  }
  return !test(m, folio, PG_writeback);
}

bool is_idle(const Machine& m, int slot) {
  const Pfn cached = m.swap(Slot(slot)).cache;
  if (cached >= m.frames()) return false;
  const Pfn folio = page_folio(m, cached);
  return is_idle_but_for_mapping(m, folio) && !is_mapped(m, folio);
}

bool has_idle_slots(const Machine& m) {
  bool any = false;
  for (int i = 0; m.swap_on && !any && i < m.geometry.swap_slots(); ++i) any = is_idle(m, i);
  return any;
}

bool share_a_cached_folio(const Machine& m, int slot, int other) {
  const auto folio_of = [&](int id) {
    const Pfn cached = id < m.geometry.swap_slots() ? m.swap(Slot(id)).cache : kNoPfn;
    return cached < m.frames() ? page_folio(m, cached) : kNoPfn;
  };
  return slot == other || (folio_of(slot) != kNoPfn && folio_of(slot) == folio_of(other));
}

std::uint16_t pmds_of(const Machine& m, Pfn folio) {
  unsigned pmds = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int i = 0; i < m.geometry.pmds; ++i)
      if (m.pmd(mm, i).is_present() && m.pmd(mm, i).frame == folio) pmds |= pmd_bit(mm, i);
  return std::uint16_t(pmds);
}

bool all_locks_counted(const Machine& m, Pfn folio) {
  const int locks = count_locks_of(m, folio);
  return counted_locks_of(m, folio) == locks && (test(m, folio, PG_mlocked) || locks == 0);
}

bool cuts_one_too_many(const Machine& m, const Munmap& op) {
  const bool alive = m.mms[std::size_t(op.mm.id)].alive != 0;
  const Vma* vma = alive ? vma_at(m, op.mm.id, op.range.first) : nullptr;
  const bool middle = vma && vma->start < op.range.first && op.range.end < vma->end;
  return middle && int(m.vmas(op.mm.id).size()) >= map_count_limit(m);
}

bool has_unused_huge_zero_page(const Machine& m) {
  return m.huge_zero_page != kNoPfn &&
         std::ranges::none_of(m.mms, [](const Mm& mm) { return mm.huge_zero_page; });
}

std::uint64_t large_blocks_of(const Machine& m) {
  std::uint64_t large = 0;
  for (int i = 0; i < m.geometry.frame_blocks(); ++i) {
    const Pfn head = Pfn(i << m.geometry.order);
    if (folio_test_large(m, head) && m.compound(head).transhuge) large |= std::uint64_t{1} << i;
  }
  return large;
}

}  // namespace thp
