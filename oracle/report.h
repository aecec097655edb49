// The failure page: all that one needs to read about a violation.
#pragma once
#include <string>
#include <string_view>

#include "oracle/judge.h"

namespace thp {

// Violation::broken of an `expect` line that does not hold.
inline constexpr std::string_view kExpectLine = "expect";

// The sentence that `broken` names.
std::string_view sentence_of(std::string_view broken);

// The sentence, the trace with the offending op marked and a picture of each address space after
// each op, the details, and the command that shows it again.
std::string failure_page(const Trace& trace, const Violation& violation, std::string_view command);

}  // namespace thp
