// Huge PMDs: eligibility, faults, the huge zero page, and what fork, zap, mprotect, mremap and
// MADV_FREE do to a whole one. v6.1 mm/huge_memory.c.
// Left out: DAX and device PMDs, userfaultfd, NUMA hinting; page tables never fail to
// allocate.
#include "model/mm/huge_memory.h"

#include "model/mm/memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/swap.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

// v6.1 mm/huge_memory.c: get_huge_zero_page(). Two users: the caller's mm and the shrinker.
bool get_huge_zero_page(Machine& m) {
  if (m.huge_zero_refcount > 0) {
    ++m.huge_zero_refcount;
    return true;
  }
  const Pfn page = alloc_huge_zero(m);
  if (page == kNoPfn) {
    count_vm_event(m, Event::thp_zero_page_alloc_failed);
    return false;
  }
  m.huge_zero_page = page;
  m.huge_zero_refcount = 2;
  count_vm_event(m, Event::thp_zero_page_alloc);
  return true;
}

void zap_deposited_table(Machine& m, int mm) {
  pgtable_trans_huge_withdraw(m, mm);
  --m.mms[std::size_t(mm)].nr_ptes;
}

// v6.1 mm/huge_memory.c: __do_huge_pmd_anonymous_page()
Fault map_new_huge_page(Machine& m, int mm, Vma& vma, int page, Pfn folio) {
  if (!mem_cgroup_charge(m, folio)) {
    put_page(m, folio);
    count_vm_event(m, Event::thp_fault_fallback);
    count_vm_event(m, Event::thp_fault_fallback_charge);
    return Fault::fallback;
  }
  set(m, folio, PG_uptodate);
  const auto bits = std::uint8_t(kYoung | kMkDirty | maybe_mkwrite(vma));
  page_add_new_anon_rmap(m, folio, vma, pmd_first(m, page), true);
  lru_cache_add_inactive_or_unevictable(m, folio, vma);
  pgtable_trans_huge_deposit(m, mm);
  m.set_pmd(mm, pmd_index(m, page), {EntryKind::present, bits, folio});
  m.mms[std::size_t(mm)].anon_pages += m.hpage_nr();
  ++m.mms[std::size_t(mm)].nr_ptes;
  count_vm_event(m, Event::thp_fault_alloc);
  return Fault::done;
}

}  // namespace

// v6.1 mm/huge_memory.c: hugepage_vma_check(), for anonymous VMAs. Outside a page fault it looks at
// the last block of the VMA only.
bool hugepage_vma_check(const Machine& m, int mm, const Vma& vma, bool in_pf, bool enforce_sysfs) {
  if (vma.has(VM_NOHUGEPAGE) || m.mms[std::size_t(mm)].thp_disabled != 0) return false;
  if (!in_pf && !transhuge_vma_suitable(m, vma, vma.end - m.hpage_nr())) return false;
  if (enforce_sysfs && m.enabled == Enabled::never) return false;
  if (enforce_sysfs && m.enabled == Enabled::madvise && !vma.has(VM_HUGEPAGE)) return false;
  return in_pf || vma.anon_vma != kNoAnonVma;
}

// v6.1 include/linux/huge_mm.h: transhuge_vma_suitable(). A file's pages must come to lie on the
// pages of a PMD.
bool transhuge_vma_suitable(const Machine& m, const Vma& vma, int page) {
  const int first = pmd_first(m, page);
  if (!vma.is_anonymous() && ((vma.start - vma.pgoff) & (m.hpage_nr() - 1)) != 0) return false;
  return first >= vma.start && first + m.hpage_nr() <= vma.end;
}

// v6.1 mm/pgtable-generic.c: pgtable_trans_huge_deposit()
void pgtable_trans_huge_deposit(Machine& m, int mm) { ++m.mms[std::size_t(mm)].deposits; }

// v6.1 mm/pgtable-generic.c: pgtable_trans_huge_withdraw()
void pgtable_trans_huge_withdraw(Machine& m, int mm) {
  vm_bug_on(m, m.mms[std::size_t(mm)].deposits == 0, "pgtable_trans_huge_withdraw: none deposited");
  --m.mms[std::size_t(mm)].deposits;
}

