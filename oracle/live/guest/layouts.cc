// One function for each struct of kernel.h.
#include "oracle/live/guest/layouts.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace thp::live {
namespace {

constexpr std::pair<std::string_view, Bits> kFlagNames[] = {
    {"PG_locked", PG_locked},
    {"PG_referenced", PG_referenced},
    {"PG_uptodate", PG_uptodate},
    {"PG_dirty", PG_dirty},
    {"PG_lru", PG_lru},
    {"PG_active", PG_active},
    {"PG_swapbacked", PG_swapbacked},
    {"PG_swapcache", PG_swapcache},
    {"PG_writeback", PG_writeback},
    {"PG_reclaim", PG_reclaim},
    {"PG_mlocked", PG_mlocked},
    {"PG_unevictable", PG_unevictable},
    {"PG_head", PG_head},
    {"PG_anon_exclusive", PG_anon_exclusive}};

PageLayout page_layout(const Names& names) {
  const auto at = [&](std::string_view path) { return names.offset("page", path); };
  if (names.size("page") != int(kPageStructBytes)) give_up("struct page is not 64 bytes");
  PageLayout page{.flags = at("flags"),
                  .compound_head = at("compound_head"),
                  .mapping = at("mapping"),
                  .index = at("index"),
                  .private_data = at("private"),
                  .mapcount = at("_mapcount"),
                  .refcount = at("_refcount"),
                  .compound_mapcount = at("compound_mapcount"),
                  .compound_pincount = at("compound_pincount"),
                  .compound_order = at("compound_order"),
                  .compound_dtor = at("compound_dtor"),
                  .deferred_list = at("deferred_list"),
                  .pmd_huge_pte = at("pmd_huge_pte"),
                  .lru = at("lru"),
                  .double_map = names.enumerator("pageflags", "PG_double_map"),
                  .transhuge = names.enumerator("compound_dtor_id", "TRANSHUGE_PAGE_DTOR"),
                  .bits = {}};
  static_assert(std::size(kFlagNames) == std::tuple_size_v<decltype(page.bits)>);
  std::ranges::transform(kFlagNames, page.bits.begin(), [&](const auto& flag) {
    return std::pair{std::uint8_t(names.enumerator("pageflags", flag.first)), flag.second};
  });
  return page;
}

MmLayout mm_layout(const Names& names) {
  const auto at = [&](std::string_view path) { return names.offset("mm_struct", path); };
  return {.size = names.size("mm_struct"),
          .pgd = at("pgd"),
          .flags = at("flags"),
          .map_count = at("map_count"),
          .locked_vm = at("locked_vm"),
          .pgtables_bytes = at("pgtables_bytes"),
          .rss = at("rss_stat.count"),
          .anon_index = names.enumerator("", "MM_ANONPAGES"),
          .swap_index = names.enumerator("", "MM_SWAPENTS"),
          .shmem_index = names.enumerator("", "MM_SHMEMPAGES")};
}

TaskLayout task_layout(const Names& names) {
  const auto at = [&](std::string_view path) { return names.offset("task_struct", path); };
  return {.tasks = at("tasks"),
          .pid = at("pid"),
          .mm = at("mm"),
          .rss = at("rss_stat.count"),
          .files = at("files")};
}

XarrayLayout xarray_layout(const Names& names) {
  return {.xa_head = names.offset("xarray", "xa_head"),
          .shift = names.offset("xa_node", "shift"),
          .slots = names.offset("xa_node", "slots")};
}

InodeLayout inode_layout(const Names& names) {
  const auto around = [&](std::string_view member) {
    return names.offset("shmem_inode_info", member) - names.offset("shmem_inode_info", "vfs_inode");
  };
  return {.fdt = names.offset("files_struct", "fdt"),
          .fd = names.offset("fdtable", "fd"),
          .f_inode = names.offset("file", "f_inode"),
          .i_mapping = names.offset("inode", "i_mapping"),
          .i_size = names.offset("inode", "i_size"),
          .i_blocks = names.offset("inode", "i_blocks"),
          .i_pages = names.offset("address_space", "i_pages"),
          .nrpages = names.offset("address_space", "nrpages"),
          .shmem_alloced = around("alloced"),
          .shmem_fallocend = around("fallocend"),
          .shmem_shrinklist = around("shrinklist")};
}

VmaLayout vma_layout(const Names& names) {
  const auto at = [&](std::string_view path) { return names.offset("vm_area_struct", path); };
  return {.start = at("vm_start"),
          .end = at("vm_end"),
          .flags = at("vm_flags"),
          .pgoff = at("vm_pgoff"),
          .anon_vma = at("anon_vma"),
          .file = at("vm_file")};
}

// Pivots are one less than slots, and come before them.
MapleLayout maple_layout(const Names& names) {
  const auto node = [&](std::string_view type) {
    const int pivot = names.offset(type, "pivot"), slot = names.offset(type, "slot");
    return MapleLayout::Node{.pivot = pivot, .slot = slot, .slots = (slot - pivot) / 8 + 1};
  };
  return {.root = names.offset("mm_struct", "mm_mt.ma_root"),
          .range = node("maple_range_64"),
          .arange = node("maple_arange_64"),
          .leaf_64 = names.enumerator("maple_type", "maple_leaf_64"),
          .arange_64 = names.enumerator("maple_type", "maple_arange_64")};
}

}  // namespace

void look_up_layouts(Kernel& kernel, const Names& names) {
  kernel.page = page_layout(names);
  kernel.mm = mm_layout(names);
  kernel.task = task_layout(names);
  kernel.xarray = xarray_layout(names);
  kernel.inode = inode_layout(names);
  kernel.vma = vma_layout(names);
  kernel.maple = maple_layout(names);
}

}  // namespace thp::live
