// Rules about mlock(). Part of transitions.cc.
#pragma once
#include "oracle/rules/transitions.h"

namespace thp {

// Every page of the range is mapped and there, and a writable one of a private VMA unshared.
inline bool is_resident(const Machine& m, int mm, int first, int end) {
  for (const Vma& vma : m.vmas(mm)) {
    for (; vma.covers(first) && first < end; ++first) {
      const Entry& entry = entry_of(m, mm, first);
      const bool unshared = entry.is_present() && entry.has(kWrite);
      const bool copies = vma.has(VM_WRITE) && !vma.has(VM_SHARED);
      if (copies ? !unshared : !entry.is_present() && !entry.is_zero()) return false;
    }
  }
  return first >= end;
}

inline constexpr OpRule kLockRules[] = {
    {"mlock_makes_resident",
     "After mlock() has succeeded every page of the range is in memory, and a writable one of a "
     "private mapping unshared.",
     promise(kEvery, "mlock(2), DESCRIPTION"), "mm/gup.c: populate_vma_page_range()",
     after<Mlock>([](const Mlock& op, const Transition& t) {
       return is_resident(t.after, op.mm.id, op.range.first, op.range.end);
     })},
    {"populate_makes_present",
     "After MADV_POPULATE_READ every page of the range is in memory, and after MADV_POPULATE_WRITE "
     "writable.",
     promise(kEvery, "madvise(2), MADV_POPULATE_READ and MADV_POPULATE_WRITE"),
     "mm/gup.c: faultin_vma_page_range()",
     after<Populates>([]<class O>(const O& op, const Transition& t) {
       for (int page = op.range.first; page < op.range.end; ++page) {
         const Entry& entry = entry_of(t.after, op.mm.id, page);
         const bool open = entry.is_present() && entry.has(kWrite);
         const bool there = entry.is_present() || entry.is_zero();
         if (!(std::is_same_v<O, MadvisePopulateWrite> ? open : there)) return false;
       }
       return true;
     })},
};

}  // namespace thp
