// Op by op, until model and kernel part.
#include "oracle/live/examine.h"

#include <algorithm>

#include "oracle/live/free_facts.h"
#include "oracle/live/observe.h"
#include "oracle/live/reach.h"

namespace thp::live {
namespace {

// Of what the model knows, as much as the kernel's side has seen: the page shows nothing else.
void forget_unseen(Observation& model, const Observation& kernel) {
  const auto copy = [](std::int32_t& ours, std::int32_t theirs) {
    if (theirs == kUnseen) ours = kUnseen;
  };
  copy(model.globals.reason, kernel.globals.reason);
  for (std::size_t i = 0; i < kEvents; ++i) copy(model.globals.events[i], kernel.globals.events[i]);
  std::erase_if(model.contents, [&](const ContentSeen& content) {
    return !std::ranges::binary_search(kernel.contents, content.pfn, {}, &ContentSeen::pfn);
  });
}

}  // namespace

Examined examine(const Trace& trace, std::span<const Observation> kernel) {
  Examined examined;
  Machine m(trace.geometry);
  for (std::size_t i = 0; i < std::min(trace.ops.size(), kernel.size()); ++i) {
    const std::span<const Op> ops(trace.ops.data(), i + 1);
    const int result = step(m, ops.back());
    examined.ended = why_comparing_ends(m);
    if (!examined.ended.empty()) break;
    settle(m);
    Observation ours = comparable(observe(m, result), ops);
    Observation theirs = comparable(kernel[i], ops);
    Differences differences = compare(ours, theirs);
    ++examined.ops;
    examined.facts += differences.facts;
    if (differences.all.empty()) continue;
    forget_unseen(ours, theirs);
    examined.divergence =
        Divergence{i, std::move(differences.all), std::move(ours), std::move(theirs)};
    break;
  }
  return examined;
}

}  // namespace thp::live
