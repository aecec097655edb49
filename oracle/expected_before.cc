// What is certain before the op.
#include <algorithm>
#include <bit>
#include <cerrno>

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

  void reads(MmId mm, PageNr page) {
    keeps_frame(m, mm, page, a);
    keeps_huge(m, mm, page, a);
  }

  void operator()(const Load& op) {
    reads(op.mm, op.page);
    a.expect(Then::touched);
    if (entry_of(m, op.mm.id, op.page.number).is_swap()) a.expect(Then::closed);
    expect_fault(m, op.mm, op.page, false, a);
    expect_swap_in(m, recount, op.mm.id, op.page.number, false, a);
  }
  void operator()(const Get& op) {
    reads(op.mm, op.page);
    expect_mark(m, op.mm, op.page, a);
  }
  void operator()(const Store& op) {
    breaks_cow(m, recount, op.mm, op.page, a);
    a.expect(Then::stored);
    expect_fault(m, op.mm, op.page, true, a);
    const Entry& entry = entry_of(m, op.mm.id, op.page.number);
    a.brings_new = !entry.is_swap() && !entry.is_migration();
    a.comes_home = a.before != kNoPfn && a.kept_huge == 0 && !is_exclusive(m, op.mm, op.page);
    expect_dirty_out_of_cache(m, a);
    if (a.before != kNoPfn) expect_none_idle(m, a);
    expect_swap_in(m, recount, op.mm.id, op.page.number, true, a);
  }
  void operator()(const StoreForced& op) {
    breaks_cow(m, recount, op.mm, op.page, a);
    a.expect(Then::written_to);
    expect_mark(m, op.mm, op.page, a);
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

  void operator()(const SplitFolio& op) { expect_split_folio(m, recount, op, a); }
  void operator()(const ShrinkDeferred&) {
    const int perhaps = expect_shrunk_queue(m, recount, a), certainly = std::popcount(a.small);
    a.result(kQueueSplits, certainly, certainly + perhaps);
  }
  void operator()(const DropCaches&) {
    expect_shrunk_queue(m, recount, a);
    if (has_unused_huge_zero_page(m)) a.expect(Then::no_huge_zero_page);
  }
  void operator()(const ShrinkHugeZero&) {
    result(kHugeZeroFreed, has_unused_huge_zero_page(m) ? m.hpage_nr() : 0);
  }

  void operator()(const Mlock& op) {
    then(Then::resident, op.mm, op.range);
    expect_lock_count(m, a);
    expect_merge(m, op.mm.id, op.range, VM_LOCKED, 0, a);
    if (entry_of(m, op.mm.id, op.range.first).is_none()) a.expect(Then::locked_once);
    if (survives_a_failure(m, op)) result(kMlockGoesOn, 0);
  }
  void operator()(const WritebackEnd&) {
    a.expect(Then::written);
    expect_no_rotation(m, a);
  }
  void then(Then what, MmId mm, PageRange range) {
    a.expect(what);
    a.about(mm.id, range.first, range.end);
  }

  void operator()(const Munlock& op) {
    then(Then::unlocked, op.mm, op.range);
    expect_lock_count(m, a);
    expect_merge(m, op.mm.id, op.range, 0, VM_LOCKED, a);
    expect_whole(m, op.mm.id, op.range, a);
  }
  void operator()(const ClearSoftDirty& op) { then(Then::soft_clean, op.mm, {}); }
  void operator()(const Mmap& op) {
    expect_none_idle(m, a);
    expect_mmap(op, a);
    expect_merge_of_new(m, op, a);
    expect_whole(m, op.mm.id, op.range, a);
  }
  void operator()(const Mprotect& op) {
    expect_mprotect(m, op, a);
    if (anything_locked(m)) return;  // it may populate
    a.expect(Then::split_clean);
    expect_whole(m, op.mm.id, op.range, a);
    expect_unfaulted(m, op.mm.id, a);
  }
  void operator()(const Fork& op) { expect_fork(m, op, a); }
  void operator()(const Munmap& op) {
    if (m.mms[std::size_t(op.mm.id)].alive != 0)
      result(kVmaLimit, cuts_one_too_many(m, op) ? -ENOMEM : 0);
    expect_unfaulted(m, op.mm.id, a);
    unmaps(op.mm, op.range);
  }
  void operator()(const MadviseDontneed& op) { unmaps(op.mm, op.range); }
  void unmaps(MmId mm, PageRange range) {
    then(Then::split_clean, mm, range);
    expect_none_idle(m, a);
    expect_whole(m, mm.id, range, a);
    if (a.before == kNoPfn) expect_unlock(m, mm.id, range.first, a);
  }
  void operator()(const Exit&) { expect_none_idle(m, a); }

  void operator()(const MadviseHugepage& op) { advises(op, VM_HUGEPAGE, VM_NOHUGEPAGE); }
  void operator()(const MadviseNohugepage& op) { advises(op, VM_NOHUGEPAGE, VM_HUGEPAGE); }
  void advises(const auto& op, std::uint32_t set, std::uint32_t clear) {
    expect_flag(op.range, op.mm.id, set, clear, a);
    expect_merge(m, op.mm.id, op.range, set, clear, a);
    expect_whole(m, op.mm.id, op.range, a);
    expect_unfaulted(m, op.mm.id, a);
  }
  void operator()(const MadviseCold& op) {
    expect_cold(m, recount, op, a);
    expect_whole(m, op.mm.id, op.range, a);
  }
  void operator()(const MadviseFree& op) {
    expect_free(m, recount, op, a);
    expect_whole(m, op.mm.id, op.range, a);
  }
  void operator()(const Mremap& op) { expect_mremap(m, op, a); }

  void operator()(const MadviseCollapse& op) {
    a.ask_enabled = false;
    then(Then::collapsed, op.mm, op.range);
    a.expect(Then::collapsed_anew);
    if (held_below_a_table(m, recount, op.mm.id, op.range)) a.must_fail(kHeldNotCollapsed);
    expect_collapse(m, recount, op, a);
  }

  void operator()(const Reclaim& op) {
    if (anything_locked(m)) a.locked_gaps = count_locked_gaps(m);
    expect_reclaim(m, recount, op, a);
  }
  void operator()(const MadvisePageout& op) {
    expect_in_range(m, recount, op.mm.id, op.range, false, a);
    expect_pageout(m, recount, op, a);
    if (anything_locked(m)) a.locked_gaps = count_locked_gaps(m);
  }
  void operator()(const Isolate& op) {
    const Pfn pfn = mapped_frame(m, op.mm.id, op.page.number);
    const bool free = m.holders[std::size_t(op.holder.id)].kind == HolderKind::none;
    if (!free || pfn == kNoPfn) return;
    result(kIsolatedOnce, test(m, page_folio(m, pfn), PG_lru) ? 0 : -EBUSY);
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
    expect_arrival(m, a);
  }

  void operator()(const Swapon&) {
    const bool empty = m.geometry.swap_slots() == 0;
    result(kSwapon, m.swap_on ? -EBUSY : empty ? -EINVAL : 0);
    a.expect(Then::swap_on);
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
  before.a.kept = kept_over(m, op);
  before.a.not_huge = small_pmds(m);
  visit_op(before, op);
  return before.a;
}

}  // namespace thp
