// Records in and out, every count and every number checked before it is used.
#include "oracle/live/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "oracle/live/wire.h"

namespace thp::live {
namespace {

constexpr int kPages = Geometry::kMaxPmds << Geometry::kMaxOrder;
constexpr std::uint64_t kMostFrames = 1 << 16;  // of one observation
constexpr std::int32_t kMostIndex = 1 << 30;
constexpr std::uint32_t kMostSlots = 1u << 30;  // more than any device has

template <class T>
void put(std::string& out, const T& record) {
  out.append(reinterpret_cast<const char*>(&record), sizeof record);
}

// Takes records off the front.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  bool get(T& record) {
    static_assert(is_record<T>);
    if (left() < sizeof record) return false;
    std::memcpy(&record, bytes_.data() + at_, sizeof record);
    at_ += sizeof record;
    return true;
  }
  template <class T>
  bool get(std::vector<T>& records, std::uint32_t count) {
    if (left() / sizeof(T) < count) return false;
    records.resize(count);
    if (count != 0) std::memcpy(records.data(), bytes_.data() + at_, count * sizeof(T));
    at_ += count * sizeof(T);
    return true;
  }
  bool get(std::string_view& part, std::size_t size) {
    if (left() < size) return false;
    part = bytes_.substr(at_, size);
    at_ += size;
    return true;
  }
  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

std::size_t padded(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

// --- What may stand in a record.

bool is_sound(const EntryRun& run) {
  return run.mm < Geometry::kMaxMms && run.huge <= 1 && run.kind != EntryKind::none &&
         run.kind <= EntryKind::migration && run.count >= 1 && run.page + run.count <= kPages &&
         (!run.huge || run.count == 1) &&
         (run.frame == kNoFrame || run.frame < kNoFrame - run.count);
}
bool is_sound(const MmSeen& mm) { return mm.mm < Geometry::kMaxMms; }
bool is_sound(const VmaSeen& vma) {
  return vma.mm < Geometry::kMaxMms && vma.start < vma.end && vma.end <= kPages &&
         std::abs(std::int64_t{vma.pgoff}) < kMostIndex;
}
bool is_sound(const FolioSeen& folio) {
  return folio.order <= Geometry::kMaxOrder && folio.pfn < kNoFrame - (1u << folio.order) &&
         std::abs(std::int64_t{folio.index}) < kMostIndex &&
         (folio.slot == kNoFrame || folio.slot < kMostSlots);
}
bool is_sound(const PageRun& run) { return run.count >= 1 && run.pfn < kNoFrame - run.count; }
bool is_sound(const ContentSeen& content) { return content.pfn != kNoFrame; }
bool is_sound(const HolderSeen& holder) {
  return holder.id < kMaxHolders && holder.kind <= HolderKind::isolation;
}
bool is_sound(const InodeSeen& inode) {
  return inode.inode < Geometry::kMaxInodes;  // its numbers are compared, and no more
}
bool is_sound(const CellRun& run) {
  return run.inode < Geometry::kMaxInodes && run.kind == CellKind::folio && run.count >= 1 &&
         run.index + run.count <= kPages && run.frame < kNoFrame - run.count;
}

bool is_sound(const FileMmSeen& mm) { return mm.mm < Geometry::kMaxMms; }

template <class T>
bool all_sound(const std::vector<T>& records) {
  return std::ranges::all_of(records, [](const T& record) { return is_sound(record); });
}
std::uint64_t total(const auto& runs) {
  std::uint64_t sum = 0;
  for (const auto& run : runs) sum += run.count;
  return sum;
}

bool is_sound(const FilesSeen& files) {
  return all_sound(files.inodes) && all_sound(files.cells) && all_sound(files.mms) &&
         files.mms.size() <= Geometry::kMaxMms && files.inodes.size() <= Geometry::kMaxInodes &&
         total(files.cells) <= kMostFrames;
}

bool is_sound(const Observation& o) {
  return (!o.files || is_sound(*o.files)) && all_sound(o.mms) && all_sound(o.vmas) &&
         all_sound(o.entries) && all_sound(o.folios) && all_sound(o.pages) &&
         all_sound(o.contents) && all_sound(o.holders) && o.mms.size() <= Geometry::kMaxMms &&
         o.vmas.size() <= kMostFrames && o.holders.size() <= kMaxHolders &&
         total(o.entries) <= kMostFrames && total(o.pages) <= kMostFrames &&
         o.folios.size() <= kMostFrames && o.contents.size() <= kMostFrames;
}

bool read(Bytes& in, FilesSeen& files) {
  FilesHeader header;
  bool whole = in.get(header);
  files.stats = header.stats;
  std::size_t i = 0;
  for_each_array_of_files(
      files, [&](auto& records) { whole = whole && in.get(records, header.records[i++]); });
  return whole;
}

bool read(Bytes& in, const ObservedHeader& header, Observation& o) {
  o.globals = header.globals;
  bool whole = true;
  std::size_t i = 0;
  for_each_array(o, [&](auto& records) { whole = whole && in.get(records, header.records[i++]); });
  if (header.magic == kFilesMagic) whole = whole && read(in, o.files.emplace());
  return whole && is_sound(o);
}

// Adds one record; false if it is none that can follow.
bool read_record(std::string_view record, const ObservedHeader& header, ObservedBatch& batch) {
  if (header.trace >= batch.traces.size()) return false;
  Observed& trace = batch.traces[header.trace];
  if (header.op == ObservedHeader::kNotRun) return trace.refused = true;
  if (header.op != trace.ops.size()) return false;
  Bytes in(record);
  Observation& o = trace.ops.emplace_back();
  if (read(in, header, o)) return true;
  trace.ops.pop_back();
  return false;
}

}  // namespace

std::string batch_of(std::span<const Trace> traces) {
  std::string out;
  put(out, BatchHeader{.traces = std::uint32_t(traces.size())});
  for (std::uint32_t id = 0; const Trace& trace : traces) {
    const std::string text = print(trace);
    put(out, TraceHeader{.id = id++, .bytes = std::uint32_t(text.size())});
    out += text;
    out.resize(padded(out.size()));
  }
  const std::uint64_t bytes = out.size();
  std::memcpy(out.data() + offsetof(BatchHeader, bytes), &bytes, sizeof bytes);
  return out;
}

std::expected<std::vector<std::optional<Trace>>, std::string> read_batch(std::string_view bytes) {
  Bytes in(bytes);
  BatchHeader header;
  if (!in.get(header) || header.magic != kBatchMagic) return std::unexpected("is no batch");
  std::vector<std::optional<Trace>> traces;
  for (std::uint32_t id = 0; id < header.traces; ++id) {
    TraceHeader trace;
    std::string_view text;
    if (!in.get(trace) || trace.magic != kTraceMagic || !in.get(text, trace.bytes))
      return std::unexpected(fmt::format("ends within trace {}", id));
    const auto parsed = parse_trace(text);
    traces.push_back(parsed ? std::optional(parsed->trace) : std::nullopt);
    std::string_view padding;
    if (!in.get(padding, padded(in.at()) - in.at())) break;
  }
  return traces;
}

ObservedBatch read_observations(std::string_view bytes, std::size_t traces) {
  ObservedBatch batch;
  batch.traces.resize(traces);
  Bytes in(bytes);
  while (true) {
    const std::size_t at = in.at();
    const auto stop = [&](std::string_view why) {
      batch.error = fmt::format("byte {}: {}", at, why);
      return batch;
    };
    ObservedHeader header;
    std::string_view record;
    if (!in.get(header.magic)) return stop("the observations end");
    if (header.magic == kDoneMagic) break;
    if (header.magic != kObservedMagic && header.magic != kFilesMagic)
      return stop("here no record begins");
    in = Bytes(bytes);
    if (!in.get(record, at) || !in.get(header)) return stop("half a record");
    if (header.bytes < sizeof header || !in.get(record, header.bytes - sizeof header))
      return stop("half a record");
    if (!read_record(record, header, batch)) return stop("a record that cannot be");
  }
  batch.complete = true;
  return batch;
}

std::string record_of(std::uint32_t trace, std::uint32_t op, const Observation& o) {
  std::string out;
  put_record(trace, op, o, [&](const void* bytes, std::size_t count) {
    out.append(static_cast<const char*>(bytes), count);
  });
  return out;
}

}  // namespace thp::live
