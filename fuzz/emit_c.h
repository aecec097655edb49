// The parts of `thp emit-c`: how an op is called, how a state is told, what the documentation
// promises where the kernel is known to break it.
#pragma once
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/machine.h"
#include "model/ops.h"
#include "oracle/flat/flat_memory.h"
#include "properties/live_traces.h"

namespace thp {

// What a program must be allowed to do an op, as it stands in its options; empty: nothing.
inline constexpr std::string_view kNeedsProc = "--proc", kNeedsSysfs = "--sysfs",
                                  kNeedsSwap = "--swap DEVICE", kNeedsNodes = "two NUMA nodes";

// An op as an expression of C whose value is its result.
struct OpCall {
  std::string text;
  std::string_view needs = {};
};
OpCall call_of(const Op& op);

// main(), and what it needs of the fixed part.
struct MainInC {
  std::string text;
  std::set<std::string_view> needs;
  bool has_holders, has_files;
  std::vector<const Defect*> shows;
  std::string ended;                     // why, and before which op; empty: it is complete
  std::vector<std::size_t> names_taken;  // creat of a file that lives: left out
};
MainInC main_in_c(const Trace& live, std::vector<const Defect*> shown);

// The comment at the top; `text` is the trace as it was given.
std::string top_in_c(const std::string& text, const Trace& given, const live::LiveTrace& live,
                     const MainInC& main);

// Bits of /proc/PID/pagemap that are not compared at some places.
inline constexpr std::uint8_t kIgnoreSoftDirty = 1, kIgnoreExclusive = 2;
using Ignored = std::array<std::array<std::uint8_t, Geometry::kMaxPmds << Geometry::kMaxOrder>,
                           Geometry::kMaxMms>;

// What looks.c makes of the files of /proc, a line each for equal pages, or for a VMA.
std::string pagemap_text(const Machine& m, int mm, const Ignored& ignored);
std::string kpageflags_text(const Machine& m, int mm);
std::string smaps_text(const Machine& m, int mm);
std::string events_text(const Machine& m, bool split_failures_are_free);
bool is_event_told(Event event);

// What each page of an address space holds in the end, as calls of contents(); and of a file, of
// file_contents().
std::string contents_calls(const Machine& m, const FlatMemory& memory, int mm);
std::string file_contents_calls(const FlatMemory& memory, int inode);

// Flat memory beside a machine, but nobody tells it where defects strike.
class Promises {
 public:
  struct Broken {
    const Defect* defect;
    int mm, page;
    std::string_view what;  // SOFT_DIRTY, EXCLUSIVE or LOCKED
    bool promised;
    std::string_view says;
  };
  struct Struck {
    int mm, first, end;
    std::string_view what;
  };

  Promises(const Geometry& geometry, std::vector<const Defect*> shown);
  // What is broken since the last op and was not before, of the defects that are shown; and where
  // others may see something else from now on: in struck(), and in VMAs.
  std::vector<Broken> after(const Op& op, int result, const Machine& before, const Machine& m);
  const std::vector<Struck>& struck() const { return struck_; }  // in the last op
  const Ignored& ignored() const { return ignored_; }
  bool vmas_differ(int mm) const { return vmas_differ_[std::size_t(mm)]; }
  const FlatMemory& memory() const { return memory_; }

 private:
  bool shows(const Defect* defect) const;
  void note_strikes(const Machine& m);
  void ignore(const Machine& m, const Strike& strike);
  void add(const Broken& broken, std::vector<Broken>& to);
  void add_soft_clean(const Machine& m, int mm, std::vector<Broken>& to);
  void add_locks(const Machine& m, int mm, std::vector<Broken>& to);
  void add_heads(const Machine& m, int mm, std::vector<Broken>& to);

  std::vector<const Defect*> shown_;
  FlatMemory memory_;
  Ignored ignored_{};
  std::array<bool, Geometry::kMaxMms> vmas_differ_{};
  std::vector<Strike> strikes_;
  std::vector<Struck> struck_;
  std::vector<Broken> told_;
};

}  // namespace thp
