// The page cache: which folio is behind an index of a file. v6.1 mm/filemap.c, mm/truncate.c.
#pragma once
#include "model/machine.h"

namespace thp {

// v6.1 include/linux/pagemap.h: folio_file_page(): the page of that index of its file.
inline Pfn folio_file_page(const Machine& m, Pfn folio, int index) {
  return Pfn(folio + index - m.page(folio).index);
}

// The folio behind an index, with a reference and locked; kNoPfn of a hole.
Pfn filemap_lock_folio(Machine& m, int inode, int index);

// The caller holds lock and reference. The page cache gives up its own.
void filemap_remove_folio(Machine& m, Pfn folio);
void truncate_inode_folio(Machine& m, Pfn folio);

// Takes pages [start, end) of the file out of a folio that reaches into that range: it goes whole
// if it lies within, else it is zeroed there, and split. false: it could not be split, and stays.
bool truncate_inode_partial_folio(Machine& m, Pfn folio, int start, int end);

// Maps what is in the page cache at pages [start, end) of an address space: of one VMA, below one
// PMD. true: so is `page`, or will be if the fault is taken again.
bool filemap_map_pages(Machine& m, int mm, const Vma& vma, int start, int end, int page);

}  // namespace thp
