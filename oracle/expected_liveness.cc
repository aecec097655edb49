// What must succeed where no reference, lock or lack of memory is in the way, or fail where one is.
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

}  // namespace

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

bool nothing_interferes(const Machine& m) {
  return m.inject == Injections{} && !anything_locked(m);
}

bool is_reclaimable(const Machine& m, Pfn pfn, const FolioCount& count) {
  return !folio_test_large(m, pfn) && count.ptes == 1 && test(m, pfn, PG_lru) &&
         !test(m, pfn, PG_writeback | PG_unevictable);
}

bool certainly_unmapped(const Machine& m, Pfn pfn, const FolioCount& count) {
  const bool has_slot = count.cache_slots > 0 || !test(m, pfn, PG_swapbacked);
  FolioCount one = count;
  if (test(m, pfn, PG_swapbacked)) one.ptes = std::min(one.ptes, 1);
  return nothing_interferes(m) && is_reclaimable(m, pfn, one) && (has_slot || has_free_slots(m, 1));
}

}  // namespace thp
