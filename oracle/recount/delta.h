// What differs between the machine before an op and after it: compared once, where the stamps say
// something was set, for the recount and for every rule.
#pragma once
#include <boost/container/vector.hpp>
#include <cstdint>
#include <span>

#include "model/machine.h"

namespace thp {

// A list of small numbers, each at most once.
class Marks {
 public:
  void reset(int size);
  void clear();
  void add(int i) {
    if (marked_[std::size_t(i)]) return;
    marked_[std::size_t(i)] = 1;
    list_[std::size_t(count_++)] = std::uint16_t(i);
  }
  bool has(int i) const { return i < int(marked_.size()) && marked_[std::size_t(i)] != 0; }
  std::span<const std::uint16_t> list() const { return {list_.data(), std::size_t(count_)}; }

 private:
  boost::container::vector<std::uint8_t> marked_;
  boost::container::vector<std::uint16_t> list_;
  int count_ = 0;
};

// Each is another than it was. Of what is stamped, only what differs: many ops take back what they
// set.
class Delta {
 public:
  void reset(const Geometry& geometry);
  void find(const Machine& before, const Machine& after);

  bool counted() const { return counted_; }      // anything but what nobody counts
  bool unstamped() const { return unstamped_; }  // VMAs, slots, compounds, queues
  std::span<const std::uint16_t> frames() const { return frames_.list(); }
  Bits lost_flags() const { return lost_flags_; }  // page flags that one of them had, and has not
  std::span<const std::uint16_t> ptes() const { return ptes_.list(); }    // mm * pages + page
  std::uint64_t pmds() const { return pmds_; }                            // bit mm * kMaxPmds + i
  std::span<const std::uint16_t> cells() const { return cells_.list(); }  // inode * pages + index
  unsigned inodes() const { return inodes_; }  // bit: a file, but for its cells
  unsigned mms() const { return mms_; }        // bit mm: what an address space counts
  unsigned vmas() const { return vmas_; }      // bit mm: its VMAs
  unsigned holders() const { return holders_; }
  bool anon_vmas() const { return anon_vmas_; }
  bool slots() const { return slots_; }
  bool device() const { return device_; }  // the swap device, but for its slots
  bool compounds() const { return compounds_; }

 private:
  void find_stamped(const Machine& before, const Machine& after);
  void find_fixed(const Machine& before, const Machine& after);
  void find_vmas(const Machine& before, const Machine& after);
  void look_at_frame(const Machine& before, const Machine& after, int pfn);
  void look_at_pte(const Machine& before, const Machine& after, int mm, int page);
  void look_at_cell(const Machine& before, const Machine& after, int inode, int index);

  Marks frames_, ptes_, cells_;
  Bits lost_flags_ = 0;
  std::uint64_t pmds_ = 0;
  unsigned mms_ = 0, vmas_ = 0, holders_ = 0, inodes_ = 0;
  bool counted_ = false, unstamped_ = false, anon_vmas_ = false, slots_ = false;
  bool device_ = false, compounds_ = false;
};

}  // namespace thp
