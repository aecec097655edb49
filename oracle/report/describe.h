// States in words: who holds a folio, and all that a state holds. Pure functions over machines.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "oracle/report/picture.h"
#include "oracle/rules/where.h"

namespace thp {

// Every reference of the folio that holds `pfn`, by name: "PMD A 0", "PTE B 3", "PTEs B 0..3",
// "page cache of f0 3", "swap cache of slot 4", "pin h0", "get h1", "isolation h2", "migration",
// ...
std::vector<std::string> describe_holders(const Machine& m, Pfn pfn);

// A thing that a state holds, and what there is to say about it: "folio a, frames 16..20". Things
// come in a fixed order, so that two states can be compared line by line.
struct Described {
  std::string thing, text;
  Where where{};  // `count` of pages, frames or slots from `number` on
  bool operator==(const Described& other) const {
    return thing == other.thing && text == other.text;
  }
};
std::vector<Described> describe(const Machine& m, const FolioNames& names);

// To find a thing by its name. Refers to what it was made of.
class Things {
 public:
  explicit Things(const std::vector<Described>& all) {
    for (const Described& described : all) by_name_.emplace(described.thing, &described);
  }
  const Described* find(std::string_view thing) const {  // nullptr: there is none
    const auto found = by_name_.find(thing);
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::string_view, const Described*> by_name_;
};

// Those that a rule's subject is or leads to: an entry with the folio behind it, a slot with the
// page that the swap cache has for it. Of an op or the machine: nothing, as it is about all of
// them.
std::vector<Described> described_at(const Machine& m, const std::vector<Described>& all,
                                    const Where& where);

// The entry that a rule's subject is; or, of a page or folio, the first in each address space that
// maps it. Of a subject that leads to none: nothing.
struct Place {
  int mm, page;
};
std::vector<Place> entries_at(const Machine& m, const Where& where);

// What differs: "+ THING: TEXT" of new things, "* THING: TEXT" of changed ones, "- THING" of those
// that are gone.
std::vector<std::string> describe_changes(const std::vector<Described>& before,
                                          const std::vector<Described>& after);

}  // namespace thp
