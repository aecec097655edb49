// All sentences in one table, and places as text.
#include <algorithm>
#include <vector>

#include "oracle/invariants_of_machine.h"
#include "oracle/invariants_of_memory.h"
#include "oracle/invariants_of_spaces.h"

namespace thp {
namespace {

template <const auto& table>
void append(std::vector<Invariant>& all) {
  all.insert(all.end(), std::begin(table), std::end(table));
}

}  // namespace

std::span<const Invariant> invariants() {
  static const std::vector<Invariant> all = [] {
    std::vector<Invariant> rows;
    append<kFrameInvariants>(rows);
    append<kFolioInvariants>(rows);
    append<kEntryInvariants>(rows);
    append<kVmaInvariants>(rows);
    append<kMmInvariants>(rows);
    append<kAnonVmaInvariants>(rows);
    append<kSlotInvariants>(rows);
    append<kHolderInvariants>(rows);
    append<kMachineInvariants>(rows);
    return rows;
  }();
  return all;
}

std::string text(const Where& where) {
  const auto number = std::to_string(where.number);
  const std::string mm(1, char('A' + std::max(where.mm, 0)));
  switch (where.thing) {
    case Where::Thing::frame:
      return "frame " + number;
    case Where::Thing::folio:
      return "the folio at frame " + number;
    case Where::Thing::entry:
      return (where.huge ? "the PMD of " : "the PTE of ") + mm + ' ' + number;
    case Where::Thing::vma:
      return "VMA " + number + " of " + mm;
    case Where::Thing::mm:
      return "address space " + mm;
    case Where::Thing::anon_vma:
      return "anon_vma " + number;
    case Where::Thing::slot:
      return "swap slot " + number;
    case Where::Thing::holder:
      return "holder h" + number;
    case Where::Thing::machine:
      break;
  }
  return "the machine";
}

}  // namespace thp
