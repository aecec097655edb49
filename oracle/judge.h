// The one judge. Every engine feeds it ops; no engine has checks of its own.
#pragma once
#include <boost/container/vector.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "model/trace/trace.h"
#include "oracle/flat/flat_memory.h"
#include "oracle/recount/recount.h"
#include "oracle/rules/changes.h"
#include "oracle/rules/where.h"

namespace thp {

struct Violation {
  std::size_t op = 0;       // index in the trace of the op after which it shows
  std::string_view broken;  // the name of a rule, which is its identity
  std::string_view after;   // the name of that op
  std::string detail{};     // who and what, in words
  Where where{};            // the thing that the rule was asked of
  // The identity that shrinking keeps: which rule, and after which kind of op.
  bool same_failure(const Violation& other) const {
    return broken == other.broken && after == other.after;
  }
};

class Judge {
 public:
  // `full` recounts and compares everything after each op. `incremental` looks at what the op has
  // changed, and at everything after every kFullEvery-th op and in finish(): for order 9.
  enum class Mode { full, incremental };
  static constexpr std::size_t kFullEvery = 256, kManyEntries = 16;
  explicit Judge(const Geometry& geometry = {}, Mode mode = Mode::full);
  void reset(const Geometry& geometry);

  // Steps the machine and the oracle by one op, then compares. Where a defect of the kernel
  // strikes, the trace ends: that op and those after it are not judged.
  std::optional<Violation> step(const Op& op);
  // What an incremental judge has put off: everything, once more.
  std::optional<Violation> finish();

  // For the explorer, which comes to one state by many ops: one op from the state of `from`, its
  // answer and what applications see; then, of the state that it leads to, the counts and
  // invariants. `is_there`: the last one was from there, and has stayed there.
  std::optional<Violation> step_from(const Judge& from, const Op& op, bool is_there = false);
  bool stayed() const { return stayed_; }  // the last step_from() has changed nothing
  std::optional<Violation> check_state();
  void count_state();  // of a state that was judged once: the counts alone

  const Machine& machine() const { return machine_; }
  const Machine& follower() const { return before_; }  // between two step()s it is as the machine
  const Changes& changes() const { return changes_; }  // of the last op
  const FlatMemory& memory() const { return memory_; }
  const Recount& recount() const { return recount_; }
  int result() const { return result_; }  // of the last op

 private:
  std::optional<Violation> step_machine(const Machine& before, const Recount& counts, const Op& op);
  std::optional<Violation> check();
  std::optional<Violation> check_everything();
  void copy_contents();
  Verdict compare_changed();
  Verdict compare_touched();
  Verdict compare_entries();
  Verdict compare_contents();
  Verdict compare_stale(int mm, int i);
  void look_at(int id, int content);
  Violation violation(const Rule& rule, std::string detail, Where where) const;
  Violation violation(const Broken& broken) const;
  Violation violation(const Mismatch& mismatch) const;
  // What is broken, and not muted; nothing is built where all holds.
  std::optional<Violation> told(const Broken& broken) const {
    if (broken) [[unlikely]]
      return violation(broken);
    return std::nullopt;
  }
  std::optional<Violation> told(const Verdict& seen) const {
    if (seen && !is_muted(*seen->rule)) [[unlikely]]
      return violation(*seen);
    return std::nullopt;
  }

  Machine machine_;
  Machine before_;  // as it was before the last op
  Changes changes_;
  FlatMemory memory_;
  Recount recount_;
  // What each frame holds, and what a swap entry of each slot leads to, as last compared; and those
  // that hold something else now.
  boost::container::vector<std::int16_t> contents_;
  Marks stale_;
  Mode mode_;
  std::size_t ops_ = 0;
  std::string_view op_name_;
  int result_ = 0;
  bool stayed_ = false;
};

std::optional<Violation> judge(const Trace& trace, Judge::Mode mode = Judge::Mode::full);
std::optional<Violation> judge(const Trace& trace, Judge& judge);  // with a judge reset for it

}  // namespace thp
