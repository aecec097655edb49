// Inside flat memory: whether a call's result is one that its caller may see, and why it could
// fail.
#pragma once
#include <algorithm>
#include <cerrno>
#include <initializer_list>

#include "oracle/flat/flat_rules.h"

namespace thp {

inline Verdict expect(int result, int expected) {
  if (result == expected) return {};
  return Mismatch{.rule = &kWrongResult, .expected = expected, .seen = result};
}

// The first is the one to name.
inline Verdict expect_any(int result, std::initializer_list<int> expected) {
  if (std::ranges::find(expected, result) != expected.end()) return {};
  return expect(result, *expected.begin());
}

// A dead address space answers -ESRCH to everything.
inline Verdict not_open(int result) { return expect(result, -EBADF); }
inline Verdict no_such_process(int result) { return expect(result, -ESRCH); }

// Are there too few anon_vmas left for `more` of them? Each needs an id above those of its chain.
inline bool anon_vmas_short(const Machine& m, int more) {
  int used = kMaxAnonVmas;
  while (used > 0 && m.anon_vmas[std::size_t(used - 1)].used == 0) --used;
  return used + more >= kMaxAnonVmas;
}

// Could an allocation have failed? Looked at only after a failure, so it need not be cheap. A call
// that fails gives back what it had got: short is what one address space could have used up.
inline bool may_lack_pages(const Machine& m, const Injections& armed) {
  if (armed.fail_small_alloc || armed.fail_charge) return true;  // huge pages have a fallback
  int free = 0;
  for (int pfn = 0; pfn < m.frames(); ++pfn) {
    const Page& page = m.page(Pfn(pfn));
    free += page.refcount == 0 && page.flags == 0;
  }
  return free <= m.pages();
}
inline bool may_oom(const Machine& m, const Injections& armed, int mm) {
  return anon_vmas_short(m, int(m.vmas(mm).size()) + 1) || may_lack_pages(m, armed);
}

// Could a VMA have been refused? mremap() asks for the most room: v6.1 mm/mremap.c: mremap_to(). A
// machine that has room for a VMA at every page refuses none.
inline bool may_lack_vmas(const Machine& m, int mm) {
  return m.max_map_count() < m.pages() && int(m.vmas(mm).size()) + 8 >= m.max_map_count();
}

// Resynchronisation: up to where a call that failed in one of several VMAs has set these flags.
inline int reached(const Machine& m, int mm, PageRange range, std::uint32_t mask,
                   std::uint32_t flags) {
  for (const Vma& vma : m.vmas(mm))
    if (vma.end > range.first && vma.start < range.end && (vma.flags & mask) != flags)
      return std::max<int>(vma.start, range.first);
  return range.end;
}

}  // namespace thp
