// What the kernel counts and what it decides, by its own names.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace thp {

// vm_event_item, v6.1 include/linux/vm_event_item.h; names as /proc/vmstat prints them.
enum class Event : std::uint8_t {
  thp_fault_alloc,
  thp_fault_fallback,
  thp_fault_fallback_charge,
  thp_collapse_alloc,
  thp_collapse_alloc_failed,
  thp_split_page,
  thp_split_page_failed,
  thp_deferred_split_page,
  thp_split_pmd,
  thp_zero_page_alloc,
  thp_zero_page_alloc_failed,
  thp_file_alloc,
  thp_file_fallback,
  thp_file_fallback_charge,
  thp_file_mapped,
  thp_swpout,
  thp_swpout_fallback,
  thp_migration_success,
  thp_migration_fail,
  thp_migration_split,
  pgmigrate_success,
  pgmigrate_fail,
  pswpin,
  pswpout,
  pgreuse,
  nr_foll_pin_acquired,
  nr_foll_pin_released,
  count,
};
inline constexpr std::size_t kEvents = std::size_t(Event::count);
inline constexpr std::array<std::string_view, kEvents> kEventNames = {"thp_fault_alloc",
                                                                      "thp_fault_fallback",
                                                                      "thp_fault_fallback_charge",
                                                                      "thp_collapse_alloc",
                                                                      "thp_collapse_alloc_failed",
                                                                      "thp_split_page",
                                                                      "thp_split_page_failed",
                                                                      "thp_deferred_split_page",
                                                                      "thp_split_pmd",
                                                                      "thp_zero_page_alloc",
                                                                      "thp_zero_page_alloc_failed",
                                                                      "thp_file_alloc",
                                                                      "thp_file_fallback",
                                                                      "thp_file_fallback_charge",
                                                                      "thp_file_mapped",
                                                                      "thp_swpout",
                                                                      "thp_swpout_fallback",
                                                                      "thp_migration_success",
                                                                      "thp_migration_fail",
                                                                      "thp_migration_split",
                                                                      "pgmigrate_success",
                                                                      "pgmigrate_fail",
                                                                      "pswpin",
                                                                      "pswpout",
                                                                      "pgreuse",
                                                                      "nr_foll_pin_acquired",
                                                                      "nr_foll_pin_released"};

// The verdict that the kernel reaches inside an op and does not (fully) tell its caller.
enum class Reason : std::uint8_t {
  none,
  // enum scan_result, v6.1 mm/khugepaged.c: those that an anonymous collapse can return.
  SCAN_FAIL,
  SCAN_SUCCEED,
  SCAN_PMD_NULL,
  SCAN_PMD_NONE,
  SCAN_PMD_MAPPED,
  SCAN_PTE_NON_PRESENT,
  SCAN_PAGE_RO,
  SCAN_PAGE_COUNT,
  SCAN_PAGE_LRU,
  SCAN_PAGE_LOCK,
  SCAN_PAGE_ANON,
  SCAN_ANY_PROCESS,
  SCAN_VMA_NULL,
  SCAN_VMA_CHECK,
  SCAN_ADDRESS_RANGE,
  SCAN_DEL_PAGE_LRU,
  SCAN_ALLOC_HUGE_PAGE_FAIL,
  SCAN_CGROUP_CHARGE_FAIL,
  // split_huge_page_to_list().
  split,
  split_EBUSY_zero,  // the huge zero page
  split_EBUSY_writeback,
  split_EBUSY_unmapped,  // no anon_vma: nobody maps it
  split_EAGAIN_pinned,   // can_split_folio() said no: nothing has changed
  split_EAGAIN_freeze,   // the freeze failed: every PMD mapping is now PTEs
  // shrink_folio_list() and migration of one folio.
  reclaimed,
  keep_locked,
  keep_unevictable,
  keep_referenced,
  keep_pinned,
  keep_cannot_split,
  keep_no_swap,
  keep_mapped,
  keep_writeback,
  keep_dirty,
  keep_freeze,
  migrated,
  migrate_EAGAIN,
  migrate_ENOMEM,
  keep_split_failed,  // reclaim wanted the THP split
  keep_swap_freed,    // about to be written, but no swap entry refers to it any more
  count,
};
inline constexpr std::array<std::string_view, std::size_t(Reason::count)> kReasonNames = {
    "none",
    "SCAN_FAIL",
    "SCAN_SUCCEED",
    "SCAN_PMD_NULL",
    "SCAN_PMD_NONE",
    "SCAN_PMD_MAPPED",
    "SCAN_PTE_NON_PRESENT",
    "SCAN_PAGE_RO",
    "SCAN_PAGE_COUNT",
    "SCAN_PAGE_LRU",
    "SCAN_PAGE_LOCK",
    "SCAN_PAGE_ANON",
    "SCAN_ANY_PROCESS",
    "SCAN_VMA_NULL",
    "SCAN_VMA_CHECK",
    "SCAN_ADDRESS_RANGE",
    "SCAN_DEL_PAGE_LRU",
    "SCAN_ALLOC_HUGE_PAGE_FAIL",
    "SCAN_CGROUP_CHARGE_FAIL",
    "split",
    "split_EBUSY_zero",
    "split_EBUSY_writeback",
    "split_EBUSY_unmapped",
    "split_EAGAIN_pinned",
    "split_EAGAIN_freeze",
    "reclaimed",
    "keep_locked",
    "keep_unevictable",
    "keep_referenced",
    "keep_pinned",
    "keep_cannot_split",
    "keep_no_swap",
    "keep_mapped",
    "keep_writeback",
    "keep_dirty",
    "keep_freeze",
    "migrated",
    "migrate_EAGAIN",
    "migrate_ENOMEM",
    "keep_split_failed",
    "keep_swap_freed"};

inline std::string_view name_of(Event event) { return kEventNames[std::size_t(event)]; }
inline std::string_view name_of(Reason reason) { return kReasonNames[std::size_t(reason)]; }

}  // namespace thp
