// Fact by fact. Lists are walked side by side by their keys; of runs that differ in length, what
// both have in common is compared, then what is left.
#include "oracle/live/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "model/trace/trace.h"
#include "oracle/live/names.h"
#include "oracle/live/walk.h"

namespace thp::live {
namespace {

class Comparison {
 public:
  Comparison(const Observation& model, const Observation& kernel)
      : model_(model), kernel_(kernel) {}

  Differences run() {
    text_fact("result", {}, print_result(model_.globals.result),
              print_result(kernel_.globals.result));
    entries();
    if (model_.files && kernel_.files) files(*model_.files, *kernel_.files);
    folios();
    pages();
    holders();
    mms();
    vmas();
    globals();
    contents();
    return std::move(found_);
  }

 private:
  void differ(std::string_view fact, const std::string& where, std::string model,
              std::string kernel) {
    if (found_.all.size() < kMostDifferences)
      found_.all.push_back({std::string(fact), where, std::move(model), std::move(kernel)});
  }
  void text_fact(std::string_view fact, const std::string& where, std::string model,
                 std::string kernel) {
    ++found_.facts;
    if (model != kernel) differ(fact, where, std::move(model), std::move(kernel));
  }
  template <class Number>
  void fact(std::string_view name, const std::string& where, Number model, Number kernel) {
    if (std::int64_t{model} == kUnseen || std::int64_t{kernel} == kUnseen) return;
    ++found_.facts;
    if (model != kernel) differ(name, where, std::to_string(model), std::to_string(kernel));
  }
  template <class Names>
  void bits(std::string_view prefix, const std::string& where, unsigned model, unsigned kernel,
            const Names& names) {
    const auto tell = [](bool is) { return is ? "1" : "0"; };
    for (const auto& [bit, name] : names) {
      ++found_.facts;
      if (((model ^ kernel) & bit) != 0)
        differ(fmt::format("{}.{}", prefix, name), where, tell((model & bit) != 0),
               tell((kernel & bit) != 0));
    }
  }

  static std::string range(int first, unsigned n) {
    return n == 1 ? std::to_string(first) : fmt::format("{}..{}", first, unsigned(first) + n);
  }
  static std::string place(const EntryRun& run, unsigned n) {
    return fmt::format("{} {} {}", run.huge ? "PMD" : "PTE", char('A' + run.mm),
                       range(run.page, n));
  }
  static std::string place(const CellRun& run, unsigned n) {
    return fmt::format("cell f{} {}", run.inode, range(run.index, n));
  }
  static std::string place(const PageRun& run, unsigned n) {
    return n == 1 ? fmt::format("frame #{}", run.pfn)
                  : fmt::format("frames #{}..{}", run.pfn, run.pfn + n);
  }
  static std::string frame_name(const auto& run) {
    return run.frame == kNoFrame ? "-" : std::to_string(run.frame);
  }
  void presence(std::string_view fact, const std::string& where, bool model,
                std::string_view there) {
    text_fact(fact, where, model ? std::string(there) : "none",
              model ? "none" : std::string(there));
  }

  void entries() {
    walk_runs(
        model_.entries, kernel_.entries,
        [](const EntryRun& r) { return std::tuple(r.mm, r.page, !r.huge); },
        [&](const EntryRun& a, const EntryRun& b, unsigned n) {
          const std::string where = place(a, n);
          text_fact("entry.kind", where, std::string(kEntryKindNames[std::size_t(a.kind)]),
                    std::string(kEntryKindNames[std::size_t(b.kind)]));
          if (a.kind != b.kind) return;
          text_fact(a.kind == EntryKind::swap ? "entry.slot" : "entry.frame", where, frame_name(a),
                    frame_name(b));
          bits("entry", where, a.bits, b.bits, kEntryBitNames);
        },
        [&](const EntryRun& run, bool model) {
          presence("entry.kind", place(run, run.count), model,
                   kEntryKindNames[std::size_t(run.kind)]);
        });
  }

