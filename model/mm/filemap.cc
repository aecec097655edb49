// The page cache. v6.1 mm/filemap.c.
// Left out: XArray nodes, which never fail to allocate here; shadows, as shmem leaves none.
#include "model/mm/filemap.h"

#include "model/mm/page_alloc.h"
#include "model/mm/rmap.h"

namespace thp {
namespace {

// v6.1 mm/filemap.c: filemap_unaccount_folio(), page_cache_delete(). page->index stays.
void page_cache_delete(Machine& m, Pfn folio) {
  Page& page = m.page(folio);
  vm_bug_on(m, folio_mapped(m, folio), "filemap_unaccount_folio: the folio is mapped");
  const int nr = folio_nr_pages(m, folio);
  for (int i = 0; i < nr; ++i) m.set_cell(page.inode, page.index + i, {});
  m.inodes[page.inode].nrpages -= nr;
  m.nr_shmem -= nr;
  if (nr > 1) m.nr_shmem_thps -= nr;
  page.inode = kNoInode;
  m.stamps.frame(folio);
}

}  // namespace

// v6.1 mm/filemap.c: __filemap_get_folio() with FGP_ENTRY | FGP_LOCK
Pfn filemap_lock_folio(Machine& m, int inode, int index) {
  const Cell cell = m.cell(inode, index);
  if (cell.is_none()) return kNoPfn;
  const Pfn folio = page_folio(m, cell.frame);
  get_page(m, folio);
  lock_page(m, folio);
  return folio;
}

// v6.1 mm/filemap.c: filemap_remove_folio(), filemap_free_folio(). A reference for each index.
void filemap_remove_folio(Machine& m, Pfn folio) {
  vm_bug_on(m, !test(m, folio, PG_locked), "filemap_remove_folio: folio not locked");
  page_cache_delete(m, folio);
  put_page(m, folio, folio_nr_pages(m, folio));
}

}  // namespace thp
