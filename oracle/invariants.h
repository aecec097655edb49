// What must be true between two ops: a table of sentences, each with its source and a predicate
// over one thing. The tables stand in invariants_of_*.h; the sweeps call all of them.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "oracle/subjects.h"

namespace thp {

template <class Subject>
using Holds = bool (*)(const Subject&);

struct Invariant {
  std::string_view name;
  std::string_view sentence;
  std::string_view source;  // the kernel code that promises it, or the assertion that guards it
  std::variant<Holds<TheFrame>, Holds<TheFolio>, Holds<TheEntry>, Holds<TheVma>, Holds<TheMm>,
               Holds<TheAnonVma>, Holds<TheSlot>, Holds<TheHolder>, Holds<TheMachine>>
      holds;
};

std::span<const Invariant> invariants();

// Where a sentence is false.
struct Where {
  enum class Thing { frame, folio, entry, vma, mm, anon_vma, slot, holder, machine };
  Thing thing = Thing::machine;
  int mm = -1;      // of an entry or VMA
  int number = -1;  // frame, first page of an entry, index or id
  bool huge = false;
  bool operator==(const Where&) const = default;
};
std::string text(const Where& where);  // "frame 12", "the PTE of A 3", "the machine"

// The first sentence that is false, of everything, in a fixed order; nullptr if all hold.
const Invariant* first_broken(const Machine& m, const Recount& r, Where& where);

// The same, but looks first at what the last update() saw change; where that is well, says that all
// is.
const Invariant* first_broken_of_changed(const Machine& m, const Recount& r, Where& where);

}  // namespace thp
