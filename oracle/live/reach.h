// What live traces come by: the table of sometimes, less what no live kernel comes by; and how far
// they are compared.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "oracle/judge.h"
#include "oracle/sometimes/sometimes.h"

namespace thp::live {

// A state or step of the table of sometimes that ops with a system call cannot show.
struct BeyondLive {
  std::string_view name, reason;
};
std::span<const BeyondLive> beyond_live();
bool is_beyond_live(std::string_view sometimes);

// Why model and kernel are not compared from this state of the model on; empty while they are.
std::string_view why_comparing_ends(const Machine& m);

// The model along a live trace, with a judge that was reset for it: what it comes by, and what the
// oracle says of it. Writeback ends after each op, as in the guest.
std::optional<Violation> watch(Judge& judge, std::span<const Op> ops, Reached& reached);

}  // namespace thp::live
