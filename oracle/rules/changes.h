// What an op has changed: the list that every rule about changed things is asked of.
#pragma once
#include <boost/container/vector.hpp>
#include <cstdint>
#include <span>

#include "oracle/recount/delta.h"

namespace thp {

// What may be asked of a page, whatever maps it.
using Traits = std::uint16_t;
enum Trait : Traits {
  kThere = 1 << 0,      // it has an entry
  kMapped = 1 << 1,     // present or migrating; no zero page
  kSwapped = 1 << 2,    // swapped out
  kSoleOwner = 1 << 3,  // AnonExclusive, by frame or entry
  kSoftly = 1 << 4,     // soft-dirty
  kOpen = 1 << 5,       // mapped, and writable
  kUsed = 1 << 6,       // mapped, and young
  kDirtied = 1 << 7,    // mapped, and dirty by its entry or by itself
  kClean = 1 << 8,      // mapped at its folio's size, exclusive, neither dirty nor cached
  kOpenPte = 1 << 9,    // a present PTE that is writable
  kPinned = 1 << 10,    // present and pinned, in an address space that ever pinned
};
// `entry` translates the page; it is a PTE if `by_pte`.
Traits traits_of(const Machine& m, int mm, Entry entry, bool by_pte);
Traits traits_of(const Machine& m, int mm, int page);

// Exact for every page, at every order.
class Changes {
 public:
  struct Pages {  // that one entry translates: one, or all below a PMD
    std::uint8_t mm;
    std::uint16_t first, count;
  };
  void reset(const Geometry& geometry);
  void find(const Machine& before, const Machine& after);

  // Pages whose entry is another one, or leads to a frame whose flags have changed so that the
  // page may have other traits.
  std::span<const Pages> pages() const { return {pages_.data(), pages_.size()}; }
  std::uint64_t pmds() const { return delta_.pmds(); }   // bit mm * kMaxPmds + i
  bool another() const { return another_; }              // is the machine another?
  bool anything() const { return anything_; }            // or has it counted an event?
  bool unstamped() const { return delta_.unstamped(); }  // VMAs, slots, compounds, queues
  const Delta& delta() const { return delta_; }

 private:
  void clear();
  void add_below(const Machine& before, const Machine& after, int mm, int i);
  void add_led_to(const Machine& before, const Machine& after, std::uint64_t blocks);
  void add(int mm, int page, int count);
  Delta delta_;
  boost::container::vector<Pages> pages_;
  boost::container::vector<std::uint8_t> marked_;
  bool another_ = false, anything_ = false;
  int of_mm_ = 0;
};

}  // namespace thp
