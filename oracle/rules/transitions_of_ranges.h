// Rules about what an op does not name: other pages, other address spaces. An op names the range or
// the page that it is given; reclaim, isolation and migration the folio there, whoever maps it;
// MADV_COLLAPSE the whole blocks of its range; fork() the child; swapoff() what is swapped out.
// Part of transitions.cc.
#pragma once
#include "oracle/rules/transitions.h"
#include "oracle/rules/transitions_of_files.h"

namespace thp {

using Calls = Joined<Maps, Locks, MarksHuge, MarksFork, Discards, Walks, Collapses, Clears>;

// What an op means: pages of one address space, and a folio, whoever maps it.
struct Named {
  int mm = -1;
  PageRange pages{0, 0}, target{0, 0};  // the second is where mremap() moves the first
  Pfn folio = kNoPfn;
  bool swapped = false;
  bool overlaps(int of, int first, int end) const {
    const auto both = [&](PageRange range) { return first < range.end && range.first < end; };
    return of == mm && (both(pages) || both(target));
  }
  bool has_all(int of, int first, int end) const {
    const auto lies_in = [&](PageRange range) { return range.first <= first && end <= range.end; };
    return of == mm && (lies_in(pages) || lies_in(target));
  }
};
Named named_by(const Transition& t);
// Advice for a huge page that a PMD maps asks how often the head is mapped: those who map only
// tails, by PTEs, go unseen.
bool overlooked_by_advice(const Transition& t, const Entry& was);

// Does what differs between VMAs before and after lie in the range?
bool vmas_change_in_range(const Transition& t);
// Has a huge mapping of a file gone although nothing unmapped it or cut it off?
bool is_unmapped_in_part(const PmdStep& p);
// Why an op may split a huge PMD: it means a part of it, or copies what is not its own.
bool has_cause_to_split(const PmdStep& p);

// Pages that one entry translates, and that the op does not name.
struct OutsideStep {
  const Transition& t;
  int mm, page;
  const Entry &was, &is;
  Traits had, has;

  // Where it is: nowhere, at a zero page, in a frame, in a slot. At the end of a migration it may
  // be elsewhere.
  bool is_in_place() const {
    if (was.is_migration() && t.before.migration.in_flight()) return true;
    if (was.kind != is.kind || was.is_zero()) return was.kind == is.kind;
    return was.frame + offset_in_entry(t.before, mm, page) ==
           is.frame + offset_in_entry(t.after, mm, page);
  }
  // Whether what is exclusive now may be so an invariant says.
  bool keeps_bits() const {
    const Traits lost = had & ~has & (kOpen | kUsed | kSoleOwner | kSoftly);
    const Traits won = has & ~had & (kOpen | kUsed | (may_become_soft_dirty() ? 0 : kSoftly));
    return lost == 0 && won == 0;
  }
  // pte_mkdirty() adds soft-dirty where a migration or a split ends.
  bool may_become_soft_dirty() const {
    const bool large = was.is_present() && was.frame < t.before.frames() &&
                       folio_test_large(t.before, page_folio(t.before, was.frame));
    return large || was.is_migration();
  }
};

// A page of a file that a fault may have mapped along with one of the same block.
inline bool is_mapped_around(const OutsideStep& p) {
  if (!p.was.is_none() || !p.is.is_present() || p.is.frame >= p.t.after.frames()) return false;
  if (p.t.after.page(page_folio(p.t.after, p.is.frame)).inode == kNoInode) return false;
  const int first = pmd_first(p.t.after, p.page);
  return named_by(p.t).overlaps(p.mm, first, first + p.t.after.hpage_nr());
}

inline constexpr RuleOf<OutsideStep> kOutsideRules[] = {
    {"call_stays_in_its_range",
     "Outside the range of a call nothing appears, goes, or moves to another frame or slot; but a "
     "fault on a file may map what is cached around, and a split of a huge page of a file unmaps "
     "it.",
     promise(kEvery, "mmap(2), munmap(2), mremap(2), mlock(2), madvise(2): DESCRIPTION"),
     "mm/khugepaged.c: madvise_collapse(): hend; mm/madvise.c: page_mapcount() != 1",
     [](const OutsideStep& p) {
       return p.is_in_place() || !p.t.over<Calls>() || is_mapped_around(p) ||
              is_unmapped_by_a_split(p.t, p.mm, p.page);
     }},
    {"other_pages_stay_in_place",
     "What an access, reclaim, a split or a migration does not mean stays in its frame or slot, "
     "or away. A fault brings one page, or a huge one; of a file also what is cached around. What "
     "is cut off a file goes wherever it is mapped, and so does what a split unmaps.",
     choice(k6_1), "mm/memory.c: handle_mm_fault(); mm/rmap.c: rmap_walk_anon()",
     [](const OutsideStep& p) {
       return p.is_in_place() || p.t.over<Calls>() || is_mapped_around(p) ||
              is_cut_off(p.t, p.mm, p.page) || is_unmapped_by_a_split(p.t, p.mm, p.page);
     }},
    {"other_pages_keep_their_bits",
     "What an op does not mean stays young, writable, exclusive and soft-dirty as it was, but in a "
     "parent at fork() and over clear_refs. After a migration or a split it may be soft-dirty.",
     choice(k6_1), "mm/rmap.c: rmap_walk_anon(); mm/huge_memory.c: __split_huge_pmd_locked()",
     [](const OutsideStep& p) {
       return p.keeps_bits() || !p.is_in_place() || p.t.over_mm<Fork, Clears>(p.mm) ||
              is_cut_off(p.t, p.mm, p.page);
     }},
};

inline constexpr RuleOf<PmdStep> kRangePmdRules[] = {
    {"pmd_is_split_for_a_cause",
     "A huge PMD stays huge, unless a call means a part of it, a store, a pin or mlock() needs a "
     "copy, fork() meets a pin, MADV_NOHUGEPAGE is for it, or somebody tries to split its folio.",
     choice(k6_1),
     "mm/huge_memory.c: vma_adjust_trans_huge(), do_huge_pmd_wp_page(), copy_huge_pmd(), "
     "zap_huge_pmd(), change_huge_pmd(), madvise_free_huge_pmd()",
     [](const PmdStep& p) {
       const bool unmapped = p.is.is_none() && is_unmapped_in_part(p);
       return !is_huge(p.was) || !(p.is.is_table() || unmapped) || has_cause_to_split(p);
     }},
    // Older kernels copied all of it, and took as much memory.
    {"huge_page_is_not_copied",
     "A PMD that goes on to map a huge page maps the same one, but over move_pages() and mremap().",
     choice(k6_1), "mm/huge_memory.c: do_huge_pmd_wp_page(): fallback",
     [](const PmdStep& p) {
       return !p.was.is_present() || !p.is.is_present() || p.was.frame == p.is.frame ||
              p.t.over<MovePages, Moves>();
     }},
};

inline constexpr OpRule kRangeRules[] = {
    {"vmas_change_in_range",
     "A call changes protection, locks and advice in its range only, and no VMA of another "
     "process.",
     promise(kEvery, "mprotect(2), mlock(2), madvise(2): DESCRIPTION; fork(2)"),
     "mm/mmap.c: vma_merge(), __split_vma()",
     where_changed(
         over<Calls>([](const auto&, const Transition& t) { return vmas_change_in_range(t); }))},
};

}  // namespace thp
