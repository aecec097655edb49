// Files that have pages, holes and an end before a trace goes on.
#include "model/trace/generate_set_up.h"

namespace thp {
namespace {

// Written here and there, and allocated, perhaps beyond its end.
void fill(Choose choose, const OpMask& mask, Growing& g, int file) {
  const int pages = g.machine.pages();
  for (int times = choose(4); times > 0; --times)
    g.add_if(mask, Pwrite{{file}, {choose(pages)}, {1 + choose(Value::kMax)}});
  const int first = choose(pages), end = first + 1 + choose(pages - first);
  if (choose(4) == 3) g.add_if(mask, Fallocate{{file}, {first, end}, FallocMode(choose(2))});
  if (choose(4) == 3) g.add_if(mask, Truncate{{file}, {choose(pages + 1)}});
}

}  // namespace

void create_files(Choose choose, const OpMask& mask, Growing& g) {
  for (int file = 0; file < g.trace.geometry.inodes; ++file) {
    if (choose(4) == 3) continue;
    g.add_if(mask, Creat{{file}});
    if (mask.has(kKindOf<Creat>)) fill(choose, mask, g, file);
  }
}

}  // namespace thp
