// Pictures of address spaces and files: one character a page, one letter a folio.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "model/machine.h"

namespace thp {

inline constexpr std::string_view kPictureKey =
    "a letter is a folio, in order of appearance: upper case mapped by a PMD, lower case by a PTE\n"
    ". no entry   - no VMA   0 zero page   Z huge zero page   s swapped   M, m migrating   "
    "* one folio too many\n"
    "of a file: . no page   | its size\n";

// The letters of folios. One that is freed gives its letter back, to be used when all others are.
class FolioNames {
 public:
  // Names the folios that are new since the last call: by address space and page, by file and page,
  // then by frame.
  void follow(const Machine& m);
  char letter(const Machine& m, Pfn pfn) const;  // of the folio that holds it, in lower case

 private:
  // Without m, s and z, which mean something else, and o, which looks like 0.
  static constexpr std::string_view kLetters = "abcdefghijklnpqrtuvwxy";
  static constexpr Pfn kFree = 0xfffe, kNeverUsed = kNoPfn;
  void name(const Machine& m, Pfn pfn);
  void forget_freed(const Machine& m);
  std::array<Pfn, kLetters.size()> folios_ = [] {
    std::array<Pfn, kLetters.size()> none;
    none.fill(kNeverUsed);
    return none;
  }();
};

bool is_free(const Machine& m, Pfn pfn);

// The pages of an address space or a file, a blank between blocks of them; nothing drawn if it is
// dead. Where there are many pages, `A{512}` stands for 512 times the same.
struct Picture {
  std::string of;  // A, B, ..., f0, ...
  std::string drawn;
};
std::vector<Picture> pictures(const Machine& m, const FolioNames& names);  // of all

// What is not in a picture of a present entry: "wx" is writable, and its page (of a PMD the head)
// exclusive, "--" is neither. Of other entries nothing.
std::string marks(const Machine& m, int mm, int page);

inline constexpr std::string_view kMarksKey =
    "below a page, of its entry: w writable   x exclusive   - not so\n";

}  // namespace thp
