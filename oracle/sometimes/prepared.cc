// A look at every PTE of the machine. See prepared.h.
#include "oracle/sometimes/prepared.h"

#include <algorithm>

namespace thp {
namespace {

Prepared::Blocks bit_of(const Machine& m, Pfn pfn) {
  return Prepared::Blocks{1} << (pfn >> m.geometry.order);
}

// Where a walk of the reverse map over this VMA begins. v6.1 mm/internal.h: vma_address()
int walk_begins(const Machine& m, const Vma& vma, int page, Pfn pfn) {
  return std::max<int>(vma.start, page - (pfn - page_folio(m, pfn)));
}

bool is_behind_a_gap(const Machine& m, int mm, const Vma& vma, int page, Pfn pfn) {
  const int first = pmd_index(m, walk_begins(m, vma, page, pfn));
  return first < pmd_index(m, page) && m.pmd(mm, first).is_none();
}

void look_at_pte(const Machine& m, int mm, const Vma& vma, int page, Prepared& p) {
  const Entry pte = m.pte(mm, page);
  if (!pte.is_present() && !pte.is_migration()) return;
  if (!test(m, pte.frame, PG_head | PG_tail)) return;
  const Prepared::Blocks bit = bit_of(m, pte.frame);
  const bool gap = is_behind_a_gap(m, mm, vma, page, pte.frame);
  if (gap) (pte.is_present() ? p.behind_a_gap : p.migrating_behind_a_gap) |= bit;
  if (!pte.is_present()) return;
  p.below[Prepared::pmd(mm, pmd_index(m, page))] |= bit;
  const Pfn head = page_folio(m, pte.frame);
  if (m.compound(head).mapcount >= 0) return;
  if (!test(m, head, PG_swapbacked)) p.given_away |= bit;
  for (int i = 0; i < m.hpage_nr(); ++i)
    if (m.page(Pfn(head + i)).mapcount < 0) p.in_part |= bit;
}

}  // namespace

Prepared prepared(const Machine& m) {
  Prepared p;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm))
      for (int page = vma.start; page < vma.end; ++page)
        if (m.pmd(mm, pmd_index(m, page)).is_table()) look_at_pte(m, mm, vma, page, p);
  for (const Holder& holder : m.holders)
    if (holder.kind != HolderKind::none && holder.pfn < m.frames()) p.held |= bit_of(m, holder.pfn);
  return p;
}

}  // namespace thp
