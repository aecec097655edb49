// One op: the machine before it and after it, and what lies between. Rules about ops are predicates
// over this and over the things that it has changed, as invariants are over a state.
#pragma once
#include <algorithm>
#include <bit>
#include <optional>

#include "oracle/flat/flat_memory.h"
#include "oracle/recount/recount.h"
#include "oracle/rules/changes.h"
#include "oracle/rules/op_classes.h"
#include "oracle/translate.h"

namespace thp {

// The page that an op names, if it names one: its entry and its frame, before and after.
struct NamedPage {
  Entry was{}, is{};
  Pfn frame_was = kNoPfn, frame_is = kNoPfn;
};
inline NamedPage page_named_by(const Op& op, const Machine& before, const Machine& after) {
  return visit_op(
      [&](const auto& o) {
        if constexpr (requires {
                        o.mm;
                        o.page;
                      }) {
          const int mm = o.mm.id, page = o.page.number;
          return NamedPage{entry_of(before, mm, page), entry_of(after, mm, page),
                           mapped_frame(before, mm, page), mapped_frame(after, mm, page)};
        }
        return NamedPage{};
      },
      op);
}

// What an mremap() of any kind comes to: in place, from a range to itself.
inline Mremap as_mremap(const Mremap& op) { return op; }
inline Mremap as_mremap(const MremapDontunmap& op) { return {op.mm, op.range, op.to, {}}; }
inline Mremap as_mremap(const MremapResize& op) {
  return {op.mm, op.range, {op.range.first}, op.size};
}
template <class... Ts>
std::optional<Mremap> mremap_of(Ops<Ts...> ops, const Op& op) {
  std::optional<Mremap> mremap;
  visit_one_of(ops, op, [&](const auto& o) { mremap = as_mremap(o); });
  return mremap;
}

struct Transition {
  const Machine& before;
  const Recount& counts;  // of `before`
  const Op& op;
  int result;
  const Machine& after;
  const FlatMemory& memory;  // after it
  const Changes& changed;
  NamedPage page = page_named_by(op, before, after);

  bool succeeded() const { return result >= 0; }
  template <class... ClassesAndOps>
  bool over() const {
    return is_one_of(Joined<ClassesAndOps...>{}, op);
  }
  template <class... ClassesAndOps>
  bool over_mm(int mm) const {  // of that address space
    bool is = false;
    visit_one_of(Joined<ClassesAndOps...>{}, op, [&](const auto& o) { is = o.mm.id == mm; });
    return is;
  }
  FolioCount count(Pfn folio) const { return counts.folio(before, folio); }
  int grown(Event event) const {
    return int(after.events[std::size_t(event)] - before.events[std::size_t(event)]);
  }
  bool used_up(std::uint8_t Injections::* injection) const {
    return before.inject.*injection != 0 && after.inject.*injection == 0;
  }
  bool nothing_injected() const { return before.inject == Injections{}; }
};

// --- What an op has changed, one thing at a time.

// Pages that one entry translated before, or does after.
struct PageStep {
  const Transition& t;
  int mm, first, end;
  Traits had, has;

  // Does it keep this, if it is still there? if it is still mapped?
  bool keeps(Traits what) const { return (had & what) == 0 || (has & what) != 0 || !is_kept(); }
  bool keeps_mapped(Traits what) const {
    return (had & what) == 0 || (has & what) != 0 || (has & kMapped) == 0;
  }
  bool is_kept() const { return (has & (kMapped | kSwapped)) != 0; }
  bool was_closed() const { return (had & (kMapped | kOpen)) == kMapped; }
  template <class... ClassesAndOps>
  bool over() const {
    return t.over<ClassesAndOps...>();
  }
  // Is the op one of these, and each page in the range that it names, or, if it names none, in its
  // address space?
  template <class... ClassesAndOps>
  bool in() const {
    return within<ClassesAndOps...>(0);
  }
  template <class... ClassesAndOps>
  bool in_blocks_of() const {  // its range, and what lies in the same blocks
    return within<ClassesAndOps...>(t.after.hpage_nr() - 1);
  }
  template <class... ClassesAndOps>
  bool of_mm_of() const {
    return t.over_mm<ClassesAndOps...>(mm);
  }
  // mremap() put it there.
  bool moved_here() const {
    const auto o = mremap_of(Moves{}, t.op);
    return o && o->mm.id == mm && o->to.number <= first && end <= o->to.number + o->range.size();
  }
  // In the blocks of what mremap() leaves at its target.
  bool grown_here() const {
    const auto o = mremap_of(Remaps{}, t.op);
    if (!o || o->mm.id != mm) return false;
    const int around = t.after.hpage_nr() - 1;
    const int to = o->to.number + std::max<int>(o->range.size(), o->size.pages);
    return (o->to.number & ~around) <= first && end <= ((to + around) & ~around);
  }
  // mremap() took it away, or made room there: each of its pages lies in the one range or the
  // other.
  bool moved() const {
    const auto o = mremap_of(Moves{}, t.op);
    if (!o || o->mm.id != mm) return false;
    const int size = std::max<int>(o->range.size(), o->size.pages);
    const auto overlap = [&](int from, int to) {
      return std::max(0, std::min(end, to) - std::max(first, from));
    };
    return overlap(o->range.first, o->range.end) + overlap(o->to.number, o->to.number + size) >=
           end - first;
  }

 private:
  template <class... ClassesAndOps>
  bool within(int around) const {
    bool is = false;
    visit_one_of(Joined<ClassesAndOps...>{}, t.op, [&](const auto& o) {
      int from = 0, to = t.after.pages();
      if constexpr (requires { o.range; }) from = o.range.first, to = o.range.end;
      if constexpr (requires { o.page; }) from = o.page.number, to = from + 1;
      is = o.mm.id == mm && (from & ~around) <= first && end <= ((to + around) & ~around);
    });
    return is;
  }
};

struct PmdStep {
  const Transition& t;
  int mm, i;
  Entry was, is;
};

struct SlotStep {
  const Transition& t;
  const SwapSlot &was, &is;
};

struct CellStep {
  const Transition& t;
  int inode, index;
  Cell was, is;
};

struct HolderStep {
  const Transition& t;
  int id;
  const Holder &was, &is;
};

// Calls visit(mm, i) for each PMD of a set of bits mm * kMaxPmds + i.
template <class Visit>
void for_each_pmd(std::uint64_t pmds, Visit visit) {
  for (; pmds != 0; pmds &= pmds - 1) {
    const int bit = std::countr_zero(pmds);
    visit(bit / Geometry::kMaxPmds, bit % Geometry::kMaxPmds);
  }
}

}  // namespace thp
