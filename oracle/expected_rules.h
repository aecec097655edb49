// Inside the expected answers: what both halves, before and after an op, look at.
#pragma once
#include <algorithm>

#include "oracle/expected_answers.h"
#include "oracle/expected_ids.h"
#include "oracle/translate.h"

namespace thp {

inline bool held(const FolioCount& count) {
  return count.pins + count.gets + count.isolations + count.migration > 0;
}

inline bool anything_locked(const Machine& m) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      if (vma.has(VM_LOCKED)) return true;
  return false;
}

bool is_pinned(const Machine& m, Pfn folio);

// May a huge page be at PMD `i`, by its VMA and, if `ask_enabled`, by the setting?
bool may_be_huge(const Machine& m, int mm, int i, bool ask_enabled);

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

// PMDs that are not huge, by their bits.
std::uint16_t small_pmds(const Machine& m);

// Does somebody hold what a page table maps, of a whole block in the range?
bool held_below_a_table(const Machine& m, const Recount& recount, int mm, PageRange range);

// --- What must succeed, if nobody holds it: expected_liveness.cc.

// A folio at a misaligned address lies below two PMDs. While the first is huge, who looks for the
// folio's mappings does not come to the second: v6.1 mm/page_vma_mapped.c.
bool mapped_behind_a_huge_pmd(const Machine& m, Pfn folio);
// Would move_pages() of a mapped page succeed? False: perhaps, perhaps not.
bool certainly_migrates(const Machine& m, Pfn pfn);
// Neither an injected failure nor a locked VMA stands in the way of reclaim.
bool nothing_interferes(const Machine& m);
// May it unmap a page that is not young, once there is a slot for it? A small one, of one mapping.
bool is_reclaimable(const Machine& m, Pfn pfn, const FolioCount& count);
// Would reclaim take a page that is not young out of its page table, or find that it was stored to
// since MADV_FREE gave it away?
bool certainly_unmapped(const Machine& m, Pfn pfn, const FolioCount& count);

// Bit for page, as in Attributes: those whose folio is pinned, if the address space ever pinned.
std::uint64_t pinned_pages(const Machine& m, int mm);

// Bit h: holder h holds a large folio, or a page of one.
std::uint8_t holders_of_large(const Machine& m);

// --- Swapping out and in: expected_swap.cc. Before, and after a success.

bool is_swap_full(const Machine& m);
// Are so many slots free that as many pages find one each?
bool has_free_slots(const Machine& m, int wanted);
// A huge page that one PMD maps and nobody holds, with a cluster of its own or a free one.
bool certainly_swaps_whole(const Machine& m, Pfn folio, const FolioCount& count);
void expect_pageout(const Machine& m, const Recount& recount, const MadvisePageout& op, Answers& a);
void expect_swap_in(const Machine& m, const Recount& recount, int mm, int page, bool write,
                    Answers& a);
void expect_dirty_out_of_cache(const Machine& m, Answers& a);
bool refaulted(const Machine& m, const Answers& a);
bool out_of_cache(const Machine& m, const Answers& a);
bool dirty_out_of_cache(const Machine& m, const Answers& a);
bool mlocked(const Machine& m, const Answers& a);
bool cached_itself(const Machine& m, const Answers& a);
void expect_none_idle(const Machine& m, Answers& a);
bool stays_cached(const Machine& m, const Answers& a);
bool copied_from_tail(const Machine& m, const Answers& a);
std::uint64_t idle_slots(const Machine& m);
bool has_idle_slots(const Machine& m);
bool is_mapped(const Machine& m, Pfn folio);
// Could the swap cache let go of the folio, were it not mapped?
bool is_idle_but_for_mapping(const Machine& m, Pfn folio);

// --- Splitting: expected_split.cc.

void expect_split_folio(const Machine& m, const Recount& recount, const SplitFolio& op, Answers& a);
// Each folio is tried once, in the queue's order: an injected contention is met by the first, a
// speculative reference by the first that could be split otherwise. Returns how many, beside those
// that certainly split, may split.
int expect_shrunk_queue(const Machine& m, const Recount& recount, Answers& a);
bool split_alike(const Machine& m, const Answers& a);
bool has_unused_huge_zero_page(const Machine& m);

// --- Reclaim and migration of a page: expected_reclaim.cc.

std::uint16_t pmds_of(const Machine& m, Pfn folio);  // that map it
void expect_reclaim(const Machine& m, const Recount& recount, const Reclaim& op, Answers& a);
bool used(const Machine& m, const Answers& a);
bool swapped_whole(const Machine& m, const Answers& a);
bool submitted(const Machine& m, const Answers& a);
bool is_active(const Machine& m, const Answers& a);
void expect_arrival(const Machine& m, Answers& a);
void expect_no_rotation(const Machine& m, Answers& a);
bool arrived(const Machine& m, const Answers& a);
bool migrated_as_is(const Machine& m, const Answers& a);
bool aged(const Machine& m, const Answers& a);
void expect_move_pages(const Machine& m, const Recount& recount, const MovePages& op, Answers& a);

// --- Locked VMAs: expected_mlock.cc. Before, and after a success.

