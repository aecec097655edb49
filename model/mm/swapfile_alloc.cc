// Which slots a folio gets. v6.1 mm/swapfile.c, for one CPU and one device of clusters (an SSD).
// Small slots come one after the other from the CPU's cluster, holes behind them are not looked at;
// then from the next free cluster; only when there is none from wherever a scan finds one. Left
// out: discard, priorities, the random start of the first scan: it begins in the header's cluster,
// before slot 0. And slot caches: they need more than 320 free slots, so that a small device has
// none; but that of order 9 has, and there the kernel counts up to 127 slots as used that are free
// here (v6.1 mm/swap_slots.c: check_cache_active()).
#include <algorithm>
#include <optional>
#include <utility>

#include "model/mm/page_alloc.h"
#include "model/mm/swapfile.h"

namespace thp {
namespace {

std::span<const std::uint8_t> free_clusters(const SwapDevice& device) {
  return {device.free_clusters.data(), device.nr_free};
}

bool cluster_is_free(const SwapDevice& device, int cluster) {
  return std::ranges::count(free_clusters(device), cluster) > 0;
}

// v6.1 mm/swapfile.c: alloc_cluster(): the first of the free ones, for its first slot
void alloc_cluster(Machine& m, int cluster) {
  SwapDevice& device = m.swap_device;
  vm_bug_on(m, device.free_clusters[0] != cluster, "alloc_cluster: not the first free cluster");
  const auto end = device.free_clusters.begin() + device.nr_free;
  *std::remove(device.free_clusters.begin(), end, std::uint8_t(cluster)) = 0;
  --device.nr_free;
}

// v6.1 mm/swapfile.c: inc_cluster_info_page(), of several slots
void inc_cluster_info(Machine& m, int slot, int slots) {
  const int cluster = cluster_of(m, slot);
  if (cluster_is_free(m.swap_device, cluster)) alloc_cluster(m, cluster);
  m.swap_device.used[std::size_t(cluster)] += std::uint16_t(slots);
}

// v6.1 mm/swapfile.c: scan_swap_map_ssd_cluster_conflict(). The CPU's cluster has emptied and waits
// behind others to be used again.
bool scan_swap_map_ssd_cluster_conflict(SwapDevice& device, int cluster) {
  if (device.free_clusters[0] == cluster || !cluster_is_free(device, cluster)) return false;
  device.cluster = SwapDevice::kNoCluster;
  return true;
}

// v6.1 mm/swapfile.c: scan_swap_map_try_ssd_cluster()
std::optional<int> scan_swap_map_try_ssd_cluster(Machine& m) {
  SwapDevice& device = m.swap_device;
  for (;;) {
    if (device.cluster == SwapDevice::kNoCluster) {
      if (device.nr_free == 0) return {};
      device.cluster = device.free_clusters[0];
      device.next = Slot(first_slot(m, device.cluster));
    }
    const int end = std::min(m.geometry.swap_slots(), first_slot(m, device.cluster + 1));
    int slot = device.next;
    while (slot < end && is_used(m.swap(Slot(slot)))) ++slot;
    device.next = Slot(slot + 1);
    if (slot < end) return slot;
    device.cluster = SwapDevice::kNoCluster;
  }
}

bool is_cached_only(const Machine& m, int slot) {
  const SwapSlot& entry = m.swap(Slot(slot));
  return entry.count == 0 && entry.cache != kNoPfn && vm_swap_full(m);
}

// A slot that the scan may have: free, or freed because only the swap cache needed it.
// v6.1 mm/swapfile.c: swap_offset_available_and_locked()
bool is_available(Machine& m, int slot) {
  if (is_cached_only(m, slot)) try_to_reclaim_swap(m, Slot(slot), TTRS_ANYWAY);
  return !is_used(m.swap(Slot(slot)));
}

// v6.1 mm/swapfile.c: swap_range_alloc(), after inc_cluster_info(). A full device has no bounds;
// they come back with what is freed, whatever the swap cache alone may use outside.
void swap_range_alloc(Machine& m, int slot, int slots) {
  SwapDevice& device = m.swap_device;
  if (slot == device.lowest) device.lowest += std::int16_t(slots);
  if (slot + slots - 1 == device.highest) device.highest -= std::int16_t(slots);
  if (slots_in_use(m) < m.geometry.swap_slots()) return;
  device.lowest = std::int16_t(m.geometry.swap_slots());
  device.highest = -1;
}

// The scan of v6.1 mm/swapfile.c: scan_swap_map_slots(), behind where the last one ended and then
// before it. The very slot where it begins is looked at only in a second round, after one that only
// the swap cache needs could not be freed.
std::optional<int> scan(Machine& m) {
  const SwapDevice& device = m.swap_device;
  const int begin = device.cluster_next;
  bool again = false;
  for (int slot = begin + 1; slot <= device.highest; ++slot)
    if (is_available(m, slot)) return slot;
  for (int slot = device.lowest; slot < std::min<int>(begin, m.geometry.swap_slots()); ++slot) {
    if (is_available(m, slot)) return slot;
    again |= is_cached_only(m, slot);
  }
  if (again && begin >= 0 && begin <= device.highest && is_available(m, begin)) return begin;
  return {};
}

// v6.1 mm/swapfile.c: scan_swap_map_slots(), for one slot
int scan_swap_map_slots(Machine& m) {
  SwapDevice& device = m.swap_device;
  std::optional<int> slot = scan_swap_map_try_ssd_cluster(m);
  while (slot && scan_swap_map_ssd_cluster_conflict(device, cluster_of(m, *slot)))
    slot = scan_swap_map_try_ssd_cluster(m);
  if (!slot) slot = scan(m);
  if (!slot) return -1;
  inc_cluster_info(m, *slot, 1);
  swap_range_alloc(m, *slot, 1);
  device.cluster_next = std::int16_t(*slot + 1);
  return *slot;
}

// v6.1 mm/swapfile.c: swap_alloc_cluster()
int swap_alloc_cluster(Machine& m) {
  if (std::exchange(m.inject.fail_swap_cluster, std::uint8_t{0}) != 0) return -1;
  if (m.swap_device.nr_free == 0) return -1;
  const int cluster = m.swap_device.free_clusters[0];
  inc_cluster_info(m, first_slot(m, cluster), m.hpage_nr());
  swap_range_alloc(m, first_slot(m, cluster), m.hpage_nr());
  m.cluster_huge(cluster) = 1;
  return first_slot(m, cluster);
}

}  // namespace

bool is_used(const SwapSlot& slot) { return slot.count > 0 || slot.cache != kNoPfn; }

// v6.1 mm/swap_slots.c: folio_alloc_swap(); mm/swapfile.c: get_swap_pages()
int folio_alloc_swap(Machine& m, Pfn folio) {
  const int free = m.geometry.swap_slots() - slots_in_use(m);  // nr_swap_pages
  if (!m.swap_on || free < folio_nr_pages(m, folio)) return -1;
  return folio_test_large(m, folio) ? swap_alloc_cluster(m) : scan_swap_map_slots(m);
}

// v6.1 mm/swapfile.c: dec_cluster_info_page(), free_cluster(), swap_range_free()
void dec_cluster_info_page(Machine& m, Slot slot) {
  SwapDevice& device = m.swap_device;
  const int cluster = cluster_of(m, slot);
  std::uint16_t& used = device.used[std::size_t(cluster)];
  vm_bug_on(m, used == 0, "dec_cluster_info_page: the cluster is empty");
  device.lowest = std::min(device.lowest, std::int16_t(slot));
  device.highest = std::max(device.highest, std::int16_t(slot));
  if (used == 0 || --used > 0) return;
  device.free_clusters[device.nr_free++] = std::uint8_t(cluster);
}

// v6.1 mm/swapfile.c: setup_swap_map_and_extents(). What lies past the device's end counts as used:
// such a cluster is never free.
void setup_swap_map(Machine& m) {
  m.swap_device = {};
  m.swap_device.highest = std::int16_t(m.geometry.swap_slots() - 1);
  for (int cluster = 0; cluster < m.geometry.swap_clusters(); ++cluster) {
    const int missing = first_slot(m, cluster + 1) - m.geometry.swap_slots();
    m.swap_device.used[std::size_t(cluster)] = std::uint16_t(std::max(missing, 0));
    if (missing > 0) continue;
    m.swap_device.free_clusters[m.swap_device.nr_free++] = std::uint8_t(cluster);
  }
}

}  // namespace thp
