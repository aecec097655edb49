// The words for what an observation holds.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "model/events.h"
#include "model/state.h"
#include "oracle/report/flag_names.h"

namespace thp::live {

inline constexpr std::array<std::string_view, 6> kEntryKindNames = {"none", "table", "present",
                                                                    "zero", "swap",  "migration"};
inline constexpr std::array<std::string_view, 2> kCellKindNames = {"none", "folio"};
inline constexpr std::array<std::string_view, 4> kHolderNames = {"none", "pin", "get", "isolation"};

// enum Reason; numbers that it has not are told as they are.
inline std::string reason_name(std::int32_t reason) {
  const bool known = reason >= 0 && reason < std::int32_t(Reason::count);
  return known ? std::string(kReasonNames[std::size_t(reason)]) : std::to_string(reason);
}

inline constexpr std::pair<EntryBit, std::string_view> kEntryBitNames[] = {
    {kWrite, "write"},
    {kYoung, "young"},
    {kDirty, "dirty"},
    {kSoftDirty, "soft_dirty"},
    {kExclusive, "exclusive"}};

}  // namespace thp::live
