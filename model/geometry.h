// The small scope of a trace: how many of everything it plays with. Chosen at run time, so that one
// binary runs order 1 and order 9, and a shrinker can lower it like any argument.
#pragma once
#include <algorithm>
#include <cstdint>

namespace thp {

struct Geometry {
  static constexpr int kMaxOrder = 9, kMaxPmds = 4, kMaxMms = 4, kMaxBlocks = 64, kMaxClusters = 4,
                       kMaxInodes = 2;

  int order =
      2;  // a huge page has 1 << order sub-pages; 9 on x86-64, 2 is the smallest faithful one
  int pmds = 2;     // PMD entries in each address space
  int mms = 2;      // address spaces, A and on; A is alive at the start
  int swap = -1;    // swap slots; -1: two clusters
  int blocks = -1;  // physical memory, in blocks of hpage_nr() frames; -1: four for each PMD of
                    // each mm, and as many for each inode
  int inodes = 0;   // files f0 and f1, of at most pages() pages; none lives at the start

  constexpr int hpage_nr() const { return 1 << order; }  // HPAGE_PMD_NR
  constexpr int pages() const { return pmds << order; }  // pages of an address space
  constexpr int swap_slots() const { return swap < 0 ? 2 << order : swap; }
  constexpr int swap_clusters() const { return (swap_slots() + hpage_nr() - 1) >> order; }
  constexpr int frame_blocks() const {
    return blocks < 0 ? std::min(kMaxBlocks, 4 * pmds * (mms + inodes)) : blocks;
  }
  constexpr int frames() const { return frame_blocks() << order; }  // without the 4K zero page
  constexpr bool is_valid() const {
    return order >= 1 && order <= kMaxOrder && pmds >= 1 && pmds <= kMaxPmds && mms >= 1 &&
           mms <= kMaxMms && swap >= -1 && swap <= kMaxClusters << order &&
           (blocks == -1 || blocks >= 2) && blocks <= kMaxBlocks && inodes >= 0 &&
           inodes <= kMaxInodes;
  }
  bool operator==(const Geometry&) const = default;
};

}  // namespace thp
