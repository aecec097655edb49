// What can be seen of a machine after an op, in one form for the model and for the real kernel:
// what page tables, folios, counters and memory say, frames by their number. Plain records, so that
// the guest ships them as bytes; runs, so that 512 equal sub-pages are one of them.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/events.h"
#include "model/state.h"

namespace thp::live {

inline constexpr std::uint32_t kNoFrame = 0xffffffff;
inline constexpr std::int32_t kUnseen = INT32_MIN;  // a number that nobody could read

// `count` entries of one kind and one set of bits from `page` on. Of PMDs (huge = 1) count is 1 and
// kind one of table, present, zero, migration; entries that are none are left out. `frame` is the
// pfn of the first (present, migration) or its swap offset (swap), one more for each that follows;
// kNoFrame of zero entries and tables.
struct EntryRun {
  std::uint8_t mm = 0, huge = 0;
  EntryKind kind = EntryKind::none;
  std::uint8_t bits = 0;  // EntryBit
  std::uint16_t page = 0, count = 1;
  std::uint32_t frame = kNoFrame;
  bool operator==(const EntryRun&) const = default;
};

// An address space that is alive. rss and page tables count from what the process had before the
// trace (kUnseen where there is no telling).
struct MmSeen {
  std::uint8_t mm = 0;
  std::uint8_t huge_zero_page = 0;  // MMF_HUGE_ZERO_PAGE
  std::uint8_t has_pinned = 0;      // MMF_HAS_PINNED
  std::uint8_t thp_disabled = 0;    // MMF_DISABLE_THP
  std::int32_t anon_pages = kUnseen, swap_entries = kUnseen, nr_ptes = kUnseen;
  std::int32_t deposits = kUnseen;   // page tables deposited for huge PMDs
  std::int32_t map_count = kUnseen;  // VMAs
  std::int32_t locked_vm = kUnseen;  // pages
  bool operator==(const MmSeen&) const = default;
};

// A VMA of the traced range, its pages and page offset counted from there; the offset of a file is
// that in the file. Which anon_vma it has is not told.
struct VmaSeen {
  std::uint8_t mm = 0, has_anon_vma = 0;
  std::uint16_t start = 0, end = 0;
  std::uint8_t file = 0;  // the number of its file, and one; 0: it has none
  std::uint8_t unused = 0;
  std::int32_t pgoff = 0;
  std::uint32_t flags = 0;  // VmFlag
  bool operator==(const VmaSeen&) const = default;
};

// A folio that an entry, a holder, a file or the swap cache leads to. The huge zero page and the 4K
// zero page are none.
struct FolioSeen {
  std::uint32_t pfn = 0;  // of its head
  std::int32_t refcount = 0;
  std::int32_t mapcount = -1;     // raw compound_mapcount; -1 of a small page
  std::int32_t pincount = 0;      // compound_pincount; 0 of a small page
  std::int32_t index = 0;         // page->index, from the start of the traced range, or of its file
  std::uint32_t slot = kNoFrame;  // of its head, while it is in the swap cache: a swap offset
  std::uint8_t order = 0, double_map = 0, deferred = 0;
  std::uint8_t transhuge = 0;  // compound_dtor is TRANSHUGE_PAGE_DTOR
  bool operator==(const FolioSeen&) const = default;
};

// Sub-pages of one folio, from pfn on, with equal _mapcount and flags (PageFlag bits, of those that
// are seen: see kFlagsSeen).
struct PageRun {
  std::uint32_t pfn = 0;
  std::uint16_t count = 1;
  Bits flags = 0;
  std::int32_t mapcount = -1;  // raw _mapcount
  bool operator==(const PageRun&) const = default;
};

// The first byte of a frame.
struct ContentSeen {
  std::uint32_t pfn = 0;
  std::uint32_t content = 0;
  bool operator==(const ContentSeen&) const = default;
};

struct HolderSeen {
  std::uint8_t id = 0;
  HolderKind kind = HolderKind::none;
  std::uint16_t unused = 0;
  std::uint32_t pfn = kNoFrame;
  bool operator==(const HolderSeen&) const = default;
};

// `count` cells of a file from `index` on; those that are none are left out. `frame` is the pfn of
// the first one's page, one more for each that follows.
struct CellRun {
  std::uint8_t inode = 0;
  CellKind kind = CellKind::none;
  std::uint16_t index = 0, count = 1, unused = 0;
  std::uint32_t frame = kNoFrame;
  bool operator==(const CellRun&) const = default;
};

// A file that lives. Sizes in pages; i_blocks of 512 bytes, as stat() tells them.
struct InodeSeen {
  std::uint8_t inode = 0;
  std::uint8_t on_shrinklist = 0;
  std::uint8_t unused[2] = {};
  std::int32_t i_size = 0, nrpages = 0, alloced = 0, i_blocks = 0, fallocend = 0;
  bool operator==(const InodeSeen&) const = default;
};

// What an address space counts of files: rss, from what the process had before the trace.
struct FileMmSeen {
  std::uint8_t mm = 0;
  std::uint8_t unused[3] = {};
  std::int32_t shmem_pages = kUnseen;
  bool operator==(const FileMmSeen&) const = default;
};

// Pages, since the trace began.
struct FileStats {
  std::int32_t shmem = kUnseen, shmem_thps = kUnseen, shmem_pmdmapped = kUnseen, mapped = kUnseen;
  bool operator==(const FileStats&) const = default;
};

// What only a trace with files has.
struct FilesSeen {
  FileStats stats;
  std::vector<InodeSeen> inodes;  // by inode
  std::vector<CellRun> cells;     // by inode, index
  std::vector<FileMmSeen> mms;    // by mm
  bool operator==(const FilesSeen&) const = default;
};

// Pages, since the trace began.
struct Vmstat {
  std::int32_t anon_mapped = kUnseen, anon_thps = kUnseen, swapcache = kUnseen, mlock = kUnseen;
  bool operator==(const Vmstat&) const = default;
};

struct Globals {
  std::int32_t result = 0;              // of the op, as step() tells it
  std::int32_t reason = kUnseen;        // enum Reason, where a tracepoint told it
  std::int32_t huge_zero_refcount = 0;  // 0 while there is none
  std::int32_t deferred_len = 0;        // split_queue_len
  Vmstat vmstat;
  std::array<std::int32_t, kEvents> events{};  // since the trace began; kUnseen: not countable
  bool operator==(const Globals&) const = default;
};

struct Observation {
  Globals globals;
  std::vector<MmSeen> mms;            // by mm
  std::vector<VmaSeen> vmas;          // by mm, start
  std::vector<EntryRun> entries;      // by mm, page, PMD before PTEs
  std::vector<FolioSeen> folios;      // by pfn
  std::vector<PageRun> pages;         // by pfn
  std::vector<ContentSeen> contents;  // by pfn; the guest reads some frames, the model all
  std::vector<HolderSeen> holders;    // by id
  std::optional<FilesSeen> files;     // if the trace has any
  bool operator==(const Observation&) const = default;
};

// Flags of struct page that both sides know. PG_lru, PG_active, PG_referenced and PG_reclaim say
// how reclaim feels about a folio; they are seen once the per-CPU batches are drained.
inline constexpr Bits kFlagsSeen = PG_locked | PG_referenced | PG_uptodate | PG_dirty | PG_lru |
                                   PG_active | PG_swapbacked | PG_swapcache | PG_writeback |
                                   PG_reclaim | PG_mlocked | PG_unevictable | PG_anon_exclusive |
                                   PG_head | PG_tail | PG_anon;

}  // namespace thp::live
