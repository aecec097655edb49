// What munmap() may not cut, what mremap() does to the pages that it moves or adds, and fork() to
// the family of anon_vmas.
#include <algorithm>

#include "oracle/expected_rules.h"

namespace thp {
namespace {

using Then = Answers::Then;

bool is_asked(const Machine& m, const Answers& a, int page) {
  return (a.dirtied >> pmd_index(m, page) & 1) != 0;
}

bool is_soft_clean(const Entry& entry) {
  return !entry.is_none() && !entry.is_zero() && !entry.has(kSoftDirty);
}

// Would two VMAs, one behind the other, be one but for their protection?
bool differ_in_protection_alone(const Vma& a, const Vma& b) {
  constexpr std::uint32_t kRest = ~std::uint32_t{VM_READ | VM_WRITE | VM_SOFTDIRTY};
  return a.end == b.start && a.index_of(a.end) == b.pgoff && (a.flags & kRest) == (b.flags & kRest);
}

// Has it an anon_vma, and hangs in the tree of no other?
bool has_one_anon_vma(const Vma& vma) {
  return vma.anon_vma < kMaxAnonVmas && vma.chain == std::uint64_t{1} << vma.anon_vma;
}

}  // namespace

bool cuts_one_too_many(const Machine& m, const Munmap& op) {
  const bool alive = m.mms[std::size_t(op.mm.id)].alive != 0;
  const Vma* vma = alive ? vma_at(m, op.mm.id, op.range.first) : nullptr;
  const bool middle = vma && vma->start < op.range.first && op.range.end < vma->end;
  return middle && int(m.vmas(op.mm.id).size()) >= map_count_limit(m);
}

// A page table moves whole where both its ends are at the edge of a block and lie in the range.
void expect_mremap(const Machine& m, const Mremap& op, Answers& a) {
  a.kept.exclusive = a.kept.soft_dirty = a.kept.pinned = 0;
  a.not_huge = 0;
  const int to = op.to.number, delta = to - op.range.first, nr = m.hpage_nr();
  const int size = op.range.size(), wanted = op.size.pages == 0 ? size : op.size.pages;
  const int end = std::min(to + std::min(size, wanted), m.pages());
  for (int page = to; page < end; ++page) {
    const int first = page / nr * nr;
    const bool whole = delta % nr == 0 && first >= to && first + nr <= end;
    if (!whole || !m.pmd(op.mm.id, pmd_index(m, page - delta)).is_table())
      a.dirtied |= std::uint16_t(1 << pmd_index(m, page));
    else
      a.clean += is_soft_clean(m.pte(op.mm.id, page - delta));
  }
  for (const Then then : {Then::moved_dirty, Then::moved_clean, Then::grown}) a.expect(then);
  a.mm = op.mm.id;
  a.first = to;
  a.end = end;
  const Vma* vma = vma_at(m, op.mm.id, op.range.first);
  const bool fills = vma != nullptr && vma->has(VM_LOCKED) && vma->has(VM_READ);
  a.populated = fills && m.inject == Injections{} ? std::min(to + wanted, m.pages()) : end;
}

bool moved_dirty(const Machine& m, const Answers& a) {
  for (int page = a.first; page < a.end; ++page)
    if (is_soft_clean(entry_of(m, a.mm, page)) && is_asked(m, a, page)) return false;
  return true;
}

bool moved_clean(const Machine& m, const Answers& a) {
  int clean = 0;
  for (int page = a.first; page < a.end; ++page) clean += is_soft_clean(entry_of(m, a.mm, page));
  return clean == a.clean;
}

bool grown(const Machine& m, const Answers& a) {
  for (int page = a.end; page < a.populated && free_blocks(m) > 0; ++page)
    if (entry_of(m, a.mm, page).is_none()) return false;
  return true;
}

// The next VMA is asked first, but it may be asked in vain.
void expect_anon_vma(const Machine& m, int mm, int page, Answers& a) {
  const Vma* vma = vma_at(m, mm, page);
  if (vma == nullptr || vma->anon_vma != kNoAnonVma) return;
  a.untouched = true;
  const Vma* prev = vma->start > 0 ? vma_at(m, mm, vma->start - 1) : nullptr;
  const Vma* next = vma->end < m.pages() ? vma_at(m, mm, vma->end) : nullptr;
  if (next && differ_in_protection_alone(*vma, *next) && has_one_anon_vma(*next))
    a.adopts = next->anon_vma;
  else if (prev && differ_in_protection_alone(*prev, *vma) && has_one_anon_vma(*prev))
    a.adopts = prev->anon_vma;
}

bool has_expected_anon_vma(const Machine& m, const Answers& a) {
  const Vma* vma = a.untouched ? vma_at(m, a.mm, a.first) : nullptr;
  if (vma == nullptr || vma->anon_vma == kNoAnonVma) return true;
  if (a.adopts != kNoAnonVma) return vma->anon_vma == a.adopts;
  return has_one_anon_vma(*vma) &&
         std::ranges::count(m.vmas(a.mm), vma->anon_vma, &Vma::anon_vma) == 1;
}

void expect_fork(const Machine& m, const Fork& op, Answers& a) {
  a.kept.exclusive = 0;
  a.not_huge = 0;
  a.expect(Then::took_over);
  a.expect(Then::never_pinned);
  a.mm = op.child.id;
  for (std::size_t n = 0; n < m.anon_vmas.size(); ++n) {
    const AnonVma& anon_vma = m.anon_vmas[n];
    if (anon_vma.used && anon_vma.num_children >= 2) a.taken |= std::uint64_t{1} << n;
  }
}

bool takes_over_what_it_may(const Machine& m, const Answers& a) {
  return std::ranges::none_of(m.vmas(a.mm), [&](const Vma& vma) {
    return vma.anon_vma < kMaxAnonVmas && (a.taken >> vma.anon_vma & 1) != 0;
  });
}

bool never_pinned(const Machine& m, const Answers& a) {
  return m.mms[std::size_t(a.mm)].has_pinned == 0;
}

}  // namespace thp
