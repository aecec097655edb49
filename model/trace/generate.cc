// Drawing ops: the kind by weight or as a follow-up of the last op, then each argument by its type.
#include "model/trace/generate.h"

#include <boost/container/static_vector.hpp>
#include <ranges>

#include "model/trace/draw.h"

namespace thp {
namespace {

// Which holders an op wants: a free one to take a reference, one of a kind to use or give back.
template <class T>
inline constexpr unsigned kWantedHolders = bit(HolderKind::none);
template <>
inline constexpr unsigned kWantedHolders<Unpin> = bit(HolderKind::pin);
template <>
inline constexpr unsigned kWantedHolders<Put> = bit(HolderKind::get);
template <>
inline constexpr unsigned kWantedHolders<Putback> = bit(HolderKind::isolation);
template <>
inline constexpr unsigned kWantedHolders<StoreViaPin> = bit(HolderKind::pin);
template <>
inline constexpr unsigned kWantedHolders<LoadViaPin> = bit(HolderKind::pin) | bit(HolderKind::get);

template <class T>
Op draw_op(Choose choose, const Machine& m, std::span<const Op> before, bool near) {
  constexpr bool wants_open = !std::is_same_v<T, Creat>;
  Draw d{choose, m, before, near && !before.empty(), kWantedHolders<T>, wants_open, {}, {}};
  T op;
  visit_args(op, [&](auto& arg) { draw(d, arg); });
  return op;
}

// Is there a holder, or a name for a second address space, or a file, that the op could be about?
template <class T>
bool has_subject(const Machine& m) {
  const auto wanted = [](const Holder& h) { return (kWantedHolders<T> & bit(h.kind)) != 0; };
  const auto dead = [&](int mm) { return m.mms[std::size_t(mm)].alive == 0; };
  constexpr bool creates = std::is_same_v<T, Creat>;
  const auto fits = [](const Inode& i) { return creates ? i.alive == 0 : i.open != 0; };
  const T op{};
  int mms = 0;
  bool has = true;
  visit_args(op, [&]<class Arg>(const Arg&) {
    if constexpr (std::is_same_v<Arg, HolderId>)
      has = has && std::ranges::any_of(m.holders, wanted);
    if constexpr (std::is_same_v<Arg, InodeId>)
      has = has && std::any_of(m.inodes.begin(), m.inodes.begin() + m.geometry.inodes, fits);
    if (std::is_same_v<Arg, MmId> && ++mms == 2)
      has = has && std::ranges::any_of(std::views::iota(0, m.geometry.mms), dead);
  });
  return has;
}

// Settled by the state alone. The last address space to exit leaves nothing to do.
template <>
bool has_subject<Swapon>(const Machine& m) {
  return !m.swap_on;
}
template <>
bool has_subject<Swapoff>(const Machine& m) {
  return m.swap_on;
}
template <>
bool has_subject<MigrateEnd>(const Machine& m) {
  return m.migration.in_flight();
}
template <>
bool has_subject<Exit>(const Machine& m) {
  return std::ranges::count_if(m.mms, [](const Mm& mm) { return mm.alive != 0; }) > 1;
}

struct Kind {
  std::string_view name;
  Op (*draw)(Choose choose, const Machine& m, std::span<const Op> before, bool near);
  bool (*has_subject)(const Machine& m);
  bool of_files;
};
template <class... Ts>
constexpr std::array<Kind, sizeof...(Ts)> kinds(std::type_identity<std::variant<Ts...>>) {
  return {Kind{Ts::name, draw_op<Ts>, has_subject<Ts>, kIsOfFiles<Ts>}...};
}
constexpr auto kKinds = kinds(std::type_identity<Op>{});

// What is worth doing after an op, at the same place: the second half of what only two ops reach.
struct Sequel {
  int first, then;
};
constexpr Sequel kSequels[] = {
    {kKindOf<Fork>, kKindOf<Store>},
    {kKindOf<Fork>, kKindOf<Pin>},  // unshares
    {kKindOf<Pin>, kKindOf<Fork>},
    {kKindOf<Pin>, kKindOf<MigrateBegin>},
    {kKindOf<Pin>, kKindOf<Unpin>},
    {kKindOf<Get>, kKindOf<MigrateBegin>},
    {kKindOf<Unpin>, kKindOf<MadvisePageout>},
    {kKindOf<Munmap>, kKindOf<ShrinkDeferred>},
    {kKindOf<Munmap>, kKindOf<Mmap>},    // merges with its neighbours
    {kKindOf<Mremap>, kKindOf<Mremap>},  // and back
    {kKindOf<Mremap>, kKindOf<Mmap>},    // where it was
    {kKindOf<Mremap>, kKindOf<Store>},
    {kKindOf<Mremap>, kKindOf<MadviseCollapse>},  // parts of what was several huge pages
    {kKindOf<MadviseDontneed>, kKindOf<ShrinkDeferred>},
    {kKindOf<MadviseFree>, kKindOf<Reclaim>},
    {kKindOf<MadviseFree>, kKindOf<Munmap>},  // a part: PTEs map the rest
    {kKindOf<MadviseFree>, kKindOf<Mprotect>},
    {kKindOf<MadvisePageout>, kKindOf<WritebackEnd>},
    {kKindOf<MadvisePageout>, kKindOf<Load>},
    {kKindOf<MadvisePageout>, kKindOf<Store>},  // gives the slot back
    {kKindOf<Load>, kKindOf<MadvisePageout>},   // once clean, it leaves the swap cache too
    {kKindOf<Reclaim>, kKindOf<Reclaim>},       // the first one clears the young bits
    {kKindOf<Reclaim>, kKindOf<WritebackEnd>},
    {kKindOf<Reclaim>, kKindOf<Load>},
    {kKindOf<Reclaim>, kKindOf<Exit>},          // whoever kept the page from being unmapped
    {kKindOf<WritebackEnd>, kKindOf<Reclaim>},  // and the second one frees what is written
    {kKindOf<WritebackEnd>, kKindOf<Store>},
    {kKindOf<WritebackEnd>, kKindOf<ShrinkDeferred>},
    {kKindOf<Exit>, kKindOf<MadviseFree>},
    {kKindOf<Mlock>, kKindOf<Reclaim>},
    {kKindOf<Isolate>, kKindOf<Putback>},
    {kKindOf<MigrateBegin>, kKindOf<MigrateEnd>},
    {kKindOf<MigrateBegin>, kKindOf<MadviseCollapse>},  // waits for it
    {kKindOf<FailHugeAlloc>, kKindOf<Store>},
    {kKindOf<FailHugeAlloc>, kKindOf<MigrateBegin>},
    {kKindOf<FailSwapCluster>, kKindOf<Reclaim>},
    {kKindOf<ContendPageLock>, kKindOf<ShrinkDeferred>},
    {kKindOf<HoldSpeculativeRef>, kKindOf<SplitFolio>},
    {kKindOf<SplitFolio>, kKindOf<MadviseCollapse>},
    {kKindOf<MadviseCollapse>, kKindOf<MadviseDontneed>},  // no page table is left
    {kKindOf<Close>, kKindOf<Creat>},
    {kKindOf<Creat>, kKindOf<Pwrite>},
    {kKindOf<MmapFile>, kKindOf<Load>},
    {kKindOf<MmapFile>, kKindOf<Store>},
    {kKindOf<Truncate>, kKindOf<Load>},
    {kKindOf<Truncate>, kKindOf<Truncate>},  // and back: what lay beyond is gone
    {kKindOf<Truncate>, kKindOf<Pread>},
    {kKindOf<Punch>, kKindOf<Pread>},
    {kKindOf<FailSmallAlloc>, kKindOf<Fallocate>},
    {kKindOf<FailHugeAlloc>, kKindOf<Pwrite>},
    {kKindOf<SplitFile>, kKindOf<Load>},
    {kKindOf<ShmemEnabled>, kKindOf<Truncate>},
    {kKindOf<Truncate>, kKindOf<ShrinkShmem>},
};

bool has_kind(const Geometry& geometry, int kind) {
  return geometry.inodes > 0 || !kKinds[std::size_t(kind)].of_files;
}

// The kind of an op that follows the last one, or -1.
int draw_sequel(Choose choose, const OpMask& mask, const Geometry& geometry,
                std::span<const Op> before) {
  if (before.empty() || choose(2) == 0) return -1;
  boost::container::static_vector<int, std::size(kSequels)> kinds;
  for (const Sequel& sequel : kSequels)
    if (sequel.first == int(before.back().index()) && mask.has(sequel.then) &&
        has_kind(geometry, sequel.then))
      kinds.push_back(sequel.then);
  return kinds.empty() ? -1 : kinds[std::size_t(choose(int(kinds.size())))];
}

int draw_kind(Choose choose, const OpMask& mask, const Geometry& geometry) {
  const auto weight = [&](int kind) {
    return has_kind(geometry, kind) ? mask.weights[std::size_t(kind)] : 0;
  };
  int total = 0;
  for (int kind = 0; kind < kOpKinds; ++kind) total += weight(kind);
  if (total == 0) return draw_kind(choose, OpMask{}, geometry);
  int left = choose(total), kind = 0;
  while (left >= weight(kind)) left -= weight(kind++);
  return kind;
}

}  // namespace

int op_kind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  return found == kKinds.end() ? -1 : int(found - kKinds.begin());
}

std::string_view op_name(int kind) { return kKinds[std::size_t(kind)].name; }

Op generate_op(Choose choose, const Machine& m, const OpMask& mask, std::span<const Op> before) {
  const int sequel = draw_sequel(choose, mask, m.geometry, before);
  int kind = sequel >= 0 ? sequel : draw_kind(choose, mask, m.geometry);
  for (int tries = 0; tries < 3 && !kKinds[std::size_t(kind)].has_subject(m); ++tries)
    if (choose(8) != 7) kind = draw_kind(choose, mask, m.geometry);
  const bool near = sequel >= 0 || choose(4) == 3;
  return kKinds[std::size_t(kind)].draw(choose, m, before, near);
}

bool in_geometry(const Op& op, const Geometry& geometry) {
  bool in = true;
  visit_op(
      [&]<class T>(const T& o) {
        in = geometry.inodes > 0 || !kIsOfFiles<T>;
        visit_args(o, [&]<class Arg>(const Arg& arg) {
          if constexpr (!Named<Arg>) in = in && arg.in(geometry);
        });
      },
      op);
  return in;
}

}  // namespace thp
