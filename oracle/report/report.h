// The report of a finding: all that one needs to read about it.
#pragma once
#include <string>
#include <string_view>

#include "oracle/judge.h"

namespace thp {

// Of the rule of this name; empty if there is none.
std::string_view sentence_of(std::string_view broken);

// The rule's sentence, its authority and source, what it was asked of, the trace with the offending
// op marked and a picture of each address space after each op, that thing before and after the op,
// and `next`: lines that say how to go on.
std::string report(const Trace& trace, const Violation& violation, std::string_view next);

}  // namespace thp