  void files(const FilesSeen& model, const FilesSeen& kernel) {
    fact("nr_shmem", {}, model.stats.shmem, kernel.stats.shmem);
    fact("nr_shmem_thps", {}, model.stats.shmem_thps, kernel.stats.shmem_thps);
    fact("nr_shmem_pmdmapped", {}, model.stats.shmem_pmdmapped, kernel.stats.shmem_pmdmapped);
    fact("nr_file_mapped", {}, model.stats.mapped, kernel.stats.mapped);
    cells(model.cells, kernel.cells);
    walk(
        model.inodes, kernel.inodes, [](const InodeSeen& i) { return i.inode; },
        [&](const InodeSeen& a, const InodeSeen& b) {
          const std::string where = fmt::format("f{}", a.inode);
          fact("inode.size", where, a.i_size, b.i_size);
          fact("inode.nrpages", where, a.nrpages, b.nrpages);
          fact("inode.alloced", where, a.alloced, b.alloced);
          fact("inode.blocks", where, a.i_blocks, b.i_blocks);
          fact("inode.fallocend", where, a.fallocend, b.fallocend);
          fact("inode.shrinklist", where, a.on_shrinklist, b.on_shrinklist);
        },
        [&](const InodeSeen& inode, bool is_model) {
          presence("inode", fmt::format("f{}", inode.inode), is_model, "alive");
        });
    walk(
        model.mms, kernel.mms, [](const FileMmSeen& mm) { return mm.mm; },
        [&](const FileMmSeen& a, const FileMmSeen& b) {
          fact("mm.rss_shmem", std::string(1, char('A' + a.mm)), a.shmem_pages, b.shmem_pages);
        },
        [](const FileMmSeen&, bool) {});  // who is alive is compared with the rest of it
  }

  void cells(const std::vector<CellRun>& model, const std::vector<CellRun>& kernel) {
    const auto kind = [](const CellRun& run) {
      return std::string(kCellKindNames[std::size_t(run.kind)]);
    };
    walk_runs(
        model, kernel, [](const CellRun& r) { return std::tuple(r.inode, r.index); },
        [&](const CellRun& a, const CellRun& b, unsigned n) {
          text_fact("cell.kind", place(a, n), kind(a), kind(b));
          text_fact("cell.frame", place(a, n), frame_name(a), frame_name(b));
        },
        [&](const CellRun& run, bool is_model) {
          presence("cell.kind", place(run, run.count), is_model, kind(run));
        });
  }

  void folios() {
    walk(
        model_.folios, kernel_.folios, [](const FolioSeen& f) { return f.pfn; },
        [&](const FolioSeen& a, const FolioSeen& b) {
          const std::string where = fmt::format("folio #{}", a.pfn);
          fact("folio.order", where, a.order, b.order);
          fact("folio.refcount", where, a.refcount, b.refcount);
          fact("folio.compound_mapcount", where, a.mapcount, b.mapcount);
          fact("folio.pincount", where, a.pincount, b.pincount);
          fact("folio.index", where, a.index, b.index);
          fact("folio.slot", where, a.slot, b.slot);
          fact("folio.double_map", where, a.double_map, b.double_map);
          fact("folio.deferred", where, a.deferred, b.deferred);
          fact("folio.transhuge", where, a.transhuge, b.transhuge);
        },
        [&](const FolioSeen& f, bool model) {
          presence("folio", fmt::format("folio #{}", f.pfn), model, "there");
        });
  }

  void pages() {
    walk_runs(
        model_.pages, kernel_.pages, [](const PageRun& r) { return r.pfn; },
        [&](const PageRun& a, const PageRun& b, unsigned n) {
          const std::string where = place(a, n);
          fact("page.mapcount", where, a.mapcount, b.mapcount);
          bits("page", where, a.flags, b.flags, kPageFlagNames);
        },
        [&](const PageRun& run, bool model) {
          presence("page", place(run, run.count), model, "there");
        });
  }

