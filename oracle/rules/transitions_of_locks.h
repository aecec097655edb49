// Rules about mlock(). Part of transitions.cc.
#pragma once
#include "oracle/rules/transitions.h"

namespace thp {

// Every page of the range is mapped and there, and a writable one unshared.
inline bool is_resident(const Machine& m, int mm, int first, int end) {
  for (const Vma& vma : m.vmas(mm)) {
    for (; vma.covers(first) && first < end; ++first) {
      const Entry& entry = entry_of(m, mm, first);
      const bool unshared = entry.is_present() && entry.has(kWrite);
      if (vma.has(VM_WRITE) ? !unshared : !entry.is_present() && !entry.is_zero()) return false;
    }
  }
  return first >= end;
}

inline constexpr OpRule kLockRules[] = {
    {"mlock_makes_resident",
     "After mlock() has succeeded every page of the range is in memory, and a writable one "
     "unshared.",
     promise(kEvery, "mlock(2), DESCRIPTION"), "mm/gup.c: populate_vma_page_range()",
     after<Mlock>([](const Mlock& op, const Transition& t) {
       return is_resident(t.after, op.mm.id, op.range.first, op.range.end);
     })},
};

}  // namespace thp
