// The rules, each with its source, and whether they held.
#include "oracle/expected_answers.h"

#include <array>
#include <bit>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

constexpr std::array<AnswerRule, kRules> kTable = {{
    {"a large folio that somebody holds is not split",
     "mm/huge_memory.c: can_split_folio(): a reference beyond mappings and swap cache"},
    {"split_folio splits a folio that only mappings and the swap cache refer to",
     "mm/huge_memory.c: split_huge_pages_pid(), split_huge_page_to_list()"},
    {"a folio that is held, unmapped or under writeback is not split",
     "mm/huge_memory.c: split_huge_page_to_list(): -EBUSY, -EAGAIN"},
    {"an attempt to split a folio that is held does not even split its PMDs",
     "mm/huge_memory.c: split_huge_page_to_list(): can_split_folio() comes first"},
    {"shrink_deferred splits every queued folio that can be split, and says how many",
     "mm/huge_memory.c: deferred_split_scan()"},
    {"an access to a page that nobody else refers to does not move it",
     "mm/memory.c: do_wp_page(), mm/huge_memory.c: do_huge_pmd_wp_page(): reuse"},
    {"a store to a page that somebody else refers to, or a pin of it, gets another page",
     "mm/memory.c: do_wp_page(), mm/huge_memory.c: do_huge_pmd_wp_page(): copy"},
    {"a coherent pin holds the frame that its owner maps",
     "include/linux/mm.h: gup_must_unshare(), page_needs_cow_for_dma()"},
    {"after mlock() every page of the range is there, writable ones unshared",
     "mm/gup.c: populate_vma_page_range()"},
    {"reclaim takes no page out of a locked VMA", "mm/rmap.c: try_to_unmap_one(): VM_LOCKED"},
    {"after madvise_collapse succeeded, every huge page's range in it is mapped by a PMD",
     "mm/khugepaged.c: madvise_collapse()"},
    {"madvise_collapse fails over a page that somebody holds",
     "mm/khugepaged.c: is_refcount_suitable(), SCAN_PAGE_COUNT"},
    {"reclaim frees no folio that somebody holds",
     "mm/vmscan.c: shrink_folio_list(), __remove_mapping()"},
    {"a folio is isolated once", "mm/vmscan.c: folio_isolate_lru()"},
    {"a folio that somebody holds does not migrate",
     "mm/migrate.c: folio_migrate_mapping(): -EAGAIN"},
    {"migrate_end without a migration is EINVAL", "the op's own"},
    {"swapon succeeds while swap is off, if the device has slots",
     "mm/swapfile.c: sys_swapon(): -EBUSY; read_swap_header(): -EINVAL"},
    {"swapoff fails while swap is off", "mm/swapfile.c: sys_swapoff(): -EINVAL"},
    {"after swapoff no page is swapped out or cached, and without swapped pages it succeeds",
     "mm/swapfile.c: try_to_unuse()"},
    {"after writeback_end nothing is under writeback", "mm/page_io.c: end_swap_bio_write()"},
    {"the huge zero page is freed when no address space uses it, and only then",
     "mm/huge_memory.c: shrink_huge_zero_page_scan()"},
}};

// --- After.

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
    if (m.swap(Slot(slot)).count != 0 || m.swap(Slot(slot)).cache != kNoPfn) return false;
  return !m.swap_on;
}

bool written(const Machine& m) {
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) {
    const Pfn cache = m.swap(Slot(slot)).cache;
    if (cache < m.frames() && test(m, page_folio(m, cache), PG_writeback)) return false;
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
    case Answers::Then::nothing:
      return true;
  }
  return true;
}

constexpr std::array<AnswerRuleId, 5> kThenRules = {kRules, kResident, kCollapsed, kSwapoffEmpties,
                                                    kWritten};

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
  for (unsigned left = a.huge; left != 0; left &= left - 1) {
    const int bit = std::countr_zero(left);
    if (!m.pmd(bit / Geometry::kMaxPmds, bit % Geometry::kMaxPmds).is_present())
      return kHeldStaysMapped;
  }
  if (!pins_coherent(m, memory)) return kPinCoherent;
  if (a.locked_gaps >= 0 && count_locked_gaps(m) > a.locked_gaps) return kLockedStay;
  if (result < 0) return kRules;
  const Pfn frame = a.frame == Answers::Frame::any ? kNoPfn : mapped_frame(m, a.mm, a.first);
  if (a.frame == Answers::Frame::same && frame != a.before) return kNoCopy;
  if (a.frame == Answers::Frame::another && frame == a.before) return kCopy;
  return holds_then(m, a) ? kRules : kThenRules[std::size_t(a.then)];
}

}  // namespace

std::span<const AnswerRule> answer_rules() { return kTable; }

const char* check_after(const Answers& answers, const Machine& m, const FlatMemory& memory,
                        int result) {
  const AnswerRuleId rule = broken_rule(answers, m, memory, result);
  return rule == kRules ? nullptr : kTable[rule].sentence;
}

}  // namespace thp
