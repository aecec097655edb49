// Why MADV_COLLAPSE did what it did, told by the tracepoint mm_khugepaged_scan_pmd.
#pragma once
#include <cstdint>

namespace thp::live {

void watch_scans();  // from now on

// What the scans since the last call say together, as the model's Reason: the last one if all are
// well, or else the last that failed; kUnseen without a scan or without tracefs.
std::int32_t reason_of_scans();

}  // namespace thp::live
