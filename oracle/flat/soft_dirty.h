// What a tracker of soft-dirty pages is promised, as one that dumps only what has changed. The
// promises begin with a process's own clear_refs, and are about places: a page may move away from
// one. Documentation/admin-guide/mm/soft-dirty.rst; proc(5), clear_refs.
#pragma once
#include <array>
#include <boost/container/vector.hpp>
#include <cstdint>
#include <span>

#include "model/machine.h"
#include "oracle/flat/mismatch.h"

namespace thp {

class SoftDirty {
 public:
  void reset(const Geometry& geometry);

  // What happens to places.
  void clear_refs(int mm, std::span<const std::uint8_t> shown);
  void stored(int mm, int page);                       // by a processor
  void stored_by_device(int mm, int page, int value);  // nobody is told
  void may_be_discarded(int mm, int first, int end);
  void discarded(int mm, int page);         // nobody wrote the zeroes
  void mapped(int mm, int first, int end);  // anew, or as a mapping grew
  void moved(int mm, int first, int end);   // there
  void unmapped(int mm, int first, int end);
  void end(int mm);  // until its next clear_refs
  void forget(const Machine& m, const Strike& strike);

  // Has it called clear_refs? Else nothing is asked.
  bool tracks(int mm) const { return tracked_[std::size_t(mm)]; }
  // Is each place of [first, end) told soft-dirty that has to be? `shown`: the bytes of all places.
  Verdict compare(const Machine& m, int mm, int first, int end,
                  std::span<const std::uint8_t> shown) const;
  bool operator==(const SoftDirty& other) const;

 private:
  enum Place : std::uint8_t {
    kAsked = 1,   // a promise is asked of it: clear_refs came by, or it was mapped since
    kNew = 2,     // mapped, or grown, since clear_refs
    kMoved = 4,   // another mapping was moved there since, and not given away
    kStored = 8,  // stored to by a processor since it was mapped, and not discarded
  };
  void begin(int mm, int first, int end, int place);
  std::size_t index(int mm, int page) const { return std::size_t(mm * pages_ + page); }

  int pages_ = 0;
  std::array<bool, Geometry::kMaxMms> tracked_{};
  boost::container::vector<std::uint8_t> places_, bytes_;  // what each place showed at clear_refs
};

}  // namespace thp
