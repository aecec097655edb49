// How a batch travels: the host writes one disk that the guest reads (traces), the guest another
// that the host reads (observations). Little endian, records as they lie in memory; both ends are
// built from this file. The reader trusts nothing: a kernel that dies leaves half a record.
#pragma once
#include <array>
#include <cstdint>
#include <type_traits>

#include "oracle/live/observation.h"

namespace thp::live {

inline constexpr std::uint32_t kBatchMagic = 0x42504854;     // "THPB"
inline constexpr std::uint32_t kTraceMagic = 0x54504854;     // "THPT"
inline constexpr std::uint32_t kObservedMagic = 0x32504854;  // "THP2"
inline constexpr std::uint32_t kFilesMagic = 0x33504854;     // "THP3": the same, and files
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

// The observation disk: after each op one of these with its arrays, in this order: mms, vmas,
// entries, folios, pages, contents, holders. Behind them, with kFilesMagic, a FilesHeader with its
// arrays: inodes, cells, mms. One with op = kNotRun ends a trace that could not be run. A record
// with kDoneMagic ends the batch.
struct ObservedHeader {
  static constexpr std::uint32_t kNotRun = 0xffffffff;
  std::uint32_t magic = kObservedMagic;
  std::uint32_t bytes = 0;  // of the record, this header included
  std::uint32_t trace = 0, op = 0;
  std::array<std::uint32_t, 7> records{};  // of each array
  Globals globals;
};

struct FilesHeader {
  std::array<std::uint32_t, 3> records{};  // of each array
  FileStats stats;
};

template <class T>
inline constexpr bool is_record = std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>;
static_assert(is_record<ObservedHeader> && is_record<EntryRun> && is_record<MmSeen> &&
              is_record<VmaSeen> && is_record<FolioSeen> && is_record<PageRun> &&
              is_record<ContentSeen> && is_record<HolderSeen> && is_record<FilesHeader> &&
              is_record<InodeSeen> && is_record<CellRun> && is_record<FileMmSeen>);

// Calls visit(array) for each array of an observation, in the order of the disk.
template <class O, class Visit>
void for_each_array(O& o, Visit visit) {
  visit(o.mms);
  visit(o.vmas);
  visit(o.entries);
  visit(o.folios);
  visit(o.pages);
  visit(o.contents);
  visit(o.holders);
}

template <class Files, class Visit>
void for_each_array_of_files(Files& files, Visit visit) {
  visit(files.inodes);
  visit(files.cells);
  visit(files.mms);
}

inline std::size_t bytes_of(const auto& records) { return records.size() * sizeof records[0]; }

inline FilesHeader header_of(const FilesSeen& files) {
  FilesHeader header{.stats = files.stats};
  std::size_t i = 0;
  for_each_array_of_files(
      files, [&](const auto& records) { header.records[i++] = std::uint32_t(records.size()); });
  return header;
}

// What stands before the arrays of an observation.
inline ObservedHeader header_of(std::uint32_t trace, std::uint32_t op, const Observation& o) {
  ObservedHeader header{.magic = o.files ? kFilesMagic : kObservedMagic,
                        .trace = trace,
                        .op = op,
                        .globals = o.globals};
  std::size_t bytes = sizeof header + (o.files ? sizeof(FilesHeader) : 0), i = 0;
  const auto add = [&](const auto& records) { bytes += bytes_of(records); };
  for_each_array(o, [&](const auto& records) {
    header.records[i++] = std::uint32_t(records.size());
    add(records);
  });
  if (o.files) for_each_array_of_files(*o.files, add);
  header.bytes = std::uint32_t(bytes);
  return header;
}

// A whole record, part by part: put(bytes, count).
template <class Put>
void put_record(std::uint32_t trace, std::uint32_t op, const Observation& o, Put put) {
  const auto put_all = [&](const auto& records) { put(records.data(), bytes_of(records)); };
  const ObservedHeader header = header_of(trace, op, o);
  put(&header, sizeof header);
  for_each_array(o, put_all);
  if (!o.files) return;
  const FilesHeader files = header_of(*o.files);
  put(&files, sizeof files);
  for_each_array_of_files(*o.files, put_all);
}

// What stands for a trace that could not be run.
inline ObservedHeader not_run(std::uint32_t trace) {
  return {.bytes = sizeof(ObservedHeader),
          .trace = trace,
          .op = ObservedHeader::kNotRun,
          .globals = {}};
}

}  // namespace thp::live
