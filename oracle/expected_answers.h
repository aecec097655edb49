// The oracle's third part: answers told beforehand. Where page tables and the recount say who holds
// what, the outcome of an op is certain: what must be split, copied, kept, refused or resident.
// Only rules without exception stand here; whatever a lock or a lack of memory may decide does not.
#pragma once
#include <cstdint>
#include <limits>
#include <span>

#include "model/ops.h"
#include "oracle/flat_memory.h"
#include "oracle/recount.h"

namespace thp {

struct AnswerRule {
  const char* sentence;
  const char* source;
};
std::span<const AnswerRule> answer_rules();

// Of up to 64 pages, the same ones of every machine of a geometry, bit for page.
struct Attributes {
  std::uint64_t there = 0, absent = 0;          // has it an entry?
  std::uint64_t exclusive = 0, soft_dirty = 0;  // mapped, swapped or migrating
  std::uint64_t writable = 0, closed = 0;       // mapped or migrating: may it be written to?
  std::uint64_t young = 0, dirty = 0;           // dirty by its entry, or by itself
  std::uint64_t clean = 0;                      // neither, exclusive, and not in the swap cache
  std::uint64_t open = 0, pinned = 0;           // a PTE that is writable; of a pinned page
  std::uint64_t mapped = 0, swapped = 0;        // what kind of entry it is; no zero page
  std::uint64_t unpinned = 0;                   // bit for address space: it never pinned
  std::uint64_t cached = 0;  // of up to 64 swap slots: those in use that the swap cache has, too
};
Attributes attributes_of(const Machine& m);
// Bit for page, those of [first, end).
std::uint64_t sampled(const Machine& m, int mm, int first, int end);
// Those that the op may not take away; cached ones for no op but reclaim.
Attributes kept_over(const Machine& m, const Op& op);
// Those that it had, and has no longer although it is still there.
Attributes lost_attributes(const Machine& m, const Attributes& before);

// What one op must do. Plain data: nothing is allocated.
struct Answers {
  enum class Frame : std::uint8_t { any, same, another };
  // What must be so after a success, of `first` or of pages [first, end).
  enum class Then : std::uint8_t {
    resident,
    collapsed,
    swap_empty,
    written,
    unlocked,
    soft_clean,
    moved_dirty,
    moved_clean,
    grown,
    refaulted,
    out_of_cache,
    dirty_out_of_cache,
    mlocked,
    copied_from_tail,
    unmapped,
    swapbacked,
    uncached,
    not_swapped_whole,
    written_to,
    soft_dirty,
    read_only,
    took_over,
    never_pinned,
    advised,
    kept_elsewhere,
    old,
    lazyfree,
    split_clean,
    none_idle,
    by_ptes,
    locks_counted,
    locks_young,
    touched,
    stored,
    inherited,
    carried,
    collapsed_anew,
    aged,
    marked,
    upgraded,
    accounted,
    swap_on,
    no_huge_zero_page,
    merged,
    zero_page,
    huge,
    whole,
    migrated_as_is,
    populated,
    used,
    swapped_whole,
    submitted,
    locked_once,
    unlocked_elsewhere,
    stays_cached,
    cached_itself,
    unfaulted,
    closed,
    arrived,
    split_alike,
    let_go,
    pinned_is_active,
    listed,
    stays_active
  };
  static_assert(int(Then::stays_active) < 64);  // the last: they are bits of `then`
  static constexpr int kMin = std::numeric_limits<int>::min(),
                       kMax = std::numeric_limits<int>::max();

  std::uint8_t rule = 0;               // that stands behind the result: answer_rules()
  int least = kMin, most = kMax;       // of the result
  std::uint64_t small = 0, large = 0;  // blocks of folios that must (not) be split by now
  std::uint16_t huge = 0;              // PMDs that must stay huge
  std::uint16_t kept_huge = 0;         // PMDs that an access must leave huge
  std::uint16_t collapses = 0;         // PMDs that must become huge even if the op fails
  std::uint8_t held_large = 0;         // bit h: holder h holds a large folio
  Frame frame = Frame::any;            // that maps `first`, after a success
  Pfn before = kNoPfn;                 // the frame that mapped it
  Pfn written = kNoPfn;                // the frame that a device writes to
  std::uint64_t then = 0;              // a set of Then
  int mm = 0, first = 0, end = 0;
  int locked_gaps = -1;        // pages of locked VMAs that have no memory; -1: not asked
  std::uint16_t not_huge = 0;  // PMDs that become huge only where that is allowed
  bool ask_enabled = true;     // by the setting too
  std::uint16_t dirtied = 0;   // PMDs below which mremap() makes all that it moves soft-dirty
  int clean = 0;               // entries below the others that were not soft-dirty
  int populated = 0;           // up to where it fills what a locked VMA has grown by
  std::uint64_t taken = 0;     // anon_vmas that no VMA of a child may take over
  int parent = 0;              // of the child `mm`
  bool untouched = false;      // has the VMA of `first` no anon_vma yet?
  int adopts = kNoAnonVma;     // the anon_vma that it then takes; kNoAnonVma: one of its own
  bool comes_home = false;     // if the access makes the page of `first` exclusive
  bool brings_new = false;     // if it maps another page there, that is a new one
  std::uint32_t advice = 0, against = 0;  // VMA flags that are set and clear then
  int elsewhere = 0;                      // pages that are mapped outside the range
  std::uint64_t idle = 0;                 // swap slots that only the cache of an unmapped page has
  int uncounted = 0;                      // locks of the page of `first` that mlock_count lacks
  std::uint16_t young = 0;                // locked PMDs of the folio that are young
  bool explains = false;                  // must m.reason and the result of a failure agree?
  Attributes kept;                        // that no page loses
  Attributes carried;                     // what mremap() takes along
  int merged_start = 0, merged_end = 0;   // of the VMA of `first`
  std::uint64_t faulted = 0;              // pages whose VMA has an anon_vma
  int oldest = kNoAnonVma;                // anon_vma that the child's VMA at `first` takes over
  std::uint16_t whole = 0;                // PMDs that do not become page tables
  std::uint8_t bits = 0;                  // of the entry of `first`
  Bits flags = 0;                         // of its folio
  bool active = false;                    // is it to be so?

  void result(std::uint8_t by, int from, int to) {
    rule = by;
    least = from;
    most = to;
  }
  void must_fail(std::uint8_t by) { result(by, kMin, -1); }
  void about(int of, int from, int to) {
    mm = of;
    first = from;
    end = to;
  }
  void expect(Then what) { then |= std::uint64_t{1} << int(what); }
  bool expects(Then what) const { return (then >> int(what) & 1) != 0; }
};

// `recount` is that of `m`. Costs a few loads for most ops; the pages of its range for split_folio,
// madvise_collapse, MADV_PAGEOUT, and reclaim in the presence of locked VMAs.
Answers expect_before(const Machine& m, const Recount& recount, const Op& op);

// The sentence that does not hold in the machine after the op, or nullptr. `memory` is flat memory
// after the op: it knows which pins still have their owner.
const char* check_after(const Answers& answers, const Machine& m, const FlatMemory& memory,
                        int result);

}  // namespace thp
