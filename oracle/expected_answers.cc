// Whether the rules held: looked at after the op.
#include "oracle/expected_answers.h"

#include <bit>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

// What a store brings to a page that had none, or copies, belongs to the VMA, too.
bool at_home(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  const Entry& entry = entry_of(m, a.mm, a.first);
  const bool its_own = pfn == a.before ? a.comes_home : a.brings_new && pfn != kNoPfn;
  if (!its_own || !test(m, entry.frame, PG_anon_exclusive)) return true;
  const Vma* vma = vma_at(m, a.mm, a.first);
  return vma != nullptr && m.page(page_folio(m, pfn)).anon_vma == vma->anon_vma;
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

AnswerRuleId broken_rule(const Answers& a, const Attributes& lost, const Machine& m,
                         const FlatMemory& memory, int result) {
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
  if (lost.exclusive != 0) return kStaysExclusive;
  if (lost.soft_dirty != 0) return kStaysSoftDirty;
  if (lost.pinned != 0) return kStaysWritable;
  if (lost.cached != 0) return kStaysCached;
  if (!all_huge(m, a.kept_huge)) return kKeepsHuge;
  if (a.locked_gaps >= 0 && count_locked_gaps(m) > a.locked_gaps) return kLockedStay;
  if (a.explains && result < 0 && !says_why(m, a, result)) return kCollapseSaysWhy;
  if (result < 0 && !all_huge(m, a.collapses)) return kCollapsesAllItCan;
  if (result < 0) return kRules;
  const Pfn frame = a.frame == Answers::Frame::any ? kNoPfn : mapped_frame(m, a.mm, a.first);
  if (a.frame == Answers::Frame::same && frame != a.before) return kNoCopy;
  if (a.frame == Answers::Frame::another && frame == a.before) return kCopy;
  if (!at_home(m, a)) return kComesHome;
  if (!has_expected_anon_vma(m, a)) return kNeighboursAnonVma;
  return broken_afterwards(m, a);
}

// What pages lost that the op may not take.
AnswerRuleId broken_promise(const Attributes& lost) {
  if (lost.there != 0) return kStaysThere;
  if (lost.writable != 0) return kKeepsWriteAccess;
  if (lost.young != 0) return kStaysYoung;
  if (lost.dirty != 0) return kStaysDirty;
  if (lost.absent != 0) return kStaysAbsent;
  if (lost.closed != 0) return kStaysClosed;
  if (lost.clean != 0) return kStaysClean;
  return lost.unpinned != 0 ? kChildNeverPinned : kRules;
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
  const Attributes lost = lost_attributes(m, answers.kept);
  AnswerRuleId rule = broken_rule(answers, lost, m, memory, result);
  if (rule == kRules) rule = broken_promise(lost);
  return rule == kRules ? nullptr : answer_rules()[rule].sentence;
}

}  // namespace thp
