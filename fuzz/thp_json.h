// How a command tells a machine something: an object a line.
#pragma once
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "fuzz/thp.h"

namespace thp {

inline void tell_json(const nlohmann::ordered_json& json) {  // names of files may be any bytes
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// Of a file that is no trace, and for standard error, too; kNoTrace.
inline int tell_json_error(const std::string& file, const std::string& error) {
  tell_json({{"file", file}, {"verdict", "not a trace"}, {"error", error}});
  return tell_error(error);
}

}  // namespace thp
