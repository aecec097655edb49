// The table of scopes.
#include "properties/scopes.h"

#include <algorithm>

namespace thp {
namespace {

constexpr NamedScope kScopes[] = {
    {.name = "alphabet3",
     .purpose = "every sequence of three ops of the whole alphabet",
     .geometry = {.order = 1, .pmds = 1, .mms = 2},
     .ops = "",
     .holders = 1,
     .depth = 3,
     .small = true,
     .states = 5627,
     .transitions = 79560,
     .deepest = 3},
    {.name = "alphabet5",
     .purpose = "every sequence of five ops of the whole alphabet",
     .geometry = {.order = 1, .pmds = 1, .mms = 2},
     .ops = "",
     .holders = 1,
     .depth = 5,
     .small = false,
     .states = 1614076,
     .transitions = 20645378,
     .deepest = 5},
    {.name = "pins",
     .purpose = "a pin and its owner, all there is",
     .geometry = {.order = 1, .pmds = 1, .mms = 1, .swap = 0},
     .ops = "mmap,store,munmap,pin,unpin",
     .holders = 1,
     .depth = 0,
     .small = true,
     .states = 16284,
     .transitions = 309396,
     .deepest = 14},
    {.name = "sharing",
     .purpose = "copy on write between two address spaces",
     .geometry = {.order = 1, .pmds = 1, .mms = 2, .swap = 0},
     .ops = "mmap,store,fork,munmap",
     .holders = 0,
     .depth = 5,
     .small = true,
     .states = 2382,
     .transitions = 15136,
     .deepest = 5},
    {.name = "copies",
     .purpose = "copy on write between two address spaces, all there is",
     .geometry = {.order = 1, .pmds = 1, .mms = 2, .swap = 0},
     .ops = "mmap,store,fork",
     .holders = 0,
     .depth = 0,
     .small = false,
     .states = 41490,
     .transitions = 1078740,
     .deepest = 12},
    {.name = "splitting",
     .purpose = "parts of a huge page of four, the deferred queue and collapse",
     .geometry = {.order = 2, .pmds = 1, .mms = 1, .swap = 0},
     .ops = "store,madvise_dontneed,madvise_collapse,split_folio,shrink_deferred,mmap",
     .holders = 0,
     .depth = 4,
     .small = true,
     .states = 2248,
     .transitions = 38870,
     .deepest = 4},
    {.name = "migration",
     .purpose = "a migration in flight, all there is",
     .geometry = {.order = 1, .pmds = 1, .mms = 1, .swap = 0},
     .ops = "mmap,store,migrate_begin,migrate_end,madvise_dontneed",
     .holders = 0,
     .depth = 0,
     .small = true,
     .states = 1555,
     .transitions = 26435,
     .deepest = 11},
    {.name = "swapping",
     .purpose = "reclaim step by step, and back",
     .geometry = {.order = 1, .pmds = 1, .mms = 1, .swap = 2},
     .ops = "mmap,store,load,swapon,swapoff,reclaim,writeback_end",
     .holders = 0,
     .depth = 8,
     .small = true,
     .states = 6075,
     .transitions = 48996,
     .deepest = 8},
    {.name = "moving",
     .purpose = "mremap() of huge pages and their parts",
     .geometry = {.order = 1, .pmds = 2, .mms = 1, .swap = 0},
     .ops = "mmap,store,mremap,munmap",
     .holders = 0,
     .depth = 3,
     .small = true,
     .states = 813,
     .transitions = 45384,
     .deepest = 3},
};

}  // namespace

std::span<const NamedScope> named_scopes() { return kScopes; }

const NamedScope* find_scope(std::string_view name) {
  const auto found = std::ranges::find(kScopes, name, &NamedScope::name);
  return found == std::end(kScopes) ? nullptr : &*found;
}

Scope scope_of(const NamedScope& named) {
  return {named.geometry, parse_op_set(named.ops).value(), named.holders, named.depth};
}

}  // namespace thp
