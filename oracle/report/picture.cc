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
  for (int inode = 0; inode < m.geometry.inodes; ++inode)
    for (int index = 0; index < m.pages(); ++index)
      if (m.cell(inode, index).is_folio()) name(m, m.cell(inode, index).frame);
  for (int pfn = 0; pfn < m.frames(); ++pfn) name(m, Pfn(pfn));
}

char FolioNames::letter(const Machine& m, Pfn pfn) const {
  if (pfn >= m.frames()) return '*';
  const auto found = std::ranges::find(folios_, page_folio(m, pfn));
  return found == folios_.end() ? '*' : kLetters[std::size_t(found - folios_.begin())];
}

// drawn_at(page) of all pages, block by block.
template <class DrawnAt>
static std::string drawn(const Machine& m, DrawnAt drawn_at) {
  std::string text, block;
  for (int page = 0; page < m.pages(); ++page) {
    block += drawn_at(page);
    if ((page + 1) % m.hpage_nr() != 0) continue;
    if (!text.empty()) text += ' ';
    text += m.pages() > kManyPages ? shortened(block) : block;
    block.clear();
  }
  return text;
}

// A bar stands before the first page beyond the size.
static std::string drawn_file(const Machine& m, int id, const FolioNames& names) {
  const Inode& file = m.inodes[std::size_t(id)];
  if (!file.alive) return {};
  const std::string text = drawn(m, [&](int index) {
    const Cell cell = m.cell(id, index);
    std::string one(index == file.i_size ? "|" : "");
    if (cell.is_none()) return one += '.';
    const bool huge = cell.frame < m.frames() && test(m, page_folio(m, cell.frame), PG_head);
    const char letter = names.letter(m, cell.frame);
    return one += huge ? upper(letter) : letter;
  });
  return file.i_size == m.pages() ? text + '|' : text;
}

std::vector<Picture> pictures(const Machine& m, const FolioNames& names) {
  std::vector<Picture> all;
  for (int mm = 0; mm < m.geometry.mms; ++mm) {
    const auto at = [&](int page) { return character(m, mm, page, names); };
    const bool alive = m.mms[std::size_t(mm)].alive != 0;
    all.push_back({std::string(1, char('A' + mm)), alive ? drawn(m, at) : std::string()});
  }
  for (int id = 0; id < m.geometry.inodes; ++id)
    all.push_back({"f" + std::to_string(id), drawn_file(m, id, names)});
  return all;
}

std::string marks(const Machine& m, int mm, int page) {
  const Entry& entry = entry_at(m, mm, page);
  if (!entry.is_present() || entry.frame >= m.frames()) return {};
  const bool exclusive = test(m, entry.frame, PG_anon_exclusive);
  return {entry.has(kWrite) ? 'w' : '-', exclusive ? 'x' : '-'};
}

}  // namespace thp
