// The ops of a scope: each kind with each choice of its arguments, in order.
#pragma once
#include <bitset>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "model/ops.h"
#include "model/trace/generate.h"

namespace thp {

using OpSet = std::bitset<std::size_t(kOpKinds)>;

// `store,fork`: these; `-reclaim,-get`: all but these; nothing: all. The error is a message.
std::expected<OpSet, std::string> parse_op_set(std::string_view text);

// Pages, ranges, address spaces and names run through all that the geometry and `holders` allow; a
// value stays 1: see fresh_value().
std::vector<Op> all_moves(const Geometry& geometry, const OpSet& kinds, int holders);

// The lowest value that is nowhere in the machine. Which value a store leaves is a name; that it is
// another one than before shows most.
int fresh_value(const Machine& m);

// What a caller sees, without the value that a load answers with: 1 stands for any but 0.
int answer_but_for_names(const Op& op, int result);

// The op with this value, if it stores one.
Op with_value(const Op& op, int value);

}  // namespace thp
