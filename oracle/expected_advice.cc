// What advice about memory does: to the flags of VMAs, to pages that nobody shares, and to no
// others.
#include <algorithm>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

// The VMA of the first page, if advice begins there: whatever else the range has, this VMA's part
// of the first block is seen.
const Vma* first_advised(const Machine& m, int mm, PageRange range) {
  const Vma* vma = m.mms[std::size_t(mm)].alive != 0 ? vma_at(m, mm, range.first) : nullptr;
  return vma != nullptr && !vma->has(VM_LOCKED) ? vma : nullptr;
}

int count_mapped_outside(const Machine& m, int but_of, int first, int end) {
  int count = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int page = 0; page < m.pages(); ++page)
      if (mm != but_of || page < first || page >= end) count += entry_of(m, mm, page).is_present();
  return count;
}

// On the lru, an ordinary page of one mapping, and nobody keeps advice from it.
bool is_lone(const Machine& m, Pfn folio, const FolioCount& count) {
  return count.pmds + count.ptes == 1 && test(m, folio, PG_lru) &&
         !test(m, folio, PG_unevictable) && m.inject.contend_page_lock == 0;
}

// How often advice thinks that a large folio is mapped: by its head, or by the page itself.
int seen_mappings(const Recount& recount, const FolioCount& count, Pfn page) {
  return count.pmds + recount.frame(page).ptes;
}

bool can_be_split(const Machine& m, Pfn folio, const FolioCount& count) {
  return m.inject == Injections{} && !held(count) && !test(m, folio, PG_writeback) &&
         !mapped_behind_a_huge_pmd(m, folio);
}

// The large folio of the first page is split if it is advised in part, and nobody shares it; if
// somebody does it stays as it is. Asked of ranges in one block and VMA: the walk comes by once.
void expect_split(const Machine& m, const Recount& recount, int mm, PageRange range, bool by_head,
                  Answers& a) {
  const Pfn pfn = mapped_frame(m, mm, range.first);
  const Vma* vma = first_advised(m, mm, range);
  if (pfn == kNoPfn || vma == nullptr || !folio_test_large(m, page_folio(m, pfn))) return;
  const Pfn folio = page_folio(m, pfn);
  const FolioCount count = recount.folio(m, folio);
  const int block_end = pmd_first(m, range.first) + m.hpage_nr();
  const bool by_pmd = !m.pmd(mm, pmd_index(m, range.first)).is_table();
  const bool whole = by_pmd && range.end - range.first >= m.hpage_nr();
  if (range.end > std::min<int>(block_end, vma->end) || whole) return;
  const std::uint64_t block = block_bit(m, folio);
  const bool shared = seen_mappings(recount, count, by_pmd || by_head ? folio : pfn) != 1;
  const bool splits = can_be_split(m, folio, count);
  if (shared)
    a.large |= block;
  else if (splits && (!by_head || count.pmds + count.ptes == 1 || !by_pmd))
    a.small |= block;
}

// Does a PMD map what the range begins with, and the VMA and the range go on to its end?
bool is_advised_whole(const Machine& m, int mm, PageRange range) {
  const int end = std::min<int>(range.end, vma_at(m, mm, range.first)->end);
  return !m.pmd(mm, pmd_index(m, range.first)).is_table() &&
         range.first == pmd_first(m, range.first) && end - range.first >= m.hpage_nr();
}

}  // namespace

void expect_flag(PageRange range, int mm, std::uint32_t set, std::uint32_t clear, Answers& a) {
  a.about(mm, range.first, range.end);
  a.advice = set;
  a.against = clear;
  a.expect(Then::advised);
}

bool advised(const Machine& m, const Answers& a) {
  return std::ranges::all_of(m.vmas(a.mm), [&](const Vma& vma) {
    const bool outside = vma.end <= a.first || a.end <= vma.start;
    return outside || (vma.flags & (a.advice | a.against)) == a.advice;
  });
}

