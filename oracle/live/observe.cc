// Reading a machine: its entries and cells in runs, the folios that they, holders and the swap
// cache lead to.
#include "oracle/live/observe.h"

#include <algorithm>

#include "model/ops.h"
#include "oracle/live/runs.h"
#include "oracle/translate.h"

namespace thp::live {
namespace {

bool has_frame(const Entry& entry) {
  return entry.is_present() || entry.is_migration() || entry.is_swap();
}

EntryRun seen(int mm, bool huge, int page, const Entry& entry) {
  return {.mm = std::uint8_t(mm),
          .huge = huge,
          .kind = entry.kind,
          .bits = entry.is_table() ? std::uint8_t{0} : entry.bits,
          .page = std::uint16_t(page),
          .frame = has_frame(entry) ? entry.frame : kNoFrame};
}

void observe_entries(const Machine& m, int mm, Observation& o) {
  for (int page = 0; page < m.pages(); ++page) {
    const Entry& pmd = m.pmd(mm, pmd_index(m, page));
    if (page == pmd_first(m, page) && !pmd.is_none())
      append_run(o.entries, seen(mm, true, page, pmd));
    if (pmd.is_table() && !m.pte(mm, page).is_none())
      append_run(o.entries, seen(mm, false, page, m.pte(mm, page)));
  }
}

void observe_mm(const Machine& m, int id, Observation& o) {
  const Mm& mm = m.mms[std::size_t(id)];
  if (!mm.alive) return;
  o.mms.push_back({.mm = std::uint8_t(id),
                   .huge_zero_page = mm.huge_zero_page,
                   .has_pinned = mm.has_pinned,
                   .thp_disabled = mm.thp_disabled,
                   .anon_pages = mm.anon_pages,
                   .swap_entries = mm.swap_entries,
                   .nr_ptes = mm.nr_ptes,
                   .deposits = mm.deposits,
                   .map_count = mm.map_count,
                   .locked_vm = locked_vm(m, id)});
  for (const Vma& vma : m.vmas(id))
    o.vmas.push_back({.mm = std::uint8_t(id),
                      .has_anon_vma = vma.anon_vma != kNoAnonVma,
                      .start = vma.start,
                      .end = vma.end,
                      .file = std::uint8_t(vma.is_anonymous() ? 0 : vma.file + 1),
                      .pgoff = vma.pgoff,
                      .flags = vma.flags});
  observe_entries(m, id, o);
}

bool is_folio(const Machine& m, std::uint32_t pfn) {
  return pfn < std::uint32_t(m.frames()) && !is_huge_zero_page(m, page_folio(m, Pfn(pfn)));
}

// The heads of all folios that something leads to, sorted.
std::vector<Pfn> reachable(const Machine& m, const Observation& o) {
  std::vector<Pfn> heads;
  const auto add = [&](std::uint32_t pfn) {
    if (is_folio(m, pfn)) heads.push_back(page_folio(m, Pfn(pfn)));
  };
  for (const EntryRun& run : o.entries)
    if (run.kind == EntryKind::present || run.kind == EntryKind::migration)
      for (int i = 0; i < run.count; ++i) add(run.frame + std::uint32_t(i));
  for (const Holder& holder : m.holders)
    if (holder.kind != HolderKind::none) add(holder.pfn);
  for (int slot = 0; slot < m.geometry.swap_slots(); ++slot) add(m.swap(Slot(slot)).cache);
  if (o.files)
    for (const CellRun& run : o.files->cells)
      for (int i = 0; i < run.count; ++i) add(run.frame + std::uint32_t(i));
  std::ranges::sort(heads);
  heads.erase(std::ranges::unique(heads).begin(), heads.end());
  return heads;
}

void observe_folio(const Machine& m, Pfn head, Observation& o) {
  const Page& page = m.page(head);
  FolioSeen folio{.pfn = head, .refcount = page.refcount, .index = page.index};
  if (test(m, head, PG_swapcache)) folio.slot = page.private_slot;
  if (folio_test_large(m, head)) {
    const Compound& compound = m.compound(head);
    folio.order = std::uint8_t(m.geometry.order);
    folio.mapcount = compound.mapcount;
    folio.pincount = compound.pincount;
    folio.double_map = compound.double_map;
    folio.deferred = compound.deferred;
    folio.transhuge = compound.transhuge;
  }
  o.folios.push_back(folio);
  for (int i = 0; i < folio_nr_pages(m, head); ++i) {
    const Pfn pfn = Pfn(head + i);
    const Page& sub = m.page(pfn);
    append_run(o.pages,
               {.pfn = pfn, .flags = Bits(sub.flags & kFlagsSeen), .mapcount = sub.mapcount});
    o.contents.push_back({pfn, sub.content});
  }
}

void observe_holders(const Machine& m, Observation& o) {
  for (int id = 0; id < kMaxHolders; ++id) {
    const Holder& holder = m.holders[std::size_t(id)];
    if (holder.kind == HolderKind::none) continue;
    o.holders.push_back({.id = std::uint8_t(id),
                         .kind = holder.kind,
                         .pfn = is_folio(m, holder.pfn) ? holder.pfn : kNoFrame});
  }
}

void observe_inode(const Machine& m, int id, FilesSeen& files) {
  const Inode& inode = m.inodes[std::size_t(id)];
  if (inode.alive == 0) return;
  files.inodes.push_back({.inode = std::uint8_t(id),
                          .on_shrinklist = inode.on_shrinklist,
                          .i_size = inode.i_size,
                          .nrpages = inode.nrpages,
                          .alloced = inode.alloced,
                          .i_blocks = 8 * inode.alloced,
                          .fallocend = inode.fallocend});
  for (int index = 0; index < m.pages(); ++index)
    if (const Cell cell = m.cell(id, index); !cell.is_none())
      append_run(files.cells, {.inode = std::uint8_t(id),
                               .kind = cell.kind,
                               .index = std::uint16_t(index),
                               .frame = cell.frame});
}

void observe_files(const Machine& m, Observation& o) {
  if (m.geometry.inodes == 0) return;
  FilesSeen& files = o.files.emplace();
  files.stats = {.shmem = m.nr_shmem,
                 .shmem_thps = m.nr_shmem_thps,
                 .shmem_pmdmapped = m.nr_shmem_pmdmapped,
                 .mapped = m.nr_file_mapped};
  for (int id = 0; id < m.geometry.inodes; ++id) observe_inode(m, id, files);
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    if (const Mm& space = m.mms[std::size_t(mm)]; space.alive)
      files.mms.push_back({.mm = std::uint8_t(mm), .shmem_pages = space.shmem_pages});
}

}  // namespace

Observation observe(const Machine& m, int result) {
  Observation o;
  o.globals.result = result;
  o.globals.reason = std::int32_t(m.reason);
  o.globals.huge_zero_refcount = m.huge_zero_refcount;
  o.globals.deferred_len = m.deferred_len;
  o.globals.vmstat = {.anon_mapped = m.nr_anon_mapped,
                      .anon_thps = m.nr_anon_thps,
                      .swapcache = m.nr_swapcache,
                      .mlock = nr_mlock(m)};
  std::ranges::copy(m.events, o.globals.events.begin());
  for (int mm = 0; mm < m.geometry.mms; ++mm) observe_mm(m, mm, o);
  observe_files(m, o);
  for (const Pfn head : reachable(m, o)) observe_folio(m, head, o);
  observe_holders(m, o);
  return o;
}

bool is_under_writeback(const Machine& m) {
  for (int pfn = 0; pfn < m.frames(); ++pfn)
    if (test(m, Pfn(pfn), PG_writeback)) return true;
  return false;
}

void settle(Machine& m) {
  const Reason reason = m.reason;
  while (is_under_writeback(m)) step(m, WritebackEnd{});
  m.reason = reason;
}

}  // namespace thp::live
