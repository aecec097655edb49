// The host's side of the live oracle, without a kernel: the model plays its part, with other frame
// numbers, with planted differences, and with broken disks.
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string_view>

#include "oracle/live/batch.h"
#include "oracle/live/examine.h"
#include "oracle/live/free_facts.h"
#include "oracle/live/observe.h"
#include "oracle/live/reach.h"
#include "oracle/live/rename.h"
#include "oracle/live/wire.h"
#include "properties/check.h"
#include "properties/live_candidates.h"
#include "properties/live_traces.h"

using namespace thp;
using namespace thp::live;

namespace {

constexpr int kTraces = 6;

std::vector<Observation> observations(const Trace& trace) {
  std::vector<Observation> all;
  Machine m(trace.geometry);
  for (const Op& op : trace.ops) {
    const int result = step(m, op);
    settle(m);
    all.push_back(observe(m, result));
  }
  return all;
}

// A trace that has all there is: huge and small pages, swap entries, holders, two address spaces.
Trace rich_trace() {
  const auto file = parse_trace(
      "thp-trace 1\ngeometry order=9 pmds=2 mms=2 swap=2048 blocks=64\n"
      "mmap A 0..1024\nstore A 0 7\nstore A 600 9\nswapon\nmadvise_pageout A 600..601\n"
      "pin h0 A 3\nget h1 A 700\nfork A B\nstore B 5 8\nmprotect A 700..800 r\n");
  check(file.has_value(), "it is a trace");
  return file->trace;
}

// Files with holes, pages that are not up to date, and pages beyond their end.
Trace trace_with_files() {
  const auto file = parse_trace(
      "thp-trace 1\ngeometry order=9 pmds=1 mms=1 inodes=2\nmmap A 0..1\nstore A 0 1\ncreat f0\n"
      "creat f1\npwrite f1 7 2\nfallocate f0 3..6 keep\npwrite f0 4 9\nfallocate f1 100..300\n"
      "pread f0 4\npunch f1 120..130\n");
  check(file.has_value(), "it is a trace");
  return file->trace;
}

// Two pages that only the swap cache knows, alike but for their slots.
Trace two_cached() {
  const auto file = parse_trace(
      "thp-trace 1\nkernel 6.1\ngeometry order=9 pmds=1 mms=2\nmmap A 0..1\nswapon\nstore A 0 1\n"
      "madvise_pageout A 0\nfork A B\nstore B 0 2\nmadvise_pageout B 0\nexit A\n");
  check(file.has_value(), "it is a trace");
  return file->trace;
}

// The same memory, elsewhere: whole blocks of frames change places, slots are others.
Observation moved(Observation o, std::mt19937& random) {
  const std::uint32_t flip = (1 + random() % 63) << 9, more_slots = random() % 1000;
  const auto move = [flip](std::uint32_t& pfn) {
    if (pfn != kNoFrame) pfn = pfn ^ flip;
  };
  for (EntryRun& run : o.entries)
    if (run.kind == EntryKind::swap)
      run.frame += more_slots;
    else
      move(run.frame);
  for (FolioSeen& folio : o.folios) {
    move(folio.pfn);
    if (folio.slot != kNoFrame) folio.slot += more_slots;
  }
  for (PageRun& run : o.pages) move(run.pfn);
  for (ContentSeen& content : o.contents) move(content.pfn);
  for (HolderSeen& holder : o.holders) move(holder.pfn);
  if (o.files)
    for (CellRun& run : o.files->cells) move(run.frame);
  std::ranges::shuffle(o.folios, random);
  std::ranges::shuffle(o.pages, random);
  return o;
}

// Runs that cross a block would be torn: one entry, one page each.
Observation torn(Observation o) {
  const auto tear = [](auto& runs, auto step) {
    auto whole = std::move(runs);
    runs.clear();
    for (const auto& run : whole)
      for (unsigned i = 0; i < run.count; ++i) runs.push_back(step(run, i));
  };
  tear(o.entries, [](EntryRun run, unsigned i) {
    run.page = std::uint16_t(run.page + i);
    run.count = 1;
    if (run.frame != kNoFrame) run.frame += i;
    return run;
  });
  tear(o.pages, [](PageRun run, unsigned i) {
    run.pfn += i;
    run.count = 1;
    return run;
  });
  if (o.files)
    tear(o.files->cells, [](CellRun run, unsigned i) {
      run.index = std::uint16_t(run.index + i);
      run.count = 1;
      run.frame += i;
      return run;
    });
  return o;
}

void names_do_not_depend_on_frames() {
  std::mt19937 random(1);
  std::vector<Trace> traces = {two_cached(), trace_with_files()};
  for (std::uint64_t seed = 0; seed < kTraces; ++seed) traces.push_back(random_trace(seed));
  for (const Trace& trace : traces)
    for (const Observation& o : observations(trace)) {
      const Observation here = renamed(o), there = renamed(moved(torn(o), random));
      check(text(here) == text(there), "renamed, two numberings give the same text");
      check(here == there, "and the same observation");
      check(renamed(here) == here, "renaming what is renamed changes nothing");
    }
}

void the_model_agrees_with_itself() {
  for (std::uint64_t seed = 0; seed < kTraces; ++seed) {
    const Trace trace = random_trace(seed);
    const Examined examined = examine(trace, observations(trace));
    check(!examined.divergence, "no divergence from itself");
    const std::size_t of_each_op = std::size_t(kEvents);  // and whatever there is beside them
    check(examined.ops == trace.ops.size() && examined.facts > of_each_op * examined.ops,
          "everything is compared");
  }
}

// --- Every kind of fact.

struct Plant {
  std::string_view fact;
  void (*change)(Observation& o);
};

EntryRun& entry(Observation& o, EntryKind kind) {
  return *std::ranges::find(o.entries, kind, &EntryRun::kind);
}
FolioSeen& large(Observation& o) { return *std::ranges::find(o.folios, 9, &FolioSeen::order); }

ContentSeen& frame_at(Observation& o, int inode, int index) {
  const auto run = std::ranges::find_if(o.files->cells, [&](const CellRun& r) {
    return r.inode == inode && index - r.index >= 0 && index - r.index < r.count;
  });
  const std::uint32_t pfn = run->frame + std::uint32_t(index - run->index);
  return *std::ranges::find(o.contents, pfn, &ContentSeen::pfn);
}

constexpr Plant kPlants[] = {
    {"result", [](Observation& o) { o.globals.result = -22; }},
    {"reason", [](Observation& o) { o.globals.reason = 1; }},
    {"huge_zero_refcount", [](Observation& o) { ++o.globals.huge_zero_refcount; }},
    {"deferred_len", [](Observation& o) { ++o.globals.deferred_len; }},
    {"event.thp_split_pmd",
     [](Observation& o) { ++o.globals.events[std::size_t(Event::thp_split_pmd)]; }},
    {"mm", [](Observation& o) { o.mms.pop_back(); }},
    {"mm.rss", [](Observation& o) { ++o.mms[0].anon_pages; }},
    {"mm.swap", [](Observation& o) { ++o.mms[0].swap_entries; }},
    {"mm.page_tables", [](Observation& o) { ++o.mms[0].nr_ptes; }},
    {"mm.deposits", [](Observation& o) { ++o.mms[0].deposits; }},
    {"mm.vmas", [](Observation& o) { ++o.mms[0].map_count; }},
    {"mm.huge_zero_page", [](Observation& o) { o.mms[0].huge_zero_page ^= 1; }},
    {"mm.pinned", [](Observation& o) { o.mms[0].has_pinned ^= 1; }},
    {"mm.thp_disabled", [](Observation& o) { o.mms[0].thp_disabled ^= 1; }},
    {"mm.locked_vm", [](Observation& o) { ++o.mms[0].locked_vm; }},
    {"vma", [](Observation& o) { o.vmas.pop_back(); }},
    {"vma.end", [](Observation& o) { --o.vmas[0].end; }},
    {"vma.offset", [](Observation& o) { ++o.vmas[0].pgoff; }},
    {"vma.anon_vma", [](Observation& o) { o.vmas[0].has_anon_vma ^= 1; }},
    {"vma.sd", [](Observation& o) { o.vmas[0].flags ^= VM_SOFTDIRTY; }},
    {"nr_anon_mapped", [](Observation& o) { ++o.globals.vmstat.anon_mapped; }},
    {"nr_anon_thps", [](Observation& o) { ++o.globals.vmstat.anon_thps; }},
    {"nr_swapcache", [](Observation& o) { ++o.globals.vmstat.swapcache; }},
    {"nr_mlock", [](Observation& o) { ++o.globals.vmstat.mlock; }},
    {"entry.kind", [](Observation& o) { o.entries.pop_back(); }},
    {"entry.kind", [](Observation& o) { entry(o, EntryKind::swap).kind = EntryKind::present; }},
    {"entry.frame", [](Observation& o) { entry(o, EntryKind::zero).frame = 3; }},
    {"entry.write", [](Observation& o) { entry(o, EntryKind::present).bits ^= kWrite; }},
    {"entry.young", [](Observation& o) { entry(o, EntryKind::present).bits ^= kYoung; }},
    {"entry.dirty", [](Observation& o) { entry(o, EntryKind::present).bits ^= kDirty; }},
    {"entry.soft_dirty", [](Observation& o) { entry(o, EntryKind::swap).bits ^= kSoftDirty; }},
    {"entry.exclusive", [](Observation& o) { entry(o, EntryKind::swap).bits ^= kExclusive; }},
    {"folio.refcount", [](Observation& o) { ++large(o).refcount; }},
    {"folio.compound_mapcount", [](Observation& o) { ++large(o).mapcount; }},
    {"folio.pincount", [](Observation& o) { ++large(o).pincount; }},
    {"folio.index", [](Observation& o) { ++large(o).index; }},
    {"folio.slot", [](Observation& o) { large(o).slot = 0; }},
    {"folio.double_map", [](Observation& o) { large(o).double_map ^= 1; }},
    {"folio.deferred", [](Observation& o) { large(o).deferred ^= 1; }},
    {"folio.transhuge", [](Observation& o) { large(o).transhuge ^= 1; }},
    {"page.mapcount", [](Observation& o) { ++o.pages.back().mapcount; }},
    {"page.dirty", [](Observation& o) { o.pages.front().flags ^= PG_dirty; }},
    {"page.exclusive", [](Observation& o) { o.pages.front().flags ^= PG_anon_exclusive; }},
    {"holder.kind", [](Observation& o) { o.holders.pop_back(); }},
    {"holder.frame", [](Observation& o) { ++o.holders[0].pfn; }},
    {"content", [](Observation& o) { ++o.contents[7].content; }},
};

constexpr Plant kPlantsInFiles[] = {
    {"nr_shmem", [](Observation& o) { ++o.files->stats.shmem; }},
    {"nr_shmem_thps", [](Observation& o) { ++o.files->stats.shmem_thps; }},
    {"nr_shmem_pmdmapped", [](Observation& o) { ++o.files->stats.shmem_pmdmapped; }},
    {"nr_file_mapped", [](Observation& o) { ++o.files->stats.mapped; }},
    {"inode.shrinklist", [](Observation& o) { o.files->inodes[1].on_shrinklist ^= 1; }},
    {"inode", [](Observation& o) { o.files->inodes.pop_back(); }},
    {"inode.size", [](Observation& o) { ++o.files->inodes[1].i_size; }},
    {"inode.nrpages", [](Observation& o) { ++o.files->inodes[1].nrpages; }},
    {"inode.alloced", [](Observation& o) { ++o.files->inodes[1].alloced; }},
    {"inode.blocks", [](Observation& o) { ++o.files->inodes[1].i_blocks; }},
    {"inode.fallocend", [](Observation& o) { ++o.files->inodes[0].fallocend; }},
    {"cell.kind", [](Observation& o) { o.files->cells.erase(o.files->cells.begin()); }},
    {"cell.kind", [](Observation& o) { --o.files->cells.back().count; }},
    {"cell.frame", [](Observation& o) { o.files->cells.back().frame = o.entries[1].frame; }},
    {"folio.index", [](Observation& o) { ++o.folios.back().index; }},
    {"page.uptodate", [](Observation& o) { o.pages.back().flags ^= PG_uptodate; }},
    {"content", [](Observation& o) { frame_at(o, 1, 7).content = 5; }},
    {"content", [](Observation& o) { frame_at(o, 0, 4).content = 5; }},
};

void finds_each(std::span<const Plant> plants, const Trace& trace, const Observation& last) {
  for (const Plant& plant : plants) {
    Observation other = last;
    plant.change(other);
    const std::span<const Op> ops = trace.ops;
    const Differences found = compare(comparable(last, ops), comparable(other, ops));
    check(std::ranges::any_of(found.all, [&](auto& d) { return d.fact == plant.fact; }),
          std::string("a planted difference is found: ").append(plant.fact));
  }
  check(compare(comparable(last, trace.ops), comparable(last, trace.ops)).all.empty(), "no other");
}

void finds_each_planted_difference() {
  const Trace trace = rich_trace(), files = trace_with_files();
  Observation last = observations(trace).back();
  last.entries.push_back({.mm = 1, .kind = EntryKind::zero, .page = 1023});
  finds_each(kPlants, trace, last);
  finds_each(kPlantsInFiles, files, observations(files).back());
}

void what_is_not_up_to_date_has_no_content() {
  const Trace trace = trace_with_files();
  const Observation last = observations(trace).back();
  Observation other = last;
  frame_at(other, 0, 3).content ^= 1;
  check(compare(comparable(last, trace.ops), comparable(other, trace.ops)).all.empty(),
        "what is in a page that is not up to date is nobody's business");
}

void an_unseen_fact_is_not_compared() {
  const Trace trace = rich_trace();
  const Observation o = renamed(observations(trace).back());
  Observation blind = o;
  blind.globals.reason = kUnseen;
  blind.globals.events.fill(kUnseen);
  blind.contents.clear();
  blind.mms[0].deposits = kUnseen;
  const Differences all = compare(o, o), fewer = compare(o, blind);
  check(fewer.all.empty(), "nothing differs");
  check(fewer.facts + kEvents + 2 + o.contents.size() == all.facts, "facts are counted one by one");
}

// --- Disks.

std::string disk_of(const Trace& trace) {
  std::string disk;
  std::uint32_t op = 0;
  for (const Observation& o : observations(trace)) disk += record_of(0, op++, o);
  const std::uint32_t done = kDoneMagic;
  return disk.append(reinterpret_cast<const char*>(&done), sizeof done);
}

void disks_come_back() {
  std::vector<Trace> traces;
  for (std::uint64_t seed = 0; seed < 5; ++seed) traces.push_back(random_trace(seed));
  const auto read = read_batch(batch_of(traces));
  check(read && std::ranges::equal(*read, traces), "a batch comes back as it was");
  std::string newer = batch_of(traces);
  newer[newer.find("thp-trace 1") + 10] = '7';
  const auto part = read_batch(newer);
  check(part && part->size() == traces.size() && !part->front() && part->back() == traces.back(),
        "what cannot be read is none, the others are");
  for (const Trace& trace : {rich_trace(), trace_with_files()}) {
    const ObservedBatch batch = read_observations(disk_of(trace), 1);
    check(batch.complete && batch.traces[0].ops == observations(trace), "observations come back");
  }
}

// A guest that knows of no files writes what it always wrote.
void a_record_without_files_is_as_ever() {
  const Observation o = observations(rich_trace()).back();
  const ObservedHeader header = header_of(0, 0, o);
  check(!o.files && header.magic == kObservedMagic, "nothing about files");
  check(record_of(0, 0, o).size() == header.bytes, "and no byte of them");
  check(!text(renamed(o)).contains("shmem"), "nor a word");
}

void broken_disks_are_read_as_far_as_they_are_sound(const Trace& trace) {
  const std::string disk = disk_of(trace);
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    const std::string half = disk.substr(0, random() % disk.size());
    const ObservedBatch batch = read_observations(half, 1);
    check(!batch.complete && !batch.error.empty(), "half a disk is not complete");
    check(!examine(trace, batch.traces[0].ops).divergence, "what there is of it is right");
  }
  for (int i = 0; i < 400; ++i) {
    std::string mutated = disk;
    for (int n = 1 + int(random() % 8); n > 0; --n)
      mutated[random() % (i % 2 == 0 ? 400 : mutated.size())] = char(random());
    const ObservedBatch batch = read_observations(mutated, 1);
    const Examined examined = examine(trace, batch.traces[0].ops);
    if (i % 10 == 0 && examined.divergence)
      check(!divergence_page(trace, *examined.divergence, "x").empty(), "any page can be written");
  }
  for (int i = 0; i < 200; ++i) {
    std::string mutated = batch_of({&trace, 1});
    mutated[random() % mutated.size()] = char(random());
    (void)read_batch(mutated);
    (void)read_batch(mutated.substr(0, random() % mutated.size()));
  }
}

