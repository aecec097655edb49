// Linear probing; a table of twice the size when it is 3/4 full.
#include "properties/seen_states.h"

#include <algorithm>

namespace thp {

bool Fingerprints::insert(std::uint64_t fingerprint) {
  if (!has_room_for(1)) grow();
  fingerprint = std::max<std::uint64_t>(fingerprint, 1);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = fingerprint & mask;
  for (; slots_[at] != kFree; at = (at + 1) & mask)
    if (slots_[at] == fingerprint) return false;
  slots_[at] = fingerprint;
  ++size_;
  return true;
}

bool Fingerprints::contains(std::uint64_t fingerprint) const {
  fingerprint = std::max<std::uint64_t>(fingerprint, 1);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = fingerprint & mask;
  for (; slots_[at] != kFree; at = (at + 1) & mask)
    if (slots_[at] == fingerprint) return true;
  return false;
}

void Fingerprints::grow() {
  std::vector<std::uint64_t> old(slots_.size() * 2, kFree);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const std::uint64_t fingerprint : old) {
    if (fingerprint == kFree) continue;
    std::size_t at = fingerprint & mask;
    while (slots_[at] != kFree) at = (at + 1) & mask;
    slots_[at] = fingerprint;
  }
}

}  // namespace thp
