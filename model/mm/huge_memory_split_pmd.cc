// Splitting a PMD: one huge mapping becomes a page table; the folio stays whole.
// v6.1 mm/huge_memory.c. It can't fail; pins only forbid what `freeze` asks for.
#include "model/mm/huge_memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// v6.1 mm/huge_memory.c: __split_huge_zero_page_pmd(). See defects.h: the PTEs are not soft-dirty.
void split_huge_zero_page_pmd(Machine& m, int mm, const Vma& vma, int i) {
  const int first = i << m.geometry.order;
  if (m.pmd(mm, i).has(kSoftDirty) && !vma.has(VM_SOFTDIRTY))
    m.strikes.add(kSplitZeroPageIsSoftClean, mm, first, first + m.hpage_nr());
  for (int p = 0; p < m.hpage_nr(); ++p)
    m.set_pte(mm, first + p, {EntryKind::zero, kYoung, m.zero_pfn()});
}

// v6.1 mm/huge_memory.c: __split_huge_pmd_locked() of a file: no PTEs, faults bring them. What the
// PMD knew the folio knows from now on.
void unmap_file_pmd(Machine& m, int mm, const Vma& vma, int i) {
  const Entry old = m.pmd(mm, i);
  const int first = i << m.geometry.order;
  m.set_pmd(mm, i, {});
  if (old.has(kSoftDirty) && !vma.has(VM_SOFTDIRTY))
    m.strikes.add(kUnmappedFilePageIsSoftClean, mm, first, first + m.hpage_nr());
  if (old.has(kDirty)) folio_mark_dirty(m, old.frame);
  if (old.has(kYoung)) set(m, old.frame, PG_referenced);
  page_remove_rmap(m, old.frame, vma, true);
  m.mms[std::size_t(mm)].shmem_pages -= m.hpage_nr();
  put_page(m, old.frame);
}

// The PTEs of a PMD migration entry are like it.
void split_migration_pmd(Machine& m, int mm, int i) {
  const Entry old = m.pmd(mm, i);
  for (int p = 0; p < m.hpage_nr(); ++p)
    m.set_pte(mm, (i << m.geometry.order) + p, {old.kind, old.bits, Pfn(old.frame + p)});
}

// One PTE of a split PMD that was `old`. 6.1 does not carry the dirty bit over to a present PTE:
// the head has it.
Entry pte_of_split(const Entry& old, int p, bool freeze, bool exclusive) {
  const Pfn pfn = Pfn(old.frame + p);
  if (!freeze) return {EntryKind::present, std::uint8_t(old.bits & ~kDirty), pfn};
  const std::uint8_t kept = old.bits & (kWrite | kYoung | kDirty | kSoftDirty);
  const bool readable_exclusive = exclusive && !old.has(kWrite);
  return {EntryKind::migration, std::uint8_t(kept | (readable_exclusive ? kExclusive : 0)), pfn};
}

// v6.1 mm/huge_memory.c: __split_huge_pmd_locked(), a present anonymous PMD. With `freeze` the PTEs
// are migration entries, unless the folio is exclusive and pinned.
void split_present_pmd(Machine& m, int mm, const Vma& vma, int i, bool freeze) {
  const Entry old = m.pmd(mm, i);
  const Pfn head = old.frame;
  if (old.has(kDirty)) set(m, head, PG_dirty);
  page_ref_add(m, head, m.hpage_nr() - 1);
  const bool exclusive = test(m, head, PG_anon_exclusive);
  if (freeze && exclusive && !page_try_share_anon_rmap(m, head)) freeze = false;
  for (int p = 0; p < m.hpage_nr(); ++p) {
    if (exclusive && !freeze) set(m, Pfn(head + p), PG_anon_exclusive);
    m.set_pte(mm, (i << m.geometry.order) + p, pte_of_split(old, p, freeze, exclusive));
  }
  rmap_split_pmd(m, head);
  munlock_vma_page(m, head, vma, true);
  if (!freeze) return;
  for (int p = 0; p < m.hpage_nr(); ++p) {
    page_remove_rmap(m, Pfn(head + p), vma, false);
    put_page(m, head);
  }
}

}  // namespace

// v6.1 mm/huge_memory.c: __split_huge_pmd()
void split_huge_pmd(Machine& m, int mm, const Vma& vma, int page, bool freeze, Pfn folio) {
  const int i = pmd_index(m, page);
  const Entry old = m.pmd(mm, i);
  vm_bug_on(m, freeze && folio == kNoPfn, "__split_huge_pmd: freeze without a folio");
  if (old.is_none() || old.is_table()) return;
  if (folio != kNoPfn && (old.is_migration() || old.frame != folio)) return;
  vm_bug_on(m, !transhuge_vma_suitable(m, vma, page), "__split_huge_pmd: the PMD leaves its VMA");
  count_vm_event(m, Event::thp_split_pmd);
  if (!vma.is_anonymous()) return unmap_file_pmd(m, mm, vma, i);
  if (old.is_zero())
    split_huge_zero_page_pmd(m, mm, vma, i);
  else if (old.is_migration())
    split_migration_pmd(m, mm, i);
  else
    split_present_pmd(m, mm, vma, i, freeze);
  pgtable_trans_huge_withdraw(m, mm);
  m.set_pmd(mm, i, {EntryKind::table, 0, 0});
}

namespace {

// v6.1 mm/huge_memory.c: split_huge_pmd_if_needed()
void split_huge_pmd_if_needed(Machine& m, int mm, const Vma& vma, int page) {
  const bool aligned = pmd_first(m, page) == page;
  if (!aligned && transhuge_vma_suitable(m, vma, page)) split_huge_pmd(m, mm, vma, page);
}

}  // namespace

// v6.1 mm/huge_memory.c: vma_adjust_trans_huge(). Where a VMA's edge is about to move into a huge
// PMD, the PMD is split first. `adjust_next`: pages by which the next VMA's start moves up.
void vma_adjust_trans_huge(Machine& m, int mm, const Vma& vma, int start, int end,
                           int adjust_next) {
  split_huge_pmd_if_needed(m, mm, vma, start);
  split_huge_pmd_if_needed(m, mm, vma, end);
  if (adjust_next <= 0) return;
  const Vma* next = find_vma(m, mm, vma.end);
  if (next != nullptr) split_huge_pmd_if_needed(m, mm, *next, next->start + adjust_next);
}

}  // namespace thp
