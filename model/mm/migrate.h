// Migration of one folio, in its two halves. v6.1 mm/migrate.c.
#pragma once
#include "model/machine.h"

namespace thp {

// Isolates, locks and unmaps the folio of `pfn`, to which the caller holds no reference of its own;
// the move is left to migrate_end(). 0, or -EBUSY: a migration is in flight already, or the folio
// is not on the LRU; -EAGAIN: a pin keeps it mapped; -ENOMEM. Without memory for a huge target the
// folio is split and its pages are migrated at once.
int migrate_begin(Machine& m, Pfn pfn);
// Moves, remaps, frees the source. 0; -EAGAIN, with everything put back: somebody else holds a
// reference; -EINVAL: no migration is in flight.
int migrate_end(Machine& m);
// For who would sleep until the migration in flight is over: ends it. m.reason stays the sleeper's.
void wait_for_migration(Machine& m);

}  // namespace thp
