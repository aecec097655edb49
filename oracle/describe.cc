// The words for a state. Numbers are the machine's own: it is the invariants that doubt them.
#include "oracle/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace thp {
namespace {

char mm_name(int mm) { return char('A' + mm); }

std::string range(int first, int end) {
  return end - first == 1 ? fmt::format("{}", first) : fmt::format("{}..{}", first, end);
}

// --- Holders.

// The runs of pages whose PTE maps a sub-page of the folio.
void add_ptes(const Machine& m, int mm, Pfn folio, std::vector<std::string>& holders) {
  const int nr_pages = folio_nr_pages(m, folio);
  const auto holds = [&](int page) {
    if (page >= m.pages() || !m.pmd(mm, pmd_index(m, page)).is_table()) return false;
    const Entry& pte = m.pte(mm, page);
    return pte.is_present() && pte.frame >= folio && pte.frame < folio + nr_pages;
  };
  for (int page = 0; page < m.pages(); ++page) {
    const int first = page;
    while (holds(page)) ++page;
    if (page > first)
      holders.push_back(
          fmt::format("PTE{} {} {}", page - first > 1 ? "s" : "", mm_name(mm), range(first, page)));
  }
}

void add_entries(const Machine& m, Pfn folio, std::vector<std::string>& holders) {
  for (int mm = 0; mm < m.geometry.mms; ++mm) {
    for (int i = 0; i < m.geometry.pmds; ++i)
      if (m.pmd(mm, i).is_present() && page_folio(m, m.pmd(mm, i).frame) == folio)
        holders.push_back(fmt::format("PMD {} {}", mm_name(mm), i << m.geometry.order));
    add_ptes(m, mm, folio, holders);
  }
}

void add_swap_cache(const Machine& m, Pfn folio, std::vector<std::string>& holders) {
  std::vector<int> slots;
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) {
    const Pfn cached = m.swap(Slot(slot)).cache;
    if (cached < m.frames() && page_folio(m, cached) == folio) slots.push_back(slot);
  }
  if (!slots.empty())
    holders.push_back(
        fmt::format("swap cache of slot{} {}", slots.size() > 1 ? "s" : "", fmt::join(slots, " ")));
}

constexpr std::string_view kHolderNames[] = {"", "pin", "get", "isolation"};

void add_named(const Machine& m, Pfn folio, std::vector<std::string>& holders) {
  for (int id = 0; id < kMaxHolders; ++id) {
    const Holder& holder = m.holders[std::size_t(id)];
    if (holder.kind != HolderKind::none && holder.pfn < m.frames() &&
        page_folio(m, holder.pfn) == folio)
      holders.push_back(fmt::format("{} h{}", kHolderNames[std::size_t(holder.kind)], id));
  }
}

// --- Things.

std::string letter(const Machine& m, Pfn pfn, const FolioNames& names) {
  const int i = pfn - page_folio(m, pfn);
  return i == 0 ? fmt::format("{}", names.letter(m, pfn))
                : fmt::format("{}+{}", names.letter(m, pfn), i);
}

template <class Flag, std::size_t N>
void append_flags(std::string& text, unsigned flags,
                  const std::pair<Flag, std::string_view> (&flag_names)[N]) {
  for (const auto& [flag, name] : flag_names)
    if ((flags & flag) != 0) (text += ' ') += name;
}

constexpr std::pair<VmFlag, std::string_view> kVmFlagNames[] = {{VM_HUGEPAGE, "hugepage"},
                                                                {VM_NOHUGEPAGE, "nohugepage"},
                                                                {VM_LOCKED, "locked"},
                                                                {VM_DONTCOPY, "dontcopy"},
                                                                {VM_SOFTDIRTY, "softdirty"}};
constexpr std::pair<EntryBit, std::string_view> kEntryBitNames[] = {{kWrite, "write"},
                                                                    {kYoung, "young"},
                                                                    {kDirty, "dirty"},
                                                                    {kSoftDirty, "soft-dirty"},
                                                                    {kExclusive, "exclusive"}};
constexpr std::pair<PageFlag, std::string_view> kPageFlagNames[] = {
    {PG_locked, "locked"},
    {PG_referenced, "referenced"},
    {PG_uptodate, "uptodate"},
    {PG_dirty, "dirty"},
    {PG_lru, "lru"},
    {PG_active, "active"},
    {PG_swapbacked, "swapbacked"},
    {PG_swapcache, "swapcache"},
    {PG_writeback, "writeback"},
    {PG_reclaim, "reclaim"},
    {PG_mlocked, "mlocked"},
    {PG_unevictable, "unevictable"}};

