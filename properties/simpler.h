// Simpler relatives of a trace: the candidates that the shrinker tries, simplest first. Each is
// smaller in one well-founded order: fewer ops, then geometry, then arguments towards nth(0).
#pragma once
#include <type_traits>
#include <vector>

#include "model/trace/trace.h"

namespace thp {

// How pages follow when a huge page gets fewer sub-pages: divided, or cut off at its end.
enum class Fit { scale, clamp };

Trace without_ops(const Trace& trace, std::size_t begin, std::size_t end);
Trace with_order(const Trace& trace, int order, Fit fit);
Trace without_pmd(const Trace& trace, int pmd);      // what it held goes to the one before
Trace without_mm(const Trace& trace, int mm);        // its part is taken by the one before
Trace without_inode(const Trace& trace, int inode);  // nor the ops that name it

// The same ops in another geometry, valid there: pages scale with the order; PMDs and address
// spaces that are no more give way to those that are, ops on files that are no more go; a device
// too large shrinks to what there may be.
Trace moved_to(const Trace& trace, const Geometry& geometry);

// Traces in a simpler geometry. An order of 2 is the simplest for a reader: Linux keeps
// the deferred list in the third page, so that it has no huge page of two.
std::vector<Trace> simpler_geometries(const Trace& trace);

// Values become 1, 2, ...; names A, B, ..., h0, h1, ... and f0, f1, all in order of appearance. A
// stays A: it alone is alive at the start. `holders`: these and files.
Trace renamed(const Trace& trace, bool values, bool mms, bool holders);

// Simpler values of one argument.
std::vector<MmId> simpler(const Geometry& geometry, MmId mm);
std::vector<NewSize> simpler(const Geometry& geometry, NewSize size);
std::vector<Offset> simpler(const Geometry& geometry, Offset offset);
std::vector<FileSize> simpler(const Geometry& geometry, FileSize size);
std::vector<HolderId> simpler(const Geometry& geometry, HolderId holder);
std::vector<InodeId> simpler(const Geometry& geometry, InodeId inode);
std::vector<Value> simpler(const Geometry& geometry, Value value);
std::vector<PageNr> simpler(const Geometry& geometry, PageNr page);
std::vector<PageRange> simpler(const Geometry& geometry, PageRange range);

template <class Enum>
  requires std::is_enum_v<Enum>
std::vector<Enum> simpler(const Geometry&, Enum value) {
  std::vector<Enum> all;
  for (int i = 0; i < int(value); ++i) all.push_back(Enum(i));
  return all;
}

}  // namespace thp
