// Which ops are of a kind. A rule about all ops of a kind names the class. A new op has to be put
// into one before anything compiles: so its author is asked which rules it concerns, and those
// about the class know it. Rules that name single ops are to be looked through by hand.
#pragma once
#include <type_traits>

#include "model/ops.h"

namespace thp {

template <class... Ts>
struct Ops {};

// What faults for a page: to see it; to have it alone, as far as a pin for reading does.
using Looks = Ops<Load, Get>;
using Takes = Ops<Store, StoreForced, Pin>;
// What makes, changes, moves, copies or ends mappings.
using Maps = Ops<Mmap, MmapHint, MmapFile, Munmap, Mprotect, Mremap, MremapResize, MremapDontunmap,
                 Fork, Exit>;
using Locks = Ops<Mlock, Munlock>;
// Advice about VMAs: how their memory is backed, and whether a child has it.
using MarksHuge = Ops<MadviseHugepage, MadviseNohugepage>;
using MarksFork = Ops<MadviseDontfork, MadviseDofork>;
using Discards = Ops<MadviseDontneed>;
// Advice that walks over pages, and splits a huge one of which it means a part.
using Walks = Ops<MadviseCold, MadvisePageout, MadviseFree>;
using Populates = Ops<MadvisePopulateRead, MadvisePopulateWrite>;
using Collapses = Ops<MadviseCollapse>;
using Clears = Ops<ClearSoftDirty>;
// What is done with a reference that somebody holds, or with the LRU lists.
using References = Ops<Unpin, Put, StoreViaPin, LoadViaPin, Isolate, Putback>;
// What looks for huge pages to split; drop_caches frees the huge zero page, too.
using Splits = Ops<SplitFolio, SplitFile, ShrinkDeferred, ShrinkShmem, DropCaches>;
using Shrinks = Ops<ShrinkHugeZero>;
// Swap itself, and what writes a page to it.
using Swaps = Ops<Swapon, Swapoff, Reclaim, WritebackEnd>;
using Migrates = Ops<MigrateBegin, MigrateEnd, MovePages>;
// What touches no memory: failures to come; settings.
using Arms = Ops<FailHugeAlloc, FailSmallAlloc, FailCharge, FailSwapCluster, ContendPageLock,
                 HoldSpeculativeRef>;
using Sets = Ops<SetEnabled, SetUseZeroPage, ShmemEnabled, PrctlThpDisable>;
// Calls on files: what takes pages out of one, what brings some in, and others.
using Cuts = Ops<Close, Punch, Truncate>;
using Fills = Ops<Pwrite, Fallocate>;
using Reads = Ops<Creat, Pread>;

// --- Groups across the classes, that several rules name.

using WritesOut = Ops<Reclaim, MadvisePageout>;
using Unmaps = Ops<Mmap, MmapFile, Munmap, MadviseDontneed, Exit>;
using Moves = Ops<Mremap, MremapDontunmap>;
using Remaps = Ops<Mremap, MremapDontunmap, MremapResize>;

// --- One list of classes and single ops.

template <class... Lists>
struct JoinedOps {
  using type = Ops<Lists...>;
};
template <class... Ts, class... Us, class... Lists>
struct JoinedOps<Ops<Ts...>, Ops<Us...>, Lists...> : JoinedOps<Ops<Ts..., Us...>, Lists...> {};
template <class... Ts, class T, class... Lists>
struct JoinedOps<Ops<Ts...>, T, Lists...> : JoinedOps<Ops<Ts..., T>, Lists...> {};
template <class... Ts>
struct JoinedOps<Ops<Ts...>> {
  using type = Ops<Ts...>;
};
template <class... ClassesAndOps>
using Joined = typename JoinedOps<Ops<>, ClassesAndOps...>::type;

// Calls visit(op) if the op is one of these.
template <class... Ts, class Visit>
constexpr void visit_one_of(Ops<Ts...>, const Op& op, Visit visit) {
  const auto ask = [&]<class T>(const T* o) {
    if (o != nullptr) visit(*o);
  };
  (ask(std::get_if<Ts>(&op)), ...);
}
template <class... Ts>
bool is_one_of(Ops<Ts...>, const Op& op) {
  return is_op<Ts...>(op);
}

using AllClasses =
    Joined<Looks, Takes, Maps, Locks, MarksHuge, MarksFork, Discards, Walks, Populates, Collapses,
           Clears, References, Splits, Shrinks, Swaps, Migrates, Arms, Sets, Cuts, Fills, Reads>;

template <class T, class... Ts>
consteval int times_in(Ops<Ts...>) {
  return (int(std::is_same_v<T, Ts>) + ... + 0);
}
template <class T>
struct HasAClass {
  static_assert(
      times_in<T>(AllClasses{}) == 1,
      "each op is in one class of oracle/rules/op_classes.h: which rules are to know this one?");
};
template <class... Ts>
consteval bool all_have_a_class(std::type_identity<std::variant<Ts...>>) {
  return ((sizeof(HasAClass<Ts>) > 0) && ...);
}
static_assert(all_have_a_class(std::type_identity<Op>{}));

}  // namespace thp
