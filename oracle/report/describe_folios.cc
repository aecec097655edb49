// Folios and swap slots in words, and who holds them. Of huge pages with many sub-pages, small
// folios and slots that are alike are told in runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "oracle/report/describe.h"
#include "oracle/report/describe_words.h"
#include "oracle/report/flag_names.h"

namespace thp {
namespace {

// Frames [first, end): one folio, or small ones that are alike.
struct Frames {
  int first, end;
  int size() const { return end - first; }
  bool holds(int pfn) const { return first <= pfn && pfn < end; }
};

Frames frames_of(const Machine& m, Pfn folio) { return {folio, folio + folio_nr_pages(m, folio)}; }

std::string plural(std::string_view what, int count) {
  return fmt::format("{}{}", what, count > 1 ? "s" : "");
}

// --- Holders.

// The runs of pages whose PTE maps one of the frames.
void add_ptes(const Machine& m, int mm, Frames frames, std::vector<std::string>& holders) {
  const auto holds = [&](int page) {
    if (page >= m.pages() || !m.pmd(mm, pmd_index(m, page)).is_table()) return false;
    const Entry& pte = m.pte(mm, page);
    return pte.is_present() && frames.holds(pte.frame);
  };
  for (int page = 0; page < m.pages(); ++page) {
    const int first = page;
    while (holds(page)) ++page;
    if (page > first)
      holders.push_back(
          fmt::format("{} {} {}", plural("PTE", page - first), mm_name(mm), range(first, page)));
  }
}

void add_entries(const Machine& m, Frames frames, std::vector<std::string>& holders) {
  for (int mm = 0; mm < m.geometry.mms; ++mm) {
    for (int i = 0; i < m.geometry.pmds; ++i)
      if (m.pmd(mm, i).is_present() && frames.holds(m.pmd(mm, i).frame))
        holders.push_back(fmt::format("PMD {} {}", mm_name(mm), i << m.geometry.order));
    add_ptes(m, mm, frames, holders);
  }
}

void add_swap_cache(const Machine& m, Frames frames, std::vector<std::string>& holders) {
  std::vector<std::string> runs;
  int slots = 0;
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) {
    const int first = slot;
    while (slot < m.geometry.swap_slots() && frames.holds(m.swap(Slot(slot)).cache)) ++slot;
    slots += slot - first;
    if (slot > first) runs.push_back(range(first, slot));
  }
  if (slots > 0)
    holders.push_back(
        fmt::format("swap cache of {} {}", plural("slot", slots), fmt::join(runs, " ")));
}

// The runs of pages of files that are one of the frames.
void add_cells(const Machine& m, Frames frames, std::vector<std::string>& holders) {
  for (int inode = 0; inode < m.geometry.inodes; ++inode)
    for (int index = 0; index < m.pages(); ++index) {
      const int first = index;
      const auto holds = [&] {
        const bool in = index < m.pages() && m.cell(inode, index).is_folio();
        return in && frames.holds(m.cell(inode, index).frame);
      };
      while (holds()) ++index;
      if (index > first)
        holders.push_back(fmt::format("page cache of f{} {}", inode, range(first, index)));
    }
}

void add_named(const Machine& m, Frames frames, std::vector<std::string>& holders) {
  for (int id = 0; id < kMaxHolders; ++id) {
    const Holder& holder = m.holders[std::size_t(id)];
    if (holder.kind != HolderKind::none && frames.holds(holder.pfn))
      holders.push_back(fmt::format("{} h{}", kHolderWords[std::size_t(holder.kind)], id));
  }
}

std::vector<std::string> holders_of(const Machine& m, Frames frames) {
  std::vector<std::string> holders;
  add_entries(m, frames, holders);
  add_cells(m, frames, holders);
  add_swap_cache(m, frames, holders);
  add_named(m, frames, holders);
  if (frames.holds(m.migration.src) || frames.holds(m.migration.dst))
    holders.push_back("migration");
  if (frames.holds(m.huge_zero_page)) holders.push_back("huge_zero_page");
  if (frames.holds(m.zero_pfn())) holders.push_back("empty_zero_page");
  return holders;
}

// --- Folios.

// A number of each sub-page, or one where all are the same; of many, runs: `3 x 2, 0 x 510`.
template <class Number>
std::string of_pages(const Machine& m, Frames frames, Number number) {
  const bool few = frames.size() <= kFewPages;
  std::vector<std::string> runs;
  for (int pfn = frames.first; pfn < frames.end;) {
    const int first = pfn, value = number(m.page(Pfn(pfn)));
    while (pfn < frames.end && number(m.page(Pfn(pfn))) == value) ++pfn;
    const int count = pfn - first;
    if (count == frames.size()) return fmt::format("{}", value);
    for (int i = 0; few && i < count; ++i) runs.push_back(fmt::format("{}", value));
    if (!few) runs.push_back(fmt::format("{}", value));
    if (!few && count > 1) runs.back() += fmt::format(" x {}", count);
  }
  return fmt::format("{}", fmt::join(runs, few ? " " : ", "));
}

std::string describe_frames(const Machine& m, Frames frames) {
  const Page& page = m.page(Pfn(frames.first));
  const std::vector<std::string> holders = holders_of(m, frames);
  std::string text = fmt::format("refcount {}{}{}", page.refcount, holders.empty() ? "" : " = ",
                                 fmt::join(holders, " + "));
  text += "; _mapcount " + of_pages(m, frames, [](const Page& p) { return p.mapcount; });
  if (folio_test_large(m, Pfn(frames.first))) {
    const Compound& compound = m.compound(Pfn(frames.first));
    text += fmt::format(", compound_mapcount {}", compound.mapcount + 1);
    if (compound.pincount != 0) text += fmt::format(", pincount {}", compound.pincount);
    if (compound.double_map) text += ", DoubleMap";
    if (compound.deferred) text += ", deferred";
  }
  text += "; exclusive " +
          of_pages(m, frames, [](const Page& p) { return (p.flags & PG_anon_exclusive) != 0; });
  text += ", content " + of_pages(m, frames, [](const Page& p) { return p.content; });
  if (page.anon_vma != kNoAnonVma)
    text += fmt::format(", anon_vma {}, index {}", page.anon_vma, page.index);
  if (page.inode != kNoInode) text += fmt::format(", file f{}, index {}", page.inode, page.index);
  text += ';';
  constexpr Bits kToldOtherwise = PG_head | PG_tail | PG_anon | PG_anon_exclusive;
  append_flags(text, page.flags & unsigned(~kToldOtherwise), kPageFlagNames);
  return text;
}

// Is the small folio behind `pfn` as the one at `pfn`, but for its place and content?
bool next_is_alike(const Machine& m, int pfn) {
  Page next = m.page(Pfn(pfn + 1));
  const Page& page = m.page(Pfn(pfn));
  const bool cached = test(m, Pfn(pfn), PG_swapcache);
  const bool has_index = page.anon_vma != kNoAnonVma || page.inode != kNoInode;
  next.index = std::uint16_t(next.index - (has_index ? 1 : 0));
  next.private_slot = Slot(next.private_slot - (cached ? 1 : 0));
  next.content = page.content;
  return page_folio(m, Pfn(pfn + 1)) == pfn + 1 && next == page;
}

Frames alike_from(const Machine& m, int pfn) {
  Frames frames = frames_of(m, Pfn(pfn));
  if (frames.size() > 1 || m.hpage_nr() <= kFewPages) return frames;
  while (frames.end % m.hpage_nr() != 0 && next_is_alike(m, frames.end - 1)) ++frames.end;
  return frames;
}

}  // namespace