// v6.1 mm/huge_memory.c: do_huge_pmd_anonymous_page(). A sequential machine never finds the PMD
// taken meanwhile, nor an unstable address space.
Fault do_huge_pmd_anonymous_page(Machine& m, int mm, Vma& vma, int page, bool write) {
  if (!transhuge_vma_suitable(m, vma, page)) return Fault::fallback;
  if (!anon_vma_prepare(m, mm, vma)) return Fault::oom;
  if (!write && m.use_zero_page) {
    if (!mm_get_huge_zero_page(m, mm)) {
      count_vm_event(m, Event::thp_fault_fallback);
      return Fault::fallback;
    }
    set_huge_zero_page(m, mm, pmd_index(m, page));
    return Fault::done;
  }
  const Pfn folio = alloc_huge(m);
  if (folio == kNoPfn) {
    count_vm_event(m, Event::thp_fault_fallback);
    return Fault::fallback;
  }
  return map_new_huge_page(m, mm, vma, page, folio);
}

// v6.1 mm/huge_memory.c: do_huge_pmd_wp_page(). Any reference too many means: split, let the PTE
// path copy one page. A contended page lock is waited for, so contention changes nothing here.
Fault do_huge_pmd_wp_page(Machine& m, int mm, Vma& vma, int page, bool unshare) {
  const int i = pmd_index(m, page);
  vm_bug_on(m, vma.anon_vma == kNoAnonVma, "do_huge_pmd_wp_page: no anon_vma");
  const auto fallback = [&] {
    split_huge_pmd(m, mm, vma, page);
    return Fault::fallback;
  };
  if (m.pmd(mm, i).is_zero()) return fallback();
  const Pfn folio = m.pmd(mm, i).frame;
  if (!test(m, folio, PG_anon_exclusive)) {
    if (!trylock_page(m, folio)) {
      get_page(m, folio);
      lock_page(m, folio);
      put_page(m, folio);
    }
    const int cache_refs = folio_test_swapcache(m, folio) ? m.hpage_nr() : 0;
    const bool maybe_ours = page_count(m, folio) <= 1 + cache_refs;
    if (maybe_ours && cache_refs > 0) folio_free_swap(m, folio);
    const bool ours = maybe_ours && page_count(m, folio) == 1;
    if (ours) page_move_anon_rmap(m, folio, vma);
    unlock_page(m, folio);
    if (!ours) return fallback();
  }
  if (unshare) return Fault::done;
  Entry entry = m.pmd(mm, i);
  entry.bits |= std::uint8_t(kYoung | kMkDirty | maybe_mkwrite(vma));
  m.set_pmd(mm, i, entry);
  return Fault::done;
}

// v6.1 mm/huge_memory.c: huge_pmd_set_accessed(), touch_pmd(). On x86 pmdp_set_access_flags()
// stores the entry for writes only: the processor itself marks it young.
void huge_pmd_set_accessed(Machine& m, int mm, int page, bool write) {
  if (!write) return;
  Entry entry = m.pmd(mm, pmd_index(m, page));
  entry.bits |= kYoung | kMkDirty;
  m.set_pmd(mm, pmd_index(m, page), entry);
}

// v6.1 mm/huge_memory.c: mm_get_huge_zero_page(). Counted per address space, not per mapping.
bool mm_get_huge_zero_page(Machine& m, int mm) {
  if (m.mms[std::size_t(mm)].huge_zero_page) return true;
  if (!get_huge_zero_page(m)) return false;
  m.mms[std::size_t(mm)].huge_zero_page = 1;
  return true;
}

// v6.1 mm/huge_memory.c: mm_put_huge_zero_page(), put_huge_zero_page()
void mm_put_huge_zero_page(Machine& m, int mm) {
  if (!m.mms[std::size_t(mm)].huge_zero_page) return;
  m.mms[std::size_t(mm)].huge_zero_page = 0;
  --m.huge_zero_refcount;
  vm_bug_on(m, m.huge_zero_refcount == 0, "put_huge_zero_page: only the shrinker reaches zero");
}

// v6.1 mm/huge_memory.c: shrink_huge_zero_page_scan()
int shrink_huge_zero_page(Machine& m) {
  if (m.huge_zero_refcount != 1) return 0;
  const Pfn page = m.huge_zero_page;
  m.huge_zero_refcount = 0;
  m.huge_zero_page = kNoPfn;
  put_page(m, page);
  return m.hpage_nr();
}

// v6.1 mm/huge_memory.c: set_huge_zero_page()
void set_huge_zero_page(Machine& m, int mm, int pmd) {
  pgtable_trans_huge_deposit(m, mm);
  m.set_pmd(mm, pmd, {EntryKind::zero, kYoung, m.huge_zero_page});
  ++m.mms[std::size_t(mm)].nr_ptes;
}

