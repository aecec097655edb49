// What must succeed: where neither a reference nor a lock nor a lack of memory can be in the way.
#include "oracle/expected_rules.h"

namespace thp {
namespace {

// Is this page of the folio, and the folio's first address of this VMA below PMD `i`?
bool begins_in(const Machine& m, int mm, int i, int page, Pfn folio) {
  const Pfn pfn = mapped_frame(m, mm, page);
  const Vma* vma = vma_at(m, mm, page);
  if (pfn == kNoPfn || page_folio(m, pfn) != folio || vma == nullptr) return false;
  return pmd_index(m, std::max<int>(page - (pfn - folio), vma->start)) == i;
}

// One block may be anything but what is asked for; a second one is there for sure.
bool has_free_blocks(const Machine& m) {
  return std::ranges::count(m.used_frames(), std::uint16_t{0}) >= 2;
}

bool has_free_cluster(const Machine& m) {
  const int nr = m.hpage_nr(), slots = m.geometry.swap_slots() / nr * nr;
  int run = 0;  // of free slots, from the beginning of a cluster
  for (int slot = 0; slot < slots && run < nr; ++slot) {
    const bool used = is_in_use(m.swap(Slot(slot)));
    if (slot % nr == 0) run = 0;
    run = used ? -nr : run + 1;
  }
  return m.swap_on && run == nr;
}

}  // namespace

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
         has_free_blocks(m);
}

// Small, and of one mapping that no locked VMA has. A folio that has no slot yet needs one.
bool certainly_unmapped(const Machine& m, Pfn pfn, const FolioCount& count) {
  if (m.inject != Injections{} || anything_locked(m) || folio_test_large(m, pfn)) return false;
  if (count.ptes != 1 || !test(m, pfn, PG_lru) || test(m, pfn, PG_writeback | PG_unevictable))
    return false;
  return count.cache_slots > 0 || !test(m, pfn, PG_swapbacked) || has_free_cluster(m);
}

}  // namespace thp
