// What munmap() may not cut, what mremap() does to the pages that it moves or adds, and fork() to
// the family of anon_vmas.
#include <algorithm>
#include <bit>

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

// What was writable at some time is accounted, whatever becomes of it.
void expect_mmap(const Mmap& op, Answers& a) {
  const bool writable = op.prot == Protection::rw;
  a.about(op.mm.id, op.range.first, op.range.end);
  a.advice = VM_SOFTDIRTY | (writable ? VM_ACCOUNT : 0u);
  a.against = writable ? 0u : VM_ACCOUNT;
  a.expect(Then::accounted);
}

// A PTE that a store would make writable and no more is so at once: the page is this address
// space's own and dirty, and nobody waits to hear of the store. Asked of the first page, where its
// VMA becomes writable. What migrates comes back as it went: populating a locked part waits for it.
void expect_mprotect(const Machine& m, const Mprotect& op, Answers& a) {
  a.about(op.mm.id, op.range.first, op.range.end);
  const std::uint32_t set = flags_of(op.prot), clear = (VM_READ | VM_WRITE) & ~set;
  expect_merge(m, a.mm, op.range, set, clear, a);
  const Vma* vma = m.mms[std::size_t(a.mm)].alive != 0 ? vma_at(m, a.mm, a.first) : nullptr;
  const bool writable = op.prot == Protection::rw, in_one = vma && op.range.end <= vma->end;
  if (writable || (in_one && vma->has(VM_ACCOUNT))) a.advice = VM_ACCOUNT;
  if (!writable && in_one && !vma->has(VM_ACCOUNT)) a.against = VM_ACCOUNT;
  a.expect(Then::accounted);
  if (!writable || vma == nullptr || vma->has(VM_WRITE)) return;
  if (vma->has(VM_LOCKED) && op.range.end <= vma->end && m.inject == Injections{} &&
      free_blocks(m) >= op.range.size())
    a.expect(Then::populated);
  const Entry& entry = entry_of(m, a.mm, a.first);
  const bool unheard = vma->has(VM_SOFTDIRTY) || entry.has(kSoftDirty);
  if (unheard && !entry.is_migration()) a.expect(Then::upgraded);
}

bool upgraded(const Machine& m, const Answers& a) {
  if (!m.pmd(a.mm, pmd_index(m, a.first)).is_table()) return true;
  const Entry& pte = m.pte(a.mm, a.first);
  const bool own = pte.is_present() && test(m, pte.frame, PG_anon_exclusive);
  return !own || !pte.has(kDirty) || pte.has(kWrite);
}

// Where a huge page goes from block to block it stays huge: its PMDs, before and after.
void expect_moved_whole(const Machine& m, int mm, int delta, int end, Answers& a) {
  const int nr = m.hpage_nr();
  for (int first = (a.first + nr - 1) / nr * nr; delta % nr == 0 && first + nr <= end; first += nr)
    if (is_huge(m.pmd(mm, pmd_index(m, first - delta))))
      a.whole |= pmd_bit(mm, pmd_index(m, first));
  a.expect(Then::whole);
}

