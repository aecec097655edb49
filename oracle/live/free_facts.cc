// The table of free facts.
#include "oracle/live/free_facts.h"

#include <algorithm>
#include <iterator>

#include "oracle/live/rename.h"

namespace thp::live {
namespace {

using Ops = std::span<const Op>;

void clear_flags(Observation& seen, Bits of, Bits flags) {
  for (PageRun& run : seen.pages)
    if ((run.flags & of) != 0) run.flags &= Bits(~flags);
}

void forget_tail_flags(Observation& seen, Ops) {
  clear_flags(seen, PG_tail, Bits(~(PG_tail | PG_anon_exclusive)));
}

// Of a page that nobody maps any more, or that was split while nobody mapped it.
void forget_unmapped_exclusive(Observation& seen, Ops) {
  for (PageRun& run : seen.pages)
    if (run.mapcount == -1 && (run.flags & (PG_head | PG_tail)) == 0)
      run.flags &= Bits(~PG_anon_exclusive);
}

Bits flags_of(const Observation& seen, const FolioSeen& folio) {
  for (const PageRun& run : seen.pages)
    if (folio.pfn - run.pfn < run.count) return run.flags;
  return 0;
}

bool is_in_file(const Observation& seen, const FolioSeen& folio) {
  return seen.files && std::ranges::any_of(seen.files->cells, [&](const CellRun& run) {
           return folio.pfn - run.frame < run.count;
         });
}

void forget_of_others(Observation& seen, Ops) {
  for (FolioSeen& folio : seen.folios)
    if ((flags_of(seen, folio) & PG_anon) == 0 && !is_in_file(seen, folio)) {
      folio.index = 0;
      folio.deferred = 0;
    }
}

// Of the head's flags.
void forget_stale_contents(Observation& seen, Ops) {
  std::vector<FolioSeen> stale;
  if (seen.files)
    std::ranges::copy_if(seen.folios, std::back_inserter(stale), [&](const FolioSeen& folio) {
      return (flags_of(seen, folio) & PG_uptodate) == 0 && is_in_file(seen, folio);
    });
  std::erase_if(seen.contents, [&](const ContentSeen& content) {
    return std::ranges::any_of(
        stale, [&](const FolioSeen& folio) { return content.pfn - folio.pfn < 1u << folio.order; });
  });
}

void forget_small_compound(Observation& seen, Ops) {
  for (FolioSeen& folio : seen.folios)
    if (folio.order == 0) {
      folio.mapcount = -1;
      folio.pincount = 0;
      folio.double_map = folio.deferred = folio.transhuge = 0;
    }
}

template <class T>
bool any(Ops ops) {
  return std::ranges::any_of(ops, [](const Op& op) { return is_op<T>(op); });
}

void forget_split_failures(Observation& seen, Ops ops) {
  if (any<DropCaches>(ops))
    seen.globals.events[std::size_t(Event::thp_split_page_failed)] = kUnseen;
}

void forget_dirty(Observation& seen, Ops ops) {
  if (!any<StoreViaPin>(ops)) return;
  for (PageRun& run : seen.pages) run.flags &= Bits(~PG_dirty);
}

void forget_active(Observation& seen, Ops ops) {
  const bool decided_by_lists = any<MovePages>(ops) || any<Swapoff>(ops);
  if (!decided_by_lists || seen.globals.events[std::size_t(Event::pswpin)] <= 0) return;
  for (PageRun& run : seen.pages)
    if ((run.flags & (PG_head | PG_tail)) == 0) run.flags &= Bits(~PG_active);
}

constexpr FreeFact kFreeFacts[] = {
    {"flags of tails", "but for AnonExclusive, a tail's flags are its head's", forget_tail_flags},
    {"AnonExclusive of unmapped small pages",
     "a bit that nobody reads until the page is mapped again, and then it is set anew",
     forget_unmapped_exclusive},
    {"index and deferred_list of folios that are neither anonymous nor in a file",
     "they mean something to these only; the huge zero page, which a get may keep when it is that "
     "no more, has a list that nobody has initialised",
     forget_of_others},
    {"contents of a file's pages that are not up to date",
     "fallocate() leaves in them what was there before: whoever comes by clears them first",
     forget_stale_contents},
    {"compound fields of small pages", "there are none", forget_small_compound},
    {"thp_split_page_failed once caches were dropped",
     "drop_slab() goes round while any shrinker frees much: nobody knows how often",
     forget_split_failures},
    {"PG_dirty once a device has stored",
     "the model's driver marks what it has written dirty; io_uring leaves that to who pins again",
     forget_dirty},
    {"PG_active of small pages read back from the device, once pages were moved or by swapoff()",
     "workingset_refault() makes a page active whose refault distance is within the working set of "
     "its node: on the second node there is next to none, and while swapoff() reads there is no "
     "swap left, so that anonymous lists do not count; the model counts no LRU lists",
     forget_active},
};

}  // namespace

std::span<const FreeFact> free_facts() { return kFreeFacts; }

Observation comparable(Observation seen, std::span<const Op> ops) {
  for (const FreeFact& free : kFreeFacts) free.forget(seen, ops);
  return renamed(seen);
}

}  // namespace thp::live
