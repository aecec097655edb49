// Who locks a folio, and who has used it.
#include "oracle/rules/certainties.h"

namespace thp {
namespace {

// Calls visit(mm, page, folio) for each mapping that locks a folio: a small page's PTE, a huge
// page's PMD; a huge page is never locked by PTEs. Stops where that says true, and says so.
template <class Visit>
bool some_lock(const Machine& m, Visit visit) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      for (int page = vma.start; vma.has(VM_LOCKED) && page < vma.end;) {
        const bool by_pmd = !m.pmd(mm, pmd_index(m, page)).is_table();
        const Pfn pfn = mapped_frame(m, mm, page);
        if (pfn != kNoPfn && by_pmd == folio_test_large(m, page_folio(m, pfn)))
          if (visit(mm, page, page_folio(m, pfn))) return true;
        page = by_pmd ? pmd_first(m, page) + m.hpage_nr() : page + 1;
      }
  return false;
}

}  // namespace

int count_locks_of(const Machine& m, Pfn folio) {
  int locks = 0;
  some_lock(m, [&](int, int, Pfn locked) {
    locks += locked == folio;
    return false;
  });
  return locks;
}

bool has_locks(const Machine& m, Pfn folio) {
  return some_lock(m, [&](int, int, Pfn locked) { return locked == folio; });
}

// mlock_count means something on the unevictable list only.
int counted_locks_of(const Machine& m, Pfn folio) {
  return test(m, folio, PG_unevictable) ? m.page(folio).mlock_count : 0;
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