void describe_folios(const Machine& m, const FolioNames& names, std::vector<Described>& all) {
  for (int pfn = 0; pfn < m.frames(); ++pfn) {
    if (is_free(m, Pfn(pfn)) || page_folio(m, Pfn(pfn)) != pfn) continue;
    const Frames frames = alike_from(m, pfn);
    const bool several = frames.size() > folio_nr_pages(m, Pfn(pfn));
    const std::string who = several ? fmt::format("{} folios", frames.size())
                                    : fmt::format("folio {}", names.letter(m, Pfn(pfn)));
    all.push_back({fmt::format("{}, {} {}", who, plural("frame", frames.size()),
                               range(frames.first, frames.end)),
                   (several ? "each " : "") + describe_frames(m, frames),
                   {Where::Thing::frame, -1, frames.first, frames.size()}});
    pfn = several ? frames.end - 1 : pfn;
  }
}

void describe_swap(const Machine& m, const FolioNames& names, std::vector<Described>& all) {
  const int slots = m.geometry.swap_slots();
  for (int slot = 0; slot < slots;) {
    const SwapSlot& swap = m.swap(Slot(slot));
    const int first = slot++;
    if (swap.count == 0 && swap.cache == kNoPfn) continue;
    const auto alike = [&](SwapSlot next) {
      if (next.cache != kNoPfn) next.cache = Pfn(next.cache - (slot - first));
      return next == swap;
    };
    while (m.hpage_nr() > kFewPages && slot < slots && alike(m.swap(Slot(slot)))) ++slot;
    std::string text = fmt::format("swap PTEs {}, content {}", swap.count, swap.content);
    if (swap.cache < m.frames()) text += ", cached " + letter(m, swap.cache, names);
    all.push_back({fmt::format("swap {} {}", plural("slot", slot - first), range(first, slot)),
                   text,
                   {Where::Thing::slot, -1, first, slot - first}});
  }
}

std::vector<std::string> describe_holders(const Machine& m, Pfn pfn) {
  if (pfn > m.frames()) return {};
  return holders_of(m, frames_of(m, page_folio(m, pfn)));
}

}  // namespace thp