// --- Traces.

void random_traces_can_run() {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Trace trace = random_trace(seed);
    check(trace == random_trace(seed), "a seed is a trace");
    check(trace.geometry.order == Geometry::kMaxOrder && trace.ops.size() <= 12, "the shape");
    const auto again = for_kernel(trace);
    check(again && *again == trace, "nothing has to be changed for the kernel");
  }
}

// Each page of A gets an anon_vma of its own.
std::string many_anon_vmas() {
  std::string text = "thp-trace 1\ngeometry order=6 pmds=2 mms=1\n";
  for (int page = 0; page < 128; page += 2)
    text += fmt::format("mmap A {0}..{1}\nstore A {0} 1\n", page, page + 1);
  return text;
}

void a_trace_runs_as_far_as_a_kernel_can() {
  const auto file = parse_trace(
      "thp-trace 1\ngeometry order=2 pmds=1 mms=2\nmmap A 0..4\nstore A 0 1\nfail_charge\n"
      "migrate_begin A 0\nmigrate_end\nexit A\n");
  const LiveTrace live = as_far_as_a_kernel_can(file->trace);
  check(live.trace == *for_kernel(file->trace) && live.ends.empty(), "all of it");
  check(live.changes.size() == 3, "three ops have no call");
  check(live.changes[0].op == 2 && !live.changes[0].instead, "an injected failure is left out");
  check(live.changes[1].op == 3 && live.changes[1].instead == Op(MovePages{{0}, {0}}),
        "half of a migration is a whole one, at the trace's own order");
  const auto many = parse_trace(many_anon_vmas());
  const LiveTrace part = as_far_as_a_kernel_can(many->trace);
  check(part.ends == for_kernel(many->trace).error(), "it ends where ci/live leaves a trace out");
  check(!part.trace.ops.empty() && for_kernel(part.trace), "what is before that can run");
}

