// Facts that the kernel leaves free, or that nobody can see: they are not compared, and each says
// why.
#pragma once
#include <span>
#include <string_view>

#include "model/ops.h"
#include "oracle/live/observation.h"

namespace thp::live {

struct FreeFact {
  std::string_view fact;
  std::string_view reason;
  // Takes the fact out of what one side saw after the last of `ops`.
  void (*forget)(Observation& seen, std::span<const Op> ops);
};

std::span<const FreeFact> free_facts();

// Without what is free, and renamed: what two sides have to agree about after the last of `ops`.
Observation comparable(Observation seen, std::span<const Op> ops);

}  // namespace thp::live
