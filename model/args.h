// The types of op arguments. Each is a finite domain: count(geometry) values, the i-th being
// nth(geometry, i), the simplest first; contains() says whether a parsed value lies within.
#pragma once
#include <compare>
#include <cstdint>

#include "model/geometry.h"
#include "model/machine.h"

namespace thp {

// An address space: A, B, ...
struct MmId {
  int id = 0;
  static int count(const Geometry& g) { return g.mms; }
  static MmId nth(const Geometry&, int i) { return {i}; }
  bool in(const Geometry& g) const { return id >= 0 && id < g.mms; }
  auto operator<=>(const MmId&) const = default;
};

// A virtual page of an address space.
struct PageNr {
  int number = 0;
  static int count(const Geometry& g) { return g.pages(); }
  static PageNr nth(const Geometry&, int i) { return {i}; }
  bool in(const Geometry& g) const { return number >= 0 && number < g.pages(); }
  auto operator<=>(const PageNr&) const = default;
};

// Virtual pages [first, end), never empty; shorter ranges come first.
struct PageRange {
  int first = 0, end = 1;
  int size() const { return end - first; }
  static int count(const Geometry& g) { return g.pages() * (g.pages() + 1) / 2; }
  static PageRange nth(const Geometry& g, int i) {
    int length = 1;
    for (int places = g.pages(); i >= places; i -= places--) ++length;
    return {i, i + length};
  }
  bool in(const Geometry& g) const { return first >= 0 && first < end && end <= g.pages(); }
  auto operator<=>(const PageRange&) const = default;
};

// The pages of a range at its new place; 0 (the default): as many as before.
struct NewSize {
  int pages = 0;
  int of(PageRange range) const { return pages == 0 ? range.size() : pages; }
  static int count(const Geometry& g) { return g.pages() + 1; }
  static NewSize nth(const Geometry&, int i) { return {i}; }
  bool in(const Geometry& g) const { return pages >= 0 && pages <= g.pages(); }
  auto operator<=>(const NewSize&) const = default;
};

// What a store leaves in a page; a fresh page is 0.
struct Value {
  int number = 1;
  static constexpr int kMax = 255;
  static int count(const Geometry&) { return kMax; }
  static Value nth(const Geometry&, int i) { return {i + 1}; }
  bool in(const Geometry&) const { return number >= 0 && number <= kMax; }
  auto operator<=>(const Value&) const = default;
};

// The name of a reference that an op takes and another gives back: h0, h1, ...
struct HolderId {
  int id = 0;
  static int count(const Geometry&) { return kMaxHolders; }
  static HolderId nth(const Geometry&, int i) { return {i}; }
  bool in(const Geometry&) const { return id >= 0 && id < kMaxHolders; }
  auto operator<=>(const HolderId&) const = default;
};

// A file: f0, f1.
struct InodeId {
  int id = 0;
  static int count(const Geometry& g) { return g.inodes; }
  static InodeId nth(const Geometry&, int i) { return {i}; }
  bool in(const Geometry& g) const { return id >= 0 && id < g.inodes; }
  auto operator<=>(const InodeId&) const = default;
};

// The page of a file that a mapping begins with.
struct Offset {
  int number = 0;
  static int count(const Geometry& g) { return g.pages(); }
  static Offset nth(const Geometry&, int i) { return {i}; }
  bool in(const Geometry& g) const { return number >= 0 && number < g.pages(); }
  auto operator<=>(const Offset&) const = default;
};

// How long a file shall be, in pages.
struct FileSize {
  int pages = 0;
  static int count(const Geometry& g) { return g.pages() + 1; }
  static FileSize nth(const Geometry&, int i) { return {i}; }
  bool in(const Geometry& g) const { return pages >= 0 && pages <= g.pages(); }
  auto operator<=>(const FileSize&) const = default;
};

// How a file is mapped.
enum class Sharing : std::uint8_t { shared, privately };

// PROT_*: rw (the default), r, none.
enum class Protection : std::uint8_t { rw, r, none };

// How a page is pinned: w (FOLL_WRITE, the default) or r.
enum class PinMode : std::uint8_t { w, r };

// fallocate(): grow (the default), or keep the size (FALLOC_FL_KEEP_SIZE).
enum class FallocMode : std::uint8_t { grow, keep };

enum class Toggle : std::uint8_t { on, off };
enum class ThpDisable : std::uint8_t { on, off, bad };

inline constexpr std::uint32_t vm_flags_of(Protection p) {
  return p == Protection::rw ? VM_READ | VM_WRITE : p == Protection::r ? VM_READ : 0u;
}

}  // namespace thp