// v6.1 mm/huge_memory.c: copy_huge_pmd(). The pinned test looks at the whole folio. Of a file the
// child gets nothing: a fault brings it back.
bool copy_huge_pmd(Machine& m, int dst_mm, int src_mm, int i, Vma&, Vma& src) {
  if (!src.is_anonymous()) return true;
  Entry entry = m.pmd(src_mm, i);
  if (entry.is_migration()) {
    entry.bits &= std::uint8_t(~(kWrite | kExclusive));
    m.set_pmd(src_mm, i, entry);
    m.set_pmd(dst_mm, i, entry);
    m.mms[std::size_t(dst_mm)].anon_pages += m.hpage_nr();
  } else {
    if (entry.is_zero()) {
      mm_get_huge_zero_page(m, dst_mm);
    } else {
      get_page(m, entry.frame);
      if (!page_try_dup_anon_rmap(m, entry.frame, true, src_mm)) {
        put_page(m, entry.frame);
        split_huge_pmd(m, src_mm, src, i << m.geometry.order);
        return false;
      }
      m.mms[std::size_t(dst_mm)].anon_pages += m.hpage_nr();
    }
    entry.bits &= std::uint8_t(~kWrite);
    m.set_pmd(src_mm, i, entry);
    entry.bits &= std::uint8_t(~kYoung);
    m.set_pmd(dst_mm, i, entry);
  }
  ++m.mms[std::size_t(dst_mm)].nr_ptes;
  pgtable_trans_huge_deposit(m, dst_mm);
  return true;
}

// v6.1 mm/huge_memory.c: zap_huge_pmd(). The reference of a present PMD waits in the gather. Of a
// file the young bit is lost.
void zap_huge_pmd(Machine& m, int mm, const Vma& vma, int i) {
  const Entry entry = m.pmd(mm, i);
  m.set_pmd(mm, i, {});
  if (entry.is_present()) {
    page_remove_rmap(m, entry.frame, vma, true);
    vm_bug_on(m, page_mapcount(m, entry.frame) < 0, "zap_huge_pmd: page_mapcount() < 0");
    m.gather.push_back(entry.frame);
  }
  if (!vma.is_anonymous()) {
    m.mms[std::size_t(mm)].shmem_pages -= m.hpage_nr();
    if (entry.has(kDirty)) folio_mark_dirty(m, entry.frame);
    return;
  }
  if (!entry.is_zero()) m.mms[std::size_t(mm)].anon_pages -= m.hpage_nr();
  zap_deposited_table(m, mm);
}

// v6.1 mm/huge_memory.c: change_huge_pmd(), without NUMA and userfaultfd. A writable migration
// entry becomes a readable-exclusive one. What is shared is as its protection says.
void change_huge_pmd(Machine& m, int mm, const Vma& vma, int i) {
  Entry entry = m.pmd(mm, i);
  if (entry.is_migration()) {
    if (entry.has(kWrite)) entry.bits = std::uint8_t((entry.bits & ~kWrite) | kExclusive);
  } else {
    entry.bits &= std::uint8_t(~kWrite);
    if (vma.prot_write) entry.bits |= kWrite;
  }
  m.set_pmd(mm, i, entry);
}

// v6.1 mm/huge_memory.c: move_huge_pmd(), move_soft_dirty_pmd(). false: not a huge PMD. The deposit
// stays: both PMDs lie in one table here.
bool move_huge_pmd(Machine& m, int mm, int old_pmd, int new_pmd) {
  Entry entry = m.pmd(mm, old_pmd);
  if (entry.is_none() || entry.is_table()) return false;
  vm_bug_on(m, !m.pmd(mm, new_pmd).is_none(), "move_huge_pmd: the new PMD is not empty");
  m.set_pmd(mm, old_pmd, {});
  entry.bits |= kSoftDirty;
  m.set_pmd(mm, new_pmd, entry);
  return true;
}

// v6.1 mm/huge_memory.c: madvise_free_huge_pmd(). true: nothing is left to do for this PMD; false:
// go on by PTEs, if there are any now.
bool madvise_free_huge_pmd(Machine& m, int mm, const Vma&, int page, int end) {
  const int i = pmd_index(m, page);
  Entry entry = m.pmd(mm, i);
  if (!entry.is_present()) return false;
  const Pfn folio = entry.frame;
  if (total_mapcount(m, folio) != 1 || !trylock_page(m, folio)) return false;
  if (end - page != m.hpage_nr()) {
    get_page(m, folio);
    split_huge_page(m, folio);
    unlock_page(m, folio);
    put_page(m, folio);
    return false;
  }
  // See defects.h. The trace ends early where nobody has swap entries for it.
  if (folio_test_swapcache(m, folio)) m.defect = &kLazyfreeOfASwappedPage;
  clear(m, folio, PG_dirty);
  unlock_page(m, folio);
  entry.bits &= std::uint8_t(~(kYoung | kDirty));
  m.set_pmd(mm, i, entry);
  mark_page_lazyfree(m, folio);
  return true;
}

}  // namespace thp
