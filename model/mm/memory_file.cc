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

// v6.1 mm/memory.c: do_set_pte(). x86 has no old entries: the protection says young. A touch that
// does not store maps writable what the protection allows, and clean.
void do_set_pte(Machine& m, int mm, const Vma& vma, int page, Pfn pfn, bool write) {
  std::uint8_t bits = kYoung | (vma.prot_write ? kWrite : 0);
  if (write) bits |= kMkDirty | (vma.has(VM_WRITE) ? kWrite : 0);
  ++m.mms[std::size_t(mm)].shmem_pages;
  page_add_file_rmap(m, pfn, vma);
  m.set_pte(mm, page, {EntryKind::present, bits, pfn});
}

// v6.1 mm/filemap.c: next_uptodate_page(). The folio behind the index, if it can be mapped as it
// is: locked, and with a reference.
Pfn map_page(Machine& m, int inode, int index) {
  if (index >= m.pages() || index >= m.inodes[std::size_t(inode)].i_size) return kNoPfn;
  const Cell cell = m.cell(inode, index);
  if (!cell.is_folio() || test(m, cell.frame, PG_locked)) return kNoPfn;
  if (!test(m, cell.frame, PG_uptodate) || !trylock_page(m, cell.frame)) return kNoPfn;
  get_page(m, cell.frame);
  return cell.frame;
}

// v6.1 mm/memory.c: do_fault_around(); mm/filemap.c: filemap_map_pages(). Maps what is in the page
// cache around the page. true: the page itself, too.
bool do_fault_around(Machine& m, int mm, const Vma& vma, int page) {
  const int around = page & ~(kFaultAroundPages - 1);
  const int first = std::max({around, int(vma.start), pmd_first(m, page)});
  const int end =
      std::min({first + kFaultAroundPages, int(vma.end), pmd_first(m, page) + m.hpage_nr()});
  bool mapped = false;
  for (int p = first; p < end; ++p) {
    const Pfn pfn = map_page(m, vma.file, vma.index_of(p));
    if (pfn == kNoPfn) continue;
    pte_alloc(m, mm, pmd_index(m, page));
    unlock_page(m, pfn);
    if (!m.pte(mm, p).is_none()) {
      put_page(m, pfn);
      continue;
    }
    do_set_pte(m, mm, vma, p, pfn, false);
    mapped = mapped || p == page;
  }
  return mapped;
}

// v6.1 mm/shmem.c: shmem_fault()
ShmemFolio shmem_fault(Machine& m, const Vma& vma, int page) {
  const int index = vma.index_of(page);
  if (index >= m.pages()) return {kNoPfn, -EINVAL};  // no file is that long
  return shmem_get_folio(m, vma.file, index, Sgp::cache);
}

// v6.1 mm/memory.c: fault_dirty_shared_page(). The folio is locked.
void fault_dirty_shared_page(Machine& m, Pfn folio) {
  folio_mark_dirty(m, folio);
  unlock_page(m, folio);
}

}  // namespace

// v6.1 mm/memory.c: do_cow_fault(). The file gets its page, too.
static Fault do_cow_fault(Machine& m, int mm, Vma& vma, int page) {
  const Pfn copy = anon_vma_prepare(m, mm, vma) ? new_anon_page(m, 0) : kNoPfn;
  if (copy == kNoPfn) return Fault::oom;
  const auto [folio, error] = shmem_fault(m, vma, page);
  if (error != 0) {
    put_page(m, copy);
    return error == -ENOMEM ? Fault::oom : Fault::sigbus;
  }
  m.page(copy).content = m.page(folio).content;
  pte_alloc(m, mm, pmd_index(m, page));
  ++m.mms[std::size_t(mm)].anon_pages;
  const std::uint8_t write = vma.has(VM_WRITE) ? kWrite : 0;
  map_new_anon_page(m, mm, vma, page, copy, std::uint8_t(kYoung | kMkDirty | write));
  unlock_page(m, folio);
  put_page(m, folio);
  return Fault::done;
}

// v6.1 mm/memory.c: do_fault(), do_read_fault(), do_shared_fault(), finish_fault()
Fault do_fault(Machine& m, int mm, Vma& vma, int page, bool write) {
  if (write && !vma.has(VM_SHARED)) return do_cow_fault(m, mm, vma, page);
  if (!write && do_fault_around(m, mm, vma, page)) return Fault::done;
  const auto [folio, error] = shmem_fault(m, vma, page);
  if (error != 0) return error == -ENOMEM ? Fault::oom : Fault::sigbus;
  pte_alloc(m, mm, pmd_index(m, page));
  do_set_pte(m, mm, vma, page, folio, write);
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
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm)) {
      const int from = vma.pgoff, to = vma.index_of(vma.end);
      if (vma.file != inode || to <= start || end <= from) continue;
      const int shift = vma.start - vma.pgoff;
      zap_page_range(m, mm, vma, std::max(start, from) + shift, std::min(end, to) + shift,
                     even_cows);
    }
}

}  // namespace thp
