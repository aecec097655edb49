// Reading the kernel's memory through /proc/kcore, by virtual address.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace thp::live {

class Kcore {
 public:
  bool open();  // false: there is none
  bool read(std::uint64_t address, void* to, std::size_t bytes) const;
  // What lies at an address; zeros where nothing can be read.
  template <class T>
  T get(std::uint64_t address) const {
    T value{};
    if (!read(address, &value, sizeof value)) value = T{};
    return value;
  }

 private:
  struct Segment {
    std::uint64_t address, offset, size;
  };
  int file_ = -1;
  std::vector<Segment> segments_;
};

// Addresses of symbols by name, from the text of /proc/kallsyms; names that it lacks are missing.
std::unordered_map<std::string, std::uint64_t> symbols(std::string_view kallsyms,
                                                       const std::vector<std::string_view>& wanted);

}  // namespace thp::live
