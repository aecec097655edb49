// What advice does to flat memory.
#include <cerrno>

#include "oracle/flat/flat_memory.h"
#include "oracle/flat/flat_reply.h"

namespace thp {

// --- Advice. v6.1 mm/madvise.c: madvise_walk_vmas(): holes are passed over, and told at the end;
// an error of one VMA ends it at once. `end` is how far the advice got.

Verdict FlatMemory::advised(int mm, PageRange range, std::uint8_t refused, int& end,
                            const Reply& a) const {
  end = range.first;
  if (!alive(mm)) return no_such_process(a.result);
  const Summary pages = summary(mm, range);
  end = range.end;
  if ((pages.any & refused) != 0) {
    end = range.first;
    while ((state(mm, end) & refused) == 0) ++end;
    return expect(a.result, -EINVAL);
  }
  return expect(a.result, (pages.all & kMapped) == 0 ? -ENOMEM : 0);
}

// Advice that is a flag of the VMA. Where a VMA cannot be split it ends with -EAGAIN.
Verdict FlatMemory::flags_advised(int mm, PageRange range, std::uint8_t clear, std::uint8_t set,
                                  const Reply& a) {
  int end = range.first;
  if (alive(mm) && a.was(-EAGAIN) && may_lack_vmas(a.m, mm)) {
    if (((clear | set) & kDontfork) != 0)
      end = reached(a.m, mm, range, VM_DONTCOPY, set != 0 ? std::uint32_t{VM_DONTCOPY} : 0u);
    mark(mm, range.first, end, clear, set);
    return {};
  }
  const Verdict verdict = advised(mm, range, 0, end, a);
  mark(mm, range.first, end, clear, set);
  return verdict;
}
Verdict FlatMemory::on(const MadviseHugepage& op, const Reply& a) {
  return flags_advised(op.mm.id, op.range, 0, 0, a);
}
Verdict FlatMemory::on(const MadviseNohugepage& op, const Reply& a) {
  return flags_advised(op.mm.id, op.range, 0, 0, a);
}
Verdict FlatMemory::on(const MadviseDontfork& op, const Reply& a) {
  return flags_advised(op.mm.id, op.range, 0, kDontfork, a);
}
Verdict FlatMemory::on(const MadviseDofork& op, const Reply& a) {
  return flags_advised(op.mm.id, op.range, kDontfork, 0, a);
}

Verdict FlatMemory::on(const MadviseDontneed& op, const Reply& a) {
  int end;
  const Verdict verdict = advised(op.mm.id, op.range, kLocked, end, a);
  discard(op.mm.id, op.range.first, end, std::uint8_t(~(kTouched | kLazy)));
  return verdict;
}

// A page that somebody holds is not discarded while held, but may be 0 already when it is taken.
Verdict FlatMemory::on(const MadviseFree& op, const Reply& a) {
  int end;
  const Verdict verdict = advised(op.mm.id, op.range, kLocked | kWindow, end, a);
  mark(op.mm.id, op.range.first, end, 0, kLazy);
  soft_dirty_.may_be_discarded(op.mm.id, op.range.first, end);
  return verdict;
}

Verdict FlatMemory::on(const MadviseCold& op, const Reply& a) {
  int end;
  return advised(op.mm.id, op.range, kLocked, end, a);
}
Verdict FlatMemory::on(const MadvisePageout& op, const Reply& a) {
  int end;
  return advised(op.mm.id, op.range, kLocked, end, a);
}

// madvise(2): EINVAL where the access is not allowed, EFAULT beyond the end of a file; either ends
// it. Nothing can be seen of it.
Verdict FlatMemory::populated(int mm, PageRange range, std::uint8_t needed, const Reply& a) const {
  if (!alive(mm)) return no_such_process(a.result);
  if (a.was(-ENOMEM) && may_oom(a.m, a.armed, mm)) return {};
  for (int page = range.first; page < range.end; ++page) {
    if ((state(mm, page) & (kMapped | needed)) == kMapped) return expect(a.result, -EINVAL);
    if (!is_beyond_its_file(mm, page)) continue;
    if (a.was(-EFAULT) || !may_be_beyond_its_file(a.m, mm, page)) return expect(a.result, -EFAULT);
  }
  return expect(a.result, first_hole(mm, range) < range.end ? -ENOMEM : 0);
}
Verdict FlatMemory::on(const MadvisePopulateRead& op, const Reply& a) {
  return populated(op.mm.id, op.range, kMayRead, a);
}
Verdict FlatMemory::on(const MadvisePopulateWrite& op, const Reply& a) {
  return populated(op.mm.id, op.range, kMayWrite, a);
}

// v6.1 mm/khugepaged.c: madvise_collapse_errno(). Nothing can be seen, not even of a success.
Verdict FlatMemory::on(const MadviseCollapse& op, const Reply& a) {
  if (!alive(op.mm.id)) return no_such_process(a.result);
  if (a.was(0)) return expect(first_hole(op.mm.id, op.range), op.range.end);
  return expect_any(a.result, {-EINVAL, -ENOMEM, -EBUSY, -EAGAIN});
}

}  // namespace thp
