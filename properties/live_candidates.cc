// All that the shrinker would try from one trace on, in its order.
#include "properties/live_candidates.h"

#include <algorithm>

#include "properties/simpler.h"

namespace thp::live {
namespace {

void add_shorter(const Trace& trace, std::vector<Trace>& all) {
  const std::size_t ops = trace.ops.size();
  for (std::size_t chunk = std::max<std::size_t>(ops / 2, 1); chunk > 0; chunk /= 2)
    for (std::size_t begin = 0; begin < ops; begin += chunk)
      all.push_back(without_ops(trace, begin, std::min(begin + chunk, ops)));
}

void add_smaller(const Trace& trace, std::vector<Trace>& all) {
  for (int pmd = trace.geometry.pmds - 1; pmd > 0; --pmd) all.push_back(without_pmd(trace, pmd));
  for (int mm = trace.geometry.mms - 1; mm > 0; --mm) all.push_back(without_mm(trace, mm));
  for (int inode = trace.geometry.inodes - 1; inode >= 0; --inode)
    all.push_back(without_inode(trace, inode));
  all.push_back(renamed(trace, true, true, true));
}

bool is_plain(const Geometry& geometry, PageRange range) {
  const int nr = geometry.hpage_nr();
  return range.size() == 1 || (range.first % nr == 0 && range.end % nr == 0);
}

// Where huge pages are large, halving takes many rounds: whole huge pages are as plain as a single
// page, and what is plain stays plain.
template <class Arg>
std::vector<Arg> simpler_or_plain(const Geometry& geometry, const Arg& arg) {
  std::vector<Arg> all = simpler(geometry, arg);
  if constexpr (std::is_same_v<Arg, PageRange>) {
    const int nr = geometry.hpage_nr();
    if (is_plain(geometry, arg))
      std::erase_if(all, [&](PageRange range) { return !is_plain(geometry, range); });
    else
      all.insert(all.begin(), {arg.first / nr * nr, (arg.end + nr - 1) / nr * nr});
  }
  return all;
}

// `arg` is a member of `op`, a copy of op `at`.
template <class Arg>
void add_simpler_arg(const Trace& trace, std::size_t at, const Op& op, Arg& arg,
                     std::vector<Trace>& all) {
  const Arg was = arg;
  for (const Arg& candidate : simpler_or_plain(trace.geometry, was)) {
    arg = candidate;
    all.push_back(trace);
    all.back().ops[at] = op;
  }
  arg = was;
}

void add_simpler_args(const Trace& trace, std::vector<Trace>& all) {
  for (std::size_t at = 0; at < trace.ops.size(); ++at) {
    Op op = trace.ops[at];
    const auto add = [&](auto& arg) { add_simpler_arg(trace, at, op, arg, all); };
    visit_op([&](auto& o) { visit_args(o, add); }, op);
  }
}

}  // namespace

std::vector<Trace> candidates(const Trace& trace, std::size_t most) {
  std::vector<Trace> all;
  add_shorter(trace, all);
  add_smaller(trace, all);
  add_simpler_args(trace, all);
  std::erase(all, trace);
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace thp::live
