// Which entry is which character, and which folio has which letter.
#include "oracle/report/picture.h"

#include <algorithm>

namespace thp {
namespace {

constexpr int kManyPages = 64;

char upper(char letter) {
  return 'a' <= letter && letter <= 'z' ? char(letter - 'a' + 'A') : letter;
}

const Entry& entry_at(const Machine& m, int mm, int page) {
  const Entry& pmd = m.pmd(mm, pmd_index(m, page));
  return pmd.is_table() ? m.pte(mm, page) : pmd;
}

char character(const Machine& m, int mm, int page, const FolioNames& names) {
  const bool huge = !m.pmd(mm, pmd_index(m, page)).is_table();
  const Entry& entry = entry_at(m, mm, page);
  switch (entry.kind) {
    case EntryKind::present: {
      const char letter = names.letter(m, entry.frame);
      return huge ? upper(letter) : letter;
    }
    case EntryKind::zero:
      return huge ? 'Z' : '0';
    case EntryKind::migration:
      return huge ? 'M' : 'm';
    case EntryKind::swap:
      return 's';
    default: {
      const bool mapped = std::ranges::any_of(m.vmas(mm), [&](auto& v) { return v.covers(page); });
      return mapped ? '.' : '-';
    }
  }
}

// Runs of the same character, where they are long.
std::string shortened(const std::string& characters) {
  std::string text;
  for (std::size_t at = 0; at < characters.size();) {
    const std::size_t end =
        std::min(characters.find_first_not_of(characters[at], at), characters.size());
    const std::size_t size = end - at;
    text += characters[at];
    if (size > 4)
      text += '{' + std::to_string(size) + '}';
    else
      text.append(size - 1, characters[at]);
    at = end;
  }
  return text;
}

}  // namespace

bool is_free(const Machine& m, Pfn pfn) {
  return m.page(pfn).refcount == 0 && m.page(pfn).flags == 0;
}

void FolioNames::forget_freed(const Machine& m) {
  for (Pfn& folio : folios_)
    if (folio < m.frames() && (is_free(m, folio) || page_folio(m, folio) != folio)) folio = kFree;
}

void FolioNames::name(const Machine& m, Pfn pfn) {
  if (pfn >= m.frames() || is_free(m, pfn)) return;
  const Pfn folio = page_folio(m, pfn);
  if (std::ranges::find(folios_, folio) != folios_.end()) return;
  auto letter = std::ranges::find(folios_, kNeverUsed);
  if (letter == folios_.end()) letter = std::ranges::find(folios_, kFree);
  if (letter != folios_.end()) *letter = folio;
}

void FolioNames::follow(const Machine& m) {
  forget_freed(m);
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int page = 0; page < m.pages(); ++page) {
      const Entry& entry = entry_at(m, mm, page);
      if (entry.is_present() || entry.is_migration()) name(m, entry.frame);
    }
  for (int pfn = 0; pfn < m.frames(); ++pfn) name(m, Pfn(pfn));
}

char FolioNames::letter(const Machine& m, Pfn pfn) const {
  if (pfn >= m.frames()) return '*';
  const auto found = std::ranges::find(folios_, page_folio(m, pfn));
  return found == folios_.end() ? '*' : kLetters[std::size_t(found - folios_.begin())];
}

std::string picture(const Machine& m, int mm, const FolioNames& names) {
  if (!m.mms[std::size_t(mm)].alive) return {};
  std::string text, pmd;
  for (int page = 0; page < m.pages(); ++page) {
    pmd += character(m, mm, page, names);
    if ((page + 1) % m.hpage_nr() != 0) continue;
    if (!text.empty()) text += ' ';
    text += m.pages() > kManyPages ? shortened(pmd) : pmd;
    pmd.clear();
  }
  return text;
}

}  // namespace thp
