// What madvise_collapse() will make of a range.
#include <utility>

#include "oracle/rules/transitions_of_collapse.h"

namespace thp {
namespace {

// What is left while it goes from block to block: failures to come, memory. Does it certainly come
// to the block?
struct Means {
  Collapse& c;
  Injections inject;
  int blocks;  // of memory that are free for certain
  bool certain = true;

  // Is there no huge page, or perhaps none?
  void count(bool missing, bool scarce) {
    c.most_had += !missing;
    c.least_had += certain && !missing && !scarce;
    c.most_missed += missing || scarce;
    c.least_missed += certain && missing;
  }
};

// The pages below one page table.
struct Below {
  bool there = false, writable = false, busy = false;  // a page; one of them
  int swapped = 0, cached = 0;  // entries; of these in the swap cache, and in doubt
};

// Is a page of the swap cache one that may have to be copied, or that collapse may not take?
bool is_doubtful(const Transition& t, Pfn cached) {
  const Machine& m = t.before;
  return cached < m.frames() && (folio_test_large(m, page_folio(m, cached)) ||
                                 !test(m, cached, PG_lru) || held(t.count(cached)));
}

Below look_below(const Transition& t, int mm, int i) {
  const Machine& m = t.before;
  Below below;
  for (int page = i * m.hpage_nr(); page < (i + 1) * m.hpage_nr(); ++page) {
    const Entry& pte = m.pte(mm, page);
    if (pte.is_swap() && pte.frame < m.geometry.swap_slots()) {
      ++below.swapped;
      below.cached += is_doubtful(t, m.swap(pte.frame).cache);
    }
    const Pfn pfn = mapped_frame(m, mm, page);
    if (pfn == kNoPfn) continue;
    const Pfn folio = page_folio(m, pfn);
    below.there = true;
    below.writable |= pte.has(kWrite);
    below.busy |= !test(m, folio, PG_lru) || held(t.count(folio));
  }
  return below;
}

// A huge page for it, and a charge: certain answers come alone.
unsigned try_to_have_a_huge_page(Means& means) {
  const bool missing = std::exchange(means.inject.fail_huge_alloc, 0) != 0;
  const bool scarce = !missing && means.blocks-- <= 0;
  means.count(missing, scarce);
  if (missing) return kNoMemory;
  const bool uncharged = std::exchange(means.inject.fail_charge, 0) != 0;
  return unsigned(uncharged ? kNoCharge : kCollapsed) | (scarce ? unsigned(kNoMemory) : 0u);
}

// Swapped pages are read back, each of which may need a block of its own, and all are locked.
unsigned try_to_copy(const Below& below, Means& means) {
  const bool scarce = below.swapped > 0 &&
                      ((means.blocks -= below.swapped) < 0 || means.inject.fail_small_alloc != 0);
  const unsigned read_back = scarce ? kNoTable : 0;
  if (std::exchange(means.inject.contend_page_lock, 0) != 0) return kAgain | read_back;
  return kCollapsed | read_back | (below.cached > 0 ? kAgain : 0);
}

unsigned try_to_collapse(const Transition& t, int mm, int i, Means& means) {
  const Entry& pmd = t.before.pmd(mm, i);
  if (pmd.is_present() || pmd.is_zero()) return kCollapsed;
  if (pmd.is_none()) return kNoTable;
  if (pmd.is_migration()) return kUnfit;
  const Below below = look_below(t, mm, i);
  if (below.busy) return kAgain;
  if (!below.there) return kUnfit;
  if (!below.writable) {  // that it has to be no document says
    ++means.c.most_had;
    return kUnfit | kCollapsed;
  }
  const unsigned first = try_to_have_a_huge_page(means);
  if ((first & kCollapsed) == 0) return first;
  return (first & ~unsigned{kCollapsed}) | try_to_copy(below, means);
}

// While something migrates it may be waited for, and is elsewhere then.
unsigned perhaps_anything(const Transition& t) {
  const Injections& inject = t.before.inject;
  const bool memory = inject.fail_huge_alloc != 0 || free_blocks(t.before) < t.before.geometry.pmds;
  return kCollapsed | kAgain | kUnfit | kNoTable | (memory ? kNoMemory : 0) |
         (inject.fail_charge ? kNoCharge : 0);
}

}  // namespace

bool is_answered(unsigned answers, int result) {
  switch (result) {
    case 0:
      return (answers & kCollapsed) != 0;
    case -EAGAIN:
      return (answers & kAgain) != 0;
    case -EINVAL:
      return (answers & (kUnfit | kNoTable)) != 0;
    case -ENOMEM:
      return (answers & kNoMemory) != 0;
    case -EBUSY:
      return (answers & kNoCharge) != 0;
    default:
      return false;
  }
}

// A collapse asks of the VMA only whether its last whole block lies in it.
Collapse collapse_of(const MadviseCollapse& op, const Transition& t) {
  const Machine& m = t.before;
  Collapse c{.t = t, .op = op};
  const int mm = op.mm.id, nr = m.hpage_nr();
  const Vma* vma = vma_at(m, mm, op.range.first);
  if (vma == nullptr || op.range.end > vma->end) return c;
  const int first = (op.range.first + nr - 1) / nr, end = op.range.end / nr;
  const int last = vma->end / nr * nr - nr;
  const bool forbidden =
      vma->has(VM_NOHUGEPAGE) || t.before.mms[std::size_t(op.mm.id)].thp_disabled;
  const bool suits = last >= vma->start && !forbidden && vma->anon_vma != kNoAnonVma;
  if (c.unsuited = !suits || first > end; c.unsuited) return c;
  c.any = first < end;
  if (m.migration.in_flight()) {
    c.answers = perhaps_anything(t);
    return c;
  }
  Means means{c, m.inject, free_blocks(m)};
  unsigned so_far = kCollapsed, ended = 0;
  for (int i = first; i < end && so_far != 0; ++i) {
    const unsigned answers = try_to_collapse(t, mm, i, means);
    if (answers == kCollapsed && means.certain && m.pmd(mm, i).is_table()) c.pmds |= pmd_bit(mm, i);
    ended |= answers & kEndsCollapse;
    means.certain = ended == 0;
    so_far = ((answers & kCollapsed) != 0 ? so_far : 0) | (answers & (kAgain | kUnfit));
  }
  c.answers = so_far | ended;
  return c;
}

}  // namespace thp
