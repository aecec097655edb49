// How the first pages of a trace are moved by mremap(), as realloc() and the heaps of language
// runtimes do it: what was a huge page lies across page tables then, and page tables have parts of
// several.
#include <algorithm>
#include <utility>

#include "model/trace/generate_set_up.h"

namespace thp {
namespace {

// A walk of the reverse map over what A has at the page, and before it perhaps what makes it go
// far.
void walk_rmap(Choose choose, const OpMask& mask, Growing& g, int page) {
  switch (choose(4)) {
    case 0:
      g.add_if(mask, SplitFolio{{0}, {page, page + 1}});
      return;
    case 1:
      g.add_if(mask, MigrateBegin{{0}, {page}});
      if (choose(4) != 3) g.add_if(mask, MigrateEnd{});
      return;
    case 2:
      g.add_if(mask, MovePages{{0}, {page}});
      return;
    default:
      for (int passes = 1 + choose(3); passes > 0; --passes) g.add_if(mask, Reclaim{{0}, {page}});
  }
}

// The first page table below what begins in the first block goes: unmapped and mapped anew, or
// collapsed and given back. The VMA still goes from before it to behind it.
void leave_gap(Choose choose, const OpMask& mask, Growing& g) {
  const PageRange block{0, g.machine.hpage_nr()};
  if (choose(2) == 1) {
    g.add_if(mask, MadviseCollapse{{0}, block});
    if (choose(4) != 3) g.add_if(mask, MadviseDontneed{{0}, block});
  } else {
    g.add_if(mask, Munmap{{0}, block});
    g.add_if(mask, Mmap{{0}, block});
  }
}

// A huge page below two page tables, at the offset that belongs there: it has grown in a mapping
// that was moved to the start of a block and then back. Meanwhile it may be given away, or a child
// may have it, whole. The lower table may be gone.
void misalign(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr();
  const PageRange home{1, 1 + nr}, away{2 * nr, 3 * nr};
  g.add_if(mask, Store{{0}, {1}, {8}});  // or the VMA forgets its offset as it moves
  g.add_if(mask, Mremap{{0}, home, {away.first}, {}});
  g.add_if(mask, Store{{0}, {away.first}, {9}});
  g.add_if(mask, MadviseCollapse{{0}, away});
  const int meanwhile = choose(4);
  if (meanwhile % 2 == 1) g.add_if(mask, MadviseFree{{0}, away});
  if (meanwhile >= 2 && g.trace.geometry.mms > 1) g.add_if(mask, Fork{{0}, {1}});
  g.add_if(mask, Mremap{{0}, away, {home.first}, {}});
  if (choose(4) == 0) return;
  leave_gap(choose, mask, g);
  if (choose(2) == 1) walk_rmap(choose, mask, g, nr);
}

// What begins below one page table, perhaps an empty one, and ends below the next goes to where the
// edge between them is elsewhere, mostly.
void move_across(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr(), pages = g.machine.pages();
  const int first = choose(nr);
  const int end = nr + 1 + choose(std::min(nr, (pages + first) / 2 - nr));
  const int to = end + choose(pages - 2 * end + first + 1);
  g.add_if(mask, Mremap{{0}, {first, end}, {to}, {}});
}

// From block to block, with PMDs or page tables.
void move_whole(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr(), last = g.machine.pages() - nr;
  const int end = choose(2) == 0 ? nr : 1 + choose(nr);
  g.add_if(mask, Mremap{{0}, {0, end}, {last}, {}});
}

// The second huge page goes to the swap cache and is mapped again by its first page, which a device
// may hold when it is swapped out anew.
void cache_second(Choose choose, const OpMask& mask, Growing& g) {
  const int page = g.machine.hpage_nr();
  for (int passes = 2; passes > 0; --passes) g.add_if(mask, Reclaim{{0}, {page}});
  g.add_if(mask, WritebackEnd{});
  g.add_if(mask, Load{{0}, {page}});
  if (choose(2) == 0) return;
  g.add_if(mask, Get{{0}, {0}, {page}});
  for (int passes = 2; passes > 0; --passes) g.add_if(mask, Reclaim{{0}, {page}});
}

// What may keep a collapse from taking the pages of this block.
void hinder_collapse(Choose choose, const OpMask& mask, Growing& g, int first) {
  const int page = first + choose(g.machine.hpage_nr());
  const int how = choose(8);
  if (how == 4) g.add_if(mask, FailHugeAlloc{});
  if (how == 5) g.add_if(mask, Get{{1}, {0}, {page}});
  if (how == 6) g.add_if(mask, Pin{{1}, {0}, {page}, PinMode::w});
  if (how == 7) g.add_if(mask, Isolate{{1}, {0}, {page}});
}

// Two huge pages, of which parts come to lie below one page table; perhaps nothing else is left of
// them, or a child has them whole, or these parts. A collapse.
void collapse_two(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr(), first = 1 + choose(nr - 1);
  const int forks = g.trace.geometry.mms > 1 ? choose(4) : 0;
  for (const int block : {0, 1}) g.add_if(mask, Store{{0}, {block * nr}, {7 + block}});
  if (g.machine.swap_on && choose(2) == 1) cache_second(choose, mask, g);
  if (forks == 2) g.add_if(mask, Fork{{0}, {1}});
  g.add_if(mask, Mremap{{0}, {first, first + nr}, {2 * nr}, {}});
  if (choose(2) == 1) g.add_if(mask, Munmap{{0}, {0, 2 * nr}});
  if (forks == 3) g.add_if(mask, Fork{{0}, {1}});
  if (forks >= 2) g.add_if(mask, Store{{0}, {2 * nr}, {9}});  // a page that may be written to
  hinder_collapse(choose, mask, g, 2 * nr);
  g.add_if(mask, MadviseCollapse{{0}, {2 * nr, 3 * nr}});
}

}  // namespace

void move_blocks(Choose choose, const OpMask& mask, Growing& g) {
  if (g.trace.geometry.pmds < 3) return;
  const int moved = choose(8);
  if (moved >= 6) return misalign(choose, mask, g);
  if (moved >= 4) return collapse_two(choose, mask, g);
  if (moved == 3) move_across(choose, mask, g);
  if (moved == 2) move_whole(choose, mask, g);
}

}  // namespace thp