void a_page_tells_the_difference() {
  const Trace trace = rich_trace();
  std::vector<Observation> all = observations(trace);
  ++large(all[3]).refcount;
  const auto divergence = examine(trace, all).divergence;
  check(divergence && divergence->op == 3, "the op is found");
  if (!divergence) return;
  const std::string page = divergence_page(trace, *divergence, "ci/live FILE");
  for (const std::string_view part :
       {"differ after op 4, swapon\n", "folio.refcount of folio #0: ", "model 1, kernel 2",
        ">    4  swapon\n", " | folio #0 order 9 ", "reproduce: ci/live FILE\n"})
    check(page.contains(part), std::string("the page has ").append(part));
}

void candidates_get_simpler() {
  const Trace trace = rich_trace();
  const auto all = candidates(trace, 1000);
  check(all.size() > 50, "there are many");
  check(all[0].ops.size() == trace.ops.size() / 2, "halves come first");
  check(std::ranges::find(all, trace) == all.end(), "none is the trace itself");
}

// --- Where comparing ends.

// Of a device with so many slots, of which so many are in use?
bool is_compared(int slots, int used) {
  Machine m(Geometry{.order = 9, .pmds = 1, .mms = 1, .swap = slots});
  for (int slot = 0; slot < used; ++slot) m.swap(Slot(slot)).count = 1;
  return why_comparing_ends(m).empty();
}

