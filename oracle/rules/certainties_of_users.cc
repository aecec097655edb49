// Who locks a folio, and who has used it.
#include "oracle/rules/certainties.h"

namespace thp {
int count_locks_of(const Machine& m, Pfn folio) {
  int locks = 0;
  for_each_lock(m, [&](Pfn locked) { locks += locked == folio; });
  return locks;
}

// mlock_count means something on the unevictable list only.
int counted_locks_of(const Machine& m, Pfn folio) {
  const bool on_list = test(m, folio, PG_lru) && test(m, folio, PG_unevictable);
  return on_list ? m.page(folio).mlock_count : 0;
}

int count_users_of(const Machine& m, Pfn folio) {
  int users = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm)) {
      bool young = false;
      for (int page = vma.start; page < vma.end; ++page) {
        const Pfn pfn = mapped_frame(m, mm, page);
        young |= pfn != kNoPfn && page_folio(m, pfn) == folio && entry_of(m, mm, page).has(kYoung);
      }
      users += young;
    }
  return users;
}

}  // namespace thp
