// The words for a state. Numbers are the machine's own: it is the invariants that doubt them.
#include "oracle/report/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/trace/text.h"
#include "oracle/report/describe_words.h"
#include "oracle/translate.h"

namespace thp {
namespace {

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
void describe_mm(const Machine& m, int id, std::vector<Described>& all) {
  const Mm& mm = m.mms[std::size_t(id)];
  if (!mm.alive) return;
  std::string text =
      fmt::format("rss {}, swapped {}, page tables {} ({} deposited), VMAs {}", mm.anon_pages,
                  mm.swap_entries, mm.nr_ptes, mm.deposits, mm.map_count);
  if (mm.huge_zero_page) text += ", MMF_HUGE_ZERO_PAGE";
  if (mm.has_pinned) text += ", MMF_HAS_PINNED";
  all.push_back({fmt::format("address space {}", mm_name(id)), text, {Where::Thing::mm, -1, id}});
  for (const Vma& vma : m.vmas(id)) {
    text = vma.has(VM_WRITE) ? "rw" : vma.has(VM_READ) ? "r" : "none";
    append_flags(text, vma.flags, kVmFlagNames);
    if (vma.anon_vma != kNoAnonVma)
      text += fmt::format(", anon_vma {}, chain {:#x}, page offset {}", vma.anon_vma, vma.chain,
                          vma.pgoff);
    all.push_back({fmt::format("VMA {} {}", mm_name(id), range(vma.start, vma.end)),
                   text,
                   {Where::Thing::vma, id, vma.start, vma.end - vma.start}});
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
           describe_entry(m, entry, names),
           {Where::Thing::pte, mm, start, page - start}});
  }
}

void describe_entries(const Machine& m, int mm, const FolioNames& names,
                      std::vector<Described>& all) {
  for (int i = 0; i < m.geometry.pmds; ++i) {
    const Entry& pmd = m.pmd(mm, i);
    if (pmd.is_none()) continue;
    all.push_back({fmt::format("PMD {} {}", mm_name(mm), i << m.geometry.order),
                   describe_entry(m, pmd, names),
                   {Where::Thing::pmd, mm, i << m.geometry.order, m.hpage_nr()}});
    if (pmd.is_table()) describe_ptes(m, mm, i, names, all);
  }
}

// Runs of a file's pages that go on to the next frame are one thing.
void describe_cells(const Machine& m, int inode, const FolioNames& names,
                    std::vector<Described>& all) {
  for (int index = 0; index < m.pages();) {
    const Cell cell = m.cell(inode, index);
    Cell next = cell;
    const int first = index;
    do {
      ++index;
      ++next.frame;
    } while (index < m.pages() && !cell.is_none() && m.cell(inode, index) == next);
    if (!cell.is_none())
      all.push_back({fmt::format("page{} {} of f{}", index - first > 1 ? "s" : "",
                                 range(first, index), inode),
                     cell.frame < m.frames() ? letter(m, cell.frame, names) : "nowhere",
                     {Where::Thing::cell, inode, first, index - first}});
  }
}

void describe_files(const Machine& m, const FolioNames& names, std::vector<Described>& all) {
  for (int id = 0; id < m.geometry.inodes; ++id) {
    const Inode& file = m.inodes[std::size_t(id)];
    if (!file.alive) continue;
    std::string text = fmt::format("i_size {}, nrpages {}, alloced {}, fallocend {}", file.i_size,
                                   file.nrpages, file.alloced, file.fallocend);
    if (file.on_shrinklist) text += ", on the shrinklist";
    if (!file.open) text += ", closed";
    all.push_back({fmt::format("file f{}", id), text, {Where::Thing::inode, -1, id}});
    describe_cells(m, id, names, all);
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
                   fmt::format("{} of {}{}", kHolderWords[std::size_t(holder.kind)], what,
                               holder.write ? ", for writing" : ""),
                   {Where::Thing::holder, -1, id}});
  }
}

// deny and force leave the mount what it had before.
std::string shmem_enabled(const Machine& m) {
  const std::string_view word = kShmemHugeNames[std::size_t(m.shmem_enabled)];
  if (m.shmem_enabled == m.shm_mnt.huge) return std::string(word);
  return fmt::format("{} (huge={})", word, kShmemHugeNames[std::size_t(m.shm_mnt.huge)]);
}

