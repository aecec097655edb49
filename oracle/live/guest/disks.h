// The guest's disks, found by the serial numbers that QEMU was given: thpswap, thpbatch, thpseen.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "oracle/live/observation.h"

namespace thp::live {

// /dev/NAME of the NVMe disk with that serial number; waits some seconds for it. Gives up.
std::string find_disk(std::string_view serial);

// The whole batch: all bytes that its header promises. Gives up if there is none.
std::string read_batch_disk(const std::string& device);

// Observations, gathered in memory and written in one go.
class ObservationDisk {
 public:
  explicit ObservationDisk(const std::string& device);
  void append(std::uint32_t trace, std::uint32_t op, const Observation& observation);
  void append_not_run(std::uint32_t trace);
  void append_end(std::uint32_t traces);
  void flush();  // what was appended is on the disk

 private:
  void put(const void* bytes, std::size_t count);
  int file_;
  std::byte* buffer_;
  std::size_t used_ = 0;     // in the buffer; its first byte belongs at written_
  std::size_t written_ = 0;  // on the disk, in whole sectors
};

}  // namespace thp::live
