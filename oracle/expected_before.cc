// What is certain before the op.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

// --- Before: one overload for each op that has an answer.
struct Before {
  const Machine& m;
  const Recount& recount;
  Answers a;

  FolioCount count_of(Pfn pfn) const { return recount.folio(m, page_folio(m, pfn)); }

  void result(AnswerRuleId rule, int least, int most) {
    a.rule = rule;
    a.least = least;
    a.most = most;
  }
  void result(AnswerRuleId rule, int exactly) { result(rule, exactly, exactly); }
  void must_fail(AnswerRuleId rule) { result(rule, Answers::kMin, -1); }

  void keeps_frame(MmId mm, PageNr page) {
    a.before = mapped_frame(m, mm.id, page.number);
    if (a.before != kNoPfn) a.frame = Answers::Frame::same;
    a.mm = mm.id;
    a.first = page.number;
    expect_anon_vma(m, mm.id, page.number, a);
  }
  void keeps_huge(MmId mm, PageNr page) {
    const int i = pmd_index(m, page.number);
    if (m.pmd(mm.id, i).is_present()) a.kept_huge = pmd_bit(mm.id, i);
  }

  // A page that is mapped, or the huge page whose PMD maps it.
  bool is_exclusive(MmId mm, PageNr page) const {
    return test(m, entry_of(m, mm.id, page.number).frame, PG_anon_exclusive);
  }

  // Does an access that needs the page for itself copy it? Not if it is exclusive or the mapping's
  // is the only reference; certainly if there is one that neither this mapping nor the cache has.
  void breaks_cow(MmId mm, PageNr page) {
    keeps_frame(mm, page);
    if (a.before == kNoPfn) return;
    const Entry& entry = entry_of(m, mm.id, page.number);
    if (entry.has(kWrite) || is_exclusive(mm, page)) return keeps_huge(mm, page);
    const FolioCount count = count_of(a.before);
    const bool large = folio_test_large(m, page_folio(m, a.before));
    const int others = count.references(large) - 1 - count.cache_slots;
    if (others > 0)
      a.frame = Answers::Frame::another;
    else if (count.cache_slots > 0 || m.inject.contend_page_lock)
      a.frame = Answers::Frame::any;
  }

  // A folio that the op tries to split. One that is held is refused before anything is unmapped.
  enum class Splits : std::uint8_t { no, perhaps, yes };
  Splits splits(Pfn folio) {
    const FolioCount count = recount.folio(m, folio);
    if (held(count)) keep_huge(folio);
    if (held(count) || !count.mapped_anywhere() || test(m, folio, PG_writeback)) return Splits::no;
    return mapped_behind_a_huge_pmd(m, folio) ? Splits::perhaps : Splits::yes;
  }
  void keep_huge(Pfn folio) {
    for (int mm = 0; mm < m.geometry.mms; ++mm)
      for (int i = 0; i < m.geometry.pmds; ++i)
        if (m.pmd(mm, i).is_present() && m.pmd(mm, i).frame == folio) a.huge |= pmd_bit(mm, i);
  }
  std::uint64_t block_of(Pfn folio) const {
    return std::uint64_t{1} << (folio >> m.geometry.order);
  }
  void reads(MmId mm, PageNr page) {
    keeps_frame(mm, page);
    keeps_huge(mm, page);
  }

  void operator()(const Load& op) {
    reads(op.mm, op.page);
    expect_swap_in(m, op.mm.id, op.page.number, a);
  }
  void operator()(const Get& op) { reads(op.mm, op.page); }
  void operator()(const Store& op) {
    breaks_cow(op.mm, op.page);
    a.comes_home = a.before != kNoPfn && a.kept_huge == 0 && !is_exclusive(op.mm, op.page);
  }
  void operator()(const StoreForced& op) {
    breaks_cow(op.mm, op.page);
    a.then = Answers::Then::written_to;
  }
  void operator()(const StoreViaPin& op) {
    const Pfn pfn = m.holders[std::size_t(op.holder.id)].pfn;
    if (pfn >= m.frames()) return;
    a.written = pfn;
    a.then = Answers::Then::written_to;
  }
  void operator()(const Pin& op) { breaks_cow(op.mm, op.page); }

  // It stops at the first hole, and follows no entry of a PROT_NONE mapping.
  void operator()(const SplitFolio& op) {
    Pfn last = kNoPfn;
    const Vma* vma = nullptr;
    for (int page = op.range.first; page < op.range.end; ++page) {
      if (vma == nullptr || !vma->covers(page)) vma = vma_at(m, op.mm.id, page);
      if (vma == nullptr) return;
      const Pfn pfn = vma->has(VM_READ) ? mapped_frame(m, op.mm.id, page) : kNoPfn;
      if (pfn == kNoPfn || page_folio(m, pfn) == last) continue;
      last = page_folio(m, pfn);
      if (!folio_test_large(m, last)) continue;
      const Splits expected = splits(last);
      if (expected == Splits::no) a.large |= block_of(last);
      if (expected == Splits::yes && !m.inject.contend_page_lock && !m.inject.speculative_ref)
        a.small |= block_of(last);
    }
  }
  // Each folio is tried once, in the queue's order: an injected contention is met by the first, a
  // speculative reference by the first that could be split otherwise.
  void operator()(const ShrinkDeferred&) {
    const int perhaps = shrinks_queue(), certainly = std::popcount(a.small);
    result(kQueueSplits, certainly, certainly + perhaps);
  }
  void operator()(const DropCaches&) { shrinks_queue(); }
  // How many, beside those that certainly split, may split?
  int shrinks_queue() {
    bool contended = m.inject.contend_page_lock, speculative = m.inject.speculative_ref;
    int perhaps = 0;
    for (const Pfn head : m.deferred_queue()) {
      Splits expected = std::exchange(contended, false) ? Splits::no : splits(head);
      if (expected == Splits::yes && std::exchange(speculative, false))
        expected = perhaps > 0 ? Splits::perhaps : Splits::no;
      perhaps += expected == Splits::perhaps;
      if (expected == Splits::yes) a.small |= block_of(head);
      if (expected == Splits::no) a.large |= block_of(head);
    }
    return perhaps;
  }
  void operator()(const ShrinkHugeZero&) {
    const bool used = std::ranges::any_of(m.mms, [](const Mm& mm) { return mm.huge_zero_page; });
    result(kHugeZeroFreed, m.huge_zero_page != kNoPfn && !used ? m.hpage_nr() : 0);
  }

