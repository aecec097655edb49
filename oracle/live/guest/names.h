// Names of the kernel to numbers: what BTF and kallsyms know.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "oracle/live/guest/btf.h"
#include "oracle/live/guest/guard.h"
#include "oracle/live/guest/kcore.h"

namespace thp::live {

// Of a kernel that must have them: it gives up where one is missing, but for find().
class Names {
 public:
  Names()
      : btf_(Btf::load(read_file("/sys/kernel/btf/vmlinux"))),
        symbols_(symbols(read_file("/proc/kallsyms"), kSymbols)) {
    if (!btf_) give_up("no BTF");
  }
  int offset(std::string_view type, std::string_view path) const {
    return there(btf_->offset(type, path), type, path);
  }
  int size(std::string_view type) const { return there(btf_->size(type), "sizeof", type); }
  int enumerator(std::string_view type, std::string_view name) const {
    return there(btf_->enumerator(type, name), type, name);
  }
  int find(std::string_view type, std::string_view name) const {
    return btf_->enumerator(type, name);
  }
  std::uint64_t symbol(std::string_view name) const {
    const auto found = symbols_.find(std::string(name));
    if (found == symbols_.end()) give_up("no symbol " + std::string(name));
    return found->second;
  }

 private:
  static int there(int number, std::string_view type, std::string_view name) {
    if (number < 0) give_up("BTF lacks " + std::string(type) + ' ' + std::string(name));
    return number;
  }
  static inline const std::vector<std::string_view> kSymbols = {
      "vmemmap_base",   "page_offset_base",   "init_task",       "zero_pfn",
      "huge_zero_page", "huge_zero_refcount", "vm_event_states", "vm_node_stat",
      "vm_zone_stat",   "__per_cpu_offset",   "node_data",       "swapper_spaces",
      "root_mem_cgroup"};
  std::optional<Btf> btf_;
  std::unordered_map<std::string, std::uint64_t> symbols_;
};

}  // namespace thp::live
