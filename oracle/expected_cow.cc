// Which frame is mapped after an access, by which kind of entry.
#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

// A PTE's page is copied rather than waited for, and where a huge page has more than one slot.
bool must_copy(const Machine& m, MmId mm, PageNr page, Pfn folio) {
  const bool by_pmd = !m.pmd(mm.id, pmd_index(m, page.number)).is_table();
  const bool slots = folio_test_large(m, folio) && test(m, folio, PG_swapcache);
  return !by_pmd && (slots || m.inject.contend_page_lock != 0);
}

}  // namespace

void keeps_frame(const Machine& m, MmId mm, PageNr page, Answers& a) {
  a.before = mapped_frame(m, mm.id, page.number);
  if (a.before != kNoPfn) a.frame = Answers::Frame::same;
  a.mm = mm.id;
  a.first = page.number;
  expect_anon_vma(m, mm.id, page.number, a);
}

// FOLL_TOUCH, and get_user_pages_fast() of what is there. Whoever has isolated a page, or finds it
// unevictable, takes the mark away again; a huge PMD keeps none.
void expect_mark(const Machine& m, MmId mm, PageNr page, Answers& a) {
  const Pfn pfn = mapped_frame(m, mm.id, page.number);
  if (pfn == kNoPfn || !m.pmd(mm.id, pmd_index(m, page.number)).is_table()) return;
  const Pfn folio = page_folio(m, pfn);
  if (test(m, folio, PG_lru) && !test(m, folio, PG_unevictable)) a.expect(Then::marked);
}

// The entry of what was loaded, or stored to.
bool touched(const Machine& m, const Answers& a) {
  const Entry& entry = entry_of(m, a.mm, a.first);
  return (entry.is_present() || entry.is_zero()) && entry.has(kYoung);
}

bool stored(const Machine& m, const Answers& a) {
  const Entry& entry = entry_of(m, a.mm, a.first);
  return entry.is_present() && entry.has(kYoung) && entry.has(kDirty) && entry.has(kWrite);
}

bool marked(const Machine& m, const Answers& a) {
  const Pfn pfn = mapped_frame(m, a.mm, a.first);
  return pfn != kNoPfn && test(m, page_folio(m, pfn), PG_referenced | PG_active);
}

void keeps_huge(const Machine& m, MmId mm, PageNr page, Answers& a) {
  const int i = pmd_index(m, page.number);
  if (m.pmd(mm.id, i).is_present()) a.kept_huge = pmd_bit(mm.id, i);
}

// A page that is mapped, or the huge page whose PMD maps it.
bool is_exclusive(const Machine& m, MmId mm, PageNr page) {
  return test(m, entry_of(m, mm.id, page.number).frame, PG_anon_exclusive);
}

// Does an access that needs the page for itself copy it? Not if it is exclusive, or the mapping's
// is the only reference once the swap cache has let go; certainly if there is one that neither has.
void breaks_cow(const Machine& m, const Recount& recount, MmId mm, PageNr page, Answers& a) {
  keeps_frame(m, mm, page, a);
  if (a.before == kNoPfn) return;
  const bool writable = entry_of(m, mm.id, page.number).has(kWrite);
  if (writable || is_exclusive(m, mm, page)) return keeps_huge(m, mm, page, a);
  const Pfn folio = page_folio(m, a.before);
  const FolioCount count = recount.folio(m, folio);
  const int others = count.references(folio_test_large(m, folio)) - 1 - count.cache_slots;
  if (others > 0 || must_copy(m, mm, page, folio))
    a.frame = Answers::Frame::another;
  else if (count.cache_slots > 0 && !is_idle_but_for_mapping(m, folio))
    a.frame = Answers::Frame::any;
}

}  // namespace thp