// To ask for the head's mapcount misses those who map only tails, by PTEs: not asked then.
void expect_in_range(const Machine& m, const Recount& recount, int mm, PageRange range,
                     bool by_head, Answers& a) {
  a.about(mm, range.first, range.end);
  expect_split(m, recount, mm, range, by_head, a);
  for_each_whole_pmd(m, mm, range.first, range.end, [&](int i) {
    const Entry& pmd = m.pmd(mm, i);
    const bool by_pmd = pmd.is_present() && pmd.frame < m.frames();
    if (by_pmd && recount.folio(m, pmd.frame).ptes > 0 && recount.frame(pmd.frame).ptes == 0)
      a.elsewhere = -1;
  });
  if (a.elsewhere < 0) return;
  a.elsewhere = count_mapped_outside(m, mm, range.first, range.end);
  a.expect(Then::kept_elsewhere);
}

bool kept_elsewhere(const Machine& m, const Answers& a) {
  return count_mapped_outside(m, a.mm, a.first, a.end) >= a.elsewhere;
}

void expect_cold(const Machine& m, const Recount& recount, const MadviseCold& op, Answers& a) {
  expect_in_range(m, recount, op.mm.id, op.range, false, a);
  const Pfn pfn = mapped_frame(m, op.mm.id, op.range.first);
  if (pfn == kNoPfn || first_advised(m, op.mm.id, op.range) == nullptr) return;
  const Pfn folio = page_folio(m, pfn);
  if (folio_test_large(m, folio) && !is_advised_whole(m, op.mm.id, op.range)) return;
  if (is_lone(m, folio, recount.folio(m, folio))) a.expect(Then::old);
}

bool is_old(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn != kNoPfn && !entry_of(m, a.mm, a.first).has(kYoung) && !test(m, pfn, PG_active);
}

// A page of a huge page that one PTE maps, as its head: MADV_FREE splits that, and looks again.
bool is_split_off(const Machine& m, const Recount& recount, Pfn pfn) {
  const Pfn folio = page_folio(m, pfn);
  const FolioCount count = recount.folio(m, folio);
  return folio_test_large(m, folio) && count.pmds == 0 && recount.frame(folio).ptes == 1 &&
         recount.frame(pfn).ptes == 1 && can_be_split(m, folio, count) && test(m, folio, PG_lru) &&
         !test(m, folio, PG_unevictable);
}

// A small page, or a huge one that is advised whole, or split as a part of it is; the swap cache
// might keep it. What was given away before may have become active since.
void expect_free(const Machine& m, const Recount& recount, const MadviseFree& op, Answers& a) {
  expect_in_range(m, recount, op.mm.id, op.range, true, a);
  const Pfn pfn = mapped_frame(m, op.mm.id, op.range.first);
  const Vma* vma = first_advised(m, op.mm.id, op.range);
  if (pfn == kNoPfn || vma == nullptr) return;
  const Pfn folio = page_folio(m, pfn);
  const FolioCount count = recount.folio(m, folio);
  const bool whole = is_advised_whole(m, op.mm.id, op.range);
  const bool splits = count.pmds == 1 && can_be_split(m, folio, count);
  const bool alone = is_lone(m, folio, count) && (!folio_test_large(m, folio) || whole || splits);
  a.active = !test(m, folio, PG_swapbacked) && test(m, folio, PG_active);
  if ((alone || is_split_off(m, recount, pfn)) && !test(m, folio, PG_swapcache))
    a.expect(Then::lazyfree);
}

bool is_lazyfree(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  const Entry& entry = entry_of(m, a.mm, a.first);
  return pfn != kNoPfn && !entry.has(kDirty) && !entry.has(kYoung) &&
         !test(m, page_folio(m, pfn), PG_swapbacked | PG_dirty) &&
         (a.active || !test(m, page_folio(m, pfn), PG_active));
}

// PMDs that were huge, and are page tables now.
bool split_clean(const Machine& m, const Answers& a) {
  for (int i = 0; i < m.geometry.pmds; ++i) {
    if ((a.not_huge & pmd_bit(a.mm, i)) != 0 || !m.pmd(a.mm, i).is_table()) continue;
    for (int page = i * m.hpage_nr(); page < (i + 1) * m.hpage_nr(); ++page)
      if (m.pte(a.mm, page).is_present() && m.pte(a.mm, page).has(kDirty)) return false;
  }
  return true;
}

}  // namespace thp
