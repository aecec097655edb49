// Rules about mlock() and munlock(). Part of transitions.cc.
#pragma once
#include "oracle/rules/transitions.h"

namespace thp {

// Every page of the range is there, and a writable one unshared.
inline bool is_resident(const Machine& m, int mm, int first, int end) {
  for (int page = first; page < end; ++page) {
    const Vma* vma = vma_at(m, mm, page);
    const Entry& entry = entry_of(m, mm, page);
    const bool unshared = entry.is_present() && entry.has(kWrite);
    if (vma == nullptr) return false;
    if (vma->has(VM_WRITE) ? !unshared : !entry.is_present() && !entry.is_zero()) return false;
  }
  return true;
}

inline constexpr OpRule kLockRules[] = {
    {"mlock_makes_resident",
     "After mlock() has succeeded every page of the range is in memory, and a writable one "
     "unshared.",
     promise(kEvery, "mlock(2), DESCRIPTION"), "mm/gup.c: populate_vma_page_range()",
     after<Mlock>([](const Mlock& op, const Transition& t) {
       return is_resident(t.after, op.mm.id, op.range.first, op.range.end);
     })},
    {"munlock_makes_evictable",
     "After munlock() a page of its range is mlocked only where another locked VMA maps it.",
     promise(kEvery, "mlock(2), NOTES; mm/unevictable-lru.rst, Basic Management"),
     "mm/mlock.c: munlock_folio(), __munlock_page()",
     after<Munlock>([](const Munlock& op, const Transition& t) {
       const Machine& m = t.after;
       for (int page = op.range.first; page < op.range.end; ++page) {
         const Pfn pfn = mapped_frame(m, op.mm.id, page);
         if (pfn == kNoPfn || !test(m, page_folio(m, pfn), PG_mlocked)) continue;
         if (!has_locks(m, page_folio(m, pfn))) return false;
       }
       return true;
     })},
    // Locks that were set while the page was off the LRU were not counted, and stay so.
    {"mlock_count_is_locks",
     "After mlock() or munlock() the mlock_count of the first page is the number of locked VMAs "
     "that map it, less those that were locked while it was off the LRU lists.",
     accounting(k6_1, "mm/unevictable-lru.rst, mlock() handling"),
     "mm/mlock.c: __mlock_page(), __munlock_page()",
     over<Mlock, Munlock>(count(
         [](const auto& op, const Transition& t) {
           const int mm = op.mm.id, page = op.range.first;
           const Pfn pfn = mapped_frame(t.before, mm, page);
           const bool stays = pfn != kNoPfn && mapped_frame(t.after, mm, page) == pfn;
           if (!t.succeeded() || !stays) return kAnyCount;
           const Pfn was = page_folio(t.before, pfn), is = page_folio(t.after, pfn);
           if (!test(t.before, was, PG_lru)) return kAnyCount;
           const int uncounted = count_locks_of(t.before, was) - counted_locks_of(t.before, was);
           return std::max(0, count_locks_of(t.after, is) - uncounted);
         },
         [](const auto& op, const Transition& t) {
           const Pfn pfn = mapped_frame(t.after, op.mm.id, op.range.first);
           return counted_locks_of(t.after, page_folio(t.after, pfn));
         }))},
    // A small page that nobody but this VMA has locked, and all that are counted. A huge page below
    // a page table is locked by the PMDs of others, if at all: these locks stay.
    {"last_unlock_rescues_page",
     "The first page that munmap() or MADV_DONTNEED unmaps is mlocked no more if that VMA "
     "alone had locked it. A huge page that another VMA locks still is.",
     promise(k6_1, "mlock(2), NOTES; mm/unevictable-lru.rst, Basic Management"),
     "mm/rmap.c: page_remove_rmap(); mm/internal.h: munlock_vma_page()",
     after<Munmap, MadviseDontneed>([](const auto& op, const Transition& t) {
       const Machine& m = t.before;
       const int mm = op.mm.id, page = op.range.first;
       const Vma* vma = vma_at(m, mm, page);
       const Pfn pfn = mapped_frame(m, mm, page);
       if (vma == nullptr || !vma->has(VM_LOCKED) || pfn == kNoPfn) return true;
       const Pfn folio = page_folio(m, pfn);
       if (!test(m, folio, PG_lru)) return true;
       const bool large = folio_test_large(m, folio);
       if (large && !m.pmd(mm, pmd_index(m, page)).is_table()) return true;
       if (large && !(has_locks(m, folio) && all_locks_counted(m, folio))) return true;
       if (!large && !(count_locks_of(m, pfn) == 1 && counted_locks_of(m, pfn) == 1)) return true;
       const Pfn now = page_folio(t.after, pfn);
       if (folio_test_large(t.after, now)) return all_locks_counted(t.after, now);
       return !is_mapped(t.after, pfn) || has_locks(t.after, pfn) ||
              !test(t.after, pfn, PG_mlocked);
     })},
};

}  // namespace thp
