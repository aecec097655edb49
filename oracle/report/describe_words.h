// Words that describe.cc and describe_folios.cc share.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "oracle/report/describe.h"

namespace thp {

void describe_folios(const Machine& m, const FolioNames& names, std::vector<Described>& all);
void describe_swap(const Machine& m, const FolioNames& names, std::vector<Described>& all);

// Where a huge page has more sub-pages than this, things that are alike are told in runs.
inline constexpr int kFewPages = 8;

inline constexpr std::string_view kHolderWords[] = {"", "pin", "get", "isolation"};

inline char mm_name(int mm) { return char('A' + mm); }

inline std::string range(int first, int end) {
  return end - first == 1 ? fmt::format("{}", first) : fmt::format("{}..{}", first, end);
}

inline std::string letter(const Machine& m, Pfn pfn, const FolioNames& names) {
  const int i = pfn - page_folio(m, pfn);
  return i == 0 ? fmt::format("{}", names.letter(m, pfn))
                : fmt::format("{}+{}", names.letter(m, pfn), i);
}

template <class Flag, std::size_t N>
void append_flags(std::string& text, unsigned flags,
                  const std::pair<Flag, std::string_view> (&flag_names)[N]) {
  for (const auto& [flag, name] : flag_names)
    if ((flags & flag) != 0) (text += ' ') += name;
}

}  // namespace thp