// A page table moves whole where both its ends are at the edge of a block and lie in the range.
void expect_mremap(const Machine& m, const Mremap& op, Answers& a) {
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
  a.carried = moved_by(m, op.mm.id, op.range.first, to, end - to);
  a.about(op.mm.id, to, end);
  if (!anything_locked(m)) expect_moved_whole(m, op.mm.id, delta, end, a);
  for (const Then then : {Then::moved_dirty, Then::moved_clean, Then::grown, Then::carried})
    a.expect(then);
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

// Whether pages of large machines had a fault is not asked.
void expect_unfaulted(const Machine& m, int mm, Answers& a) {
  if (m.pages() > 64) return;
  for (const Vma& vma : m.vmas(mm))
    for (int page = vma.start; vma.anon_vma != kNoAnonVma && page < vma.end; ++page)
      a.faulted |= std::uint64_t{1} << page;
  a.expect(Then::unfaulted);
}

bool unfaulted(const Machine& m, const Answers& a) {
  return std::ranges::all_of(m.vmas(a.mm), [&](const Vma& vma) {
    const std::uint64_t pages = (a.faulted >> vma.start) << (64 - (vma.end - vma.start));
    return vma.anon_vma == kNoAnonVma || pages != 0;
  });
}

// Told of the first VMA that has any. The older of two has the lesser number. Where nobody's is
// left there will be a new one: that of another address space would be found by its count.
void expect_oldest(const Machine& m, const Fork& op, Answers& a) {
  for (const Vma& vma : m.vmas(op.mm.id)) {
    if (vma.has(VM_DONTCOPY) || vma.anon_vma == kNoAnonVma) continue;
    a.first = vma.start;
    for (std::uint64_t left = vma.chain; left != 0 && a.oldest == kNoAnonVma; left &= left - 1) {
      const AnonVma& old = m.anon_vmas[std::size_t(std::countr_zero(left))];
      if (old.num_children < 2 && old.num_active_vmas == 0) a.oldest = std::countr_zero(left);
    }
    return;
  }
}

void expect_fork(const Machine& m, const Fork& op, Answers& a) {
  a.not_huge = 0;
  for (const Then then : {Then::took_over, Then::never_pinned, Then::inherited, Then::listed})
    a.expect(then);
  a.mm = op.child.id;
  a.parent = op.mm.id;
  expect_oldest(m, op, a);
  for (std::size_t n = 0; n < m.anon_vmas.size(); ++n) {
    const AnonVma& anon_vma = m.anon_vmas[n];
    if (anon_vma.used && anon_vma.num_children >= 2) a.taken |= std::uint64_t{1} << n;
  }
}

bool takes_over_what_it_may(const Machine& m, const Answers& a) {
  const Vma* vma = a.oldest != kNoAnonVma ? vma_at(m, a.mm, a.first) : nullptr;
  if (vma != nullptr && vma->anon_vma != a.oldest) return false;
  return std::ranges::none_of(m.vmas(a.mm), [&](const Vma& vma) {
    return vma.anon_vma < kMaxAnonVmas && (a.taken >> vma.anon_vma & 1) != 0;
  });
}

int of_copy(const Vma& vma) { return kYoung | kMkDirty | (vma.has(VM_WRITE) ? kWrite : 0); }

// An entry of the child is the parent's, but old: of the page itself, or of its slot. A page that
// fork() had to copy, as somebody has pinned it, is the child's own. Where no fault ever was there
// is nothing to inherit.
bool inherited(const Machine& m, const Answers& a) {
  for (const Vma& vma : m.vmas(a.mm))
    for (int page = vma.start; page < vma.end; ++page) {
      const Entry &entry = entry_of(m, a.mm, page), &from = entry_of(m, a.parent, page);
      if (vma.anon_vma == kNoAnonVma || from.is_none()) {
        if (!entry.is_none()) return false;
        continue;
      }
      if (entry.kind != from.kind) return false;
      const bool same = entry.frame == from.frame;
      const int old = !same ? of_copy(vma) : from.is_present() ? from.bits & ~kYoung : from.bits;
      if (!entry.is_zero() && entry.bits != old) return false;
      if (!same && !is_pinned(m, page_folio(m, from.frame))) return false;
    }
  return true;
}

// swapoff() looks for swap entries in those who are on the list, and in nobody else.
bool listed_with_reason(const Machine& m, const Answers& a) {
  const std::span ids(m.mmlist.ids.data(), m.mmlist.count);
  if (std::ranges::find(ids, a.mm) == ids.end()) return true;
  for (int page = 0; page < m.pages(); ++page)
    if (entry_of(m, a.mm, page).is_swap()) return true;
  return false;
}

bool never_pinned(const Machine& m, const Answers& a) {
  return m.mms[std::size_t(a.mm)].has_pinned == 0;
}

}  // namespace thp
