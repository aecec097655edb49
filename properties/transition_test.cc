// What rules about ops rest on: the machine that follows is as the machine was; the list of changes
// leaves nothing out, and lists nothing else; and where nothing changes no rule about changed
// things has anything to say.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "model/trace/generate.h"
#include "oracle/judge.h"
#include "oracle/rules/transitions_of_pages.h"
#include "properties/check.h"

using namespace thp;

namespace {

bool are_same(const Machine& a, const Machine& b) {
  return a == b && a.events == b.events && a.reason == b.reason && a.inject == b.inject;
}

// Who pins it shows in the list of holders: no rule asks for that alone.
bool differ(const Machine& before, const Machine& after, int mm, int page) {
  const int differing = traits_of(before, mm, page) ^ traits_of(after, mm, page);
  return entry_of(before, mm, page) != entry_of(after, mm, page) || (differing & ~kPinned) != 0;
}

// Bit for page, address space by address space.
std::vector<bool> pages_listed_by(const Changes& changes, const Geometry& g) {
  std::vector<bool> listed(std::size_t(g.mms * g.pages()));
  for (const auto& [mm, first, count] : changes.pages())
    for (int page = first; page < first + count; ++page)
      listed[std::size_t(mm * g.pages() + page)] = true;
  return listed;
}

// May it be listed though its own traits are as they were? A huge page's first PTE may look like
// its PMD; a frame's flags say more of its folio than of the page; and one entry speaks for all
// pages below a PMD.
bool may_be_listed(const Machine& before, const Machine& after, int mm, int page) {
  const int i = pmd_index(after, page);
  if (differ(before, after, mm, page) || before.pmd(mm, i) != after.pmd(mm, i)) return true;
  const Entry& entry = entry_of(after, mm, page);
  if (!entry.is_present() && !entry.is_migration()) return false;
  const int block = entry.frame & ~(after.hpage_nr() - 1);
  for (int pfn = block; pfn < std::min(block + after.hpage_nr(), after.frames()); ++pfn)
    if (before.page(Pfn(pfn)).flags != after.page(Pfn(pfn)).flags) return true;
  return false;
}

void the_list_is_exact(const Machine& before, const Machine& after, const Changes& changes) {
  const Geometry& g = after.geometry;
  check(changes.anything() || (before == after && before.events == after.events),
        "it is known that something changed");
  const std::vector<bool> pages = pages_listed_by(changes, g);
  for (int mm = 0; mm < g.mms; ++mm) {
    for (int i = 0; i < g.pmds; ++i) {
      const bool listed = (changes.pmds() >> (mm * Geometry::kMaxPmds + i) & 1) != 0;
      check(listed == (before.pmd(mm, i) != after.pmd(mm, i)), "the list of PMDs is exact");
    }
    for (int page = 0; page < g.pages(); ++page) {
      const bool listed = pages[std::size_t(mm * g.pages() + page)];
      check(listed || !differ(before, after, mm, page), "no page is left out");
      check(!listed || may_be_listed(before, after, mm, page), "no page is listed too many");
    }
  }
}

template <const auto& table, class Step>
void holds_of(const Step& step) {
  for (const auto& rule : table) check(rule.test.holds(step), rule.name);
}

void nothing_is_said_of_nothing(const Judge& judge, const Op& op) {
  const Machine& m = judge.machine();
  Changes none;
  none.reset(m.geometry);
  const Transition t{m, judge.recount(), op, 0, m, judge.memory(), none};
  if (const Broken broken = first_broken_where_changed(t)) check(false, broken.rule->name);
  for (int mm = 0; mm < m.geometry.mms; ++mm) {
    for (int i = 0; i < m.geometry.pmds; ++i)
      holds_of<kPmdRules>(PmdStep{t, mm, i, m.pmd(mm, i), m.pmd(mm, i)});
    for (int page = 0; page < m.pages(); ++page) {
      const Traits traits = traits_of(m, mm, page);
      holds_of<kPageRules>(PageStep{t, mm, page, page + 1, traits, traits});
    }
  }
  for (int i = 0; i < m.geometry.swap_slots(); ++i)
    holds_of<kSlotRules>(SlotStep{t, m.swap(Slot(i)), m.swap(Slot(i))});
  for (int i = 0; i < kMaxHolders; ++i) {
    const Holder& holder = m.holders[std::size_t(i)];
    holds_of<kHolderRules>(HolderStep{t, i, holder, holder});
  }
}

// Until an op of which something is not so: then the trace is shown.
void follows(const Trace& trace, Judge::Mode mode) {
  Judge judge({}, mode);
  judge.reset(trace.geometry);
  Machine before(trace.geometry);
  const int failed = failures();
  for (std::size_t i = 0; i < trace.ops.size(); ++i) {
    check(!judge.step(trace.ops[i]), "no rule is broken");
    if (judge.machine().defect != nullptr) return;
    the_list_is_exact(before, judge.machine(), judge.changes());
    check(are_same(judge.follower(), judge.machine()), "the follower follows");
    nothing_is_said_of_nothing(judge, trace.ops[i]);
    before = judge.machine();
    if (failures() > failed) return check(false, print(trace) + "op " + std::to_string(i + 1));
  }
}

// All pages that an address space can have change at once.
Trace of_many_pages() {
  const auto file = parse_trace(
      "thp-trace 1\ngeometry order=9 pmds=4 mms=2\nenabled never\nmmap A 0..2048\n"
      "mlock A 0..2048\nfork A B\nmunlock A 0..2048\nexit A\nexit B\n");
  check(file.has_value(), "it is a trace");
  return file->trace;
}

}  // namespace

int transition_test(int, char*[]) {
  const char* seed = std::getenv("THP_SEED");
  std::minstd_rand random(seed == nullptr ? 1 : unsigned(std::atoi(seed)));
  const auto choose = [&](int n) { return int(random() % unsigned(n)); };
  for (int i = 0; i < 200; ++i) {
    const Trace trace = generate_trace(choose);
    follows(trace, Judge::Mode::full);
    follows(trace, Judge::Mode::incremental);
  }
  const Geometry large{.order = 9, .pmds = 2, .mms = 2};
  follows(generate_trace(choose, {.geometry = large, .mask = {}, .max_ops = 40}),
          Judge::Mode::incremental);
  for (const auto mode : {Judge::Mode::full, Judge::Mode::incremental})
    follows(of_many_pages(), mode);
  return failures();
}