void comparing_ends_where_swap_is_nearly_half_full() {
  for (const int slots : {321, 1024, 2047, 2048}) {
    const int half = slots / 2;
    for (const int used : {0, half - 128, half + 1, slots})
      check(is_compared(slots, used), "model and kernel agree whether swap is full");
    for (const int used : {half - 127, half - 1, half})
      check(!is_compared(slots, used), "the kernel may call swap full before the model does");
  }
  for (const int slots : {0, 1, 320})
    for (int used = 0; used <= slots; ++used)
      check(is_compared(slots, used), "a small device has no caches of slots");
}

void a_defect_ends_comparing_too() {
  Machine m;
  check(why_comparing_ends(m).empty(), "it goes on");
  m.defect = &kStrandedMigrationEntries;
  check(!why_comparing_ends(m).empty(), "nothing is worth comparing any more");
}

// A small page goes out and comes in again, which leaves the kernel 64 slots that are not free; a
// huge page goes out, so that half of the device is in use: full, says the kernel of the next load.
void what_comes_behind_the_end_is_not_compared() {
  const auto file = parse_trace(
      "thp-trace 1\ngeometry order=9 pmds=2 mms=1\nmmap A 0..1024\nmadvise_nohugepage A 512..1024\n"
      "swapon\nstore A 512 1\nmadvise_pageout A 512\nstore A 512 2\nstore A 0 1\n"
      "madvise_pageout A 0..512\nload A 0\n");
  check(file.has_value(), "it is a trace");
  const Trace& trace = file->trace;
  std::vector<Observation> all = observations(trace);
  const std::size_t end = all.size() - 2;
  for (std::size_t i = end; i < all.size(); ++i) ++all[i].globals.deferred_len;
  const Examined examined = examine(trace, all);
  check(!examined.divergence && examined.ops == end && !examined.ended.empty(), "it ends in time");
  ++all[end - 1].globals.deferred_len;
  check(examine(trace, all).divergence.has_value(), "but not before");
}

// Rows that name nothing would hide nothing: each is one of the table of sometimes, and there once.
void beyond_live_names_sometimes() {
  for (const BeyondLive& row : beyond_live()) {
    check(std::ranges::count(sometimes(), row.name, &Sometimes::name) == 1, row.name);
    check(std::ranges::count(beyond_live(), row.name, &BeyondLive::name) == 1, row.name);
    check(!row.reason.empty(), row.name);
  }
}

}  // namespace

int live_test(int, char*[]) {
  names_do_not_depend_on_frames();
  the_model_agrees_with_itself();
  finds_each_planted_difference();
  what_is_not_up_to_date_has_no_content();
  an_unseen_fact_is_not_compared();
  disks_come_back();
  a_record_without_files_is_as_ever();
  broken_disks_are_read_as_far_as_they_are_sound(rich_trace());
  broken_disks_are_read_as_far_as_they_are_sound(trace_with_files());
  random_traces_can_run();
  a_trace_runs_as_far_as_a_kernel_can();
  a_page_tells_the_difference();
  candidates_get_simpler();
  comparing_ends_where_swap_is_nearly_half_full();
  a_defect_ends_comparing_too();
  what_comes_behind_the_end_is_not_compared();
  beyond_live_names_sometimes();
  return failures();
}
