// What the demonstrations of soft-dirty share: process 1 is both the tracker and the tracked.
#pragma once
#include "ci/defects/demonstration.h"

namespace thp::defects {

inline void clear_refs() {
  must(live::write_file("/proc/self/clear_refs", "4") == 0, "clear_refs");
}

inline void map_at(char* place, std::size_t size, int prot) {
  void* const memory = mmap(place, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  must(memory == place, "mmap");
}

inline void move(char* from, std::size_t size, std::size_t new_size, char* to) {
  void* const moved = mremap(from, size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  must(moved == to, "mremap");
}

// What pagemap tells of a place that has changed since clear_refs, as show() wants it.
inline int told(const char* page, const char* how) {
  std::uint64_t entry = 0;
  const int fd = open("/proc/self/pagemap", O_RDONLY);
  must(pread(fd, &entry, sizeof entry, off_t(std::uintptr_t(page) / kPage * sizeof entry)) > 0,
       "pagemap");
  close(fd);
  const bool soft_dirty = (entry >> 55 & 1) != 0;
  std::printf("with %s: told %s\n", how, soft_dirty ? "changed" : "unchanged");
  return soft_dirty ? kStored : 0;
}

}  // namespace thp::defects
