// Sentences about all traces. A trace that breaks one is shrunk by our own shrinker and written
// down; `trace_properties FILE...` judges such files by every sentence.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

#include "model/mm/swapfile.h"
#include "oracle/judge.h"
#include "properties/arbitrary.h"
#include "properties/canonical.h"
#include "properties/finds.h"
#include "properties/simpler.h"

using namespace thp;

namespace {

using Verdict = std::optional<Violation>;

Verdict broken_by(const Trace& trace, std::size_t op, std::string_view property,
                  std::string_view detail) {
  const std::string_view after =
      op < trace.ops.size() ? op_name(int(trace.ops[op].index())) : "the trace";
  return Violation{.op = op, .broken = property, .after = after, .detail = std::string(detail)};
}

// --- The sentences. Each says what is wrong with a trace, if anything.

Verdict invariants_hold(const Trace& trace) { return judge(trace); }

Verdict text_round_trip(const Trace& trace) {
  const auto parsed = parse_trace(print(trace));
  if (parsed && parsed->trace == trace) return {};
  return broken_by(trace, 0, "text_round_trip", "the printed trace reads as another one");
}

// A fresh machine, and one that has been used and reset.
Verdict machine_is_deterministic(const Trace& trace) {
  Machine one(trace.geometry), other(Geometry{.order = 4, .pmds = 3, .mms = 3});
  for (const Op& op : trace.ops)
    if (in_geometry(op, other.geometry)) step(other, op);
  other.reset(trace.geometry);
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    const int a = step(one, trace.ops[i]), b = step(other, trace.ops[i]);
    const bool same = a == b && one == other && one.events == other.events &&
                      one.reason == other.reason && one.bug == other.bug;
    if (!same) return broken_by(trace, i, "deterministic", "two runs of the same ops differ");
  }
  return {};
}

Verdict incremental_judging_agrees(const Trace& trace) {
  Judge full(trace.geometry), incremental(trace.geometry, Judge::Mode::incremental);
  Recount fresh;
  fresh.reset(trace.geometry);
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    const Verdict a = full.step(trace.ops[i]), b = incremental.step(trace.ops[i]);
    if (a.has_value() != b.has_value())
      return broken_by(trace, i, "incremental_agrees", a ? a->detail : b->detail);
    if (a || full.machine().defect != nullptr) return {};  // after a defect nobody judges
    fresh.recount(incremental.machine());
    if (!(fresh == incremental.recount()))
      return broken_by(trace, i, "incremental_agrees", "the updated recount is not a fresh one");
  }
  if (!full.finish() && !incremental.finish()) return {};
  return broken_by(trace, trace.ops.size(), "incremental_agrees", "at the end");
}

// Calls that are refused before they begin. Not: EINVAL of advice, which some VMAs of a range have
// taken already; and failures half way (ENOMEM, EAGAIN, EFAULT, OOM), which leave faulted pages,
// split VMAs or PMDs, as in the kernel.
bool is_refusal(const Op& op, int result) {
  const bool advice = op_name(int(op.index())).starts_with("madvise_");
  return result == -ESRCH || result == -ENOENT || result == -EEXIST || result == -EBUSY ||
         result == kSigsegv || (result == -EINVAL && !advice);
}

Verdict refused_calls_change_nothing(const Trace& trace) {
  Machine m(trace.geometry);
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    Machine before = m;
    const int result = step(m, trace.ops[i]);
    before.inject = m.inject;  // an injected failure may be what it was refused for
    if (is_refusal(trace.ops[i], result) && !(before == m))
      return broken_by(trace, i, "refused_is_undone", print_result(result));
  }
  return {};
}

// The same trace with values in order of appearance: nothing in the machine looks at contents.
Verdict values_are_names(const Trace& trace) {
  const Trace other = renamed(trace, true, false, false);
  Machine one(trace.geometry), two(trace.geometry);
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    step(one, trace.ops[i]);
    step(two, other.ops[i]);
    if (!equal_but_for_names(one, two))
      return broken_by(trace, i, "values_are_names", "other values lead to another state");
  }
  return {};
}

