// What locked VMAs mean for the pages that they map: told of mlock(), munlock(), and of reclaim.
#include <algorithm>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

// Calls visit(mm, page, folio) for each mapping that locks a folio: a small page's PTE, a huge
// page's PMD. By PTEs a huge page is never locked.
template <class Visit>
void for_each_lock(const Machine& m, Visit visit) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      for (int page = vma.start; vma.has(VM_LOCKED) && page < vma.end;) {
        const bool by_pmd = !m.pmd(mm, pmd_index(m, page)).is_table();
        const Pfn pfn = mapped_frame(m, mm, page);
        if (pfn != kNoPfn && by_pmd == folio_test_large(m, page_folio(m, pfn)))
          visit(mm, page, page_folio(m, pfn));
        page = by_pmd ? pmd_first(m, page) + m.hpage_nr() : page + 1;
      }
}

int count_locks(const Machine& m, Pfn folio) {
  int locks = 0;
  for_each_lock(m, [&](int, int, Pfn locked) { locks += locked == folio; });
  return locks;
}

// mlock_count means something on the unevictable list only.
int counted_locks(const Machine& m, Pfn folio) {
  return test(m, folio, PG_unevictable) ? m.page(folio).mlock_count : 0;
}

// PMDs by which a locked VMA maps the folio, and which are young.
std::uint16_t young_locks(const Machine& m, Pfn folio) {
  unsigned young = 0;
  for_each_lock(m, [&](int mm, int page, Pfn locked) {
    const int i = pmd_index(m, page);
    if (locked == folio && !m.pmd(mm, i).is_table() && m.pmd(mm, i).has(kYoung))
      young |= pmd_bit(mm, i);
  });
  return std::uint16_t(young);
}

}  // namespace

bool locked_by_pmd(const Machine& m, Pfn folio) {
  return folio_test_large(m, folio) && count_locks(m, folio) > 0;
}

// Locks that were set while the page was off the LRU were not counted, and stay so.
void expect_lock_count(const Machine& m, Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  if (pfn == kNoPfn || !test(m, page_folio(m, pfn), PG_lru)) return;
  const Pfn folio = page_folio(m, pfn);
  a.before = pfn;
  a.uncounted = count_locks(m, folio) - counted_locks(m, folio);
  a.expect(Then::locks_counted);
}

bool locks_counted(const Machine& m, const Answers& a) {
  if (mapped_frame(m, a.mm, a.first) != a.before) return true;
  const Pfn folio = page_folio(m, a.before);
  return counted_locks(m, folio) == std::max(0, count_locks(m, folio) - a.uncounted);
}

void expect_young_locks(const Machine& m, Pfn folio, Answers& a) {
  a.young = young_locks(m, folio);
  if (a.young != 0) a.expect(Then::locks_young);
}

bool locks_young(const Machine& m, const Answers& a) {
  return (a.young & ~young_locks(m, page_folio(m, a.before))) == 0;
}

// A small page that nobody but this VMA has locked, and all that are counted. A huge page below a
// page table is locked by the PMDs of others, if at all: these locks stay.
void expect_unlock(const Machine& m, int mm, int page, Answers& a) {
  const Vma* vma = m.mms[std::size_t(mm)].alive != 0 ? vma_at(m, mm, page) : nullptr;
  const Pfn pfn = mapped_frame(m, mm, page);
  if (vma == nullptr || !vma->has(VM_LOCKED) || pfn == kNoPfn) return;
  const Pfn folio = page_folio(m, pfn);
  if (!test(m, folio, PG_lru)) return;
  a.before = pfn;
  if (folio_test_large(m, folio)) {
    const bool by_pte = m.pmd(mm, pmd_index(m, page)).is_table();
    if (by_pte && has_locks(m, folio) && all_locks_counted(m, folio))
      a.expect(Then::unlocked_elsewhere);
    return;
  }
  if (count_locks(m, pfn) == 1 && counted_locks(m, pfn) == 1) a.expect(Then::unlocked_elsewhere);
}

bool unlocked_elsewhere(const Machine& m, const Answers& a) {
  const Pfn folio = page_folio(m, a.before);
  if (folio_test_large(m, folio)) return all_locks_counted(m, folio);
  const bool somebodys = is_mapped(m, a.before) && count_locks(m, a.before) == 0;
  return !somebodys || !test(m, a.before, PG_mlocked);
}

bool has_locks(const Machine& m, Pfn folio) { return count_locks(m, folio) > 0; }

bool all_locks_counted(const Machine& m, Pfn folio) {
  const int locks = count_locks(m, folio);
  return counted_locks(m, folio) == locks && (test(m, folio, PG_mlocked) || locks == 0);
}

bool locked_once(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  if (pfn == kNoPfn) return true;
  const Pfn folio = page_folio(m, pfn);
  return test(m, folio, PG_mlocked) && test(m, folio, PG_unevictable) &&
         m.page(folio).mlock_count == 1;
}

// The one failure there will be cannot meet the first page, which is there already.
bool survives_a_failure(const Machine& m, const Mlock& op) {
  const int mm = op.mm.id;
  if (m.inject != Injections{.fail_small_alloc = 1} || m.mms[std::size_t(mm)].alive == 0)
    return false;
  const Vma* vma = vma_at(m, mm, op.range.first);
  const Entry& entry = entry_of(m, mm, op.range.first);
  const bool writable = vma != nullptr && vma->has(VM_WRITE);
  return vma != nullptr && op.range.end <= vma->end && vma->has(VM_READ) && entry.is_present() &&
         entry.has(kWrite) == writable && int(m.vmas(mm).size()) + 2 <= map_count_limit(m) &&
         free_blocks(m) > op.range.size();
}

bool unlocked(const Machine& m, const Answers& a) {
  for (int page = a.first; page < a.end; ++page) {
    const Pfn pfn = mapped_frame(m, a.mm, page);
    if (pfn != kNoPfn && test(m, page_folio(m, pfn), PG_mlocked) &&
        count_locks(m, page_folio(m, pfn)) == 0)
      return false;
  }
  return true;
}

}  // namespace thp
