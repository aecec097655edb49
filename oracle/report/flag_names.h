// Page flags by the kernel's names, those that say what a page is before those that change; flags
// of VMAs.
#pragma once
#include <string_view>
#include <utility>

#include "model/state.h"

namespace thp {

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

// VmFlags of /proc/PID/smaps, but for mr, mw and me, which all memory here has, and ms, which what
// is shared has.
inline constexpr std::pair<VmFlag, std::string_view> kVmFlagWords[] = {
    {VM_READ, "rd"},     {VM_WRITE, "wr"},      {VM_LOCKED, "lo"},
    {VM_DONTCOPY, "dc"}, {VM_ACCOUNT, "ac"},    {VM_SOFTDIRTY, "sd"},
    {VM_HUGEPAGE, "hg"}, {VM_NOHUGEPAGE, "nh"}, {VM_SHARED, "sh"}};

}  // namespace thp
