// struct pages, read in bulk, and the folios that they make up.
#pragma once
#include <array>
#include <bitset>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "oracle/live/guest/kernel.h"
#include "oracle/live/observation.h"

namespace thp::live {

// Frames that something leads to.
struct FrameRange {
  std::uint32_t pfn = 0, count = 1;
};

// What struct pages said at one moment. Each block of 512 is read at most once.
class PageStructs {
 public:
  explicit PageStructs(const Kernel& kernel) : kernel_(kernel) {}
  void forget() { used_ = 0; }
  void read(FrameRange range);
  // The bytes of the struct page of a frame, which is read first if need be; they stay until
  // forget().
  const std::byte* at(std::uint32_t pfn);

 private:
  static constexpr std::uint32_t kBlock = 512;
  struct Block {
    std::uint32_t first = 0;
    std::bitset<kBlock> known;
    alignas(64) std::array<std::byte, kBlock * kPageStructBytes> bytes;
  };
  Block& block_of(std::uint32_t pfn);

  const Kernel& kernel_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::size_t used_ = 0, last_ = 0;
};

// Adds the folios that the frames belong to, and their pages, all sorted; zero pages are none.
void append_folios(const Kernel& kernel, PageStructs& structs,
                   const std::vector<FrameRange>& frames, std::uint32_t huge_zero_pfn,
                   Observation& o);

}  // namespace thp::live
