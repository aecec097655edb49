// What each op may take away from pages, or give to them: all else stays as it is.
#include <algorithm>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

// One overload for each op that changes something. Of a page that is gone nothing is asked.
struct Changes {
  const Machine& m;
  Attributes& kept;

  std::uint64_t pages_of(MmId mm, PageRange range) const {
    return sampled(m, mm.id, range.first, range.end);
  }
  std::uint64_t pages_of(MmId mm, PageNr page) const {
    return sampled(m, mm.id, page.number, page.number + 1);
  }
  std::uint64_t pages_of(MmId mm) const { return sampled(m, mm.id, 0, m.pages()); }

  void unmaps(std::uint64_t pages) const { kept.there &= ~pages; }
  // A fault brings a whole huge page, and a copy of one page splits what is around it.
  void faults(MmId mm) const { kept.absent &= ~pages_of(mm); }
  void writes(MmId mm) const { writes(mm, {0, m.pages()}); }
  void writes(MmId mm, PageRange range) const {
    const int nr = m.hpage_nr();
    const std::uint64_t blocks =
        sampled(m, mm.id, range.first / nr * nr, (range.end + nr - 1) / nr * nr);
    kept.absent &= ~blocks;
    kept.closed &= ~blocks;
    kept.clean &= ~blocks;
  }
  // Reclaim asks all who map a page whether they used it, and clears that; it writes to swap what
  // is dirty, after it has marked it so, and throws away what MADV_FREE gave away.
  void reclaims() const { kept.cached = kept.there = kept.young = kept.dirty = kept.clean = 0; }

  void operator()(const Mmap& op) const {
    unmaps(pages_of(op.mm, op.range));
    kept.pinned = 0;
  }
  void operator()(const Munmap& op) const { unmaps(pages_of(op.mm, op.range)); }
  void operator()(const MadviseDontneed& op) const { unmaps(pages_of(op.mm, op.range)); }
  void operator()(const Exit& op) const { unmaps(pages_of(op.mm)); }
  // A locked VMA is populated when it becomes writable.
  void operator()(const Mprotect& op) const {
    kept.writable &= ~pages_of(op.mm, op.range);
    kept.closed &= ~pages_of(op.mm, op.range);
    kept.pinned = 0;
    if (anything_locked(m)) writes(op.mm, op.range);
  }
  // Both what moves and what was there before are gone from where they were.
  void operator()(const Mremap& op) const {
    const int to = op.to.number, size = std::max<int>(op.range.size(), op.size.pages);
    const std::uint64_t there = sampled(m, op.mm.id, to, to + size);
    const std::uint64_t pages = pages_of(op.mm, op.range) | there;
    unmaps(pages);
    kept.absent &= ~sampled(m, op.mm.id, to, to + op.range.size());
    kept.writable &= ~pages;
    kept.closed &= ~pages;
    kept.young &= ~pages;
    kept.dirty &= ~pages;
    kept.clean &= ~pages;
    kept.exclusive = kept.soft_dirty = kept.pinned = 0;
    if (anything_locked(m)) writes(op.mm, {to, to + size});
  }
  void operator()(const Fork& op) const {
    kept.writable &= ~pages_of(op.mm) | pinned_pages(m, op.mm.id);
    kept.absent &= ~pages_of(op.child);
    kept.exclusive = 0;
  }
  void operator()(const ClearSoftDirty& op) const {
    kept.writable &= ~pages_of(op.mm);
    kept.soft_dirty = 0;
  }
  void operator()(const MadviseFree& op) const {
    const std::uint64_t pages = pages_of(op.mm, op.range);
    unmaps(pages);
    kept.young &= ~pages;
    kept.dirty &= ~pages;
  }
  void operator()(const MadviseCold& op) const { kept.young &= ~pages_of(op.mm, op.range); }
  void operator()(const MadvisePageout&) const { reclaims(); }
  void operator()(const Reclaim&) const { reclaims(); }
  void operator()(const MadviseCollapse& op) const { writes(op.mm); }

  void operator()(const Load& op) const { faults(op.mm); }
  void operator()(const Get& op) const { faults(op.mm); }
  void operator()(const Store& op) const { writes(op.mm); }
  void operator()(const StoreForced& op) const { writes(op.mm); }
  void operator()(const StoreViaPin&) const { kept.clean = 0; }
  void operator()(const Mlock& op) const { writes(op.mm, op.range); }
  // What a pin for reading copies to unshare a page is clean: see kLazyfreeOfASharedPage.
  void operator()(const Pin& op) const {
    kept.unpinned = 0;
    if (op.mode == PinMode::w) return writes(op.mm);
    faults(op.mm);
    kept.dirty &= ~pages_of(op.mm, op.page);
  }
  void operator()(const auto&) const {}
};

}  // namespace

Attributes kept_over(const Machine& m, const Op& op) {
  Attributes kept = attributes_of(m);
  visit_op(Changes{m, kept}, op);
  return kept;
}

}  // namespace thp
