// Scaling the arguments that count pages.
#include "model/trace/lift.h"

namespace thp {

Trace lifted(const Trace& trace) {
  Trace lifted = trace;
  const int by = Geometry::kMaxOrder - trace.geometry.order;
  lifted.geometry.order = Geometry::kMaxOrder;
  if (trace.geometry.swap >= 0) lifted.geometry.swap = trace.geometry.swap << by;
  const auto scale = [by]<class Arg>(Arg& arg) {
    if constexpr (std::is_same_v<Arg, PageNr> || std::is_same_v<Arg, Offset>) {
      arg.number <<= by;
    } else if constexpr (std::is_same_v<Arg, PageRange>) {
      arg.first <<= by;
      arg.end <<= by;
    } else if constexpr (std::is_same_v<Arg, NewSize> || std::is_same_v<Arg, FileSize>) {
      arg.pages <<= by;
    }
  };
  for (Op& op : lifted.ops) visit_op([&](auto& o) { visit_args(o, scale); }, op);
  return lifted;
}

}  // namespace thp
