// What is certain before the op.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

// --- Before: one overload for each op that has an answer.
struct Before {
  const Machine& m;
  const Recount& recount;
  Answers a;

  FolioCount count_of(Pfn pfn) const { return recount.folio(m, page_folio(m, pfn)); }

  void result(AnswerRuleId rule, int exactly) { a.result(rule, exactly, exactly); }

  // A folio that the op tries to split. One that is held is refused before anything is unmapped.
  enum class Splits : std::uint8_t { no, perhaps, yes };
  Splits splits(Pfn folio) {
    const FolioCount count = recount.folio(m, folio);
    if (held(count)) a.huge |= pmds_of(m, folio);
    if (held(count) || !count.mapped_anywhere() || test(m, folio, PG_writeback)) return Splits::no;
    return mapped_behind_a_huge_pmd(m, folio) ? Splits::perhaps : Splits::yes;
  }
  std::uint64_t block_of(Pfn folio) const {
    return std::uint64_t{1} << (folio >> m.geometry.order);
  }
  void reads(MmId mm, PageNr page) {
    keeps_frame(m, mm, page, a);
    keeps_huge(m, mm, page, a);
  }

  void operator()(const Load& op) {
    reads(op.mm, op.page);
    expect_swap_in(m, recount, op.mm.id, op.page.number, false, a);
  }
  void operator()(const Get& op) { reads(op.mm, op.page); }
  void operator()(const Store& op) {
    breaks_cow(m, recount, op.mm, op.page, a);
    a.comes_home = a.before != kNoPfn && a.kept_huge == 0 && !is_exclusive(m, op.mm, op.page);
    expect_dirty_out_of_cache(m, a);
    if (a.before != kNoPfn) expect_none_idle();
    expect_swap_in(m, recount, op.mm.id, op.page.number, true, a);
  }
  // The lock of a page that is unmapped is free, if no failure waits for it and no migration.
  void expect_none_idle() {
    if (m.inject.contend_page_lock != 0 || m.migration.in_flight()) return;
    a.idle = idle_slots(m);
    a.expect(Then::none_idle);
  }
  void operator()(const StoreForced& op) {
    breaks_cow(m, recount, op.mm, op.page, a);
    a.expect(Then::written_to);
    // What came back from a migration may be writable, and not soft-dirty: clear_refs passed it by.
    const Entry& entry = entry_of(m, op.mm.id, op.page.number);
    if (!entry.is_migration() && !entry.has(kWrite)) a.expect(Then::soft_dirty);
  }
  void operator()(const StoreViaPin& op) {
    const Pfn pfn = m.holders[std::size_t(op.holder.id)].pfn;
    if (pfn >= m.frames()) return;
    a.written = pfn;
    a.expect(Then::written_to);
  }
  void operator()(const Pin& op) {
    breaks_cow(m, recount, op.mm, op.page, a);
    const Entry& entry = entry_of(m, op.mm.id, op.page.number);
    if (op.mode == PinMode::r && entry.is_present() && !entry.has(kWrite))
      a.expect(Then::read_only);
  }

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
      if (expected == Splits::yes && !m.inject.contend_page_lock && m.inject.speculative_ref)
        return fails_late(last);
    }
  }
  void fails_late(Pfn folio) {
    a.before = folio;
    a.expect(Then::by_ptes);
  }
  // Each folio is tried once, in the queue's order: an injected contention is met by the first, a
  // speculative reference by the first that could be split otherwise.
  void operator()(const ShrinkDeferred&) {
    const int perhaps = shrinks_queue(), certainly = std::popcount(a.small);
    a.result(kQueueSplits, certainly, certainly + perhaps);
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

  void operator()(const Mlock& op) {
    then(Then::resident, op.mm, op.range);
    expect_lock_count(m, a);
  }
  void operator()(const WritebackEnd&) { a.expect(Then::written); }
  void then(Then what, MmId mm, PageRange range) {
    a.expect(what);
    a.about(mm.id, range.first, range.end);
  }

  void operator()(const Munlock& op) {
    then(Then::unlocked, op.mm, op.range);
    expect_lock_count(m, a);
  }
  void operator()(const ClearSoftDirty& op) {
    a.kept.soft_dirty = 0;
    then(Then::soft_clean, op.mm, {});
  }
  void operator()(const Mmap&) {
    a.kept.pinned = 0;
    expect_none_idle();
  }
  void operator()(const Mprotect& op) {
    a.kept.pinned = 0;
    if (!anything_locked(m)) then(Then::split_clean, op.mm, op.range);  // else it may populate
  }
  void operator()(const Fork& op) { expect_fork(m, op, a); }
  void operator()(const Munmap& op) {
    if (cuts_one_too_many(m, op)) result(kVmaLimit, -ENOMEM);
    then(Then::split_clean, op.mm, op.range);
    expect_none_idle();
  }
  void operator()(const MadviseDontneed& op) {
    then(Then::split_clean, op.mm, op.range);
    expect_none_idle();
  }
  void operator()(const Exit&) { expect_none_idle(); }

  void operator()(const MadviseHugepage& op) {
    expect_flag(op.range, op.mm.id, VM_HUGEPAGE, VM_NOHUGEPAGE, a);
  }
  void operator()(const MadviseNohugepage& op) {
    expect_flag(op.range, op.mm.id, VM_NOHUGEPAGE, VM_HUGEPAGE, a);
  }
  void operator()(const MadviseCold& op) { expect_cold(m, recount, op, a); }
  void operator()(const MadviseFree& op) { expect_free(m, recount, op, a); }
  void operator()(const Mremap& op) { expect_mremap(m, op, a); }

  void operator()(const MadviseCollapse& op) {
    a.ask_enabled = false;
    then(Then::collapsed, op.mm, op.range);
    if (held_below_a_table(m, recount, op.mm.id, op.range)) a.must_fail(kHeldNotCollapsed);
    expect_collapse(m, recount, op, a);
  }

  void operator()(const Reclaim& op) {
    a.kept.cached = 0;
    if (anything_locked(m)) a.locked_gaps = count_locked_gaps(m);
    expect_reclaim(m, recount, op, a);
  }
  void operator()(const MadvisePageout& op) {
    a.kept.cached = 0;
    expect_in_range(m, recount, op.mm.id, op.range, false, a);
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
    if (pfn != kNoPfn && count_of(pfn).isolations > 0) a.must_fail(kIsolatedOnce);
  }
  void operator()(const MovePages& op) { expect_move_pages(m, recount, op, a); }
  void operator()(const MigrateEnd&) {
    if (!m.migration.in_flight()) return result(kNoMigration, -EINVAL);
    const FolioCount count = recount.folio(m, m.migration.src);
    if (count.pins + count.gets + count.isolations > 0) a.must_fail(kHeldNotMigrated);
  }

  void operator()(const Swapon&) {
    const bool empty = m.geometry.swap_slots() == 0;
    result(kSwapon, m.swap_on ? -EBUSY : empty ? -EINVAL : 0);
  }
  void operator()(const Swapoff&) {
    int swapped = 0;
    for (int mm = 0; mm < m.geometry.mms; ++mm) swapped += recount.mm(mm).swap_entries;
    a.expect(Then::swap_empty);
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