std::string describe_settings(const Machine& m) {
  std::string text =
      fmt::format("enabled {}, use_zero_page {}, swap {}", kEnabledNames[std::size_t(m.enabled)],
                  m.use_zero_page ? "on" : "off", m.swap_on ? "on" : "off");
  if (m.geometry.inodes > 0) text += ", shmem_enabled " + shmem_enabled(m);
  const Injections& inject = m.inject;
  const auto armed = [&text](bool is, std::string_view what) {
    if (is) (text += ", armed: ") += what;
  };
  armed(inject.fail_huge_alloc, FailHugeAlloc::name);
  armed(inject.fail_small_alloc, FailSmallAlloc::name);
  armed(inject.fail_charge, FailCharge::name);
  armed(inject.fail_swap_cluster, FailSwapCluster::name);
  armed(inject.contend_page_lock, ContendPageLock::name);
  armed(inject.speculative_ref, HoldSpeculativeRef::name);
  return text;
}

void describe_globals(const Machine& m, const FolioNames& names, std::vector<Described>& all) {
  all.push_back({"settings", describe_settings(m)});
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
  if (m.geometry.inodes > 0)
    counters +=
        fmt::format(", NR_SHMEM {}, NR_SHMEM_THPS {}, NR_SHMEM_PMDMAPPED {}, NR_FILE_MAPPED {}",
                    m.nr_shmem, m.nr_shmem_thps, m.nr_shmem_pmdmapped, m.nr_file_mapped);
  if (m.anon_mapped_drift != 0) counters += fmt::format(", drift {}", m.anon_mapped_drift);
  all.push_back({"counters", counters});
}

}  // namespace

std::vector<Described> describe(const Machine& m, const FolioNames& names) {
  std::vector<Described> all;
  for (int mm = 0; mm < m.geometry.mms; ++mm) {
    describe_mm(m, mm, all);
    describe_entries(m, mm, names, all);
  }
  describe_files(m, names, all);
  describe_folios(m, names, all);
  describe_swap(m, names, all);
  describe_holder_names(m, names, all);
  describe_globals(m, names, all);
  return all;
}

static bool overlap(const Where& a, const Where& b) {
  return a.mm == b.mm && a.number < b.number + b.count && b.number < a.number + a.count;
}

static bool is_of_entries(const Where& where) {
  using enum Where::Thing;
  return where.thing == pte || where.thing == pmd || where.thing == pages;
}

// The frame behind a place: of a page, a slot or a holder the one that it leads to.
static int frame_at(const Machine& m, const Where& where) {
  using enum Where::Thing;
  int pfn = kNoPfn;
  if (where.thing == frame || where.thing == folio) pfn = where.number;
  if (is_of_entries(where)) pfn = mapped_frame(m, where.mm, where.number);
  if (where.thing == cell && m.cell(where.mm, where.number).is_folio())
    pfn = m.cell(where.mm, where.number).frame;
  if (where.thing == slot) pfn = m.swap(Slot(where.number)).cache;
  if (where.thing == holder) pfn = m.holders[std::size_t(where.number)].pfn;
  return pfn;
}

// All frames of its folio.
static Where frames_at(const Machine& m, const Where& where) {
  using enum Where::Thing;
  const int pfn = frame_at(m, where);
  if (pfn >= m.frames()) return {frame, -1, kNoPfn, 0};
  const Pfn head = page_folio(m, Pfn(pfn));
  return {frame, -1, head, folio_nr_pages(m, head)};
}

std::vector<Described> described_at(const Machine& m, const std::vector<Described>& all,
                                    const Where& where) {
  using enum Where::Thing;
  const Where frames = frames_at(m, where);
  const bool entries = is_of_entries(where);
  std::vector<Described> found;
  for (const Described& thing : all) {
    const Where::Thing kind = thing.where.thing;
    const bool is_entry = kind == pte || kind == pmd;
    const bool is_it = kind == where.thing && kind != vma && kind != machine;
    const bool of_space = where.thing == vma && kind == vma && thing.where.mm == where.mm;
    if (kind == frame
            ? overlap(thing.where, frames)
            : of_space || ((is_it || (entries && is_entry)) && overlap(thing.where, where)))
      found.push_back(thing);
  }
  return found;
}

std::vector<Place> entries_at(const Machine& m, const Where& where) {
  if (is_of_entries(where)) return {{where.mm, where.number}};
  const int pfn = frame_at(m, where);
  if (pfn >= m.frames()) return {};
  const bool is_folio = where.thing == Where::Thing::folio;
  const auto is_it = [&](Pfn at) {
    return at == pfn || (is_folio && at < m.frames() && page_folio(m, at) == pfn);
  };
  std::vector<Place> places;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int page = 0; page < m.pages(); ++page)
      if (is_it(mapped_frame(m, mm, page))) {
        places.push_back({mm, page});
        break;
      }
  return places;
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
