// NVMe disks, read and written past the page cache: it would fill memory and the LRU lists.
#include "oracle/live/guest/disks.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "oracle/live/guest/guard.h"
#include "oracle/live/wire.h"

namespace thp::live {
namespace {

constexpr std::size_t kSector = 4096, kBuffer = 8 << 20;

std::byte* aligned_memory(std::size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (at == MAP_FAILED) give_up("no memory");
  return static_cast<std::byte*>(at);
}

std::string block_device_with(std::string_view serial) {
  std::string name;
  DIR* all = opendir("/sys/block");
  if (all == nullptr) return name;
  while (const dirent* entry = readdir(all)) {
    const std::string path = std::string("/sys/block/") + entry->d_name + "/device/serial";
    std::string text = read_file(path.c_str());
    text.erase(std::min(text.find_last_not_of(" \n") + 1, text.size()));
    if (text == serial) name = std::string("/dev/") + entry->d_name;
  }
  closedir(all);
  return !name.empty() && access(name.c_str(), R_OK) == 0 ? name : std::string();
}

}  // namespace

std::string find_disk(std::string_view serial) {
  for (int tries = 0; tries < 500; ++tries) {
    if (std::string name = block_device_with(serial); !name.empty()) return name;
    usleep(10'000);
  }
  give_up("no disk " + std::string(serial));
}

std::string read_batch_disk(const std::string& device) {
  const int file = open(device.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
  std::byte* const buffer = aligned_memory(kBuffer);
  std::string batch;
  std::size_t wanted = sizeof(BatchHeader);
  for (std::size_t at = 0; at < wanted; at += kBuffer) {
    const ssize_t got = pread(file, buffer, kBuffer, off_t(at));
    if (got <= 0) give_up("the batch disk cannot be read");
    batch.append(reinterpret_cast<const char*>(buffer), std::size_t(got));
    BatchHeader header;
    std::memcpy(&header, batch.data(), sizeof header);
    if (header.magic != kBatchMagic) give_up("no batch");
    wanted = header.bytes;
    if (std::size_t(got) < kBuffer && batch.size() < wanted) give_up("half a batch");
  }
  munmap(buffer, kBuffer);
  close(file);
  batch.resize(wanted);
  return batch;
}

ObservationDisk::ObservationDisk(const std::string& device)
    : file_(open_for_writing(device.c_str(), O_DIRECT)), buffer_(aligned_memory(kBuffer)) {
  if (file_ < 0) give_up("the observation disk cannot be written");
}

void ObservationDisk::put(const void* bytes, std::size_t count) {
  const auto* from = static_cast<const std::byte*>(bytes);
  while (count > 0) {
    if (used_ == kBuffer) flush();
    const std::size_t part = std::min(count, kBuffer - used_);
    std::memcpy(buffer_ + used_, from, part);
    used_ += part;
    from += part;
    count -= part;
  }
}

void ObservationDisk::append(std::uint32_t trace, std::uint32_t op, const Observation& o) {
  put_record(trace, op, o, [this](const void* bytes, std::size_t count) { put(bytes, count); });
}

void ObservationDisk::append_not_run(std::uint32_t trace) {
  const ObservedHeader header = not_run(trace);
  put(&header, sizeof header);
}

void ObservationDisk::append_end(std::uint32_t traces) {
  const ObservedHeader header{
      .magic = kDoneMagic, .bytes = sizeof header, .trace = traces, .globals = {}};
  put(&header, sizeof header);
}

// The last sector is written again by the next flush.
void ObservationDisk::flush() {
  const std::size_t whole = used_ / kSector * kSector;
  const std::size_t to_write = (used_ + kSector - 1) / kSector * kSector;
  std::memset(buffer_ + used_, 0, to_write - used_);
  if (pwrite(file_, buffer_, to_write, off_t(written_)) != ssize_t(to_write))
    give_up("the observation disk is full");
  std::memmove(buffer_, buffer_ + whole, used_ - whole);
  used_ -= whole;
  written_ += whole;
}

}  // namespace thp::live
