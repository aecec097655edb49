// The page cache: which folio is behind an index of a file. v6.1 mm/filemap.c, mm/truncate.c.
#pragma once
#include "model/machine.h"

namespace thp {

// The folio behind an index, with a reference and locked; kNoPfn of a hole.
Pfn filemap_lock_folio(Machine& m, int inode, int index);

// The caller holds lock and reference. The page cache gives up its own.
void filemap_remove_folio(Machine& m, Pfn folio);
void truncate_inode_folio(Machine& m, Pfn folio);

}  // namespace thp
