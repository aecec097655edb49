// The words for what an observation holds.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "model/events.h"
#include "model/state.h"

namespace thp::live {

inline constexpr std::array<std::string_view, 6> kEntryKindNames = {"none", "table", "present",
                                                                    "zero", "swap",  "migration"};
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

inline constexpr std::pair<PageFlag, std::string_view> kPageFlagNames[] = {
    {PG_head, "head"},
    {PG_tail, "tail"},
    {PG_anon, "anon"},
    {PG_anon_exclusive, "exclusive"},
    {PG_locked, "locked"},
    {PG_referenced, "referenced"},
    {PG_uptodate, "uptodate"},
    {PG_dirty, "dirty"},
    {PG_lru, "lru"},
    {PG_active, "active"},
    {PG_swapbacked, "swapbacked"},
    {PG_swapcache, "swapcache"},
    {PG_writeback, "writeback"},
    {PG_reclaim, "reclaim"},
    {PG_mlocked, "mlocked"},
    {PG_unevictable, "unevictable"}};

}  // namespace thp::live
