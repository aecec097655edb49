// Taking folios out of a file that gets shorter, or a hole. v6.1 mm/truncate.c.
#include "model/mm/filemap.h"

namespace thp {

// v6.1 mm/truncate.c: truncate_inode_folio(), truncate_cleanup_folio()
void truncate_inode_folio(Machine& m, Pfn folio) {
  clear(m, folio, PG_dirty);
  filemap_remove_folio(m, folio);
}

}  // namespace thp
