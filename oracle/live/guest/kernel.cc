// What is looked up by name, and the little that has none: MMF_HUGE_ZERO_PAGE and its like are
// macros, v6.1 include/linux/sched/coredump.h; the walk from a PGD to its PMDs is x86-64's with
// four levels (boot with no5lvl).
#include "oracle/live/guest/kernel.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>
#include <string_view>

#include "oracle/live/guest/guard.h"
#include "oracle/live/guest/layouts.h"
#include "oracle/live/guest/names.h"
#include "oracle/live/guest/workers.h"
#include "oracle/live/guest/x86_entries.h"

namespace thp::live {
namespace {

std::vector<std::uint64_t> per_cpu_offsets(const Kernel& kernel, const Names& names) {
  std::vector<std::uint64_t> offsets(std::size_t(sysconf(_SC_NPROCESSORS_CONF)));
  kernel.memory.read(names.symbol("__per_cpu_offset"), offsets.data(), 8 * offsets.size());
  return offsets;
}

std::vector<std::uint64_t> node_data(const Kernel& kernel, const Names& names) {
  std::vector<std::uint64_t> nodes(4);
  kernel.memory.read(names.symbol("node_data"), nodes.data(), 8 * nodes.size());
  nodes.erase(std::ranges::find(nodes, 0u), nodes.end());
  return nodes;
}

void look_up_nodes(Kernel& kernel, const Names& names) {
  const auto at = [&](std::string_view path) { return names.offset("pglist_data", path); };
  for (const std::uint64_t node : node_data(kernel, names)) {
    const auto number = [&](int offset) {
      return kernel.memory.get<std::uint64_t>(node + std::uint64_t(offset));
    };
    kernel.nodes.push_back(
        {.split_queue_len = node + std::uint64_t(at("deferred_split_queue.split_queue_len")),
         .first_pfn = number(at("node_start_pfn")),
         .pages = number(at("node_spanned_pages"))});
  }
  // v6.1 mm/huge_memory.c: get_deferred_split_queue(): of a charged folio it is its memcg's
  const int queue = names.offset("mem_cgroup", "deferred_split_queue.split_queue_len");
  const auto root = kernel.memory.get<std::uint64_t>(names.symbol("root_mem_cgroup"));
  kernel.nodes.push_back({.split_queue_len = root + std::uint64_t(queue)});
}

std::string upper(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = char(std::toupper(c));
  return text;
}

// Node statistics: a total, and what each CPU has still to add to it for each node.
EventAt node_stat(const Kernel& kernel, const Names& names, int item) {
  EventAt event{.total = names.symbol("vm_node_stat") + 8u * unsigned(item)};
  const int diffs = names.offset("per_cpu_nodestat", "vm_node_stat_diff");
  for (const std::uint64_t node : node_data(kernel, names)) {
    const int field = names.offset("pglist_data", "per_cpu_nodestats");
    const auto stats = kernel.memory.get<std::uint64_t>(node + std::uint64_t(field));
    for (const std::uint64_t cpu : per_cpu_offsets(kernel, names))
      event.parts.push_back(stats + cpu + std::uint64_t(diffs + item));
  }
  return event;
}

// Zone statistics, the same way.
EventAt zone_stat(const Kernel& kernel, const Names& names, int item) {
  EventAt pages{.total = names.symbol("vm_zone_stat") + 8u * unsigned(item)};
  const int zones = names.enumerator("zone_type", "__MAX_NR_ZONES"), size = names.size("zone");
  const int first = names.offset("pglist_data", "node_zones");
  const int field = names.offset("zone", "per_cpu_zonestats");
  const int diffs = names.offset("per_cpu_zonestat", "vm_stat_diff");
  for (const std::uint64_t node : node_data(kernel, names))
    for (int zone = 0; zone < zones; ++zone) {
      const auto stats =
          kernel.memory.get<std::uint64_t>(node + std::uint64_t(first + zone * size + field));
      for (const std::uint64_t cpu : per_cpu_offsets(kernel, names))
        pages.parts.push_back(stats + cpu + std::uint64_t(diffs + item));
    }
  return pages;
}

void look_up_vmstat(Kernel& kernel, const Names& names) {
  const auto of_nodes = [&](std::string_view item) {
    return node_stat(kernel, names, names.enumerator("node_stat_item", item));
  };
  kernel.vmstat = {of_nodes("NR_ANON_MAPPED"),
                   of_nodes("NR_ANON_THPS"),
                   of_nodes("NR_SWAPCACHE"),
                   zone_stat(kernel, names, names.enumerator("zone_stat_item", "NR_MLOCK")),
                   of_nodes("NR_SHMEM"),
                   of_nodes("NR_SHMEM_THPS"),
                   of_nodes("NR_SHMEM_PMDMAPPED"),
                   of_nodes("NR_FILE_MAPPED")};
}

void look_up_events(Kernel& kernel, const Names& names) {
  for (const std::uint64_t cpu : per_cpu_offsets(kernel, names))
    kernel.vm_event_states.push_back(names.symbol("vm_event_states") + cpu);
  for (std::size_t i = 0; i < kEvents; ++i) {
    const std::string name = upper(kEventNames[i]);
    const int event = names.find("vm_event_item", name);
    const int item = names.find("node_stat_item", name);
    if (event >= 0)
      kernel.events[i].vm_event = event;
    else if (item >= 0)
      kernel.events[i] = node_stat(kernel, names, item);
  }
}

void look_up_symbols(Kernel& kernel, const Names& names) {
  const auto value = [&](std::string_view name) {
    return kernel.memory.get<std::uint64_t>(names.symbol(name));
  };
  kernel.vmemmap = value("vmemmap_base");
  kernel.direct_map = value("page_offset_base");
  kernel.zero_pfn = std::uint32_t(value("zero_pfn"));
  kernel.init_task = names.symbol("init_task");
  kernel.swapper_spaces = names.symbol("swapper_spaces");
  kernel.huge_zero_page = names.symbol("huge_zero_page");
  kernel.huge_zero_refcount = names.symbol("huge_zero_refcount");
}

// The frame that a PGD or PUD entry leads to, as an address; 0 if it leads nowhere.
std::uint64_t table_below(const Kernel& kernel, std::uint64_t table, unsigned shift) {
  const auto entry = kernel.memory.get<std::uint64_t>(table + 8 * (kBase >> shift & 511));
  return (entry & x86::kPresent) != 0 ? kernel.frame(x86::pfn_of(entry)) : 0;
}

}  // namespace

Kernel look_up_kernel() {
  Kernel kernel;
  if (!kernel.memory.open()) give_up("no /proc/kcore");
  const Names names;
  look_up_symbols(kernel, names);
  look_up_layouts(kernel, names);
  look_up_nodes(kernel, names);
  look_up_events(kernel, names);
  look_up_vmstat(kernel, names);
  return kernel;
}

// Backwards from init_task: the newest process is its predecessor.
std::uint64_t find_task(const Kernel& kernel, pid_t pid) {
  const auto& t = kernel.task;
  const std::uint64_t head = kernel.init_task + std::uint64_t(t.tasks);
  for (std::uint64_t at = kernel.memory.get<std::uint64_t>(head + 8); at != head && at != 0;
       at = kernel.memory.get<std::uint64_t>(at + 8)) {
    const std::uint64_t task = at - std::uint64_t(t.tasks);
    if (kernel.memory.get<pid_t>(task + std::uint64_t(t.pid)) == pid) return task;
  }
  return 0;
}

std::optional<Space> find_space(const Kernel& kernel, pid_t pid) {
  const std::uint64_t task = find_task(kernel, pid);
  if (task == 0) return {};
  const auto mm = kernel.memory.get<std::uint64_t>(task + std::uint64_t(kernel.task.mm));
  if (mm == 0) return {};
  const auto pgd = kernel.memory.get<std::uint64_t>(mm + std::uint64_t(kernel.mm.pgd));
  const std::uint64_t pud = table_below(kernel, pgd, 39);
  const std::uint64_t pmd = pud != 0 ? table_below(kernel, pud, 30) : 0;
  if (pmd == 0) return {};
  return Space{.task = task, .mm = mm, .pmd_table = pmd};
}

// Of a total and its parts; INT32_MIN where there is none.
static std::int64_t count(const Kernel& kernel, const EventAt& item) {
  std::int64_t sum = item.total != 0 ? kernel.memory.get<std::int64_t>(item.total) : INT32_MIN;
  for (const std::uint64_t part : item.parts) sum += kernel.memory.get<std::int8_t>(part);
  return sum;
}

std::array<std::int64_t, kEvents> count_events(const Kernel& kernel) {
  std::array<std::int64_t, kEvents> counts{};
  std::array<std::uint64_t, 256> states;
  const auto most = std::ranges::max(kernel.events, {}, &EventAt::vm_event).vm_event;
  const std::size_t bytes = 8 * std::min(states.size(), std::size_t(most + 1));
  for (const std::uint64_t cpu : kernel.vm_event_states) {
    if (!kernel.memory.read(cpu, states.data(), bytes)) continue;
    for (std::size_t i = 0; i < kEvents; ++i)
      if (const int event = kernel.events[i].vm_event; event >= 0)
        counts[i] += std::int64_t(states[std::size_t(event)]);
  }
  for (std::size_t i = 0; i < kEvents; ++i)
    if (kernel.events[i].vm_event < 0) counts[i] = count(kernel, kernel.events[i]);
  return counts;
}

std::array<std::int64_t, kVmstats> count_vmstat(const Kernel& kernel) {
  std::array<std::int64_t, kVmstats> pages;
  std::ranges::transform(kernel.vmstat, pages.begin(),
                         [&](const EventAt& item) { return count(kernel, item); });
  return pages;
}

}  // namespace thp::live
