// Mutation of parsed traces for libFuzzer: an edit draws what it inserts against the machine as it
// is at that point of the trace, so that arguments hit what exists.
#pragma once
#include <cstdint>
#include <random>
#include <span>

#include "model/trace/generate.h"

namespace thp {

// The choices of one seed.
class SeededChoices {
 public:
  explicit SeededChoices(unsigned seed) : rng_(seed) {}
  int operator()(int n) { return int(rng_() % unsigned(n)); }

 private:
  std::minstd_rand rng_;
};

// One to four edits of ops, of an argument, of the geometry; rarely a fresh trace.
Trace mutate(const Trace& trace, Choose choose);

// A part of each: the beginning of `a`, then a part of `b` moved into the geometry of `a`.
Trace splice(const Trace& a, const Trace& b, Choose choose);

// Prints as many ops as there is room for. Returns the size; 0 if there is none for the header.
std::size_t print_within(const Trace& trace, std::span<std::uint8_t> room);

}  // namespace thp
