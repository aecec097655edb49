// What is done to ranges of page tables: copying them at fork, zapping, freeing the tables.
// v6.1 mm/memory.c. Left out: locks, batching of the TLB flush (the gather puts its
// references when the range is done, as tlb_finish_mmu() would).
#include <algorithm>

#include "model/mm/memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// v6.1 mm/memory.c: copy_nonpresent_pte()
void copy_nonpresent_pte(Machine& m, int dst_mm, int src_mm, int page) {
  Entry entry = m.pte(src_mm, page);
  if (entry.is_swap()) {
    swap_duplicate(m, entry.frame);
    entry.bits &= std::uint8_t(~kExclusive);
    mmlist_add(m, dst_mm, src_mm);
    ++m.mms[std::size_t(dst_mm)].swap_entries;
  } else {
    entry.bits &= std::uint8_t(~(kWrite | kExclusive));
    ++m.mms[std::size_t(dst_mm)].anon_pages;
  }
  m.set_pte(src_mm, page, entry);
  m.set_pte(dst_mm, page, entry);
}

// v6.1 mm/memory.c: copy_present_page(), page_copy_prealloc(). false: no memory.
bool copy_present_page(Machine& m, int dst_mm, const Vma& dst, int page, Pfn from) {
  const Pfn copy = alloc_page(m);
  if (copy == kNoPfn) return false;
  if (!mem_cgroup_charge(m, copy)) {
    put_page(m, copy);
    return false;
  }
  m.page(copy).content = m.page(from).content;
  set(m, copy, PG_uptodate);
  page_add_new_anon_rmap(m, copy, dst, page, false);
  lru_cache_add_inactive_or_unevictable(m, copy, dst);
  ++m.mms[std::size_t(dst_mm)].anon_pages;
  const auto write = std::uint8_t(dst.has(VM_WRITE) ? kWrite : 0);
  m.set_pte(dst_mm, page, {EntryKind::present, std::uint8_t(kYoung | kMkDirty | write), copy});
  return true;
}

// v6.1 mm/memory.c: copy_present_pte(). A page that may be pinned is copied at once.
bool copy_present_pte(Machine& m, int dst_mm, int src_mm, const Vma& dst, int page) {
  Entry entry = m.pte(src_mm, page);
  if (entry.is_present()) {
    get_page(m, entry.frame);
    if (is_file_page(m, entry.frame)) {
      page_dup_file_rmap(m, entry.frame);
      ++m.mms[std::size_t(dst_mm)].shmem_pages;
      m.set_pte(dst_mm, page, {entry.kind, std::uint8_t(entry.bits & ~kYoung), entry.frame});
      return true;
    }
    if (!page_try_dup_anon_rmap(m, entry.frame, false, src_mm)) {
      put_page(m, entry.frame);
      return copy_present_page(m, dst_mm, dst, page, entry.frame);
    }
    ++m.mms[std::size_t(dst_mm)].anon_pages;
  }
  if (entry.has(kWrite)) {
    entry.bits &= std::uint8_t(~kWrite);
    m.set_pte(src_mm, page, entry);
  }
  entry.bits &= std::uint8_t(~kYoung);
  m.set_pte(dst_mm, page, entry);
  return true;
}

// v6.1 mm/memory.c: copy_pte_range()
bool copy_pte_range(Machine& m, int dst_mm, int src_mm, const Vma& dst, int start, int end) {
  pte_alloc(m, dst_mm, pmd_index(m, start));
  for (int page = start; page < end; ++page) {
    const Entry& entry = m.pte(src_mm, page);
    if (entry.is_none()) continue;
    if (entry.is_swap() || entry.is_migration())
      copy_nonpresent_pte(m, dst_mm, src_mm, page);
    else if (!copy_present_pte(m, dst_mm, src_mm, dst, page))
      return false;
  }
  return true;
}