  void operator()(const Mlock& op) { then(Answers::Then::resident, op.mm, op.range); }
  void operator()(const WritebackEnd&) { a.then = Answers::Then::written; }
  void then(Answers::Then what, MmId mm, PageRange range) {
    a.then = what;
    a.mm = mm.id;
    a.first = range.first;
    a.end = range.end;
  }

  void operator()(const Munlock& op) { then(Answers::Then::unlocked, op.mm, op.range); }
  void operator()(const ClearSoftDirty& op) {
    a.kept.soft_dirty = 0;
    then(Answers::Then::soft_clean, op.mm, {});
  }
  void operator()(const Mmap&) { a.kept.pinned = 0; }
  void operator()(const Mprotect&) { a.kept.pinned = 0; }
  void operator()(const Fork& op) { expect_fork(m, op, a); }
  void operator()(const Munmap& op) {
    if (cuts_one_too_many(m, op)) result(kVmaLimit, -ENOMEM);
  }
  void operator()(const Mremap& op) { expect_mremap(m, op, a); }

  void operator()(const MadviseCollapse& op) {
    a.ask_enabled = false;
    then(Answers::Then::collapsed, op.mm, op.range);
    if (held_below_a_table(m, recount, op.mm.id, op.range)) must_fail(kHeldNotCollapsed);
  }

  void operator()(const Reclaim& op) {
    a.kept.cached = 0;
    if (anything_locked(m)) a.locked_gaps = count_locked_gaps(m);
    const Pfn pfn = mapped_frame(m, op.mm.id, op.page.number);
    if (pfn == kNoPfn) return;
    const FolioCount count = count_of(pfn);
    if (count.isolations + count.migration > 0)
      result(kIsolatedOnce, -EBUSY);
    else if (held(count))
      result(kHeldNotReclaimed, Answers::kMin, 0);
    else if (!entry_of(m, op.mm.id, op.page.number).has(kYoung) &&
             certainly_unmapped(m, pfn, count))
      then(test(m, pfn, PG_swapbacked) ? Answers::Then::unmapped : Answers::Then::swapbacked, op.mm,
           {op.page.number, op.page.number + 1});
  }
  void operator()(const MadvisePageout& op) {
    a.kept.cached = 0;
    expect_pageout(m, recount, op, a);
    if (anything_locked(m)) a.locked_gaps = count_locked_gaps(m);
  }
  void operator()(const Isolate& op) {
    const Pfn pfn = mapped_frame(m, op.mm.id, op.page.number);
    const bool free = m.holders[std::size_t(op.holder.id)].kind == HolderKind::none;
    if (!free || pfn == kNoPfn) return;
    const FolioCount count = count_of(pfn);
    if (count.isolations + count.migration > 0) result(kIsolatedOnce, -EBUSY);
  }

  void operator()(const MigrateBegin& op) {
    const Pfn pfn = mapped_frame(m, op.mm.id, op.page.number);
    if (pfn != kNoPfn && count_of(pfn).isolations > 0) must_fail(kIsolatedOnce);
  }
  void operator()(const MovePages& op) {
    const Pfn pfn = mapped_frame(m, op.mm.id, op.page.number);
    if (pfn == kNoPfn) return;
    if (held(count_of(pfn)))
      must_fail(kHeldNotMigrated);
    else if (vma_at(m, op.mm.id, op.page.number)->has(VM_READ) && certainly_migrates(m, pfn))
      result(kMigrates, 0);
  }
  void operator()(const MigrateEnd&) {
    if (!m.migration.in_flight()) return result(kNoMigration, -EINVAL);
    const FolioCount count = recount.folio(m, m.migration.src);
    if (count.pins + count.gets + count.isolations > 0) must_fail(kHeldNotMigrated);
  }

  void operator()(const Swapon&) {
    const bool empty = m.geometry.swap_slots() == 0;
    result(kSwapon, m.swap_on ? -EBUSY : empty ? -EINVAL : 0);
  }
  void operator()(const Swapoff&) {
    int swapped = 0;
    for (int mm = 0; mm < m.geometry.mms; ++mm) swapped += recount.mm(mm).swap_entries;
    a.then = Answers::Then::swap_empty;
    if (!m.swap_on)
      result(kSwapoffTwice, -EINVAL);
    else if (swapped == 0)
      result(kSwapoffEmpties, 0);
  }

  void operator()(const auto&) {}  // nothing is certain
};

}  // namespace

Answers expect_before(const Machine& m, const Recount& recount, const Op& op) {
  Before before{m, recount, {}};
  before.a.held_large = holders_of_large(m);
  before.a.kept = attributes_of(m);
  before.a.not_huge = small_pmds(m);
  visit_op(before, op);
  return before.a;
}

}  // namespace thp
