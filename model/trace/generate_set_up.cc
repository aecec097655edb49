// What traces begin with: memory that is mapped, shared and swapped out in ways that ops drawn one
// by one would seldom come to.
#include "model/trace/generate_set_up.h"

#include <algorithm>
#include <utility>

namespace thp {
namespace {

// A line of descent: each child has the next one, while some of its forefathers die.
void descend(Choose choose, const OpMask& mask, Growing& g) {
  const int mms = g.trace.geometry.mms;
  for (int parent = 0, times = 2 + choose(4); times > 0; --times) {
    const int child = (parent + 1) % mms;
    g.add_if(mask, Exit{{child}});
    g.add_if(mask, Fork{{parent}, {child}});
    for (int other = 0; other < mms; ++other)
      if (other != child && choose(4) == 3) g.add_if(mask, Exit{{other}});
    parent = child;
  }
}

void reclaim(const OpMask& mask, Growing& g, int page, int passes) {
  for (; passes > 0; --passes) g.add_if(mask, Reclaim{{0}, {page}});
}

// The child locks a page of the swap cache, which the parent reads while it migrates.
void lock_cached(const OpMask& mask, Growing& g, int page) {
  reclaim(mask, g, page, 2);
  g.add_if(mask, WritebackEnd{});
  g.add_if(mask, Load{{1}, {page}});
  g.add_if(mask, Mlock{{1}, {page, page + 1}});
  g.add_if(mask, MigrateBegin{{1}, {page}});
  g.add_if(mask, Load{{0}, {page}});
}

// Two lock a page, which may be in the swap cache; while it is off the LRU one of them unlocks it,
// or both lock it only then. What reclaim makes of that. It is the first that the child has.
void lock_twice(Choose choose, const OpMask& mask, Growing& g, int locked) {
  const auto vmas = std::as_const(g.machine).vmas(1);
  const int page = vmas.empty() ? 0 : vmas.front().start;
  if (g.machine.swap_on && choose(2) == 1) {
    if (choose(4) == 3) return lock_cached(mask, g, page);
    reclaim(mask, g, page, 2);
    g.add_if(mask, WritebackEnd{});
    for (int mm = 0; mm < 2; ++mm) g.add_if(mask, Load{{mm}, {page}});
  }
  const bool before = choose(2) == 1;
  const Mlock one{{0}, {0, std::max(locked, page + 1)}}, other{{1}, {page, g.machine.pages()}};
  if (before) g.add_if(mask, one);
  if (before) g.add_if(mask, other);
  g.add_if(mask, Isolate{{1}, {0}, {page}});
  if (!before) g.add_if(mask, one);
  if (!before) g.add_if(mask, other);
  if (before) g.add_if(mask, Munlock{{1}, {page, page + 1}});
  g.add_if(mask, Putback{{1}});
  if (choose(2) == 1) reclaim(mask, g, page, 1);
}

// The parent leaves a huge page to the child and gets another in its place, which may migrate: the
// rmap of the one leads to the other.
void part(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr();
  const int first = choose(g.trace.geometry.pmds) * nr;
  g.add_if(mask, MadviseDontneed{{0}, {first, first + nr}});
  g.add_if(mask, Store{{0}, {first}, {9}});
  if (choose(4) != 0) g.add_if(mask, MigrateBegin{{0}, {first}});
  if (choose(2) == 1) g.add_if(mask, SplitFolio{{1}, {first, first + nr}});
}

// A huge page of the swap cache that the child maps whole: reclaim met the parent first, who has
// locked a part of it, and the parent may be gone then.
void cache_whole(Choose choose, const OpMask& mask, Growing& g, int pmds) {
  const int nr = g.machine.hpage_nr(), pages = g.machine.pages();
  const int first = (1 + choose(pmds - 1)) * nr;
  g.add_if(mask, Fork{{0}, {1}});
  g.add_if(mask, Munmap{{1}, {0, 1}});
  g.add_if(mask, Mprotect{{0}, {0, pages}, Protection::r});
  g.add_if(mask, Mlock{{0}, {0, first + 1 + choose(nr - 1)}});
  reclaim(mask, g, first, 2);
  const int then = choose(4);
  if (then != 0) g.add_if(mask, Exit{{0}});
  if (then == 2) g.add_if(mask, MadviseFree{{1}, {first, first + nr}});
  if (then == 3) g.add_if(mask, Store{{1}, {first + choose(nr)}, {9}});
}

// The same pages in two address spaces, by a PMD here and by PTEs there: the parent may keep some
// for itself or lock some, the child may lose some. Where nobody may write, locking makes no
// copies; and while a page is off the LRU its locks are not counted. A huge page that is migrated
// meanwhile comes back to both, but the child's PTEs do not make it a PageDoubleMap. Of two VMAs
// the rmap finds that first which starts first: the child's often starts one page later. Returns a
// page where the two may differ.
int share(Choose choose, const OpMask& mask, Growing& g) {
  if (choose(4) == 0) {
    g.add_if(mask, Fork{{0}, {1}});
    return 0;
  }
  const int pages = g.machine.pages();
  const bool all = choose(4) == 3;
  const auto maybe = [&] { return all || choose(2) == 1; };
  const Mprotect read_only{{0}, {0, pages}, Protection::r};
  const bool for_both = choose(2) == 1;
  if (for_both) g.add_if(mask, read_only);
  if (choose(4) == 3) {
    const int first = choose(pages);
    g.add_if(mask, MadviseDontfork{{0}, {first, first + 1 + choose(pages - first)}});
  }
  const bool migrated = choose(4) == 3;
  if (migrated) g.add_if(mask, MigrateBegin{{0}, {0}});
  g.add_if(mask, Fork{{0}, {1}});
  if (g.trace.geometry.mms > 2 && choose(4) == 3) g.add_if(mask, Fork{{choose(2)}, {2}});
  if (!migrated && !for_both && choose(8) == 7) part(choose, mask, g);
  if (maybe()) g.add_if(mask, Munmap{{1}, {0, 1 + choose(choose(2) == 0 ? 1 : pages)}});
  if (!for_both && maybe()) g.add_if(mask, read_only);
  if (migrated) g.add_if(mask, MigrateEnd{});
  if (migrated) g.add_if(mask, Store{{1}, {choose(g.machine.hpage_nr())}, {9}});
  const int locked = choose(2) == 0 ? pages - choose(g.machine.hpage_nr()) : 1 + choose(pages);
  if (for_both && choose(2) == 1)
    lock_twice(choose, mask, g, locked);
  else if (migrated ? choose(4) == 3 : maybe())
    g.add_if(mask, Mlock{{0}, {0, locked}});
  return migrated ? 0 : locked - 1;
}

// One or two pages of a huge page go another way than the rest, so that PTEs map it.
void cut_out(Choose choose, const OpMask& mask, Growing& g, int mm, int first) {
  const int at = choose(g.machine.hpage_nr());
  const PageRange part{first + at, first + std::min(at + 1 + choose(2), g.machine.hpage_nr())};
  switch (choose(4)) {
    case 0:
      g.add_if(mask, Munmap{{mm}, part});
      return;
    case 1:
      g.add_if(mask, MadviseDontneed{{mm}, part});
      return;
    case 2:
      g.add_if(mask, MadviseDontfork{{mm}, part});
      return;
    default:
      g.add_if(mask, Mprotect{{mm}, part, Protection::r});
  }
}

// What is done with a part of it after that.
void use_part(Choose choose, const OpMask& mask, Growing& g, int first) {
  const int nr = g.machine.hpage_nr(), page = first + choose(nr);
  const int use = choose(8);
  if (use >= 6) g.add_if(mask, Store{{0}, {page}, {9}});
  if (use == 5) g.add_if(mask, Get{{0}, {0}, {page}});
  if (use == 4) g.add_if(mask, Pin{{0}, {0}, {page}, PinMode::r});
  if (use != 3) return;
  g.add_if(mask, Mprotect{{0}, {first, first + nr}, Protection::r});  // mlock() stores to none then
  g.add_if(mask, Mlock{{0}, {page, first + nr}});
}

// An allocator gives back a huge page, perhaps before a fork; then PTEs map it, here or in the
// child or in both, and it may be used again in part. Reclaim.
void give_away(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr();
  int i = choose(g.trace.geometry.pmds);
  for (int tries = g.trace.geometry.pmds; tries > 1 && !g.machine.pmd(0, i).is_present(); --tries)
    i = (i + 1) % g.trace.geometry.pmds;
  g.add_if(mask, MadviseFree{{0}, {i * nr, (i + 1) * nr}});
  const int forked = g.trace.geometry.mms > 1 ? choose(4) : 0;
  if (forked >= 2) g.add_if(mask, Fork{{0}, {1}});
  if (forked >= 2) cut_out(choose, mask, g, 1, i * nr);
  if (forked != 2) cut_out(choose, mask, g, 0, i * nr);
  use_part(choose, mask, g, i * nr);
  const int page = i * nr + choose(nr);
  for (int passes = choose(4); passes > 0; --passes) g.add_if(mask, Reclaim{{0}, {page}});
}

// A small device: pages go out in any order, and some come back, until slots are scarce.
void fill_swap(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr();
  for (int times = 2 + choose(7); times > 0; --times) {
    const int page = choose(g.machine.pages());
    const PageRange block{page / nr * nr, (page / nr + 1) * nr};
    g.add_if(mask, MadvisePageout{{0}, choose(2) == 1 ? block : PageRange{page, page + 1}});
    const int back = choose(4);
    if (back >= 1) g.add_if(mask, WritebackEnd{});
    if (back >= 2) g.add_if(mask, Store{{0}, {page}, {1 + page % Value::kMax}});
  }
}

// Reclaim: the first pass takes the young bits, the second the page. A small one that a reference
// holds gets into the swap cache, and is written once it is given back; one that is pinned, or
// huge, stays mapped till then. Returns whether it is held still.
bool reclaim_held(Choose choose, const OpMask& mask, Growing& g, int page) {
  const int hold = choose(8);
  const bool is_pinned = hold == 5, is_held = hold >= 5;
  if (is_pinned)
    g.add_if(mask, Pin{{0}, {0}, {page}, PinMode::r});
  else if (is_held)
    g.add_if(mask, Get{{0}, {0}, {page}});
  reclaim(mask, g, page, is_held ? 3 : 2);
  if (!is_held || choose(2) == 1) return is_held;
  if (is_pinned)
    g.add_if(mask, Unpin{{0}});
  else
    g.add_if(mask, Put{{0}});
  reclaim(mask, g, page, 2);
  return false;
}

// Memory is short. What is unmapped and in the swap cache may still be on the deferred split queue,
// be collapsed, or have a page that nobody but a device knows. Then the parent may leave it to the
// child, which may give it away or write to it.
void press(Choose choose, const OpMask& mask, Growing& g, int page) {
  if (g.trace.geometry.swap >= 0 && g.machine.mms[1].alive == 0 && choose(4) != 3)
    return fill_swap(choose, mask, g);
  const int nr = g.machine.hpage_nr();
  const int first = (choose(4) != 3 ? page / nr : choose(g.trace.geometry.pmds)) * nr;
  const bool is_kept = reclaim_held(choose, mask, g, first);
  if (is_kept || choose(2) == 1) {
    g.add_if(mask, WritebackEnd{});
    g.add_if(mask, ShrinkDeferred{});
  }
  if (choose(4) == 3) {
    g.add_if(mask, Store{{0}, {first}, {9}});
    g.add_if(mask, MadviseCollapse{{0}, {first, first + nr}});
  }
  if (choose(8) == 7) {
    g.add_if(mask, Pin{{1}, {0}, {first}, PinMode::r});
    g.add_if(mask, Munmap{{0}, {first, first + 1}});
    g.add_if(mask, Reclaim{{0}, {first + 1}});
  }
  if (g.machine.mms[1].alive == 0 || (!is_kept && choose(2) == 0)) return;
  g.add_if(mask, Exit{{0}});
  const int then = is_kept ? 3 : choose(4);
  if (then == 1) g.add_if(mask, MadviseFree{{1}, {first, first + nr}});
  if (then >= 2) g.add_if(mask, Store{{1}, {first}, {9}});
  if (is_kept) g.add_if(mask, LoadViaPin{{0}});
}

}  // namespace

// Most ops do nothing where nothing is mapped: begin with memory, usually.
void set_up(Choose choose, const OpMask& mask, Growing& g) {
  if (choose(8) == 7) return;
  create_files(choose, mask, g);
  const Geometry& geometry = g.trace.geometry;
  const int pmds = choose(2) == 0 ? geometry.pmds : 1 + choose(geometry.pmds);
  const int cut = choose(4) == 3 ? choose(g.machine.hpage_nr()) : 0;
  g.add_if(mask, Mmap{{0}, {0, (pmds << geometry.order) - cut}});
  if (choose(2) == 1) g.add_if(mask, Swapon{});
  populate(choose, mask, g);
  map_files(choose, mask, g);
  move_blocks(choose, mask, g);
  if (choose(8) == 7)
    give_away(choose, mask, g);
  else if (choose(16) == 15)
    track(choose, mask, g);
  const bool pressed = g.machine.swap_on && choose(2) == 1;
  const bool pressed_first = pressed && choose(4) == 3;
  if (pressed_first) press(choose, mask, g, 0);
  if (pressed_first) g.add_if(mask, Load{{0}, {0}});
  if (geometry.mms > 2 && choose(8) == 7) return descend(choose, mask, g);
  const bool has_room = g.machine.swap_on && geometry.swap_slots() >= 2 * g.machine.hpage_nr();
  if (geometry.mms > 1 && pmds > 1 && has_room && !pressed_first && choose(8) == 7)
    return cache_whole(choose, mask, g, pmds);
  const int page = geometry.mms > 1 && choose(2) == 1 ? share(choose, mask, g) : 0;
  if (pressed && !pressed_first) press(choose, mask, g, page);
}

}  // namespace thp
