// An observation as lines: what a golden file holds and what a divergence page shows.
#include <fmt/format.h>

#include <algorithm>

#include "oracle/live/names.h"
#include "oracle/live/rename.h"

namespace thp::live {
namespace {

std::string number(std::int32_t n) { return n == kUnseen ? "?" : fmt::format("{}", n); }

std::string range(std::uint32_t first, unsigned count) {
  return count == 1 ? fmt::format("{}", first) : fmt::format("{}..{}", first, first + count);
}

std::string frames(std::uint32_t first, unsigned count) {
  return first == kNoFrame ? "-" : "#" + range(first, count);
}

std::string words(unsigned bits, const auto& names) {
  std::string text;
  for (const auto& [bit, name] : names)
    if ((bits & bit) != 0) (text += ' ') += name;
  return text;
}

void append_entries(std::string& out, const Observation& o) {
  for (const EntryRun& run : o.entries) {
    const bool slot = run.kind == EntryKind::swap;
    out += fmt::format("{} {} {} {}", run.huge ? "PMD" : "PTE", char('A' + run.mm),
                       range(run.page, run.count), kEntryKindNames[std::size_t(run.kind)]);
    if (run.frame != kNoFrame)
      out += (slot ? " @" + range(run.frame, run.count) : " " + frames(run.frame, run.count));
    out += words(run.bits, kEntryBitNames) + '\n';
  }
}

// Renamed, slots that no entry refers to are far above those that have names.
std::string slot_text(std::uint32_t slot) {
  return slot >> 30 == 0 ? fmt::format("@{}", slot) : std::string("of no entry");
}

bool same_but_next(const FolioSeen& folio, const FolioSeen& next, std::uint32_t by) {
  FolioSeen expected = folio;
  expected.pfn += by;
  expected.index += std::int32_t(by);
  if (folio.slot >> 30 == 0) expected.slot += by;
  return folio.order == 0 && expected == next;
}

void append_folios(std::string& out, const Observation& o) {
  for (std::size_t i = 0; i < o.folios.size();) {
    const FolioSeen& f = o.folios[i];
    std::uint32_t count = 1;
    while (i + count < o.folios.size() && same_but_next(f, o.folios[i + count], count)) ++count;
    i += count;
    out += fmt::format("folio {} order {} refcount {} compound_mapcount {} pincount {} index {}",
                       frames(f.pfn, count), f.order, number(f.refcount), number(f.mapcount),
                       number(f.pincount), number(f.index));
    if (f.slot != kNoFrame) out += " slot " + slot_text(f.slot);
    out += f.double_map ? " double_map" : "";
    out += f.transhuge ? " transhuge" : "";
    out += f.deferred ? " deferred\n" : "\n";
  }
}

void append_pages(std::string& out, const Observation& o) {
  for (const PageRun& run : o.pages)
    out += fmt::format("page {} mapcount {}{}\n", frames(run.pfn, run.count), number(run.mapcount),
                       words(run.flags, kPageFlagNames));
  for (const HolderSeen& holder : o.holders)
    out += fmt::format("holder h{} {} {}\n", holder.id, kHolderNames[std::size_t(holder.kind)],
                       frames(holder.pfn, 1));
  for (std::size_t i = 0; i < o.contents.size();) {
    const ContentSeen& first = o.contents[i];
    unsigned count = 1;
    while (i + count < o.contents.size() && o.contents[i + count].pfn == first.pfn + count &&
           o.contents[i + count].content == first.content)
      ++count;
    i += count;
    out += fmt::format("content {} {}\n", frames(first.pfn, count), first.content);
  }
}

void append_spaces(std::string& out, const Observation& o) {
  for (const MmSeen& mm : o.mms)
    out += fmt::format("mm {} rss {} swap {} page_tables {} deposits {} vmas {} locked {}{}{}{}\n",
                       char('A' + mm.mm), number(mm.anon_pages), number(mm.swap_entries),
                       number(mm.nr_ptes), number(mm.deposits), number(mm.map_count),
                       number(mm.locked_vm), mm.huge_zero_page ? " huge_zero_page" : "",
                       mm.has_pinned ? " pinned" : "", mm.thp_disabled ? " thp_disabled" : "");
  for (const VmaSeen& vma : o.vmas)
    out +=
        fmt::format("VMA {} {}..{} offset {}{}{}{}\n", char('A' + vma.mm), vma.start, vma.end,
                    vma.pgoff, words(vma.flags, kVmFlagWords), vma.has_anon_vma ? " anon_vma" : "",
                    vma.file != 0 ? fmt::format(" f{}", vma.file - 1) : "");
}

void append_files(std::string& out, const FilesSeen& files) {
  const FileStats& n = files.stats;
  out += fmt::format("nr_shmem {} nr_shmem_thps {} nr_shmem_pmdmapped {} nr_file_mapped {}\n",
                     number(n.shmem), number(n.shmem_thps), number(n.shmem_pmdmapped),
                     number(n.mapped));
  for (const InodeSeen& inode : files.inodes)
    out += fmt::format("inode f{} size {} nrpages {} alloced {} blocks {} fallocend {}{}\n",
                       inode.inode, inode.i_size, inode.nrpages, inode.alloced, inode.i_blocks,
                       inode.fallocend, inode.on_shrinklist ? " shrinklist" : "");
  for (const CellRun& run : files.cells)
    out += fmt::format("cell f{} {} {} {}\n", run.inode, range(run.index, run.count),
                       kCellKindNames[std::size_t(run.kind)], frames(run.frame, run.count));
  for (const FileMmSeen& mm : files.mms)
    out += fmt::format("mm {} rss_shmem {}\n", char('A' + mm.mm), number(mm.shmem_pages));
}

}  // namespace

std::string text(const Observation& o) {
  const Globals& g = o.globals;
  std::string out = fmt::format("result {} reason {}\n", number(g.result),
                                g.reason == kUnseen ? "?" : reason_name(g.reason));
  out += fmt::format("huge_zero_refcount {} deferred_len {}\n", number(g.huge_zero_refcount),
                     number(g.deferred_len));
  const Vmstat& n = g.vmstat;
  out +=
      fmt::format("nr_anon_mapped {} nr_anon_thps {} nr_swapcache {} nr_mlock {}\n",
                  number(n.anon_mapped), number(n.anon_thps), number(n.swapcache), number(n.mlock));
  append_spaces(out, o);
  append_entries(out, o);
  if (o.files) append_files(out, *o.files);
  append_folios(out, o);
  append_pages(out, o);
  for (std::size_t i = 0; i < kEvents; ++i)
    if (g.events[i] != 0) out += fmt::format("event {} {}\n", kEventNames[i], number(g.events[i]));
  return out;
}

}  // namespace thp::live
