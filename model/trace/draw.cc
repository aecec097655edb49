// Drawing pages, ranges and names. See draw.h.
#include "model/trace/draw.h"

#include <boost/container/static_vector.hpp>
#include <ranges>

namespace thp {
namespace {

int draw_from(Draw& d, std::span<const int> candidates, int domain) {
  if (candidates.empty() || d.one_in(8)) return d.choose(domain);
  return candidates[std::size_t(d.choose(int(candidates.size())))];
}

// --- Pages.

// Calls visit(arg) for the arguments of one type in an op.
template <class Wanted, class Visit>
void for_each_arg_of(const Op& op, Visit visit) {
  visit_op(
      [&](const auto& o) {
        visit_args(o, [&]<class Arg>(const Arg& arg) {
          if constexpr (std::is_same_v<Arg, Wanted>) visit(arg);
        });
      },
      op);
}

// The last few ops, the very last first.
auto last_ops(const Draw& d) {
  return d.before.last(std::min<std::size_t>(d.before.size(), 4)) | std::views::reverse;
}

PageRange huge_page_around(const Draw& d, int page) {
  const int first = pmd_first(d.m, page);
  return {first, first + d.hpage_nr()};
}

// Where an mremap() took its pages.
std::optional<PageRange> target_of(const Op& op) {
  const auto* const mremap = std::get_if<Mremap>(&op);
  if (mremap == nullptr) return {};
  return PageRange{mremap->to.number, mremap->to.number + mremap->range.size()};
}

PageRange used_range(Draw& d) {
  boost::container::static_vector<PageRange, 16> used;
  const auto add = [&](PageRange range) {
    if (used.size() < used.capacity() && range.in(d.geometry())) used.push_back(range);
  };
  for (const Op& op : last_ops(d)) {
    for_each_arg_of<PageRange>(op, add);
    if (const auto target = target_of(op)) add(*target);
    for_each_arg_of<PageNr>(op, [&](PageNr p) {
      add({p.number, p.number + 1});
      add(huge_page_around(d, p.number));
    });
    if (d.near && !used.empty()) break;
  }
  if (used.empty()) return {0, d.hpage_nr()};
  return used[std::size_t(d.choose(int(used.size())))];
}

std::optional<int> used_mm(const Draw& d) {
  std::optional<int> used;
  for (const Op& op : last_ops(d)) {
    for_each_arg_of<MmId>(op, [&](MmId mm) {
      if (mm.in(d.geometry()) && d.m.mms[std::size_t(mm.id)].alive != 0) used = mm.id;
    });
    if (used) break;
  }
  return used;
}

PageRange vma_range(Draw& d) {
  const auto vmas = d.vmas();
  if (vmas.empty()) return {0, d.hpage_nr()};
  const Vma& vma = vmas[std::size_t(d.choose(int(vmas.size())))];
  return {vma.start, vma.end};
}

// The first page with an entry from a random one on.
int populated_page(Draw& d) {
  const int mm = d.mm.value_or(0), start = d.choose(d.geometry().pages());
  for (int i = 0; i < d.geometry().pages();) {
    const int page = (start + i) % d.geometry().pages();
    const Entry& pmd = d.m.pmd(mm, pmd_index(d.m, page));
    if (pmd.is_none())
      i += pmd_first(d.m, page) + d.hpage_nr() - page;
    else if (!pmd.is_table() || !d.m.pte(mm, page).is_none())
      return page;
    else
      ++i;
  }
  return start;
}

int page_in(Draw& d, PageRange range) {
  const int where = d.choose(3);
  if (where == 0) return range.first;
  if (where == 1) return range.end - 1;
  return range.first + d.choose(range.size());
}

int draw_page(Draw& d) {
  if (d.near && !d.one_in(4)) return page_in(d, used_range(d));
  switch (d.choose(8)) {
    case 0:
      return d.choose(d.geometry().pmds) * d.hpage_nr();
    case 1:
      return d.choose(d.geometry().pmds) * d.hpage_nr() + d.hpage_nr() - 1;
    case 2:
      return d.choose(d.geometry().pages());
    case 3:
      return page_in(d, used_range(d));
    case 4:
      return page_in(d, vma_range(d));
    default:
      return populated_page(d);
  }
}

// Where a range may start or end: at PMDs, VMAs, and beside pages.
int draw_edge(Draw& d) {
  switch (d.choose(4)) {
    case 0:
      return d.choose(d.geometry().pmds + 1) * d.hpage_nr();
    case 1: {
      const PageRange vma = vma_range(d);
      return d.choose(2) == 0 ? vma.first : vma.end;
    }
    default: {
      const int page = draw_page(d);
      return page + d.choose(2);
    }
  }
}

PageRange whole_pmds(Draw& d) {
  const int first = d.choose(d.geometry().pmds);
  const int size = d.choose(4) != 3 ? 1 : 1 + d.choose(d.geometry().pmds - first);
  return {first * d.hpage_nr(), (first + size) * d.hpage_nr()};
}

PageRange between_edges(Draw& d) {
  const auto [first, end] = std::minmax({draw_edge(d), draw_edge(d)});
  if (first < end) return {first, end};
  const int page = std::min(first, d.geometry().pages() - 1);
  return {page, page + 1};
}

PageRange draw_range(Draw& d) {
  if (d.near && !d.one_in(4)) return used_range(d);
  switch (d.choose(8)) {
    case 0:
    case 1:
    case 2:
      return whole_pmds(d);
    case 3: {
      const int page = draw_page(d);
      return {page, page + 1};
    }
    case 4:
      return vma_range(d);
    case 5:
      return used_range(d);
    case 6:
      return PageRange::nth(d.geometry(), d.choose(PageRange::count(d.geometry())));
    default:
      return between_edges(d);
  }
}

}  // namespace

// The first address space of an op: mostly one that lives, and rather one with mappings. A second
// one is an op's to create: mostly one that does not live.
void draw(Draw& d, MmId& mm) {
  boost::container::static_vector<int, Geometry::kMaxMms> candidates, mapped;
  for (int i = 0; i < d.geometry().mms; ++i) {
    const bool alive = d.m.mms[std::size_t(i)].alive != 0;
    if (alive != d.mm.has_value()) candidates.push_back(i);
    if (alive && !d.m.vmas(i).empty()) mapped.push_back(i);
  }
  if (!d.mm && !mapped.empty() && !d.one_in(4)) candidates = mapped;
  if (!d.mm && d.near)
    if (const std::optional<int> used = used_mm(d)) candidates.assign(1, *used);
  mm.id = draw_from(d, candidates, d.geometry().mms);
  if (!d.mm) d.mm = mm.id;
}

// A page after a range is where the range goes: back to where the last op took it from, or rather
// to the same place below another PMD, or near it.
void draw(Draw& d, PageNr& page) {
  page.number = draw_page(d);
  if (!d.range || d.one_in(4)) return;
  if (d.near && target_of(d.before.back()) == d.range && !d.one_in(4)) {
    page.number = std::get<Mremap>(d.before.back()).range.first;
    return;
  }
  const int pages = d.geometry().pages();
  const int distance = (1 + d.choose(d.geometry().pmds)) * d.hpage_nr() % pages;
  const int off = d.one_in(4) ? d.choose(d.hpage_nr()) : 0;
  if (distance + off != 0) page.number = (d.range->first + distance + off) % pages;
  page.number = std::min(page.number, pages - d.range->size());
}

void draw(Draw& d, PageRange& range) {
  range = draw_range(d);
  d.range = range;
}

// Mostly the old size, and else within a huge page of it.
void draw(Draw& d, NewSize& size) {
  if (!d.range || !d.one_in(4)) return;
  const int by = d.choose(2) == 0 ? 1 + d.choose(d.hpage_nr()) : -d.choose(d.hpage_nr());
  size.pages = std::clamp(d.range->size() + by, 0, d.geometry().pages());
}

// Mostly a value that no other store leaves, so that contents tell which store they are from.
void draw(Draw& d, Value& value) {
  value.number =
      d.one_in(8) ? d.choose(Value::kMax + 1) : int(d.before.size() % std::size_t{Value::kMax}) + 1;
}

void draw(Draw& d, InodeId& inode) {
  boost::container::static_vector<int, Geometry::kMaxInodes> candidates;
  for (int i = 0; i < d.geometry().inodes; ++i) {
    const Inode& file = d.m.inodes[std::size_t(i)];
    if (d.wants_open ? file.open != 0 : file.alive == 0) candidates.push_back(i);
  }
  inode.id = draw_from(d, candidates, d.geometry().inodes);
}

// Mostly so that blocks of the file lie on blocks of the address space.
void draw(Draw& d, Offset& offset) {
  const int page = d.range ? d.range->first : 0, pages = d.geometry().pages();
  const int block = d.choose(d.geometry().pmds) * d.hpage_nr();
  const int where = d.choose(8);
  offset.number = where < 4   ? page
                  : where < 6 ? (page + block) % pages
                  : where < 7 ? 0
                              : d.choose(pages);
}

// About what is there, or huge pages and a bit.
void draw(Draw& d, FileSize& size) {
  const int edge = d.choose(2) == 0 ? d.choose(d.geometry().pmds + 1) * d.hpage_nr() : draw_page(d);
  size.pages = std::clamp(edge + d.choose(3) - 1, 0, d.geometry().pages());
}

void draw(Draw& d, HolderId& holder) {
  boost::container::static_vector<int, kMaxHolders> candidates;
  const bool takes = d.wanted_holders == bit(HolderKind::none);
  for (int i = 0; i < kMaxHolders; ++i) {
    const bool wanted = (d.wanted_holders & bit(d.m.holders[std::size_t(i)].kind)) != 0;
    if (wanted && !(takes && !candidates.empty())) candidates.push_back(i);
  }
  holder.id = draw_from(d, candidates, kMaxHolders);
}

}  // namespace thp
