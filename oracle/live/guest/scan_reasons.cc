// v6.1 mm/khugepaged.c: hpage_collapse_scan_pmd() traces its result, once collapse_huge_page() has
// added its own, for each PMD. v6.1 include/trace/events/huge_memory.h prints it in words.
#include "oracle/live/guest/scan_reasons.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "oracle/live/guest/guard.h"
#include "oracle/live/observation.h"

namespace thp::live {
namespace {

constexpr std::pair<std::string_view, Reason> kStatus[] = {
    {"failed", Reason::SCAN_FAIL},
    {"succeeded", Reason::SCAN_SUCCEED},
    {"pmd_null", Reason::SCAN_PMD_NULL},
    {"pmd_none", Reason::SCAN_PMD_NONE},
    {"page_pmd_mapped", Reason::SCAN_PMD_MAPPED},
    {"pte_non_present", Reason::SCAN_PTE_NON_PRESENT},
    {"no_writable_page", Reason::SCAN_PAGE_RO},
    {"not_suitable_page_count", Reason::SCAN_PAGE_COUNT},
    {"page_not_in_lru", Reason::SCAN_PAGE_LRU},
    {"page_locked", Reason::SCAN_PAGE_LOCK},
    {"page_not_anon", Reason::SCAN_PAGE_ANON},
    {"no_process_for_page", Reason::SCAN_ANY_PROCESS},
    {"vma_null", Reason::SCAN_VMA_NULL},
    {"vma_check_failed", Reason::SCAN_VMA_CHECK},
    {"not_suitable_address_range", Reason::SCAN_ADDRESS_RANGE},
    {"could_not_delete_page_from_lru", Reason::SCAN_DEL_PAGE_LRU},
    {"alloc_huge_page_failed", Reason::SCAN_ALLOC_HUGE_PAGE_FAIL},
    {"ccgroup_charge_failed", Reason::SCAN_CGROUP_CHARGE_FAIL},
};

int trace_pipe = -1;

// Reason::none: a status that the model does not know.
Reason reason_of(std::string_view status) {
  for (const auto& [text, reason] : kStatus)
    if (text == status) return reason;
  return Reason::none;
}

bool is_good(Reason reason) {
  return reason == Reason::SCAN_SUCCEED || reason == Reason::SCAN_PMD_MAPPED;
}

// Takes the next line off the text; its status, empty if khugepaged's own.
std::string_view next_status(std::string_view& text) {
  constexpr std::string_view kKey = "status=";
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  const std::size_t at = line.find(kKey);
  if (at == line.npos || line.find("khugepaged-") != line.npos) return {};
  line.remove_prefix(at + kKey.size());
  return line.substr(0, line.find(','));
}

}  // namespace

void watch_scans() {
  constexpr const char* kEvent =
      "/sys/kernel/tracing/events/huge_memory/mm_khugepaged_scan_pmd/enable";
  if (mount_filesystem("tracefs", "/sys/kernel/tracing") != 0) give_up("no tracefs");
  if (write_file(kEvent, "1") != 0) give_up(std::string("no event ") + kEvent);
  trace_pipe = open("/sys/kernel/tracing/trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

std::int32_t reason_of_scans() {
  Reason failed = Reason::none, last = Reason::none;
  char buffer[8192];
  for (ssize_t got; trace_pipe >= 0 && (got = read(trace_pipe, buffer, sizeof buffer)) > 0;) {
    std::string_view text(buffer, std::size_t(got));
    while (!text.empty()) {
      const std::string_view status = next_status(text);
      if (status.empty()) continue;
      last = reason_of(status);
      if (!is_good(last)) failed = last;
    }
  }
  const Reason reason = failed != Reason::none ? failed : last;
  return reason == Reason::none ? kUnseen : std::int32_t(reason);
}

}  // namespace thp::live
