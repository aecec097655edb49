// Faults on mappings of files, and their unmapping from the file's side. v6.1 mm/memory.c,
// mm/filemap.c, mm/shmem.c. Left out: page_mkwrite(), which memory's files have not.
#include <algorithm>

#include "model/mm/filemap.h"
#include "model/mm/memory.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"
#include "model/mm/shmem.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

constexpr int kFaultAroundPages = 16;  // fault_around_bytes

// v6.1 mm/memory.c: do_fault_around(). As many pages wherever the VMA lets it begin.
bool do_fault_around(Machine& m, int mm, const Vma& vma, int page) {
  const int around = page & ~(kFaultAroundPages - 1), block = pmd_first(m, page);
  const int start = std::max({around, int(vma.start), block});
  const int end = std::min({start + kFaultAroundPages, int(vma.end), block + m.hpage_nr()});
  return filemap_map_pages(m, mm, vma, start, end, page);
}

// v6.1 mm/shmem.c: shmem_fault()
ShmemFolio shmem_fault(Machine& m, int mm, const Vma& vma, int page) {
  const int index = vma.index_of(page);
  if (index >= m.pages()) return {kNoPfn, -EINVAL};  // no file is that long
  return shmem_get_folio(m, vma.file, index, Sgp::cache, mm, &vma);
}

// v6.1 mm/memory.c: fault_dirty_shared_page(). The folio is locked.
void fault_dirty_shared_page(Machine& m, Pfn folio) {
  folio_mark_dirty(m, folio);
  unlock_page(m, folio);
}

// v6.1 mm/memory.c: do_cow_fault(). The file gets its page, too.
Fault do_cow_fault(Machine& m, int mm, Vma& vma, int page) {
  const Pfn copy = anon_vma_prepare(m, mm, vma) ? new_anon_page(m, 0) : kNoPfn;
  if (copy == kNoPfn) return Fault::oom;
  const auto [folio, error] = shmem_fault(m, mm, vma, page);
  if (error != 0) {
    put_page(m, copy);
    return error == -ENOMEM ? Fault::oom : Fault::sigbus;
  }
  m.page(copy).content = m.page(folio_file_page(m, folio, vma.index_of(page))).content;
  pte_alloc(m, mm, pmd_index(m, page));
  ++m.mms[std::size_t(mm)].anon_pages;
  const auto bits = std::uint8_t(kYoung | kMkDirty | maybe_mkwrite(vma));
  map_new_anon_page(m, mm, vma, page, copy, bits);
  unlock_and_put(m, folio);
  return Fault::done;
}

// v6.1 mm/memory.c: finish_fault(), of the page itself. It takes over the caller's reference.
void finish_fault(Machine& m, int mm, const Vma& vma, int page, Pfn folio, bool write) {
  const bool none = m.pmd(mm, pmd_index(m, page)).is_none();
  if (none && folio_test_large(m, folio) && do_set_pmd(m, mm, vma, page, folio, write)) return;
  pte_alloc(m, mm, pmd_index(m, page));
  do_set_pte(m, mm, vma, page, folio_file_page(m, folio, vma.index_of(page)), write);
}

}  // namespace

// x86 has no old entries: the protection says young. A touch that does not store maps writable what
// the protection allows, and clean.
static std::uint8_t bits_of_new_entry(const Vma& vma, bool write) {
  const int bits = kYoung | (vma.prot_write ? kWrite : 0);
  return std::uint8_t(write ? bits | kMkDirty | maybe_mkwrite(vma) : bits);
}

// v6.1 mm/memory.c: do_set_pte()
void do_set_pte(Machine& m, int mm, const Vma& vma, int page, Pfn pfn, bool write) {
  ++m.mms[std::size_t(mm)].shmem_pages;
  page_add_file_rmap(m, pfn, vma, false);
  m.set_pte(mm, page, {EntryKind::present, bits_of_new_entry(vma, write), pfn});
}

// v6.1 mm/memory.c: do_set_pmd(). false: go on by PTEs. Nobody deposits a page table.
bool do_set_pmd(Machine& m, int mm, const Vma& vma, int page, Pfn folio, bool write) {
  if (!transhuge_vma_suitable(m, vma, page) || !folio_test_large(m, folio)) return false;
  m.mms[std::size_t(mm)].shmem_pages += m.hpage_nr();
  page_add_file_rmap(m, folio, vma, true);
  m.set_pmd(mm, pmd_index(m, page), {EntryKind::present, bits_of_new_entry(vma, write), folio});
  count_vm_event(m, Event::thp_file_mapped);
  return true;
}

// v6.1 mm/memory.c: do_fault(), do_read_fault(), do_shared_fault()
Fault do_fault(Machine& m, int mm, Vma& vma, int page, bool write) {
  if (write && !vma.has(VM_SHARED)) return do_cow_fault(m, mm, vma, page);
  if (!write && do_fault_around(m, mm, vma, page)) return Fault::done;
  const auto [folio, error] = shmem_fault(m, mm, vma, page);
  if (error != 0) return error == -ENOMEM ? Fault::oom : Fault::sigbus;
  finish_fault(m, mm, vma, page, folio, write);
  if (write)
    fault_dirty_shared_page(m, folio);
  else
    unlock_page(m, folio);
  return Fault::done;
}

// v6.1 mm/memory.c: wp_page_shared()
Fault wp_page_shared(Machine& m, int mm, Vma& vma, int page) {
  const Pfn folio = page_folio(m, m.pte(mm, page).frame);
  get_page(m, folio);
  wp_page_reuse(m, mm, vma, page);
  lock_page(m, folio);
  fault_dirty_shared_page(m, folio);
  put_page(m, folio);
  return Fault::done;
}

// v6.1 mm/memory.c: unmap_mapping_range(), unmap_mapping_range_tree()
void unmap_mapping_range(Machine& m, int inode, int start, int end, bool even_cows) {
  const auto is_in_tree = [&](const Vma& vma) { return vma.file == inode; };
  interval_tree_foreach(m, start, end, is_in_tree, &Vma::file_turn, [&](int mm, const Vma& vma) {
    const int shift = vma.start - vma.pgoff;
    zap_page_range(m, mm, vma, std::max<int>(start + shift, vma.start),
                   std::min<int>(end + shift, vma.end), even_cows);
    return true;
  });
}

}  // namespace thp
