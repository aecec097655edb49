// What an explorer remembers: of each state a fingerprint, and the op and state that led there.
// Fingerprints are 64 bits of XXH3: of n states, two are taken for one with a probability below
// n * n / 2^65.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

namespace thp {

using StateId = std::uint32_t;  // in order of discovery; 0 is the first

// An open-addressed set of fingerprints, at most 3/4 full.
class Fingerprints {
 public:
  Fingerprints() : slots_(1 << 16, kFree) {}
  bool insert(std::uint64_t fingerprint);  // false: it was there
  bool contains(std::uint64_t fingerprint) const;
  void prefetch(std::uint64_t fingerprint) const {
    __builtin_prefetch(&slots_[fingerprint & (slots_.size() - 1)]);
  }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return slots_.size() * sizeof slots_[0]; }
  // Bytes needed while `more` are inserted: a table that doubles is there twice.
  std::size_t bytes_with(std::size_t more) const { return bytes() * (has_room_for(more) ? 1 : 3); }

 private:
  static constexpr std::uint64_t kFree = 0;  // a fingerprint of 0 counts as 1
  bool has_room_for(std::size_t more) const { return (size_ + more) * 4 <= slots_.size() * 3; }
  void grow();
  std::vector<std::uint64_t> slots_;
  std::size_t size_ = 0;
};

// The tree of first discoveries: the path to a state is a shortest one.
class Discoveries {
 public:
  StateId add(StateId parent, std::uint16_t move) {
    parents_.push_back(parent);
    moves_.push_back(move);
    return StateId(parents_.size() - 1);
  }
  StateId parent(StateId state) const { return parents_[state]; }
  std::uint16_t move(StateId state) const { return moves_[state]; }
  std::size_t size() const { return parents_.size(); }
  std::size_t bytes() const { return size() * kEach; }
  static constexpr std::size_t kEach = sizeof(StateId) + sizeof(std::uint16_t);

 private:
  std::deque<StateId> parents_;  // they grow without being copied
  std::deque<std::uint16_t> moves_;
};

}  // namespace thp