// Address spaces in the other order, and holders moved up by one: each op does the same to others.
Verdict spaces_are_names(const Trace& trace) {
  Order order;
  std::reverse(order.mms.begin(), order.mms.begin() + trace.geometry.mms);
  std::ranges::rotate(order.holders, order.holders.begin() + 1);
  Machine one(trace.geometry), two = renamed(one, order);
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    const int a = step(one, trace.ops[i]), b = step(two, renamed(trace.ops[i], order));
    if (a != b || one.reason != two.reason || !equal_but_for_names(renamed(one, order), two))
      return broken_by(trace, i, "spaces_are_names", "others are treated differently");
  }
  return {};
}

// --- Commuting.

struct Reach {
  int mms = 0, mm = -1, holder = -1;
};
Reach reach_of(const Op& op) {
  Reach reach;
  const auto visit = [&]<class Arg>(const Arg& arg) {
    if constexpr (std::is_same_v<Arg, MmId>) reach.mm = arg.id, ++reach.mms;
    if constexpr (std::is_same_v<Arg, HolderId>) reach.holder = arg.id;
  };
  visit_op([&](const auto& o) { visit_args(o, visit); }, op);
  return reach;
}

// Ops that reach beyond the folios of their address space: only one migration is in flight, and
// swap slots run out.
bool is_local(const Op& op) {
  return !is_op<MigrateBegin, MovePages, Reclaim, MadvisePageout>(op) && reach_of(op).mms == 1;
}

// All that an address space maps, or would map again: folios, and swap slots. A folio of the swap
// cache and its slots are one thing: who has the one has the other. The last thing is that swap is
// full: who has slots asks, and may change it, as ops that are local only free slots.
std::vector<bool> mapped_by(const Machine& m, int mm) {
  const std::size_t slots = std::size_t(m.frames());
  std::vector<bool> mapped(slots + std::size_t(m.geometry.swap_slots()) + 1);
  const auto add_slot = [&](Slot slot) {
    mapped[slots + slot] = true;
    mapped.back() = vm_swap_full(m);
  };
  const auto add_folio = [&](Pfn folio) {
    mapped[folio] = true;
    if (!folio_test_swapcache(m, folio)) return;
    for (int i = 0; i < folio_nr_pages(m, folio); ++i)
      add_slot(m.page(Pfn(folio + i)).private_slot);
  };
  for (int page = 0; page < m.pages(); ++page) {
    const Entry& pmd = m.pmd(mm, pmd_index(m, page));
    const Entry& entry = pmd.is_table() ? m.pte(mm, page) : pmd;
    if (entry.is_present() || entry.is_migration()) add_folio(page_folio(m, entry.frame));
    if (!entry.is_swap()) continue;
    add_slot(entry.frame);
    if (const Pfn cached = m.swap(entry.frame).cache; cached != kNoPfn)
      add_folio(page_folio(m, cached));
  }
  return mapped;
}

bool share_a_file(const Machine& m, int a, int b) {
  for (const Vma& one : m.vmas(a))
    for (const Vma& other : m.vmas(b))
      if (!one.is_anonymous() && one.file == other.file) return true;
  return false;
}

bool share_memory(const Machine& m, int a, int b) {
  if (share_a_file(m, a, b)) return true;
  const std::vector<bool> one = mapped_by(m, a), other = mapped_by(m, b);
  for (std::size_t i = 0; i < one.size(); ++i)
    if (one[i] && other[i]) return true;
  return false;
}

bool has_plenty(const Machine& m) {
  int free = 0;
  for (int block = 0; block < m.geometry.frame_blocks(); ++block) free += m.used_frames(block) == 0;
  return free >= 4 * m.geometry.pmds + 2;
}

bool are_independent(const Machine& m, const Op& one, const Op& other) {
  const Reach a = reach_of(one), b = reach_of(other);
  return is_local(one) && is_local(other) && a.mm != b.mm &&
         (a.holder < 0 || a.holder != b.holder) && has_plenty(m) && !share_memory(m, a.mm, b.mm);
}

