// The table of scopes.
#include "properties/scopes.h"

#include <algorithm>
#include <ranges>

namespace thp {
namespace {

// What lies at 1..3 of A lies at 4..6 of B; of A's first block nothing is mapped any more.
constexpr std::string_view kGap =
    "mmap A 0..6; store A 1 1; mremap A 1..3 4; store A 4 1; madvise_collapse A 4..6; fork A B; "
    "mremap A 4..6 1; munmap A 0..2; mmap A 0..2; swapon";
constexpr std::string_view kOverGaps =
    "store,load,madvise_dontneed,migrate_begin,migrate_end,split_folio,reclaim,writeback_end";

// What the alphabet was when its scopes were first counted: by name, so that a new op moves
// nothing.
constexpr std::string_view kFirst48 =
    "mmap,munmap,mprotect,mremap,fork,exit,mlock,munlock,clear_soft_dirty,store,"
    "load,store_forced,madvise_hugepage,madvise_nohugepage,madvise_dontneed,"
    "madvise_free,madvise_cold,madvise_pageout,madvise_collapse,madvise_dontfork,"
    "madvise_dofork,pin,unpin,get,put,store_via_pin,load_via_pin,isolate,putback,"
    "split_folio,shrink_deferred,shrink_huge_zero,drop_caches,swapon,swapoff,"
    "reclaim,writeback_end,migrate_begin,migrate_end,move_pages,fail_huge_alloc,"
    "fail_small_alloc,fail_charge,fail_swap_cluster,contend_page_lock,"
    "hold_speculative_ref,enabled,use_zero_page";

constexpr NamedScope kScopes[] = {
    {.name = "alphabet3",
     .purpose = "every sequence of three of the first 48 ops",
     .geometry = {.order = 1, .pmds = 1, .mms = 2},
     .ops = kFirst48,
     .holders = 1,
     .depth = 3,
     .run = RunBy::tests,
     .states = 5627,
     .transitions = 79560,
     .deepest = 3},
    {.name = "alphabet5",
     .purpose = "every sequence of five of the first 48 ops",
     .geometry = {.order = 1, .pmds = 1, .mms = 2},
     .ops = kFirst48,
     .holders = 1,
     .depth = 5,
     .run = RunBy::nightly,
     .states = 1614076,
     .transitions = 20645378,
     .deepest = 5},
    {.name = "alphabet6",
     .purpose = "every sequence of six of the first 48 ops",
     .geometry = {.order = 1, .pmds = 1, .mms = 2},
     .ops = kFirst48,
     .holders = 1,
     .depth = 6,
     .run = RunBy::nightly,
     .states = 29466658,
     .transitions = 356710796,
     .deepest = 6},
    {.name = "lifecycles",
     .purpose = "huge pages shared, pinned, split and swapped by two address spaces",
     .geometry = {.order = 1, .pmds = 1, .mms = 2},
     .ops = "mmap,store,madvise_dontneed,fork,exit,pin,unpin,get,put,split_folio,swapon,swapoff,"
            "reclaim,writeback_end",
     .holders = 1,
     .depth = 10,
     .run = RunBy::hand,
     .states = 104490188,
     .transitions = 1572861210,
     .deepest = 10},
    {.name = "pins",
     .purpose = "a pin and its owner, all there is",
     .geometry = {.order = 1, .pmds = 1, .mms = 1, .swap = 0},
     .ops = "mmap,store,munmap,pin,unpin",
     .holders = 1,
     .depth = 0,
     .run = RunBy::tests,
     .states = 16284,
     .transitions = 309396,
     .deepest = 14},
    {.name = "sharing",
     .purpose = "copy on write between two address spaces",
     .geometry = {.order = 1, .pmds = 1, .mms = 2, .swap = 0},
     .ops = "mmap,store,fork,munmap",
     .holders = 0,
     .depth = 5,
     .run = RunBy::tests,
     .states = 2382,
     .transitions = 15136,
     .deepest = 5},
    {.name = "families",
     .purpose = "copy on write between two address spaces that come and go, all there is",
     .geometry = {.order = 1, .pmds = 1, .mms = 2, .swap = 0},
     .ops = "mmap,store,fork,munmap,exit",
     .holders = 0,
     .depth = 0,
     .run = RunBy::nightly,
     .states = 853947,
     .transitions = 29034198,
     .deepest = 25},
    {.name = "splitting",
     .purpose = "parts of a huge page of four, the deferred queue and collapse",
     .geometry = {.order = 2, .pmds = 1, .mms = 1, .swap = 0},
     .ops = "store,madvise_dontneed,madvise_collapse,split_folio,shrink_deferred,mmap",
     .holders = 0,
     .depth = 4,
     .run = RunBy::tests,
     .states = 2248,
     .transitions = 38870,
     .deepest = 4},
    {.name = "migration",
     .purpose = "a migration in flight, all there is",
     .geometry = {.order = 1, .pmds = 1, .mms = 1, .swap = 0},
     .ops = "mmap,store,migrate_begin,migrate_end,madvise_dontneed",
     .holders = 0,
     .depth = 0,
     .run = RunBy::tests,
     .states = 1555,
     .transitions = 26435,
     .deepest = 11},
    {.name = "swapping",
     .purpose = "reclaim step by step, and back",
     .geometry = {.order = 1, .pmds = 1, .mms = 1, .swap = 2},
     .ops = "mmap,store,load,swapon,swapoff,reclaim,writeback_end",
     .holders = 0,
     .depth = 8,
     .run = RunBy::tests,
     .states = 6075,
     .transitions = 48996,
     .deepest = 8},
    {.name = "moving",
     .purpose = "mremap() of huge pages and their parts",
     .geometry = {.order = 1, .pmds = 2, .mms = 1, .swap = 0},
     .ops = "mmap,store,mremap,munmap",
     .holders = 0,
     .depth = 3,
     .run = RunBy::tests,
     .states = 813,
     .transitions = 45384,
     .deepest = 3},
    {.name = "discarding",
     .purpose = "a huge page given away by MADV_FREE, cut, used again and reclaimed, all there is",
     .geometry = {.order = 1, .pmds = 1, .mms = 1, .swap = 0},
     .ops = "mmap,store,madvise_free,munmap,reclaim",
     .holders = 0,
     .depth = 0,
     .run = RunBy::tests,
     .states = 9670,
     .transitions = 183730,
     .deepest = 21},
    {.name = "discarding4",
     .purpose = "the same of four pages, until one that was stored to",
     .geometry = {.order = 2, .pmds = 1, .mms = 1, .swap = 0},
     .ops = "store,madvise_free,madvise_dontneed,reclaim",
     .holders = 0,
     .depth = 6,
     .run = RunBy::nightly,
     .states = 130788,
     .transitions = 1144864,
     .deepest = 6,
     .first = "mmap A 0..4"},
    {.name = "mixing",
     .purpose = "parts of two huge pages below one page table, and a collapse",
     .geometry = {.order = 1, .pmds = 3, .mms = 2, .swap = 2},
     .ops = "store,fork,madvise_dontneed,madvise_collapse,get,put",
     .holders = 1,
     .depth = 4,
     .run = RunBy::tests,
     .states = 17977,
     .transitions = 243628,
     .deepest = 4,
     .first = "mmap A 0..4; store A 0 1; store A 2 1; mremap A 1..3 4"},
    {.name = "gaps3",
     .purpose = "a huge page across two page tables, of which the first is gone, and the rmap",
     .geometry = {.order = 1, .pmds = 3, .mms = 2, .swap = 2},
     .ops = kOverGaps,
     .holders = 0,
     .depth = 3,
     .run = RunBy::tests,
     .states = 4796,
     .transitions = 55744,
     .deepest = 3,
     .first = kGap},
    {.name = "gaps5",
     .purpose = "the same in two steps more",
     .geometry = {.order = 1, .pmds = 3, .mms = 2, .swap = 2},
     .ops = kOverGaps,
     .holders = 0,
     .depth = 5,
     .run = RunBy::nightly,
     .states = 356414,
     .transitions = 6033082,
     .deepest = 5,
     .first = kGap},
    {.name = "file_calls",
     .purpose = "a file of memory by calls alone, with allocations that fail, all there is",
     .geometry = {.order = 2, .pmds = 1, .mms = 1, .swap = 0, .inodes = 1},
     .ops = "creat,close,pwrite,pread,fallocate,punch,truncate,fail_small_alloc,fail_charge",
     .holders = 0,
     .depth = 0,
     .run = RunBy::tests,
     .states = 59340,
     .transitions = 2788980,
     .deepest = 17},
    {.name = "file_shared",
     .purpose = "a file that two address spaces map, shared or not, and that is cut meanwhile",
     .geometry = {.order = 1, .pmds = 1, .mms = 2, .swap = 0, .inodes = 1},
     .ops = "creat,close,mmap_file,load,store,truncate,punch,fork,exit,munmap",
     .holders = 0,
     .depth = 5,
     .run = RunBy::tests,
     .states = 47815,
     .transitions = 417300,
     .deepest = 5},
    {.name = "file_mapped",
     .purpose = "a mapped file with locks, protections, moves and trackers of soft-dirty pages",
     .geometry = {.order = 1, .pmds = 1, .mms = 2, .swap = 0, .inodes = 1},
     .ops = "creat,close,pwrite,mmap_file,load,store,truncate,punch,fork,exit,munmap,mprotect,"
            "mlock,munlock,clear_soft_dirty,madvise_dontneed,mremap,isolate,putback",
     .holders = 1,
     .depth = 5,
     .run = RunBy::tests,
     .states = 110546,
     .transitions = 1544654,
     .deepest = 5},
    {.name = "file_huge_calls",
     .purpose = "a file of memory with huge pages by calls alone, all there is",
     .geometry = {.order = 1, .pmds = 2, .mms = 1, .swap = 0, .inodes = 1},
     .ops = "creat,close,pwrite,fallocate,punch,truncate,split_file,shrink_shmem,fail_huge_alloc",
     .holders = 0,
     .depth = 0,
     .run = RunBy::tests,
     .states = 57034,
     .transitions = 3022802,
     .deepest = 16,
     .first = "shmem_enabled within_size"},
    {.name = "file_huge",
     .purpose = "a huge page of a file, mapped in two address spaces, cut, split and held",
     .geometry = {.order = 1, .pmds = 1, .mms = 2, .swap = 0, .inodes = 1},
     .ops = "mmap_file,load,store,truncate,punch,fork,munmap,mprotect,split_file,isolate",
     .holders = 1,
     .depth = 4,
     .run = RunBy::tests,
     .states = 51134,
     .transitions = 492107,
     .deepest = 4,
     .first = "shmem_enabled always; creat f0"},
    {.name = "file_huge_advice",
     .purpose = "the same with all that allocates, advises, tracks and puts back",
     .geometry = {.order = 1, .pmds = 1, .mms = 2, .swap = 0, .inodes = 1},
     .ops = "mmap_file,load,store,truncate,punch,fallocate,fork,exit,munmap,mprotect,split_file,"
            "split_folio,shrink_shmem,isolate,putback,clear_soft_dirty",
     .holders = 1,
     .depth = 5,
     .run = RunBy::nightly,
     .states = 934100,
     .transitions = 12912544,
     .deepest = 5,
     .first = "shmem_enabled always; creat f0"},
};

}  // namespace

std::span<const NamedScope> named_scopes() { return kScopes; }

const NamedScope* find_scope(std::string_view name) {
  const auto found = std::ranges::find(kScopes, name, &NamedScope::name);
  return found == std::end(kScopes) ? nullptr : &*found;
}

Scope scope_of(const NamedScope& named) {
  Scope scope{named.geometry, parse_op_set(named.ops).value(), named.holders, named.depth};
  for (const auto op : std::views::split(named.first, std::string_view("; ")))
    scope.first.push_back(parse_op(std::string_view(op), named.geometry).value());
  return scope;
}

bool keeps_its_numbers(const NamedScope& named, const Explored& e) {
  const auto end = named.depth == 0 ? Explored::End::fixpoint : Explored::End::depth;
  return e.end == end && e.states == named.states && e.transitions == named.transitions &&
         e.depth == named.deepest;
}

}  // namespace thp
