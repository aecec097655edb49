// Which huge pages an op must split, and which it must leave.
#include <algorithm>
#include <utility>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

constexpr Bits kLikeTheHead = PG_referenced | PG_uptodate | PG_active | PG_swapbacked;

enum class Splits : std::uint8_t { no, perhaps, yes };

// A folio that the op tries to split. One that is held is refused before anything is unmapped.
Splits splits(const Machine& m, const Recount& recount, Pfn folio, Answers& a) {
  const FolioCount count = recount.folio(m, folio);
  if (held(count)) a.huge |= pmds_of(m, folio);
  if (held(count) || !count.mapped_anywhere() || test(m, folio, PG_writeback)) return Splits::no;
  return mapped_behind_a_huge_pmd(m, folio) ? Splits::perhaps : Splits::yes;
}

// Huge pages of which nothing is mapped in the range.
std::uint64_t blocks_outside(const Machine& m, int mm, PageRange range) {
  std::uint64_t blocks = 0;
  for (int i = 0; i < m.geometry.frame_blocks(); ++i)
    if (const Pfn head = Pfn(i << m.geometry.order); folio_test_large(m, head))
      blocks |= block_bit(m, head);
  for (int page = range.first; page < range.end; ++page)
    if (const Pfn pfn = mapped_frame(m, mm, page); pfn != kNoPfn)
      blocks &= ~block_bit(m, page_folio(m, pfn));
  return blocks;
}

void expect_outcome(const Machine& m, Splits expected, Pfn folio, Answers& a) {
  if (expected == Splits::yes) a.small |= block_bit(m, folio);
  if (expected == Splits::no) a.large |= block_bit(m, folio);
}

// PMDs of other huge pages, one that migrates too, stay what they are.
void expect_bystanders(const Machine& m, std::uint64_t blocks, Answers& a) {
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (int i = 0; i < m.geometry.pmds; ++i) {
      const Entry& pmd = m.pmd(mm, i);
      const bool folio = is_huge(pmd) && !pmd.is_zero() && pmd.frame < m.frames();
      if (folio && (blocks & block_bit(m, pmd.frame)) != 0) a.whole |= pmd_bit(mm, i);
    }
  a.expect(Answers::Then::whole);
}

// Of several the last one is looked at.
void expect_alike(const Machine& m, Pfn folio, Answers& a) {
  if (anything_locked(m) || test(m, folio, PG_mlocked)) return;
  a.before = folio;
  a.flags = m.page(folio).flags;
  a.expect(Answers::Then::split_alike);
}

}  // namespace

// It stops at the first hole, and follows no entry of a PROT_NONE mapping.
void expect_split_folio(const Machine& m, const Recount& recount, const SplitFolio& op,
                        Answers& a) {
  const std::uint64_t outside = blocks_outside(m, op.mm.id, op.range);
  a.large |= outside;
  expect_bystanders(m, outside, a);
  expect_none_idle(m, a);
  Pfn last = kNoPfn;
  const Vma* vma = nullptr;
  for (int page = op.range.first; page < op.range.end; ++page) {
    if (vma == nullptr || !vma->covers(page)) vma = vma_at(m, op.mm.id, page);
    if (vma == nullptr) return;
    const Pfn pfn = vma->has(VM_READ) ? mapped_frame(m, op.mm.id, page) : kNoPfn;
    if (pfn == kNoPfn || page_folio(m, pfn) == last) continue;
    last = page_folio(m, pfn);
    if (!folio_test_large(m, last)) continue;
    const Splits expected = splits(m, recount, last, a);
    if (expected == Splits::yes && m.inject.contend_page_lock) continue;
    if (expected == Splits::yes && m.inject.speculative_ref) {
      a.before = last;
      return a.expect(Answers::Then::by_ptes);
    }
    expect_outcome(m, expected, last, a);
    if (expected == Splits::yes) expect_alike(m, last, a);
  }
}

// The pages of a folio that was split are like it. Whoever is locked anew is not.
bool split_alike(const Machine& m, const Answers& a) {
  for (int i = 0; i < m.hpage_nr(); ++i) {
    const Page& page = m.page(Pfn(a.before + i));
    if (page.refcount > 0 && (page.flags & kLikeTheHead) != (a.flags & kLikeTheHead)) return false;
  }
  return true;
}

// The head of a folio that the shrinker splits may stay in the swap cache without an entry.
int expect_shrunk_queue(const Machine& m, const Recount& recount, Answers& a) {
  bool contended = m.inject.contend_page_lock, speculative = m.inject.speculative_ref;
  int perhaps = 0;
  for (const Pfn head : m.deferred_queue()) {
    Splits expected = std::exchange(contended, false) ? Splits::no : splits(m, recount, head, a);
    if (expected == Splits::yes && std::exchange(speculative, false))
      expected = perhaps > 0 ? Splits::perhaps : Splits::no;
    perhaps += expected == Splits::perhaps;
    expect_outcome(m, expected, head, a);
  }
  return perhaps;
}

bool has_unused_huge_zero_page(const Machine& m) {
  return m.huge_zero_page != kNoPfn &&
         std::ranges::none_of(m.mms, [](const Mm& mm) { return mm.huge_zero_page; });
}

}  // namespace thp