// Has a migration begun whose folio nobody will map again? Its anon_vma is gone and only a number,
// which another may have been given by now.
bool is_migrating_for_nobody(const Machine& m) {
  if (!m.migration.in_flight()) return false;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    if (mapped_by(m, mm)[m.migration.src]) return false;
  return true;
}

// Has an op put something into the deferred split queue? One that has only taken from it leaves the
// rest in order.
bool has_queued(const Machine& before, const Machine& after) {
  const auto old = before.deferred_queue();
  auto at = old.begin();
  for (const Pfn head : after.deferred_queue()) {
    at = std::find(at, old.end(), head);
    if (at == old.end()) return true;
    ++at;
  }
  return false;
}

bool commute(Machine ab, const Op& one, const Op& other) {
  ab.inject = {};  // a failure would strike the op that comes first
  const Machine before = ab;
  Machine ba = ab;
  const int a1 = step(ab, one);
  const bool one_queues = has_queued(before, ab);
  const int b1 = step(ab, other);
  const int b2 = step(ba, other);
  const bool both_queue = one_queues && has_queued(before, ba);
  const int a2 = step(ba, one);
  if (both_queue) ab.deferred_len = ba.deferred_len = 0;  // it keeps the order in which two queue
  return a1 == a2 && b1 == b2 && (is_migrating_for_nobody(ab) || equal_but_for_names(ab, ba));
}

Verdict disjoint_ops_commute(const Trace& trace) {
  Machine m(trace.geometry);
  for (std::size_t i = 0; i + 1 < trace.ops.size() && m.defect == nullptr; ++i) {
    const Op &one = trace.ops[i], &other = trace.ops[i + 1];
    if (are_independent(m, one, other) && !commute(m, one, other))
      return broken_by(trace, i + 1, "disjoint_commute", "in the other order they differ");
    step(m, one);
  }
  return {};
}

// --- All of them.

struct Property {
  const char* sentence;
  Verdict (*broken)(const Trace& trace);
};
constexpr Property kProperties[] = {
    {"no trace breaks an invariant or lets an application see a huge page", invariants_hold},
    {"printing and parsing are inverse", text_round_trip},
    {"the machine is deterministic", machine_is_deterministic},
    {"incremental and full judging agree", incremental_judging_agrees},
    {"a call that is refused changes nothing", refused_calls_change_nothing},
    {"a trace with its values renamed leads to the same canonical states", values_are_names},
    {"a trace with its address spaces and holders renamed does the same to others",
     spaces_are_names},
    {"ops on disjoint address spaces commute", disjoint_ops_commute},
};

bool holds_for_all(const Property& property) {
  std::optional<Trace> breaking;
  if (rc::check(property.sentence, [&](const Trace& trace) {
        const Verdict violation = property.broken(trace);
        if (!violation) return;
        breaking = trace;
        RC_FAIL(std::string(violation->broken));
      }))
    return true;
  const bool judged = property.broken == invariants_hold;
  if (breaking)
    record_find(*breaking, *property.broken(*breaking),
                {.judge = property.broken, .explore = judged}, !judged);
  return false;
}

bool holds_for(const char* name) {
  std::ifstream in(name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto file = parse_trace(text);
  if (!file) {
    std::fprintf(stderr, "%s:%d:%d: %s\n", name, file.error().line, file.error().column,
                 file.error().message.c_str());
    return false;
  }
  bool ok = true;
  for (const Property& property : kProperties) {
    const Verdict violation = property.broken(file->trace);
    if (!violation) continue;
    std::fprintf(stderr, "%s: not so: %s: %s after op %zu\n", name, property.sentence,
                 violation->detail.c_str(), violation->op + 1);
    ok = false;
  }
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  bool ok = true;
  for (int i = 1; i < argc; ++i) ok = holds_for(argv[i]) && ok;
  if (argc > 1) return ok ? 0 : 1;
  for (const Property& property : kProperties) ok = holds_for_all(property) && ok;
  return ok ? 0 : 1;
}
