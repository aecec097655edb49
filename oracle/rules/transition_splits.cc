// Which huge pages an op must split, and which it must leave.
#include <utility>

#include "oracle/rules/transitions_of_splits.h"

namespace thp {
namespace {

enum class SplitFate : std::uint8_t { no, perhaps, yes };

SplitFate try_split(const Transition& t, Pfn folio) {
  const FolioCount count = t.count(folio);
  if (is_file_page(t.before, folio)) return held(count) ? SplitFate::no : SplitFate::yes;
  if (held(count) || !count.mapped_anywhere() || test(t.before, folio, PG_writeback))
    return SplitFate::no;
  return mapped_behind_a_huge_pmd(t.before, folio) ? SplitFate::perhaps : SplitFate::yes;
}

void note(const Machine& m, SplitFate expected, Pfn folio, SplitPlan& plan) {
  if (expected == SplitFate::yes) plan.split |= block_bit(m, folio);
  if (expected == SplitFate::no) plan.whole |= block_bit(m, folio);
}

// The VMA of the first page, if advice begins there.
const Vma* vma_advised(const Machine& m, int mm, PageRange range) {
  const Vma* vma = vma_at(m, mm, range.first);
  return vma != nullptr && !vma->has(VM_LOCKED) ? vma : nullptr;
}

// On the lru, an ordinary page of one mapping, and nobody keeps advice from it.
bool stands_alone(const Machine& m, Pfn folio, const FolioCount& count) {
  return count.pmds + count.ptes == 1 && test(m, folio, PG_lru) &&
         !test(m, folio, PG_unevictable) && m.inject.contend_page_lock == 0;
}

bool may_be_split(const Machine& m, Pfn folio, const FolioCount& count) {
  return m.inject == Injections{} && !held(count) && !test(m, folio, PG_writeback) &&
         !mapped_behind_a_huge_pmd(m, folio);
}

// Does a PMD map what the range begins with, and the VMA and the range go on to its end?
bool advises_whole(const Machine& m, int mm, PageRange range) {
  const int end = std::min<int>(range.end, vma_at(m, mm, range.first)->end);
  return !m.pmd(mm, pmd_index(m, range.first)).is_table() &&
         range.first == pmd_first(m, range.first) && end - range.first >= m.hpage_nr();
}

}  // namespace

// It stops at the first hole, and follows no entry of a PROT_NONE mapping. Huge pages of which
// nothing is mapped in the range stay.
SplitPlan plan_of(const SplitFolio& op, const Transition& t) {
  const Machine& m = t.before;
  SplitPlan plan{.t = t};
  for (int i = 0; i < m.geometry.frame_blocks(); ++i)
    if (const Pfn head = Pfn(i << m.geometry.order); folio_test_large(m, head))
      plan.whole |= block_bit(m, head);
  for (int page = op.range.first; page < op.range.end; ++page)
    if (const Pfn pfn = mapped_frame(m, op.mm.id, page); pfn != kNoPfn)
      plan.whole &= ~block_bit(m, page_folio(m, pfn));
  Pfn last = kNoPfn;
  const Vma* vma = nullptr;
  for (int page = op.range.first; page < op.range.end; ++page) {
    if (vma == nullptr || !vma->covers(page)) vma = vma_at(m, op.mm.id, page);
    if (vma == nullptr) return plan;
    const Pfn pfn = vma->has(VM_READ) ? mapped_frame(m, op.mm.id, page) : kNoPfn;
    if (pfn == kNoPfn || page_folio(m, pfn) == last) continue;
    last = page_folio(m, pfn);
    if (!folio_test_large(m, last)) continue;
    const SplitFate expected = try_split(t, last);
    if (expected == SplitFate::yes && m.inject.contend_page_lock) continue;
    if (expected == SplitFate::yes && m.inject.speculative_ref) return plan;
    note(m, expected, last, plan);
  }
  return plan;
}

// From a page of a huge one it goes on as many pages as that has: it may pass by the next.
SplitPlan plan_of(const SplitFile& op, const Transition& t) {
  const Machine& m = t.before;
  SplitPlan plan{.t = t};
  if (!t.succeeded() || m.inject != Injections{}) return plan;
  plan.whole = large_blocks_of(m);
  for (int index = op.range.first, next; index < op.range.end; index = next) {
    next = index + 1;
    const Pfn folio = huge_page_behind(m, m.cell(op.inode.id, index));
    if (folio == kNoPfn) continue;
    next = index + m.hpage_nr();
    plan.whole &= ~block_bit(m, folio);
    note(m, try_split(t, folio), folio, plan);
  }
  return plan;
}

// Of each file on the list the folio at its end, if that lies within a block.
SplitPlan plan_of_shrinklist(const Transition& t) {
  const Machine& m = t.before;
  SplitPlan plan{.t = t};
  for (int i = 0; i < m.shm_mnt.shrinklist_len && m.inject == Injections{}; ++i) {
    const int inode = m.shm_mnt.shrinklist[std::size_t(i)];
    const int size = m.inodes[std::size_t(inode)].i_size;
    if (size % m.hpage_nr() == 0) continue;
    const Pfn folio = huge_page_behind(m, m.cell(inode, pmd_first(m, size)));
    if (folio != kNoPfn) note(m, try_split(t, folio), folio, plan);
  }
  return plan;
}

// The head of a folio that the shrinker splits may stay in the swap cache without an entry. Each is
// tried once, in the queue's order: an injected contention is met by the first, a speculative
// reference by the first that could be split otherwise.
SplitPlan plan_of_queue(const Transition& t) {
  const Machine& m = t.before;
  SplitPlan plan{.t = t};
  bool contended = m.inject.contend_page_lock, speculative = m.inject.speculative_ref;
  for (const Pfn head : m.deferred_queue()) {
    SplitFate expected = std::exchange(contended, false) ? SplitFate::no : try_split(t, head);
    if (expected == SplitFate::yes && std::exchange(speculative, false))
      expected = plan.perhaps > 0 ? SplitFate::perhaps : SplitFate::no;
    plan.perhaps += expected == SplitFate::perhaps;
    note(m, expected, head, plan);
  }
  return plan;
}

// Split if it is advised in part, and nobody shares it; if somebody does it stays as it is. Asked
// of ranges in one block and VMA: the walk comes by once.
SplitPlan plan_of_advice(int mm, PageRange range, bool by_head, const Transition& t) {
  const Machine& m = t.before;
  SplitPlan plan{.t = t};
  const Pfn pfn = mapped_frame(m, mm, range.first);
  const Vma* vma = vma_advised(m, mm, range);
  if (pfn == kNoPfn || vma == nullptr || !folio_test_large(m, page_folio(m, pfn))) return plan;
  if (t.over<MadviseFree>() && !vma->is_anonymous()) return plan;  // -EINVAL
  const Pfn folio = page_folio(m, pfn);
  const FolioCount count = t.count(folio);
  const int block_end = pmd_first(m, range.first) + m.hpage_nr();
  const bool by_pmd = !m.pmd(mm, pmd_index(m, range.first)).is_table();
  const bool whole = by_pmd && range.end - range.first >= m.hpage_nr();
  if (range.end > std::min<int>(block_end, vma->end) || whole) return plan;
  // How often advice thinks that a large folio is mapped: by its head, or by the page itself.
  const bool shared = count.pmds + t.counts.frame(by_pmd || by_head ? folio : pfn).ptes != 1;
  if (shared)
    plan.whole = block_bit(m, folio);
  else if (may_be_split(m, folio, count) && (!by_head || count.pmds + count.ptes == 1 || !by_pmd))
    plan.split = block_bit(m, folio);
  return plan;
}

Advised cold_page(const MadviseCold& op, const Transition& t) {
  const Machine& m = t.before;
  const Pfn pfn = mapped_frame(m, op.mm.id, op.range.first);
  if (pfn == kNoPfn || vma_advised(m, op.mm.id, op.range) == nullptr) return {};
  const Pfn folio = page_folio(m, pfn);
  if (folio_test_large(m, folio) && !advises_whole(m, op.mm.id, op.range)) return {};
  return {stands_alone(m, folio, t.count(folio)), false};
}

// A small page, or a huge one that is advised whole, or split as a part of it is, or of which one
// PTE maps one page, as its head; the swap cache might keep it.
Advised free_page(const MadviseFree& op, const Transition& t) {
  const Machine& m = t.before;
  const Pfn pfn = mapped_frame(m, op.mm.id, op.range.first);
  if (pfn == kNoPfn || vma_advised(m, op.mm.id, op.range) == nullptr) return {};
  const Pfn folio = page_folio(m, pfn);
  const bool large = folio_test_large(m, folio);
  const FolioCount count = t.count(folio);
  const bool splittable = may_be_split(m, folio, count);
  const bool splits = advises_whole(m, op.mm.id, op.range) || (count.pmds == 1 && splittable);
  const bool alone = stands_alone(m, folio, count) && (!large || splits);
  const bool split_off = large && count.pmds == 0 && t.counts.frame(folio).ptes == 1 &&
                         t.counts.frame(pfn).ptes == 1 && splittable && test(m, folio, PG_lru) &&
                         !test(m, folio, PG_unevictable);
  return {(alone || split_off) && !test(m, folio, PG_swapcache),
          !test(m, folio, PG_swapbacked) && test(m, folio, PG_active)};
}

bool stays_whole_unless_meant(const Transition& t, int mm, PageRange range) {
  const Machine& m = t.before;
  bool whole = true;
  for_each_pmd(t.changed.pmds(), [&](int of, int i) {
    const Entry& pmd = m.pmd(of, i);
    if (!is_huge(pmd) || pmd.is_zero() || !t.after.pmd(of, i).is_table()) return;
    bool meant = false;
    for (int page = range.first; page < range.end; ++page)
      if (const Pfn pfn = mapped_frame(m, mm, page); pfn != kNoPfn)
        meant |= page_folio(m, pfn) == pmd.frame;
    whole &= meant;
  });
  return whole;
}

bool moves_whole(const Transition& t, const Mremap& op) {
  const Machine& m = t.before;
  const Move move = move_of(op, t);
  const int nr = m.hpage_nr();
  if (is_locked(m, op.mm.id, op.range) || move.delta % nr != 0) return true;
  for (int first = (move.to + nr - 1) / nr * nr; first + nr <= move.end; first += nr)
    if (is_huge(m.pmd(move.mm, pmd_index(m, first - move.delta))) &&
        t.after.pmd(move.mm, pmd_index(m, first)).is_table())
      return false;
  return true;
}

bool migrates_whole(const Transition& t, const MovePages& op) {
  if (!must_migrate_whole(op, t)) return true;
  bool whole = true;
  for_each_pmd(pmds_of(t.before, page_folio(t.before, t.page.frame_was)),
               [&](int mm, int i) { whole &= !t.after.pmd(mm, i).is_table(); });
  return whole;
}

}  // namespace thp
