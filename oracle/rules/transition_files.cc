// Which pages of a file an op may bring into the page cache.
#include "oracle/rules/transitions_of_files.h"
#include "oracle/rules/transitions_of_ranges.h"

namespace thp {

bool may_be_faulted_in(const CellStep& c) {
  if (!c.t.over<Looks, Takes, Mlock, Populates, Mprotect, Remaps>()) return false;
  const Named named = named_by(c.t);
  if (named.mm < 0) return false;
  for (const Vma& vma : c.t.after.vmas(named.mm)) {
    const int page = c.index - vma.pgoff + vma.start;
    if (vma.file == c.inode && vma.covers(page) && named.has_all(named.mm, page, page + 1))
      return true;
  }
  return false;
}

}  // namespace thp
