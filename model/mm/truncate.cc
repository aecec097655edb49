// Taking folios out of a file that gets shorter, or a hole. v6.1 mm/truncate.c.
// Left out: writeback and what filesystems keep beside a page, which files of memory have not.
#include <algorithm>

#include "model/mm/filemap.h"
#include "model/mm/memory.h"
#include "model/mm/rmap.h"

namespace thp {

// v6.1 mm/truncate.c: truncate_inode_folio(), truncate_cleanup_folio()
void truncate_inode_folio(Machine& m, Pfn folio) {
  const Page& page = m.page(folio);
  if (folio_mapped(m, folio))  // unmap_mapping_folio()
    unmap_mapping_range(m, page.inode, page.index, page.index + folio_nr_pages(m, folio), false);
  clear(m, folio, PG_dirty);
  filemap_remove_folio(m, folio);
}

// v6.1 mm/truncate.c: truncate_inode_partial_folio(), try_folio_split_or_unmap(). Of a file of
// memory 6.1.192 leaves a huge mapping across the new end, where the split fails.
bool truncate_inode_partial_folio(Machine& m, Pfn folio, int start, int end) {
  const int first = m.page(folio).index, last = first + folio_nr_pages(m, folio);
  if (start <= first && last <= end) {
    truncate_inode_folio(m, folio);
    return true;
  }
  for (int index = std::max(start, first); index < std::min(end, last); ++index) {
    m.stamps.frame(Pfn(folio + index - first));
    m.page(Pfn(folio + index - first)).content = 0;
  }
  if (!folio_test_large(m, folio) || split_huge_page(m, folio) == 0) return true;
  if (test(m, folio, PG_dirty)) return false;
  truncate_inode_folio(m, folio);
  return true;
}

}  // namespace thp
