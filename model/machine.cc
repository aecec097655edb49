// The arena: where each geometry-sized array lies, and the few operations on it that are no
// kernel's.
#include "model/machine.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

namespace thp {

// Machines are compared and hashed as bytes: no padding anywhere.
static_assert(std::has_unique_object_representations_v<Page>);
static_assert(std::has_unique_object_representations_v<Compound>);
static_assert(std::has_unique_object_representations_v<Entry>);
static_assert(std::has_unique_object_representations_v<Vma>);
static_assert(std::has_unique_object_representations_v<Cell>);
static_assert(std::has_unique_object_representations_v<Inode>);
static_assert(std::has_unique_object_representations_v<SuperBlock>);
static_assert(std::has_unique_object_representations_v<SwapSlot>);

Machine::Layout Machine::layout_of(const Geometry& g) {
  Layout l{};
  std::uint32_t end = 0;
  const auto place = [&end](std::uint32_t& offset, std::size_t bytes) {
    offset = end;
    end = std::uint32_t((end + bytes + 7) & ~std::size_t{7});
  };
  l.max_map_count = std::min(g.pages(), 32);
  place(l.pages, sizeof(Page) * std::size_t(g.frames() + 1));  // and the 4K zero page
  place(l.pmds, sizeof(Entry) * std::size_t(g.mms * g.pmds));
  place(l.ptes, sizeof(Entry) * std::size_t(g.mms * g.pages()));
  place(l.cells, sizeof(Cell) * std::size_t(g.inodes * g.pages()));
  place(l.compounds, sizeof(Compound) * std::size_t(g.frame_blocks()));
  place(l.used, sizeof(std::uint16_t) * std::size_t(g.frame_blocks()));
  place(l.swap, sizeof(SwapSlot) * std::size_t(g.swap_slots()));
  place(l.clusters, std::size_t(g.swap_clusters()));
  place(l.deferred, sizeof(Pfn) * std::size_t(g.frame_blocks()));
  place(l.vmas, sizeof(Vma) * std::size_t(g.mms * l.max_map_count));
  l.size = end;
  return l;
}

Machine::Machine(const Geometry& g) { reset(g); }

void Machine::reset(const Geometry& g) {
  geometry = g;
  mms = {};
  mms[0].alive = 1;
  anon_vmas = {};
  holders = {};
  inodes = {};
  migration = {};
  inject = {};
  enabled = Enabled::always;
  use_zero_page = true;
  shmem_enabled = ShmemHuge::never;
  swap_on = false;
  swap_device = {};
  mmlist = {};
  huge_zero_page = kNoPfn;
  huge_zero_refcount = 0;
  nr_anon_mapped = nr_anon_thps = nr_swapcache = anon_mapped_drift = deferred_len = 0;
  nr_shmem = nr_shmem_thps = nr_shmem_pmdmapped = nr_file_mapped = 0;
  shm_mnt = {};
  events = {};
  reason = Reason::none;
  bug = nullptr;
  defect = nullptr;
  strikes.clear();
  stamps.clear();
  layout_ = layout_of(g);
  arena_.resize(layout_.size / 8, boost::container::default_init);
  std::memset(arena_.data(), 0, layout_.size);
  std::fill_n(at<Page>(layout_.pages), g.frames() + 1, Page{});
  std::fill_n(at<Compound>(layout_.compounds), g.frame_blocks(), Compound{});
  std::fill_n(at<SwapSlot>(layout_.swap), g.swap_slots(), SwapSlot{});
  std::fill_n(at<Vma>(layout_.vmas), g.mms * layout_.max_map_count, Vma{});
  page(zero_pfn()).refcount = 1;
}

Vma& Machine::insert_vma(int mm, int index, const Vma& vma) {
  Vma* first = at<Vma>(layout_.vmas) + mm * max_map_count();
  const int count = mms[std::size_t(mm)].map_count++;
  std::move_backward(first + index, first + count, first + count + 1);
  return first[index] = vma;
}

void Machine::erase_vma(int mm, int index) {
  Vma* first = at<Vma>(layout_.vmas) + mm * max_map_count();
  const int count = mms[std::size_t(mm)].map_count--;
  std::move(first + index + 1, first + count, first + index);
  first[count - 1] = {};
}

void Machine::push_deferred(Pfn head) {
  at<Pfn>(layout_.deferred)[deferred_len++] = head;
  compound(head).deferred = 1;
  stamps.frame(head);
}

void Machine::remove_deferred(Pfn head) {
  const auto queue = deferred_queue();
  const auto found = std::ranges::find(queue, head);
  std::move(found + 1, queue.end(), found);
  queue.back() = 0;
  --deferred_len;
  compound(head).deferred = 0;
  stamps.frame(head);
}

void Machine::follow(const Machine& now, bool counted, bool unstamped_too) {
  const std::size_t from = counted ? 0 : offsetof(FixedState, inject);
  std::memcpy(reinterpret_cast<std::byte*>(static_cast<FixedState*>(this)) + from,
              reinterpret_cast<const std::byte*>(static_cast<const FixedState*>(&now)) + from,
              sizeof(FixedState) - from);
  if (!counted) return;
  if (now.stamps.overflowed()) {
    std::memcpy(arena_.data(), now.arena_.data(), layout_.size);
    return;
  }
  for (const std::uint32_t pfn : now.stamps.frames()) page(Pfn(pfn)) = now.page(Pfn(pfn));
  for (const std::uint32_t stamp : now.stamps.ptes()) {
    const int mm = int(stamp >> 16), page = int(stamp & 0xffff);
    pte(mm, page) = now.pte(mm, page);
  }
  for (const std::uint32_t stamp : now.stamps.cells()) {
    const int inode = int(stamp >> 16), index = int(stamp & 0xffff);
    cell(inode, index) = now.cell(inode, index);
  }
  for (std::uint64_t left = now.stamps.pmds(); left != 0; left &= left - 1) {
    const int bit = std::countr_zero(left);
    const int mm = bit / Geometry::kMaxPmds, i = bit % Geometry::kMaxPmds;
    pmd(mm, i) = now.pmd(mm, i);
  }
  if (!unstamped_too) return;
  const auto unstamped = now.unstamped();
  std::memcpy(at<std::byte>(layout_.compounds), unstamped.data(), unstamped.size());
}

template <class T>
static bool same_bytes(const T& a, const T& b) {
  static_assert(std::has_unique_object_representations_v<T>);
  return std::memcmp(&a, &b, sizeof a) == 0;
}

bool Machine::operator==(const Machine& o) const {
  const auto same_members = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return (same_bytes(std::get<I>(members()), std::get<I>(o.members())) && ...);
  };
  return same_members(std::make_index_sequence<std::tuple_size_v<decltype(members())>>()) &&
         std::memcmp(arena_.data(), o.arena_.data(), layout_.size) == 0;
}

}  // namespace thp
