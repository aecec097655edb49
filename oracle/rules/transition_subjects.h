// What an op is about, worked out once for all rules that ask: a page that reclaim looks at, one
// that is read back, huge pages to be split, a range to be collapsed, one that moves.
#pragma once
#include <optional>

#include "oracle/rules/certainties.h"
#include "oracle/rules/transition.h"

namespace thp {

// The folio that reclaim is told to look at, as it was: mapped at the page, or in the swap cache
// for it.
struct Scan {
  const Transition& t;
  const Machine& m;  // before
  int mm, page;
  Entry entry;
  Pfn pfn, folio;
  FolioCount count;
  mutable int seen = -1;  // users, once asked for: that takes a walk over all VMAs

  bool mapped() const { return entry.is_present(); }
  Entry now() const { return entry_of(t.after, mm, page); }
  Pfn folio_now() const { return page_folio(t.after, folio); }
  bool has(Bits flags) const { return test(m, folio, flags); }
  bool large() const { return folio_test_large(m, folio); }
  int pages() const { return folio_nr_pages(m, folio); }
  bool is_held() const { return held(count); }
  bool isolated() const { return count.isolations + count.migration > 0; }
  // It is on the list that reclaim takes folios from.
  bool listed() const { return !isolated() && has(PG_lru) && !has(PG_unevictable); }
  // Nothing keeps reclaim from asking who used it.
  bool scanned() const {
    return mapped() && listed() && nothing_interferes(m, folio) && !m.migration.in_flight() &&
           !has(PG_writeback) && !mapped_behind_a_huge_pmd(m, folio);
  }
  // PTEs alone map it, and lock a part of it, so that it stays on a list that reclaim looks at.
  bool partly_locked() const {
    return large() && mapped() && count.pmds == 0 && listed() && !is_held() &&
           m.inject == Injections{} && !m.migration.in_flight() && has(PG_swapbacked) &&
           !has(PG_swapcache | PG_writeback) && !mapped_behind_a_huge_pmd(m, folio) &&
           is_in_a_locked_vma(m, folio);
  }
  // It is swapped out, and nothing keeps reclaim from the page that the swap cache has for it.
  bool is_cached_only() const {
    return !mapped() && nothing_interferes(m, folio) && has(PG_lru) &&
           !has(PG_writeback | PG_unevictable | PG_mlocked);
  }
  int users() const { return seen = seen >= 0 ? seen : count_users_of(m, folio); }
  bool unmapped() const {
    return scanned() && !is_held() && users() == 0 && certainly_unmapped(m, pfn, count);
  }
};

// A page that a load or a store reads back.
struct SwapIn {
  const Transition& t;
  int mm, page;
  SwapSlot slot;
  bool write;
  bool locked = false;
  bool itself = false;  // the page of the swap cache itself will be mapped
  bool stays = false;   // in the swap cache
  Pfn now() const { return mapped_frame(t.after, mm, page); }
  bool has_mapped(Bits flags) const {  // or nothing
    return now() == kNoPfn || test(t.after, page_folio(t.after, now()), flags);
  }
};

// What becomes of the huge pages that an op tries to split, in its order; blocks by their bits.
struct SplitPlan {
  const Transition& t;
  std::uint64_t split = 0, whole = 0;
  int perhaps = 0;
};

// What may come of collapsing one block, or of all that were tried.
enum CollapseAnswer : std::uint8_t {
  kCollapsed = 1,
  kAgain = 2,      // somebody holds, has isolated or locks a page: EAGAIN; it goes on
  kUnfit = 4,      // no page, or none that is writable: EINVAL; it goes on
  kNoTable = 8,    // nothing there, or no memory to read a page back: EINVAL; there it ends
  kNoMemory = 16,  // ENOMEM; there it ends
  kNoCharge = 32,  // EBUSY; there it ends
};
inline constexpr unsigned kEndsCollapse = kNoTable | kNoMemory | kNoCharge;

// What collapse will make of a range, from what was there before.
struct Collapse {
  const Transition& t;
  const MadviseCollapse& op;
  bool any = false;        // has it one VMA, does that suit, and is there a block?
  bool unsuited = false;   // it has one, and that does not
  unsigned answers = 0;    // of the last block that fails, or that all collapse
  std::uint16_t pmds = 0;  // that will be huge, for certain
  // Huge pages that are had and not had for it: at least, at most.
  int least_had = 0, most_had = 0, least_missed = 0, most_missed = 0;
};

// What mremap() moves, and where to.
struct Move {
  const Transition& t;
  int mm, from, to, end, delta;
  int wanted;  // pages it shall have
};

// Each of an op that it is about; nothing where there is no such thing.
std::optional<Scan> scan_of(const Reclaim& op, const Transition& t);
std::optional<SwapIn> swap_in_of(int mm, int page, bool write, const Transition& t);
SplitPlan plan_of(const SplitFolio& op, const Transition& t);
SplitPlan plan_of(const SplitFile& op, const Transition& t);
SplitPlan plan_of_shrinklist(const Transition& t);
SplitPlan plan_of_queue(const Transition& t);
// Of advice: the folio of the first page. MADV_FREE asks the head how often it is mapped.
SplitPlan plan_of_advice(int mm, PageRange range, bool by_head, const Transition& t);
Collapse collapse_of(const MadviseCollapse& op, const Transition& t);
Move move_of(const Mremap& op, const Transition& t);

// The page that move_pages() is to move, if somebody may: kNoPfn for no page.
Pfn movable(const MovePages& op, const Transition& t);
bool must_migrate(const MovePages& op, const Transition& t);
// Without a huge page for it, it is split.
bool must_migrate_whole(const MovePages& op, const Transition& t);

}  // namespace thp
