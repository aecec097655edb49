// Huge pages that reach beyond the end of their file: the list of files that may have one, and the
// shrinker that splits them. v6.1 mm/shmem.c.
#pragma once
#include "model/machine.h"

namespace thp {

void shrinklist_add(Machine& m, int inode);  // at its end, unless it is there
void shrinklist_del(Machine& m, int inode);

// One pass over the whole list. How many folios it has split.
int shmem_unused_huge_shrink(Machine& m);

}  // namespace thp
