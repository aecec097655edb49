// What ops come to: their results, the kernel's verdict inside, and which op follows which. The
// cells that an engine has reached, to be laid beside those of another.
#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <vector>

#include "model/trace/trace.h"

namespace thp {

struct Outcome {
  int result = 0;  // 1 for any value that a load has found
  Reason reason = Reason::none;
  std::uint64_t times = 0;
  // For the explorer: where it was met first, and with which op.
  std::uint32_t from = 0;
  std::uint16_t move = 0;
  bool is_like(const Outcome& other) const {
    return result == other.result && reason == other.reason;
  }
  bool operator==(const Outcome&) const = default;
};

class Outcomes {
 public:
  void add(int kind, const Outcome& outcome);
  void add(const Outcomes& more);
  void add(const Trace& trace);  // of every step of it
  // An op of the one kind has changed the machine, and right after it one of the other.
  void add_pair(int kind, int next) { pairs_.set(std::size_t(kind * kOpKinds + next)); }

  // In the order in which they came.
  const std::vector<Outcome>& of(int kind) const { return kinds_[std::size_t(kind)]; }
  bool has(int kind, const Outcome& outcome) const;
  bool has_pair(int kind, int next) const { return pairs_[std::size_t(kind * kOpKinds + next)]; }
  std::size_t pairs() const { return pairs_.count(); }
  bool operator==(const Outcomes&) const = default;

 private:
  std::array<std::vector<Outcome>, kOpKinds> kinds_;
  std::bitset<std::size_t(kOpKinds* kOpKinds)> pairs_;
};

}  // namespace thp