// zap_pte_range() of a page of a file: what the entry knew the page knows from now on.
void zap_file_pte(Machine& m, int mm, Entry entry) {
  const Pfn folio = page_folio(m, entry.frame);
  if (entry.has(kDirty)) folio_mark_dirty(m, folio);
  if (entry.has(kYoung)) folio_mark_accessed(m, folio);
  --m.mms[std::size_t(mm)].shmem_pages;
}

// v6.1 mm/memory.c: zap_pte_range()
void zap_pte(Machine& m, int mm, const Vma& vma, int page, bool even_cows) {
  const Entry entry = m.pte(mm, page);
  if (entry.is_none()) return;
  const bool of_the_file = entry.is_present() && is_file_page(m, entry.frame);
  if (!even_cows && !of_the_file) return;
  Mm& space = m.mms[std::size_t(mm)];
  m.set_pte(mm, page, {});
  if (entry.is_present()) {
    if (of_the_file)
      zap_file_pte(m, mm, entry);
    else
      --space.anon_pages;
    page_remove_rmap(m, entry.frame, vma, false);
    vm_bug_on(m, page_mapcount(m, entry.frame) < 0, "zap_pte_range: page_mapcount() < 0");
    m.gather.push_back(entry.frame);
  } else if (entry.is_swap()) {
    --space.swap_entries;
    free_swap_and_cache(m, entry.frame);
  } else if (entry.is_migration()) {
    --space.anon_pages;
  }
}

// v6.1 mm/mmu_gather.c: tlb_finish_mmu(); mm/swap_state.c: free_pages_and_swap_cache()
void tlb_finish_mmu(Machine& m) {
  for (const Pfn pfn : m.gather) free_swap_cache(m, pfn);
  for (const Pfn pfn : m.gather) put_page(m, pfn);
  m.gather.clear();
}

}  // namespace

// v6.1 mm/memory.c: copy_page_range(), copy_pmd_range()
bool copy_page_range(Machine& m, int dst_mm, int src_mm, Vma& dst, Vma& src) {
  for (int page = src.start; page < src.end;) {
    const int i = pmd_index(m, page);
    const int next = std::min((i + 1) << m.geometry.order, int(src.end));
    const Entry& pmd = m.pmd(src_mm, i);
    const bool huge = !pmd.is_none() && !pmd.is_table();
    const bool copied = huge && copy_huge_pmd(m, dst_mm, src_mm, i, dst, src);
    if (!copied && m.pmd(src_mm, i).is_table() &&
        !copy_pte_range(m, dst_mm, src_mm, dst, page, next))
      return false;
    page = next;
  }
  return true;
}

// v6.1 mm/memory.c: unmap_page_range(), zap_pmd_range()
void zap_page_range(Machine& m, int mm, const Vma& vma, int start, int end, bool even_cows) {
  for (int page = start; page < end;) {
    const int i = pmd_index(m, page);
    const int next = std::min((i + 1) << m.geometry.order, end);
    const Entry& pmd = m.pmd(mm, i);
    const bool huge = !pmd.is_none() && !pmd.is_table();
    if (huge && next - page == m.hpage_nr())
      zap_huge_pmd(m, mm, vma, i);
    else if (huge)
      split_huge_pmd(m, mm, vma, page);
    if (m.pmd(mm, i).is_table())
      for (int p = page; p < next; ++p) zap_pte(m, mm, vma, p, even_cows);
    page = next;
  }
  tlb_finish_mmu(m);
}

// v6.1 mm/memory.c: free_pgtables(). Floor and ceiling come to this: the table of a block goes when
// no VMA reaches into the block any more.
void free_pgtables(Machine& m, int mm) {
  for (int i = 0; i < m.geometry.pmds; ++i) {
    const int first = i << m.geometry.order;
    const auto reaches = [&](const Vma& vma) {
      return vma.start < first + m.hpage_nr() && vma.end > first;
    };
    if (!m.pmd(mm, i).is_table() || std::ranges::any_of(m.vmas(mm), reaches)) continue;
    m.set_pmd(mm, i, {});
    --m.mms[std::size_t(mm)].nr_ptes;
  }
}

}  // namespace thp
