// How a batch travels: the host writes one disk that the guest reads (traces), the guest another
// that the host reads (observations). Little endian, records as they lie in memory; both ends are
// built from this file. The reader trusts nothing: a kernel that dies leaves half a record.
#pragma once
#include <cstdint>
#include <type_traits>

#include "oracle/live/observation.h"

namespace thp::live {

inline constexpr std::uint32_t kBatchMagic = 0x42504854;     // "THPB"
inline constexpr std::uint32_t kTraceMagic = 0x54504854;     // "THPT"
inline constexpr std::uint32_t kObservedMagic = 0x4f504854;  // "THPO"
inline constexpr std::uint32_t kDoneMagic = 0x44504854;      // "THPD": the batch ended in order

// The batch disk: BatchHeader; then for each trace TraceHeader and `bytes` of its text, padded
// to 8.
struct BatchHeader {
  std::uint32_t magic = kBatchMagic, traces = 0;
  std::uint64_t bytes = 0;  // all of it, this header included
};

struct TraceHeader {
  std::uint32_t magic = kTraceMagic, id = 0, bytes = 0, unused = 0;
};

// The observation disk: after each op one of these with its arrays, in this order: mms, entries,
// folios, pages, contents, holders. One with op = kNotRun ends a trace that could not be run.
// A record with kDoneMagic ends the batch.
struct ObservedHeader {
  static constexpr std::uint32_t kNotRun = 0xffffffff;
  std::uint32_t magic = kObservedMagic;
  std::uint32_t bytes = 0;  // of the record, this header included
  std::uint32_t trace = 0, op = 0;
  std::uint32_t mms = 0, entries = 0, folios = 0, pages = 0, contents = 0, holders = 0;
  Globals globals;
};

template <class T>
inline constexpr bool is_record = std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>;
static_assert(is_record<ObservedHeader> && is_record<EntryRun> && is_record<MmSeen> &&
              is_record<FolioSeen> && is_record<PageRun> && is_record<ContentSeen> &&
              is_record<HolderSeen>);

inline std::size_t bytes_of(const auto& records) { return records.size() * sizeof records[0]; }

// What stands before the arrays of an observation.
inline ObservedHeader header_of(std::uint32_t trace, std::uint32_t op, const Observation& o) {
  ObservedHeader header{.trace = trace,
                        .op = op,
                        .mms = std::uint32_t(o.mms.size()),
                        .entries = std::uint32_t(o.entries.size()),
                        .folios = std::uint32_t(o.folios.size()),
                        .pages = std::uint32_t(o.pages.size()),
                        .contents = std::uint32_t(o.contents.size()),
                        .holders = std::uint32_t(o.holders.size()),
                        .globals = o.globals};
  header.bytes =
      std::uint32_t(sizeof header + bytes_of(o.mms) + bytes_of(o.entries) + bytes_of(o.folios) +
                    bytes_of(o.pages) + bytes_of(o.contents) + bytes_of(o.holders));
  return header;
}

}  // namespace thp::live
