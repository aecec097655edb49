// The drawing of one op's arguments, each by its type: mostly from what exists, about one in eight
// from anywhere. For generate.cc.
#pragma once
#include "model/trace/generate.h"

namespace thp {

inline constexpr unsigned bit(HolderKind kind) { return 1u << unsigned(kind); }

// What is drawn already guides the arguments after it.
struct Draw {
  Choose choose;
  const Machine& m;
  std::span<const Op> before;
  bool near;                // arguments rather from the last op
  unsigned wanted_holders;  // bits of HolderKind; that of `none` to take a reference
  bool wants_open;          // a file that is open; else one that is not there
  std::optional<int> mm;
  std::optional<PageRange> range;

  const Geometry& geometry() const { return m.geometry; }
  bool one_in(int n) { return choose(n) == n - 1; }
  int hpage_nr() const { return m.hpage_nr(); }
  std::span<const Vma> vmas() const { return m.vmas(mm.value_or(0)); }
};

void draw(Draw& d, MmId& mm);
void draw(Draw& d, PageNr& page);
void draw(Draw& d, PageRange& range);
void draw(Draw& d, Value& value);
void draw(Draw& d, NewSize& size);
void draw(Draw& d, HolderId& holder);
void draw(Draw& d, InodeId& inode);
void draw(Draw& d, FileSize& size);
void draw(Draw& d, Offset& offset);

// The first name is the usual one.
template <Named Enum>
void draw(Draw& d, Enum& value) {
  const int i = d.choose(2) == 0 ? 0 : d.choose(arg_count<Enum>(d.geometry()));
  value = nth_arg<Enum>(d.geometry(), i);
}

}  // namespace thp
