// How the first pages of a trace come to be mapped.
#include <algorithm>
#include <utility>

#include "model/trace/generate_set_up.h"

namespace thp {
namespace {

// The first pages of huge pages, which a fault may map whole.
void populate_huge(Choose choose, const OpMask& mask, Growing& g) {
  for (int pmd = 0; pmd < g.trace.geometry.pmds; ++pmd)
    if (choose(4) != 3) g.add_if(mask, Store{{0}, {pmd << g.trace.geometry.order}, {pmd + 1}});
}

// The pages of the first PMD one by one, some of them zero pages or holes: what a collapse meets.
void populate_small(Choose choose, const OpMask& mask, Growing& g) {
  g.add_if(mask, SetEnabled{Enabled::never});
  for (int page = 0; page < std::min(g.trace.geometry.hpage_nr(), 8); ++page) {
    const int kind = choose(8);
    if (kind < 6)
      g.add_if(mask, Store{{0}, {page}, {page + 1}});
    else if (kind == 6)
      g.add_if(mask, Load{{0}, {page}});
  }
  g.add_if(mask, SetEnabled{Enabled::always});
}

// Every other page a VMA of its own, until there are nearly as many as an address space may have,
// three less than there is room for: of pages without memory, or all with pages and so with an
// anon_vma each.
void populate_vmas(Choose choose, const OpMask& mask, Growing& g) {
  const int most = g.machine.max_map_count() - 4 - choose(8);
  const bool have_pages = choose(2) == 1;
  const auto vmas = [&] { return std::as_const(g.machine).vmas(0); };
  const int end = vmas().empty() ? 0 : vmas().back().end;
  for (int page = 1; page < end && int(vmas().size()) <= most; page += 2) {
    const PageRange one{page, page + 1};
    if (have_pages)
      g.add_if(mask, MadviseNohugepage{{0}, one});
    else
      g.add_if(mask, Mprotect{{0}, one, Protection::r});
  }
  if (have_pages && end > 0) g.add_if(mask, Mlock{{0}, {0, end}});
}

// Locked in two steps: the second begins amid a huge page, which stays whole as it is locked, and
// goes on to what is not there yet.
void lock_from_the_middle(Choose choose, const OpMask& mask, Growing& g) {
  const int nr = g.machine.hpage_nr();
  g.add_if(mask, Mlock{{0}, {0, nr}});
  const int first = choose(nr), end = nr + 1 + choose(nr);
  g.add_if(mask, Mlock{{0}, {first, end}});
}

}  // namespace

// Small pages may be collapsed at once, together with what lies behind them.
void populate(Choose choose, const OpMask& mask, Growing& g) {
  const bool has_room_for_vmas = g.machine.pages() > g.machine.max_map_count();
  if (has_room_for_vmas && choose(2) == 1) return populate_vmas(choose, mask, g);
  const int population = choose(4);
  if (population == 3) populate_small(choose, mask, g);
  if (population == 1 || population == 2 || (population == 3 && choose(2) == 1))
    populate_huge(choose, mask, g);
  if (population == 0 && g.trace.geometry.pmds > 1 && choose(4) == 3)
    lock_from_the_middle(choose, mask, g);
  if (population != 3 || choose(4) != 3) return;
  const int blocks = 1 + choose(g.trace.geometry.pmds);
  g.add_if(mask, MadviseCollapse{{0}, {0, blocks << g.trace.geometry.order}});
}

}  // namespace thp