void describe_mm(const Machine& m, int id, std::vector<Described>& all) {
  const Mm& mm = m.mms[std::size_t(id)];
  if (!mm.alive) return;
  std::string text =
      fmt::format("rss {}, swapped {}, page tables {} ({} deposited), VMAs {}", mm.anon_pages,
                  mm.swap_entries, mm.nr_ptes, mm.deposits, mm.map_count);
  if (mm.huge_zero_page) text += ", MMF_HUGE_ZERO_PAGE";
  if (mm.has_pinned) text += ", MMF_HAS_PINNED";
  all.push_back({fmt::format("address space {}", mm_name(id)), text});
  for (const Vma& vma : m.vmas(id)) {
    text = vma.has(VM_WRITE) ? "rw" : vma.has(VM_READ) ? "r" : "none";
    append_flags(text, vma.flags, kVmFlagNames);
    if (vma.anon_vma != kNoAnonVma)
      text += fmt::format(", anon_vma {}, chain {:#x}, page offset {}", vma.anon_vma, vma.chain,
                          vma.pgoff);
    all.push_back({fmt::format("VMA {} {}", mm_name(id), range(vma.start, vma.end)), text});
  }
}

constexpr std::string_view kEntryKindNames[] = {"none",      "table",     "",
                                                "zero page", "swap slot", "migration to"};

std::string describe_entry(const Machine& m, const Entry& entry, const FolioNames& names) {
  std::string text(kEntryKindNames[std::size_t(entry.kind)]);
  const bool folio = entry.is_present() || entry.is_migration();
  if (entry.is_migration()) text += ' ';
  if (folio) text += entry.frame < m.frames() ? letter(m, entry.frame, names) : "nowhere";
  if (entry.is_swap()) text += fmt::format(" {}", entry.frame);
  append_flags(text, entry.bits, kEntryBitNames);
  return text;
}

// Runs of PTEs that are alike but for going on to the next frame or slot are one thing.
void describe_ptes(const Machine& m, int mm, int pmd, const FolioNames& names,
                   std::vector<Described>& all) {
  const int first = pmd << m.geometry.order, end = first + m.hpage_nr();
  for (int page = first; page < end;) {
    const Entry entry = m.pte(mm, page);
    Entry next = entry;
    const int start = page;
    do {
      ++page;
      next.frame = std::uint16_t(next.frame + (entry.is_zero() ? 0 : 1));
    } while (page < end && !entry.is_none() && m.pte(mm, page) == next);
    if (!entry.is_none())
      all.push_back(
          {fmt::format("PTE{} {} {}", page - start > 1 ? "s" : "", mm_name(mm), range(start, page)),
           describe_entry(m, entry, names)});
  }
}

void describe_entries(const Machine& m, int mm, const FolioNames& names,
                      std::vector<Described>& all) {
  for (int i = 0; i < m.geometry.pmds; ++i) {
    const Entry& pmd = m.pmd(mm, i);
    if (pmd.is_none()) continue;
    all.push_back({fmt::format("PMD {} {}", mm_name(mm), i << m.geometry.order),
                   describe_entry(m, pmd, names)});
    if (pmd.is_table()) describe_ptes(m, mm, i, names, all);
  }
}

// A number of each sub-page, or one where all are the same.
template <class Number>
std::string of_pages(const Machine& m, Pfn folio, Number number) {
  std::vector<int> all;
  for (int i = 0; i < folio_nr_pages(m, folio); ++i) all.push_back(number(m.page(Pfn(folio + i))));
  if (std::ranges::adjacent_find(all, std::ranges::not_equal_to()) == all.end()) all.resize(1);
  return fmt::format("{}", fmt::join(all, " "));
}

std::string describe_folio(const Machine& m, Pfn folio) {
  const Page& page = m.page(folio);
  const std::vector<std::string> holders = describe_holders(m, folio);
  std::string text = fmt::format("refcount {}{}{}", page.refcount, holders.empty() ? "" : " = ",
                                 fmt::join(holders, " + "));
  text += "; _mapcount " + of_pages(m, folio, [](const Page& p) { return p.mapcount; });
  if (folio_test_large(m, folio)) {
    const Compound& compound = m.compound(folio);
    text += fmt::format(", compound_mapcount {}", compound.mapcount + 1);
    if (compound.pincount != 0) text += fmt::format(", pincount {}", compound.pincount);
    if (compound.double_map) text += ", DoubleMap";
    if (compound.deferred) text += ", deferred";
  }
  text += "; exclusive " +
          of_pages(m, folio, [](const Page& p) { return (p.flags & PG_anon_exclusive) != 0; });
  text += ", content " + of_pages(m, folio, [](const Page& p) { return p.content; });
  if (page.anon_vma != kNoAnonVma)
    text += fmt::format(", anon_vma {}, index {}", page.anon_vma, page.index);
  text += ';';
  append_flags(text, page.flags, kPageFlagNames);
  return text;
}

