// Whether the rules held: looked at after the op.
#include "oracle/expected_answers.h"

#include <array>
#include <bit>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

bool resident(const Machine& m, const Answers& a) {
  for (int page = a.first; page < a.end; ++page) {
    const Vma* vma = vma_at(m, a.mm, page);
    const Entry& entry = entry_of(m, a.mm, page);
    const bool unshared = entry.is_present() && entry.has(kWrite);
    const bool there = entry.is_present() || entry.is_zero();
    if (vma == nullptr || !(vma->has(VM_WRITE) ? unshared : there)) return false;
  }
  return true;
}

bool collapsed(const Machine& m, const Answers& a) {
  bool all = true;
  for_each_whole_pmd(m, a.mm, a.first, a.end, [&](int i) {
    all &= m.pmd(a.mm, i).is_present() || m.pmd(a.mm, i).is_zero();
  });
  return all;
}

bool swap_empty(const Machine& m) {
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot)
    if (is_in_use(m.swap(Slot(slot)))) return false;
  return !m.swap_on;
}

bool written(const Machine& m) {
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) {
    const Pfn cache = m.swap(Slot(slot)).cache;
    if (cache < m.frames() && test(m, page_folio(m, cache), PG_writeback)) return false;
  }
  return true;
}

// Does a locked VMA map it, a large folio by its PMD?
bool locked_somewhere(const Machine& m, Pfn folio) {
  const bool large = folio_test_large(m, folio);
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      for (int page = vma.start; vma.has(VM_LOCKED) && page < vma.end; ++page) {
        const bool by_pmd = !m.pmd(mm, pmd_index(m, page)).is_table();
        const Pfn pfn = mapped_frame(m, mm, page);
        if (pfn != kNoPfn && by_pmd == large && page_folio(m, pfn) == folio) return true;
      }
  return false;
}

bool unlocked(const Machine& m, const Answers& a) {
  for (int page = a.first; page < a.end; ++page) {
    const Pfn pfn = mapped_frame(m, a.mm, page);
    if (pfn != kNoPfn && test(m, page_folio(m, pfn), PG_mlocked) &&
        !locked_somewhere(m, page_folio(m, pfn)))
      return false;
  }
  return true;
}

bool soft_clean(const Machine& m, const Answers& a) {
  for (int page = 0; page < m.pages(); ++page) {
    const Entry& entry = entry_of(m, a.mm, page);
    const bool open = entry.is_present() && entry.has(kWrite);
    if (entry.is_none() || (!entry.has(kSoftDirty) && !open)) continue;
    if (!open || !is_pinned(m, page_folio(m, entry.frame))) return false;
  }
  return true;
}

bool written_to(const Machine& m, const Answers& a) {
  const Pfn pfn = a.written != kNoPfn ? a.written : mapped_frame(m, a.mm, a.first);
  return pfn == kNoPfn || test(m, page_folio(m, pfn), PG_dirty);
}

bool at_home(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  const Entry& entry = entry_of(m, a.mm, a.first);
  if (!a.comes_home || pfn != a.before || !test(m, entry.frame, PG_anon_exclusive)) return true;
  const Vma* vma = vma_at(m, a.mm, a.first);
  return vma != nullptr && m.page(page_folio(m, pfn)).anon_vma == vma->anon_vma;
}

bool unmapped(const Machine& m, const Answers& a) {
  for (int page = a.first; page < a.end; ++page)
    if (entry_of(m, a.mm, page).is_present()) return false;
  return true;
}

bool swapbacked(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn == kNoPfn || test(m, page_folio(m, pfn), PG_swapbacked);
}

bool all_huge(const Machine& m, unsigned pmds) {
  for (; pmds != 0; pmds &= pmds - 1) {
    const int bit = std::countr_zero(pmds);
    if (!m.pmd(bit / Geometry::kMaxPmds, bit % Geometry::kMaxPmds).is_present()) return false;
  }
  return true;
}

bool huge_where_allowed(const Machine& m, const Answers& a) {
  for (unsigned left = a.not_huge; left != 0; left &= left - 1) {
    const int bit = std::countr_zero(left);
    const int mm = bit / Geometry::kMaxPmds, i = bit % Geometry::kMaxPmds;
    if (is_huge(m.pmd(mm, i)) && !may_be_huge(m, mm, i, a.ask_enabled)) return false;
  }
  return true;
}

