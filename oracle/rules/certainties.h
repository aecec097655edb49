// What rules ask of one machine beyond a line: who holds, locks and maps what, and what is certain
// of it. Callers see to it that `recount` is that of `m`.
#pragma once
#include <algorithm>

#include "model/ops.h"
#include "oracle/recount/recount.h"
#include "oracle/translate.h"

namespace thp {

inline bool held(const FolioCount& count) {
  return count.pins + count.gets + count.isolations + count.migration > 0;
}

// Is any VMA locked that reaches into the range?
inline bool is_locked(const Machine& m, int mm, PageRange range) {
  return std::ranges::any_of(m.vmas(mm), [&](const Vma& vma) {
    return vma.has(VM_LOCKED) && vma.start < range.end && range.first < vma.end;
  });
}

inline std::uint16_t pmd_bit(int mm, int i) {
  return std::uint16_t(1 << (mm * Geometry::kMaxPmds + i));
}

inline std::uint64_t block_bit(const Machine& m, Pfn folio) {
  return std::uint64_t{1} << (folio >> m.geometry.order);
}

// Blocks of which no frame is in use.
inline int free_blocks(const Machine& m) {
  return int(std::ranges::count(m.used_frames(), std::uint16_t{0}));
}

inline std::uint32_t flags_of(Protection prot) {
  if (prot == Protection::none) return 0;
  return prot == Protection::r ? VM_READ : VM_READ | VM_WRITE | VM_ACCOUNT;
}

// Calls visit(pmd) for each whole PMD that lies in [first, end) and in one VMA.
template <class Visit>
void for_each_whole_pmd(const Machine& m, int mm, int first, int end, Visit visit) {
  const int nr = m.hpage_nr();
  for (const Vma& vma : m.vmas(mm)) {
    const int from = std::max<int>(vma.start, first), to = std::min<int>(vma.end, end);
    for (int page = (from + nr - 1) / nr * nr; page + nr <= to; page += nr) visit(page / nr);
  }
}

// Has it an anon_vma, or is there one for it? The machine has few, and uses the last ones last.
inline bool has_anon_vmas(const Machine& m, const Vma& vma) {
  const auto& all = m.anon_vmas;
  return vma.anon_vma != kNoAnonVma ||
         (all[kMaxAnonVmas - 1].used | all[kMaxAnonVmas - 2].used) == 0;
}

// Have all VMAs that reach into the range the ones, and none of the others?
bool have_flags(const Machine& m, int mm, PageRange range, std::uint32_t set, std::uint32_t clear);
bool is_pinned(const Machine& m, Pfn folio);
bool is_in_a_locked_vma(const Machine& m, Pfn folio);
bool may_be_huge(const Machine& m, int mm, int i, bool ask_enabled);
bool held_below_a_table(const Machine& m, const Recount& recount, int mm, PageRange range);
bool mapped_behind_a_huge_pmd(const Machine& m, Pfn folio);
bool certainly_migrates(const Machine& m, Pfn pfn);
// No failure is to come, and no locked VMA maps a page of the folio.
bool nothing_interferes(const Machine& m, Pfn folio);
bool is_reclaimable(const Machine& m, Pfn pfn, const FolioCount& count);
bool certainly_unmapped(const Machine& m, Pfn pfn, const FolioCount& count);
bool is_swap_full(const Machine& m);
bool has_free_slots(const Machine& m, int wanted);
bool certainly_swaps_whole(const Machine& m, Pfn folio, const FolioCount& count);
bool is_mapped(const Machine& m, Pfn folio);
bool is_dirty_by_an_entry(const Machine& m, Pfn folio);
bool is_idle_but_for_mapping(const Machine& m, Pfn folio);
// A slot that only the swap cache has, for a page that nobody maps.
bool is_idle(const Machine& m, int slot);
bool has_idle_slots(const Machine& m);
bool share_a_cached_folio(const Machine& m, int slot, int other);
std::uint16_t pmds_of(const Machine& m, Pfn folio);
bool all_locks_counted(const Machine& m, Pfn folio);
bool cuts_one_too_many(const Machine& m, const Munmap& op);
bool has_unused_huge_zero_page(const Machine& m);
// Transparent huge pages, by the bits of their blocks.
std::uint64_t large_blocks_of(const Machine& m);
// Calls visit(folio) for each mapping that locks a folio: a small page's PTE, a huge page's PMD, in
// a locked VMA. A huge page is never locked by PTEs.
template <class Visit>
void for_each_lock(const Machine& m, Visit visit) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      for (int page = vma.start; vma.has(VM_LOCKED) && page < vma.end;) {
        const bool by_pmd = !m.pmd(mm, pmd_index(m, page)).is_table();
        const Pfn pfn = mapped_frame(m, mm, page);
        if (pfn != kNoPfn && by_pmd == folio_test_large(m, page_folio(m, pfn)))
          visit(page_folio(m, pfn));
        page = by_pmd ? pmd_first(m, page) + m.hpage_nr() : page + 1;
      }
}
int count_locks_of(const Machine& m, Pfn folio);
int counted_locks_of(const Machine& m, Pfn folio);
// How many VMAs used the folio: is a page of it young there?
int count_users_of(const Machine& m, Pfn folio);

}  // namespace thp