void describe_folios(const Machine& m, const FolioNames& names, std::vector<Described>& all) {
  for (int pfn = 0; pfn < m.frames(); ++pfn) {
    if (is_free(m, Pfn(pfn)) || page_folio(m, Pfn(pfn)) != pfn) continue;
    const int end = pfn + folio_nr_pages(m, Pfn(pfn));
    all.push_back({fmt::format("folio {}, frame{} {}", names.letter(m, Pfn(pfn)),
                               end - pfn > 1 ? "s" : "", range(pfn, end)),
                   describe_folio(m, Pfn(pfn))});
  }
}

void describe_swap(const Machine& m, const FolioNames& names, std::vector<Described>& all) {
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) {
    const SwapSlot& swap = m.swap(Slot(slot));
    if (swap.count == 0 && swap.cache == kNoPfn) continue;
    std::string text = fmt::format("swap PTEs {}, content {}", swap.count, swap.content);
    if (swap.cache < m.frames()) text += ", cached " + letter(m, swap.cache, names);
    all.push_back({fmt::format("swap slot {}", slot), text});
  }
}

void describe_holder_names(const Machine& m, const FolioNames& names, std::vector<Described>& all) {
  for (int id = 0; id < kMaxHolders; ++id) {
    const Holder& holder = m.holders[std::size_t(id)];
    if (holder.kind == HolderKind::none) continue;
    const std::string what = is_zero_page(m, holder.pfn) ? "the zero page"
                             : holder.pfn < m.frames()   ? letter(m, holder.pfn, names)
                                                         : "nothing";
    all.push_back({fmt::format("holder h{}", id),
                   fmt::format("{} of {}{}", kHolderNames[std::size_t(holder.kind)], what,
                               holder.write ? ", for writing" : "")});
  }
}

void describe_globals(const Machine& m, const FolioNames& names, std::vector<Described>& all) {
  if (m.migration.in_flight())
    all.push_back({"migration", fmt::format("{} to {}", names.letter(m, m.migration.src),
                                            names.letter(m, m.migration.dst))});
  std::vector<char> queue;
  for (const Pfn head : m.deferred_queue()) queue.push_back(names.letter(m, head));
  if (!queue.empty())
    all.push_back({"deferred split queue", fmt::format("{}", fmt::join(queue, " "))});
  if (m.huge_zero_page != kNoPfn)
    all.push_back(
        {"huge zero page", fmt::format("{}, huge_zero_refcount {}",
                                       names.letter(m, m.huge_zero_page), m.huge_zero_refcount)});
  std::string counters = fmt::format("NR_ANON_MAPPED {}, NR_ANON_THPS {}, NR_SWAPCACHE {}",
                                     m.nr_anon_mapped, m.nr_anon_thps, m.nr_swapcache);
  if (m.anon_mapped_drift != 0) counters += fmt::format(", drift {}", m.anon_mapped_drift);
  all.push_back({"counters", counters});
}

}  // namespace

std::vector<std::string> describe_holders(const Machine& m, Pfn pfn) {
  std::vector<std::string> holders;
  if (pfn > m.frames()) return holders;
  const Pfn folio = page_folio(m, pfn);
  add_entries(m, folio, holders);
  add_swap_cache(m, folio, holders);
  add_named(m, folio, holders);
  if (m.migration.in_flight() && (m.migration.src == folio || m.migration.dst == folio))
    holders.push_back("migration");
  if (is_huge_zero_page(m, folio)) holders.push_back("huge_zero_page");
  if (is_zero_page(m, folio)) holders.push_back("empty_zero_page");
  return holders;
}

std::vector<Described> describe(const Machine& m, const FolioNames& names) {
  std::vector<Described> all;
  for (int mm = 0; mm < m.geometry.mms; ++mm) {
    describe_mm(m, mm, all);
    describe_entries(m, mm, names, all);
  }
  describe_folios(m, names, all);
  describe_swap(m, names, all);
  describe_holder_names(m, names, all);
  describe_globals(m, names, all);
  return all;
}

std::vector<std::string> describe_changes(const std::vector<Described>& before,
                                          const std::vector<Described>& after) {
  const Things old(before), young(after);
  std::vector<std::string> changes;
  for (const Described& now : after) {
    const Described* was = old.find(now.thing);
    if (was == nullptr || was->text != now.text)
      changes.push_back((was == nullptr ? "+ " : "* ") + now.thing + ": " + now.text);
  }
  for (const Described& was : before)
    if (young.find(was.thing) == nullptr) changes.push_back("- " + was.thing);
  return changes;
}

}  // namespace thp