bool pins_coherent(const Machine& m, const FlatMemory& memory) {
  for (unsigned left = memory.holders(); left != 0; left &= left - 1) {
    const int h = std::countr_zero(left);
    const auto owner = memory.coherent_owner(h);
    if (owner && mapped_frame(m, owner->mm, owner->page) != m.holders[std::size_t(h)].pfn)
      return false;
  }
  return true;
}

bool holds_then(const Machine& m, const Answers& a) {
  switch (a.then) {
    case Answers::Then::resident:
      return resident(m, a);
    case Answers::Then::collapsed:
      return collapsed(m, a);
    case Answers::Then::swap_empty:
      return swap_empty(m);
    case Answers::Then::written:
      return written(m);
    case Answers::Then::unlocked:
      return unlocked(m, a);
    case Answers::Then::soft_clean:
      return soft_clean(m, a);
    case Answers::Then::moved:
    case Answers::Then::swapped_in:
      return true;  // more than one rule: broken_rule() asks
    case Answers::Then::written_to:
      return written_to(m, a);
    case Answers::Then::took_over:
      return takes_over_what_it_may(m, a);
    case Answers::Then::unmapped:
      return unmapped(m, a);
    case Answers::Then::swapbacked:
      return swapbacked(m, a);
    case Answers::Then::nothing:
      return true;
  }
  return true;
}

constexpr std::array<AnswerRuleId, 13> kThenRules = {
    kRules,           kResident,    kCollapsed,        kSwapoffEmpties,  kWritten,
    kUnlocked,        kSoftClean,   kMovedIsSoftDirty, kLeavesSwapCache, kReclaimUnmaps,
    kSwapbackedAgain, kMarkedDirty, kReusesAnonVma};

AnswerRuleId broken_rule(const Answers& a, const Machine& m, const FlatMemory& memory, int result) {
  if (result < a.least || result > a.most) return AnswerRuleId(a.rule);
  for (unsigned left = a.held_large; left != 0; left &= left - 1) {
    const Holder& holder = m.holders[std::size_t(std::countr_zero(left))];
    if (holder.kind != HolderKind::none && !folio_test_large(m, page_folio(m, holder.pfn)))
      return kHeldStaysLarge;
  }
  for (std::uint64_t left = a.small | a.large; left != 0; left &= left - 1) {
    const int block = std::countr_zero(left);
    const bool large = folio_test_large(m, Pfn(block << m.geometry.order));
    if (large && ((a.small >> block) & 1) != 0) return kSplits;
    if (!large && ((a.large >> block) & 1) != 0) return kDoesNotSplit;
  }
  if (!all_huge(m, a.huge)) return kHeldStaysMapped;
  if (!pins_coherent(m, memory)) return kPinCoherent;
  if (!huge_where_allowed(m, a)) return kHugeWhereAllowed;
  const Attributes lost = lost_attributes(m, a.kept);
  if (lost.exclusive != 0) return kStaysExclusive;
  if (lost.soft_dirty != 0) return kStaysSoftDirty;
  if (lost.pinned != 0) return kStaysWritable;
  if (lost.cached != 0) return kStaysCached;
  if (!all_huge(m, a.kept_huge)) return kKeepsHuge;
  if (a.locked_gaps >= 0 && count_locked_gaps(m) > a.locked_gaps) return kLockedStay;
  if (result < 0) return kRules;
  const Pfn frame = a.frame == Answers::Frame::any ? kNoPfn : mapped_frame(m, a.mm, a.first);
  if (a.frame == Answers::Frame::same && frame != a.before) return kNoCopy;
  if (a.frame == Answers::Frame::another && frame == a.before) return kCopy;
  if (!at_home(m, a)) return kComesHome;
  if (!has_expected_anon_vma(m, a)) return kNeighboursAnonVma;
  if (a.then == Answers::Then::moved) return broken_by_mremap(m, a);
  if (a.then == Answers::Then::swapped_in) return broken_by_swap_in(m, a);
  return holds_then(m, a) ? kRules : kThenRules[std::size_t(a.then)];
}

}  // namespace

bool may_be_huge(const Machine& m, int mm, int i, bool ask_enabled) {
  const Vma* vma = vma_at(m, mm, i * m.hpage_nr());
  if (vma == nullptr || vma->has(VM_NOHUGEPAGE)) return false;
  return !ask_enabled || m.enabled == Enabled::always ||
         (m.enabled == Enabled::madvise && vma->has(VM_HUGEPAGE));
}

const char* check_after(const Answers& answers, const Machine& m, const FlatMemory& memory,
                        int result) {
  const AnswerRuleId rule = broken_rule(answers, m, memory, result);
  return rule == kRules ? nullptr : answer_rules()[rule].sentence;
}

}  // namespace thp
