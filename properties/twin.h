// What the twin in Promela (spin/) keeps of a machine, so that two tools can be asked for the same
// states: frames keep their numbers, nothing is put into an order.
#pragma once
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "model/machine.h"
#include "properties/seen_states.h"

namespace thp {

// The twin's variables in the order in which it declares them.
std::span<const std::uint32_t> twin_of(const Machine& m, std::vector<std::uint32_t>& words);

// The different twins of the machines that an explorer visits.
class TwinStates {
 public:
  explicit TwinStates(const std::string& list) : list_(list) {}  // a file: a line for each
  void visit(const Machine& m);
  std::size_t size() const { return seen_.size(); }
  std::uint64_t sum() const { return sum_; }  // of their hashes: equal for equal sets

 private:
  std::ofstream list_;
  Fingerprints seen_;
  std::uint64_t sum_ = 0;
  std::vector<std::uint32_t> words_;
};

}  // namespace thp
