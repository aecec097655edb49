// Files that have pages, holes and an end before a trace goes on, and that are mapped.
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

// Two times of three shmem_enabled is set first: to always, mostly, or to any of its words.
void create_files(Choose choose, const OpMask& mask, Growing& g) {
  if (g.trace.geometry.inodes > 0 && choose(3) != 0) {
    const int policy = choose(4) == 3 ? choose(6) : int(ShmemHuge::always);
    g.add_if(mask, ShmemEnabled{ShmemHuge(policy)});
  }
  for (int file = 0; file < g.trace.geometry.inodes; ++file) {
    if (choose(4) == 3) continue;
    g.add_if(mask, Creat{{file}});
    if (mask.has(kKindOf<Creat>)) fill(choose, mask, g, file);
  }
}

// A file over a part of A, so that blocks lie on blocks, or not; a child has it, too, and may map
// it elsewhere.
void map_files(Choose choose, const OpMask& mask, Growing& g) {
  const int pages = g.machine.pages(), nr = g.machine.hpage_nr();
  for (int file = 0; file < g.trace.geometry.inodes; ++file) {
    if (g.machine.inodes[std::size_t(file)].open == 0 || choose(4) == 3) continue;
    const int first = choose(g.trace.geometry.pmds) * nr, end = choose(2) == 1 ? pages : first + nr;
    const int offset = choose(4) == 3 ? choose(pages) : first;
    g.add_if(mask, MmapFile{{0}, {first, end}, {file}, {offset}, Sharing(choose(2))});
    for (int times = choose(4); times > 0; --times) {
      const int page = first + choose(end - first);
      if (choose(2) == 1) g.add_if(mask, Store{{0}, {page}, {1 + choose(Value::kMax)}});
      g.add_if(mask, Load{{0}, {page}});
    }
  }
}

}  // namespace thp
