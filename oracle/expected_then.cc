// What must be so after a success: one sentence each, of the pages that the answers name.
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

bool swap_empty(const Machine& m, const Answers&) {
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot)
    if (is_in_use(m.swap(Slot(slot)))) return false;
  return !m.swap_on && m.mmlist.count == 0;
}

bool swap_on(const Machine& m, const Answers&) { return m.swap_on; }

bool no_huge_zero_page(const Machine& m, const Answers&) { return m.huge_zero_page == kNoPfn; }

bool written(const Machine& m, const Answers&) {
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) {
    const Pfn cache = m.swap(Slot(slot)).cache;
    if (cache < m.frames() && test(m, page_folio(m, cache), PG_writeback)) return false;
  }
  return true;
}

bool soft_clean(const Machine& m, const Answers& a) {
  for (const Vma& vma : m.vmas(a.mm))
    if (vma.has(VM_SOFTDIRTY)) return false;
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

bool unmapped(const Machine& m, const Answers& a) {
  for (int page = a.first; page < a.end; ++page)
    if (entry_of(m, a.mm, page).is_present()) return false;
  return true;
}

bool swapbacked(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn == kNoPfn || test(m, page_folio(m, pfn), PG_swapbacked);
}

// The folio that was at `first`, or what it has been split to there.
bool uncached(const Machine& m, const Answers& a) {
  return !test(m, page_folio(m, a.before), PG_swapcache);
}

bool not_swapped_whole(const Machine& m, const Answers& a) {
  const Pfn folio = page_folio(m, a.before);
  return !folio_test_large(m, folio) || !test(m, folio, PG_swapcache);
}

bool soft_dirty(const Machine& m, const Answers& a) {
  const Vma* vma = vma_at(m, a.mm, a.first);
  return vma == nullptr || vma->has(VM_SOFTDIRTY) || entry_of(m, a.mm, a.first).has(kSoftDirty);
}

bool read_only(const Machine& m, const Answers& a) {
  return !entry_of(m, a.mm, a.first).has(kWrite);
}

bool none_idle(const Machine& m, const Answers& a) { return (idle_slots(m) & ~a.idle) == 0; }

// No PMD maps the folio that was at `first`.
bool by_ptes(const Machine& m, const Answers& a) {
  return pmds_of(m, page_folio(m, a.before)) == 0;
}

using Then = Answers::Then;

struct ThenRule {
  Then then;
  AnswerRuleId rule;
  bool (*holds)(const Machine& m, const Answers& a);
};
constexpr ThenRule kThenRules[] = {
    {Then::resident, kResident, resident},
    {Then::collapsed, kCollapsed, collapsed},
    {Then::swap_empty, kSwapoffEmpties, swap_empty},
    {Then::written, kWritten, written},
    {Then::unlocked, kUnlocked, unlocked},
    {Then::soft_clean, kSoftClean, soft_clean},
    {Then::moved_dirty, kMovedIsSoftDirty, moved_dirty},
    {Then::moved_clean, kTableStaysClean, moved_clean},
    {Then::grown, kGrowthPopulated, grown},
    {Then::refaulted, kRefaultIsActive, refaulted},
    {Then::out_of_cache, kLeavesSwapCache, out_of_cache},
    {Then::dirty_out_of_cache, kOutOfCacheIsDirty, dirty_out_of_cache},
    {Then::mlocked, kMappedIsMlocked, mlocked},
    {Then::copied_from_tail, kTailIsCopied, copied_from_tail},
    {Then::unmapped, kReclaimUnmaps, unmapped},
    {Then::swapbacked, kSwapbackedAgain, swapbacked},
    {Then::uncached, kHeldStaysUncached, uncached},
    {Then::not_swapped_whole, kSwappedByPmd, not_swapped_whole},
    {Then::written_to, kMarkedDirty, written_to},
    {Then::soft_dirty, kForcedIsSoftDirty, soft_dirty},
    {Then::read_only, kReadPinIsReadOnly, read_only},
    {Then::took_over, kReusesAnonVma, takes_over_what_it_may},
    {Then::never_pinned, kChildNeverPinned, never_pinned},
    {Then::advised, kAdviceIsKept, advised},
    {Then::kept_elsewhere, kAdviceStaysInRange, kept_elsewhere},
    {Then::old, kColdIsOld, is_old},
    {Then::lazyfree, kFreeIsLazy, is_lazyfree},
    {Then::split_clean, kSplitIsClean, split_clean},
    {Then::none_idle, kNoneIdle, none_idle},
    {Then::by_ptes, kLateFailureSplitsPmds, by_ptes},
    {Then::locks_counted, kLocksAreCounted, locks_counted},
    {Then::locks_young, kLocksStayYoung, locks_young},
    {Then::touched, kTouched, touched},
    {Then::stored, kStored, stored},
    {Then::inherited, kInherited, inherited},
    {Then::carried, kCarried, carried},
    {Then::collapsed_anew, kCollapsedIsOpen, collapsed_anew},
    {Then::aged, kAged, aged},
    {Then::marked, kMarked, marked},
    {Then::upgraded, kUpgraded, upgraded},
    {Then::accounted, kAccounted, advised},
    {Then::swap_on, kSwapon, swap_on},
    {Then::no_huge_zero_page, kHugeZeroFreed, no_huge_zero_page},
    {Then::merged, kMerges, merged},
    {Then::zero_page, kZeroPage, zero_page},
    {Then::huge, kHugeWherePossible, huge},
    {Then::whole, kStaysWhole, whole},
    {Then::migrated_as_is, kMigratesAsIs, migrated_as_is},
    {Then::populated, kPopulates, resident},
    {Then::used, kUsedStays, used},
    {Then::swapped_whole, kSwapsWhole, swapped_whole},
    {Then::submitted, kSubmits, submitted},
    {Then::locked_once, kLockedOnce, locked_once},
    {Then::unlocked_elsewhere, kUnlockedElsewhere, unlocked_elsewhere},
    {Then::cached_itself, kCachedItself, cached_itself},
    {Then::stays_cached, kKeepsSlot, stays_cached},
    {Then::unfaulted, kUnfaulted, unfaulted},
    {Then::closed, kStaysClosed, read_only},
    {Then::arrived, kMigratesAsIs, arrived},
    {Then::split_alike, kSplitAlike, split_alike},
    {Then::let_go, kLockedLetsGo, uncached},
    {Then::pinned_is_active, kPinnedIsActive, is_active},
    {Then::listed, kListed, listed_with_reason},
    {Then::stays_active, kDirtyStaysActive, is_active},
};

}  // namespace

AnswerRuleId broken_afterwards(const Machine& m, const Answers& a) {
  for (const ThenRule& row : kThenRules)
    if (a.expects(row.then) && !row.holds(m, a)) return row.rule;
  return kRules;
}

}  // namespace thp
