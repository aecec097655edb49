// A program that dumps what has changed since its last clear_refs, as an incremental checkpoint
// does, while memory beside and below it is mapped anew, moved and made alike.
#include "model/trace/generate_set_up.h"

namespace thp {
namespace {

// The upper half is mapped anew, and becomes one VMA with the lower by a change of that.
void merge_with_new(Choose choose, const OpMask& mask, Growing& g) {
  const int middle = g.machine.pages() / 2, end = g.machine.pages();
  const bool by_advice = choose(2) == 1;
  if (by_advice)
    g.add_if(mask, MadviseDontfork{{0}, {0, middle}});
  else
    g.add_if(mask, Mprotect{{0}, {0, middle}, Protection::r});
  g.add_if(mask, ClearSoftDirty{{0}});
  g.add_if(mask, Munmap{{0}, {middle, end}});
  g.add_if(mask, Mmap{{0}, {middle, end}});
  if (choose(2) == 1) g.add_if(mask, Store{{0}, {middle}, {9}});
  if (by_advice)
    g.add_if(mask, MadviseDofork{{0}, {0, middle}});
  else
    g.add_if(mask, Mprotect{{0}, {0, middle}});
}

// The second block goes over the first, as a huge page, a huge zero page or a page table; and may
// be split there.
void move_over(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr();
  if (choose(2) == 1) {
    g.add_if(mask, MadviseDontneed{{0}, {nr, 2 * nr}});
    g.add_if(mask, Load{{0}, {nr}});
  }
  g.add_if(mask, ClearSoftDirty{{0}});
  g.add_if(mask, Mremap{{0}, {nr, 2 * nr}, {0}, {}});
  if (choose(2) == 1) g.add_if(mask, Store{{0}, {choose(nr)}, {9}});
}

}  // namespace

void track(Choose choose, const OpMask& mask, Growing& g) {
  if (g.trace.geometry.pmds > 1 && choose(2) == 1) return move_over(choose, mask, g);
  merge_with_new(choose, mask, g);
}

}  // namespace thp