// Does a locked VMA map the huge page, by its PMD?
bool locked_by_pmd(const Machine& m, Pfn folio);
void expect_lock_count(const Machine& m, Answers& a);
void expect_young_locks(const Machine& m, Pfn folio, Answers& a);
bool locks_counted(const Machine& m, const Answers& a);
bool locks_young(const Machine& m, const Answers& a);
bool unlocked(const Machine& m, const Answers& a);
void expect_unlock(const Machine& m, int mm, int page, Answers& a);
bool has_locks(const Machine& m, Pfn folio);
bool all_locks_counted(const Machine& m, Pfn folio);
bool locked_once(const Machine& m, const Answers& a);
bool survives_a_failure(const Machine& m, const Mlock& op);
bool unlocked_elsewhere(const Machine& m, const Answers& a);

// --- The first access to a page, and what stays huge: expected_huge.cc.

void expect_fault(const Machine& m, MmId mm, PageNr page, bool write, Answers& a);
bool zero_page(const Machine& m, const Answers& a);
bool huge(const Machine& m, const Answers& a);
// PMDs of which the range covers all, or nothing, stay what they are.
void expect_whole(const Machine& m, int mm, PageRange range, Answers& a);
bool whole(const Machine& m, const Answers& a);

// --- VMAs that become one: expected_merges.cc.

inline std::uint32_t flags_of(Protection prot) {
  if (prot == Protection::none) return 0;
  return prot == Protection::r ? VM_READ : VM_READ | VM_WRITE | VM_ACCOUNT;
}

// The VMA at the range's first page gets these flags, if it has not got them yet.
void expect_merge(const Machine& m, int mm, PageRange range, std::uint32_t set, std::uint32_t clear,
                  Answers& a);
void expect_merge_of_new(const Machine& m, const Mmap& op, Answers& a);
bool merged(const Machine& m, const Answers& a);

// --- An access to a page that is mapped: expected_cow.cc.

void keeps_frame(const Machine& m, MmId mm, PageNr page, Answers& a);
void keeps_huge(const Machine& m, MmId mm, PageNr page, Answers& a);
void expect_mark(const Machine& m, MmId mm, PageNr page, Answers& a);
bool touched(const Machine& m, const Answers& a);
bool stored(const Machine& m, const Answers& a);
bool marked(const Machine& m, const Answers& a);
void breaks_cow(const Machine& m, const Recount& recount, MmId mm, PageNr page, Answers& a);
bool is_exclusive(const Machine& m, MmId mm, PageNr page);

// --- munmap(), mremap(), fork(), and a VMA's first page: expected_mappings.cc. Before, and after a
// success.

// Would it make two VMAs of one where there are sysctl_max_map_count?
bool cuts_one_too_many(const Machine& m, const Munmap& op);
void expect_mmap(const Mmap& op, Answers& a);
void expect_mprotect(const Machine& m, const Mprotect& op, Answers& a);
bool upgraded(const Machine& m, const Answers& a);
void expect_mremap(const Machine& m, const Mremap& op, Answers& a);
Attributes moved_by(const Machine& m, int mm, int from, int to, int count);
bool carried(const Machine& m, const Answers& a);
bool moved_dirty(const Machine& m, const Answers& a);
bool moved_clean(const Machine& m, const Answers& a);
bool grown(const Machine& m, const Answers& a);
void expect_anon_vma(const Machine& m, int mm, int page, Answers& a);
bool has_expected_anon_vma(const Machine& m, const Answers& a);
void expect_fork(const Machine& m, const Fork& op, Answers& a);
bool takes_over_what_it_may(const Machine& m, const Answers& a);
// For an op that faults nothing in.
void expect_unfaulted(const Machine& m, int mm, Answers& a);
bool unfaulted(const Machine& m, const Answers& a);
bool inherited(const Machine& m, const Answers& a);
bool never_pinned(const Machine& m, const Answers& a);
bool listed_with_reason(const Machine& m, const Answers& a);

// --- Advice: expected_advice.cc. Before, and after a success.

void expect_flag(PageRange range, int mm, std::uint32_t set, std::uint32_t clear, Answers& a);
// `by_head`: it asks the head of a huge page how often it is mapped.
void expect_in_range(const Machine& m, const Recount& recount, int mm, PageRange range,
                     bool by_head, Answers& a);
void expect_cold(const Machine& m, const Recount& recount, const MadviseCold& op, Answers& a);
void expect_free(const Machine& m, const Recount& recount, const MadviseFree& op, Answers& a);
bool advised(const Machine& m, const Answers& a);
bool kept_elsewhere(const Machine& m, const Answers& a);
bool is_old(const Machine& m, const Answers& a);
bool is_lazyfree(const Machine& m, const Answers& a);
bool split_clean(const Machine& m, const Answers& a);

// --- madvise_collapse: expected_collapse.cc.

void expect_collapse(const Machine& m, const Recount& recount, const MadviseCollapse& op,
                     Answers& a);
bool collapsed_anew(const Machine& m, const Answers& a);
bool says_why(const Machine& m, const Answers& a, int result);  // of a collapse that failed

// The rule that does not hold after a success, or kRules.
AnswerRuleId broken_afterwards(const Machine& m, const Answers& a);

// Pages of locked VMAs that are neither mapped nor migrating: nowhere, or swapped out.
inline int count_locked_gaps(const Machine& m) {
  int gaps = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      for (int page = vma.start; vma.has(VM_LOCKED) && page < vma.end; ++page) {
        const Entry& entry = entry_of(m, mm, page);
        gaps += entry.is_none() || entry.is_swap();
      }
  return gaps;
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

}  // namespace thp