  void holders() {
    walk(
        model_.holders, kernel_.holders, [](const HolderSeen& h) { return h.id; },
        [&](const HolderSeen& a, const HolderSeen& b) {
          const std::string where = fmt::format("h{}", a.id);
          text_fact("holder.kind", where, std::string(kHolderNames[std::size_t(a.kind)]),
                    std::string(kHolderNames[std::size_t(b.kind)]));
          fact("holder.frame", where, a.pfn, b.pfn);
        },
        [&](const HolderSeen& h, bool model) {
          presence("holder.kind", fmt::format("h{}", h.id), model,
                   kHolderNames[std::size_t(h.kind)]);
        });
  }

  void mms() {
    walk(
        model_.mms, kernel_.mms, [](const MmSeen& mm) { return mm.mm; },
        [&](const MmSeen& a, const MmSeen& b) {
          const std::string where(1, char('A' + a.mm));
          fact("mm.rss", where, a.anon_pages, b.anon_pages);
          fact("mm.swap", where, a.swap_entries, b.swap_entries);
          fact("mm.page_tables", where, a.nr_ptes, b.nr_ptes);
          fact("mm.deposits", where, a.deposits, b.deposits);
          fact("mm.vmas", where, a.map_count, b.map_count);
          fact("mm.huge_zero_page", where, a.huge_zero_page, b.huge_zero_page);
          fact("mm.pinned", where, a.has_pinned, b.has_pinned);
          fact("mm.thp_disabled", where, a.thp_disabled, b.thp_disabled);
          fact("mm.locked_vm", where, a.locked_vm, b.locked_vm);
        },
        [&](const MmSeen& mm, bool model) {
          presence("mm", std::string(1, char('A' + mm.mm)), model, "alive");
        });
  }

  void vmas() {
    const auto place = [](const VmaSeen& vma) {
      return fmt::format("VMA {} {}", char('A' + vma.mm), vma.start);
    };
    walk(
        model_.vmas, kernel_.vmas, [](const VmaSeen& vma) { return std::tuple(vma.mm, vma.start); },
        [&](const VmaSeen& a, const VmaSeen& b) {
          const std::string where = place(a);
          fact("vma.end", where, a.end, b.end);
          fact("vma.offset", where, a.pgoff, b.pgoff);
          fact("vma.anon_vma", where, a.has_anon_vma, b.has_anon_vma);
          bits("vma", where, a.flags, b.flags, kVmFlagWords);
        },
        [&](const VmaSeen& vma, bool model) { presence("vma", place(vma), model, "there"); });
  }

  void globals() {
    const Globals &a = model_.globals, &b = kernel_.globals;
    fact("huge_zero_refcount", {}, a.huge_zero_refcount, b.huge_zero_refcount);
    fact("deferred_len", {}, a.deferred_len, b.deferred_len);
    fact("nr_anon_mapped", {}, a.vmstat.anon_mapped, b.vmstat.anon_mapped);
    fact("nr_anon_thps", {}, a.vmstat.anon_thps, b.vmstat.anon_thps);
    fact("nr_swapcache", {}, a.vmstat.swapcache, b.vmstat.swapcache);
    fact("nr_mlock", {}, a.vmstat.mlock, b.vmstat.mlock);
    for (std::size_t i = 0; i < kEvents; ++i)
      fact(fmt::format("event.{}", kEventNames[i]), {}, a.events[i], b.events[i]);
    if (a.reason != kUnseen && b.reason != kUnseen)
      text_fact("reason", {}, reason_name(a.reason), reason_name(b.reason));
  }

  void contents() {
    for (const ContentSeen& b : kernel_.contents) {
      const auto a = std::ranges::lower_bound(model_.contents, b.pfn, {}, &ContentSeen::pfn);
      if (a != model_.contents.end() && a->pfn == b.pfn)
        fact("content", fmt::format("frame #{}", b.pfn), a->content, b.content);
    }
  }

  const Observation& model_;
  const Observation& kernel_;
  Differences found_;
};

}  // namespace

Differences compare(const Observation& model, const Observation& kernel) {
  return Comparison(model, kernel).run();
}

}  // namespace thp::live
