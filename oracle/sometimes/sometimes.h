// What traces must come by: a second table, of states and steps, so that green never means empty.
#pragma once
#include <array>
#include <bitset>
#include <boost/container/static_vector.hpp>
#include <span>
#include <string_view>
#include <variant>

#include "model/trace/trace.h"
#include "oracle/rules/invariants.h"
#include "oracle/sometimes/prepared.h"

namespace thp {

// What of the machine before an op is needed to tell what the op did.
struct Before {
  std::array<std::uint32_t, kEvents> events{};
  std::array<Mm, Geometry::kMaxMms> mms{};
  std::array<Holder, kMaxHolders> holders{};
  std::array<Bits, Geometry::kMaxBlocks> head_flags{};  // of the first frame of each block
  boost::container::static_vector<Entry, Geometry::kMaxMms * Geometry::kMaxPmds> pmds;
  Injections inject;
  Migration migration;
  Prepared prepared;
  int deferred_len = 0;
  int nr_shmem = 0;
  bool huge_zero = false;  // there is a huge zero page
};

struct TheStep {
  const Machine& m;
  const Recount& r;
  const Op& op;
  int result;
  const Before& before;

  template <class... Ops>
  bool is() const {
    return is_op<Ops...>(op);
  }
  int counted(Event event) const {
    return int(m.events[std::size_t(event)] - before.events[std::size_t(event)]);
  }
  bool consumed(std::uint8_t Injections::* injected) const {
    return before.inject.*injected != 0 && m.inject.*injected == 0;
  }
  bool ends_in(Reason reason) const { return m.reason == reason; }
  // Is there a PMD of which this is true? change(before, now, head_flags_before)
  template <class Change>
  bool some_pmd(Change change) const;
};

template <class Subject>
using Seen = bool (*)(const Subject&);

struct Sometimes {
  std::string_view name;
  std::string_view sentence;
  std::variant<Seen<TheFolio>, Seen<TheEntry>, Seen<TheSlot>, Seen<TheMachine>, Seen<TheStep>> seen;
};

std::span<const Sometimes> sometimes();
inline constexpr std::size_t kMaxSometimes = 256;

class Judge;

// Which of them have been seen.
class Reached {
 public:
  void begin(const Machine& m);  // a new trace, before its first op
  void update(const Machine& m, const Recount& r, const Op& op, int result);  // after each op
  void look(const Machine& m, const Recount& r, const Op& op, int result);    // after the last one
  void add(const Trace& trace, Judge& judge);  // a whole one, as far as it holds; resets the judge
  bool has(std::size_t i) const { return seen_[i]; }
  std::size_t count() const { return seen_.count(); }
  Reached& operator|=(const Reached& other) {
    seen_ |= other.seen_;
    return *this;
  }

 private:
  std::bitset<kMaxSometimes> seen_;
  Before before_;
};

template <class Change>
bool TheStep::some_pmd(Change change) const {
  for (int mm = 0; mm < m.geometry.mms; ++mm) {
    for (int i = 0; i < m.geometry.pmds; ++i) {
      const Entry was = before.pmds[std::size_t(mm * m.geometry.pmds + i)];
      const bool in_memory = was.is_present() && was.frame < m.frames();
      const Bits head =
          in_memory ? before.head_flags[std::size_t(was.frame >> m.geometry.order)] : Bits{0};
      if (change(was, m.pmd(mm, i), head)) return true;
    }
  }
  return false;
}

}  // namespace thp
