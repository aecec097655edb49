// Steps that traces must come by, of a kind that takes several ops to prepare: what an op did to
// huge pages and page tables that were in a rare state. Part of sometimes.cc.
#pragma once
#include "oracle/rules/certainties.h"
#include "oracle/sometimes/sometimes.h"
#include "oracle/sometimes/sometimes_steps.h"

namespace thp {

inline Prepared::Blocks bits_of(const TheStep& s, Pfn pfn) {
  return pfn < s.m.frames() ? Prepared::Blocks{1} << (pfn >> s.m.geometry.order) : 0;
}

// --- Collapse.

// Is there a page table with pages of two huge pages in the range of this MADV_COLLAPSE, of which
// that is true? holds(pmd before, pmd now, blocks of these huge pages)
template <class Holds>
bool some_table_of_two(const TheStep& s, Holds holds) {
  const auto* const op = std::get_if<MadviseCollapse>(&s.op);
  if (op == nullptr) return false;
  const int mm = op->mm.id, order = s.m.geometry.order;
  for (int i = (op->range.first + s.m.hpage_nr() - 1) >> order; i < op->range.end >> order; ++i) {
    const Prepared& p = s.before.prepared;
    if (p.has_two_below(mm, i) && holds(mm, i, p.below[Prepared::pmd(mm, i)])) return true;
  }
  return false;
}

// One of them has become a huge page, and of the old ones this is true?
template <class Holds>
bool collapses_two(const TheStep& s, Holds holds) {
  return some_table_of_two(s, [&](int mm, int i, Prepared::Blocks blocks) {
    return s.m.pmd(mm, i).is_present() && holds(blocks);
  });
}

// The same of one that has stayed a page table.
template <class Holds>
bool keeps_table_of_two(const TheStep& s, Reason reason, Holds holds) {
  return s.ends_in(reason) && some_table_of_two(s, [&](int mm, int i, Prepared::Blocks blocks) {
           return s.m.pmd(mm, i).is_table() && holds(mm, i, blocks);
         });
}

// Is it so of a huge page in one of the blocks, or of all?
template <class Holds>
bool any_of_blocks(const TheStep& s, Prepared::Blocks blocks, Holds holds) {
  for (int i = 0; i < s.m.geometry.frame_blocks(); ++i)
    if ((blocks >> i & 1) != 0 && holds(Pfn(i << s.m.geometry.order))) return true;
  return false;
}
template <class Holds>
bool all_of_blocks(const TheStep& s, Prepared::Blocks blocks, Holds holds) {
  return !any_of_blocks(s, blocks, [&](Pfn head) { return !holds(head); });
}

inline bool is_mapped_huge_page(const TheStep& s, Pfn head) {
  return test(s.m, head, PG_head) && s.r.folio(s.m, head).mapped_anywhere();
}

// The blocks whose huge pages have the flag before the op.
inline Prepared::Blocks had(const TheStep& s, Bits flag) {
  Prepared::Blocks blocks = 0;
  for (int i = 0; i < s.m.geometry.frame_blocks(); ++i)
    if ((s.before.head_flags[std::size_t(i)] & flag) != 0) blocks |= Prepared::Blocks{1} << i;
  return blocks;
}

// The first look at a table shows no page that is held; the second, after swapping in, one that the
// first page isolated does not belong to.
inline bool lets_the_first_go(const TheStep& s) {
  const auto* const op = std::get_if<MadviseCollapse>(&s.op);
  if (op == nullptr || !s.ends_in(Reason::SCAN_PAGE_COUNT) || swapped_in(s) == 0 ||
      s.counted(Event::thp_collapse_alloc) == 0)
    return false;
  const Prepared now = prepared(s.m);
  for (int i = 0; i < s.m.geometry.pmds; ++i) {
    const auto held = now.below[Prepared::pmd(op->mm.id, i)] & now.held;
    const Entry first = s.m.pte(op->mm.id, i << s.m.geometry.order);
    if (!now.has_two_below(op->mm.id, i) || held == 0 || !first.is_present()) continue;
    if ((bits_of(s, first.frame) & held) == 0 && test(s.m, first.frame, PG_head | PG_tail))
      return true;
  }
  return false;
}

// --- Reclaim of what MADV_FREE gave away.

// Does reclaim free a huge page, in one of these blocks, that it does not write?
inline bool discards(const TheStep& s, Prepared::Blocks blocks) {
  return s.is<Reclaim>() && s.ends_in(Reason::reclaimed) && s.counted(Event::pswpout) == 0 &&
         s.result == s.m.hpage_nr() &&
         any_of_blocks(s, blocks, [&](Pfn head) { return !test(s.m, head, PG_head); });
}

// Pages that address spaces have lost.
inline int unmapped(const TheStep& s) {
  int pages = 0;
  for (std::size_t mm = 0; mm < s.m.mms.size(); ++mm)
    pages += s.before.mms[mm].anon_pages - s.m.mms[mm].anon_pages;
  return pages;
}

// Does reclaim leave a huge page, that was given away and PTEs map, mapped? Of it holds(head).
template <class Holds>
bool leaves_given_away(const TheStep& s, Holds holds) {
  return s.is<Reclaim>() && s.ends_in(Reason::keep_mapped) &&
         any_of_blocks(s, s.before.prepared.given_away,
                       [&](Pfn head) { return is_mapped_huge_page(s, head) && holds(head); });
}

// --- Walks of the reverse map.

// Does that hold of a huge page which had PTEs behind a gap?
template <class Holds>
bool some_behind_a_gap(const TheStep& s, Holds holds) {
  return any_of_blocks(s, s.before.prepared.behind_a_gap, holds);
}

inline constexpr Sometimes kPreparedSteps[] = {
    {"collapse_of_two_huge_pages", "A collapse replaces a page table with pages of two huge pages.",
     [](const TheStep& s) { return collapses_two(s, [](Prepared::Blocks) { return true; }); }},
    {"collapse_of_two_that_others_map",
     "A collapse replaces a page table with pages of two huge pages, and both stay mapped.",
     [](const TheStep& s) {
       return collapses_two(s, [&](Prepared::Blocks blocks) {
         return all_of_blocks(s, blocks, [&](Pfn head) { return is_mapped_huge_page(s, head); });
       });
     }},
    {"collapse_of_two_frees_both",
     "A collapse replaces a page table with all that is left of two huge pages, and frees them.",
     [](const TheStep& s) {
       return collapses_two(s, [&](Prepared::Blocks blocks) {
         return all_of_blocks(
             s, blocks, [&](Pfn head) { return s.m.used_frames(head >> s.m.geometry.order) == 0; });
       });
     }},
    {"collapse_of_two_one_cached",
     "A collapse replaces a page table with pages of two huge pages, one in the swap cache.",
     [](const TheStep& s) {
       return collapses_two(
           s, [&](Prepared::Blocks blocks) { return (blocks & had(s, PG_swapcache)) != 0; });
     }},
    {"collapse_of_two_one_held",
     "A collapse finds pages of two huge pages in a page table, of which one is held.",
     [](const TheStep& s) {
       return keeps_table_of_two(s, Reason::SCAN_PAGE_COUNT,
                                 [&](int, int, Prepared::Blocks blocks) {
                                   const auto held = blocks & s.before.prepared.held;
                                   return held != 0 && held != blocks;
                                 });
     }},
    {"collapse_lets_the_first_of_two_go",
     "A collapse isolates a huge page and then finds that another, which it swaps in, is held.",
     [](const TheStep& s) { return lets_the_first_go(s); }},
    {"collapse_of_two_without_memory",
     "A collapse of a page table with pages of two huge pages finds no memory.",
     [](const TheStep& s) {
       return keeps_table_of_two(s, Reason::SCAN_ALLOC_HUGE_PAGE_FAIL,
                                 [](int, int, Prepared::Blocks) { return true; });
     }},
    {"given_away_by_ptes_is_discarded",
     "Reclaim discards a huge page that MADV_FREE gave away and PTEs map.",
     [](const TheStep& s) { return discards(s, s.before.prepared.given_away); }},
    {"given_away_in_part_is_discarded",
     "Reclaim discards a huge page that MADV_FREE gave away and of which some PTEs are gone.",
     [](const TheStep& s) {
       return discards(s, s.before.prepared.given_away & s.before.prepared.in_part);
     }},
    {"given_away_until_stored_to",
     "Reclaim discards pages of a huge page that MADV_FREE gave away, until one was stored to.",
     [](const TheStep& s) {
       return leaves_given_away(s, [&](Pfn head) {
         return test(s.m, head, PG_swapbacked) && test(s.m, head, PG_dirty) && unmapped(s) > 0;
       });
     }},
    {"given_away_but_held",
     "Reclaim finds a huge page that MADV_FREE gave away, PTEs map, and somebody holds.",
     [](const TheStep& s) {
       return leaves_given_away(s, [&](Pfn head) {
         return test(s.m, head, PG_swapbacked) && !test(s.m, head, PG_dirty) &&
                (s.before.prepared.held & bits_of(s, head)) != 0;
       });
     }},
    {"given_away_but_locked",
     "Reclaim finds a huge page that MADV_FREE gave away, PTEs map, and a locked VMA has a part "
     "of.",
     [](const TheStep& s) {
       return leaves_given_away(s, [&](Pfn head) {
         return !test(s.m, head, PG_swapbacked) && is_in_a_locked_vma(s.m, head);
       });
     }},
    {"gap_is_passed_by_try_to_unmap", "Reclaim unmaps a huge page whose first page table is gone.",
     [](const TheStep& s) {
       return s.is<Reclaim>() && s.counted(Event::thp_split_page) == 0 &&
              some_behind_a_gap(s, [&](Pfn head) { return !is_mapped_huge_page(s, head); });
     }},
    {"gap_is_passed_by_try_to_migrate",
     "A migration begins of a huge page whose first page table is gone.",
     [](const TheStep& s) {
       return (s.m.migration.in_flight() &&
               some_behind_a_gap(s, [&](Pfn head) { return s.m.migration.src == head; })) ||
              (s.is<MovePages>() && s.counted(Event::thp_migration_success) > 0 &&
               some_behind_a_gap(s, [&](Pfn head) { return !test(s.m, head, PG_head); }));
     }},
    {"gap_is_passed_by_remove_migration_ptes",
     "A migration ends of a huge page whose first page table is gone.",
     [](const TheStep& s) {
       const Prepared& p = s.before.prepared;
       return s.counted(Event::thp_migration_success) > 0 &&
              ((p.migrating_behind_a_gap & bits_of(s, s.before.migration.src)) != 0 ||
               (s.is<MovePages>() &&
                some_behind_a_gap(s, [&](Pfn head) { return !test(s.m, head, PG_head); })));
     }},
    {"gap_is_passed_by_a_split", "A huge page is split whose first page table is gone.",
     [](const TheStep& s) {
       return s.counted(Event::thp_split_page) > 0 && some_behind_a_gap(s, [&](Pfn head) {
                return !test(s.m, head, PG_head) && s.m.used_frames(head >> s.m.geometry.order) > 0;
              });
     }},
    {"gap_is_passed_by_folio_referenced",
     "Reclaim finds a huge page used whose first page table is gone.",
     [](const TheStep& s) {
       const auto* const op = std::get_if<Reclaim>(&s.op);
       if (op == nullptr || !s.ends_in(Reason::keep_referenced)) return false;
       const Entry pte = s.m.pte(op->mm.id, op->page.number);
       return pte.is_present() && (s.before.prepared.behind_a_gap & bits_of(s, pte.frame)) != 0;
     }},
};

}  // namespace thp
