// The shrinker against judges that we make up: what it must keep, and what must go.
#include "properties/shrink.h"

#include "properties/check.h"
#include "properties/simpler.h"

using namespace thp;

namespace {

using Verdict = std::optional<Violation>;

// Fails after the first store that comes after a fork into another name and a partial unmap.
Verdict store_after_fork_and_unmap(const Trace& trace) {
  bool forked = false, unmapped = false;
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    const Op& op = trace.ops[i];
    if (const auto* fork = std::get_if<Fork>(&op)) forked |= fork->mm != fork->child;
    if (const auto* munmap = std::get_if<Munmap>(&op))
      unmapped |= munmap->range.size() < trace.geometry.hpage_nr();
    if (is_op<Store>(op) && forked && unmapped)
      return Violation{.op = i, .broken = "made_up", .after = "store", .detail = {}};
  }
  return {};
}

Trace long_trace() {
  Trace trace{.kernel = {}, .geometry = {.order = 4, .pmds = 3, .mms = 4, .blocks = 40}, .ops = {}};
  for (int i = 0; i < 40; ++i) {
    trace.ops.push_back(Mmap{{i % 4}, {i % 7, 48}});
    trace.ops.push_back(Store{{i % 4}, {40 - i}, {9 + i}});
    if (i == 11) trace.ops.push_back(Fork{{2}, {3}});
    if (i == 23) trace.ops.push_back(Munmap{{3}, {33, 41}});
    trace.ops.push_back(ShrinkDeferred{});
  }
  return trace;
}

void shrinks_to_the_least_trace() {
  const Trace trace = long_trace();
  int steps = 0;
  const ShrinkOptions options{.judge = store_after_fork_and_unmap,
                              .progress = [&](const Trace&, int) { ++steps; }};
  const Violation violation = *store_after_fork_and_unmap(trace);
  const Shrunk shrunk = shrink(trace, violation, options);
  const Trace least{.kernel = {},
                    .geometry = {.order = 2, .pmds = 1, .mms = 2},
                    .ops = {Fork{{0}, {1}}, Munmap{{0}, {0, 1}}, Store{{0}, {0}, {1}}}};
  check(shrunk.trace == least, print(shrunk.trace));
  check(shrunk.size == Shrunk::Size::minimal, "the result is minimal");
  check(shrunk.violation.op == 2 && shrunk.violation.same_failure(violation),
        "the failure stays the same");
  check(steps > 0 && steps < shrunk.judgings, "progress is told");
  check(shrink(trace, violation, options).trace == shrunk.trace, "shrinking is deterministic");
  check(shrink(least, shrunk.violation, options).trace == least, "the least trace stays");
}

void stays_within_its_budget() {
  const Trace trace = long_trace();
  int judgings = 0;
  const ShrinkOptions options{.judge =
                                  [&](const Trace& t) {
                                    ++judgings;
                                    return store_after_fork_and_unmap(t);
                                  },
                              .max_judgings = 25,
                              .progress = {}};
  const Shrunk shrunk = shrink(trace, *store_after_fork_and_unmap(trace), options);
  check(judgings == 25 && shrunk.judgings == 25, "no judging beyond the budget");
  check(shrunk.size == Shrunk::Size::out_of_judgings,
        "what the budget ended is not called minimal");
  check(store_after_fork_and_unmap(shrunk.trace).has_value(), "it still fails");
}

// Two failures in one trace: the shorter one must not take over.
void never_slides_to_another_failure() {
  const auto judge = [](const Trace& trace) -> Verdict {
    for (std::size_t i = 0; i < trace.ops.size(); ++i)
      if (is_op<Exit>(trace.ops[i]))
        return Violation{
            .op = i, .broken = i >= 3 ? "late" : "early", .after = "exit", .detail = {}};
    return {};
  };
  Trace trace;
  for (int i = 0; i < 10; ++i) trace.ops.push_back(Load{});
  trace.ops.push_back(Exit{});
  const Shrunk shrunk = shrink(trace, *judge(trace), {.judge = judge, .progress = {}});
  check(shrunk.trace.ops.size() == 4 && shrunk.violation.broken == "late", print(shrunk.trace));
}

void pages_follow_the_geometry() {
  const Trace trace{.kernel = {},
                    .geometry = {.order = 3, .pmds = 2, .mms = 3},
                    .ops = {Mmap{{2}, {0, 16}}, Store{{1}, {13}, {1}}, Munmap{{0}, {3, 8}}}};
  const Trace half{.kernel = {},
                   .geometry = {.order = 2, .pmds = 2, .mms = 3},
                   .ops = {Mmap{{2}, {0, 8}}, Store{{1}, {6}, {1}}, Munmap{{0}, {1, 4}}}};
  const Trace one_pmd{.kernel = {},
                      .geometry = {.order = 3, .pmds = 1, .mms = 3},
                      .ops = {Mmap{{2}, {0, 8}}, Store{{1}, {5}, {1}}, Munmap{{0}, {3, 8}}}};
  const Trace two_mms{.kernel = {},
                      .geometry = {.order = 3, .pmds = 2, .mms = 2},
                      .ops = {Mmap{{1}, {0, 16}}, Store{{1}, {13}, {1}}, Munmap{{0}, {3, 8}}}};
  check(with_order(trace, 2, Fit::scale) == half, print(with_order(trace, 2, Fit::scale)));
  check(with_order(half, 3, Fit::scale).ops[0] == trace.ops[0], "scaling goes both ways");
  check(with_order(trace, 2, Fit::clamp).ops[1] == Op{Store{{1}, {7}, {1}}}, "clamped to the PMD");
  check(without_pmd(trace, 1) == one_pmd, print(without_pmd(trace, 1)));
  check(without_mm(trace, 2) == two_mms, print(without_mm(trace, 2)));
}

}  // namespace

int shrink_test(int, char*[]) {
  shrinks_to_the_least_trace();
  stays_within_its_budget();
  never_slides_to_another_failure();
  pages_follow_the_geometry();
  return failures();
}
