// What each call does to flat memory, and which results its caller may see. Errors come from
// v6.1 mm/mmap.c, mm/mprotect.c, mm/mremap.c, mm/mlock.c, mm/madvise.c, mm/gup.c, kernel/fork.c.
// A call that fails half-way keeps what it had done: that is documented, and visible.
#include "oracle/flat/flat_memory.h"

#include <algorithm>
#include <cerrno>

#include "oracle/flat/flat_reply.h"
#include "oracle/translate.h"

namespace thp {

void FlatMemory::reset(const Geometry& g) {
  pages_ = g.pages();
  mms_ = g.mms;
  alive_ = {};
  alive_[0] = true;
  views_ = {};
  held_ = 0;
  touched_ = {};
  values_.assign(index(mms_, 0), 0);
  states_.assign(index(mms_, 0), 0);
  inodes_ = g.inodes;
  files_ = {};
  file_values_.assign(index(inodes_, 0), 0);
  windows_.assign(index(mms_, 0), {});
  soft_dirty_.reset(g);
}

Verdict FlatMemory::after(const Op& op, int result, const Machine& before, const Machine& m) {
  const Reply reply{result, m, before.inject};
  touched_ = {};
  holders_touched_ = files_touched_ = false;
  const Verdict verdict = visit_op([&](const auto& o) { return on(o, reply); }, op);
  if (inodes_ > 0) learn_copies(op, m);
  for (const Strike& strike : m.strikes.all())
    if (strike.defect != &kFailedMlockKeepsLocks) soft_dirty_.forget(m, strike);
  return verdict;
}

// --- Address spaces.

Verdict FlatMemory::mapped_anew(int mm, PageRange range, Protection protection, const Reply& a) {
  if (a.was(-ENOMEM) && may_lack_vmas(a.m, mm)) return {};
  const auto prot = vm_flags_of(protection);
  const int bits =
      kMapped | ((prot & VM_READ) ? kMayRead : 0) | ((prot & VM_WRITE) ? kMayWrite : 0);
  unmap(mm, range.first, range.end);
  std::ranges::fill(states(mm, range.first, range.end), std::uint8_t(bits));
  soft_dirty_.mapped(mm, range.first, range.end);
  return expect(a.result, 0);
}
Verdict FlatMemory::on(const Mmap& op, const Reply& a) {
  if (!alive(op.mm.id)) return no_such_process(a.result);
  return mapped_anew(op.mm.id, op.range, op.prot, a);
}
// mmap(2): a hint is taken if no mapping is there.
Verdict FlatMemory::on(const MmapHint& op, const Reply& a) {
  const int mm = op.mm.id;
  if (!alive(mm)) return no_such_process(a.result);
  if ((summary(mm, op.range).any & kMapped) == 0) return mapped_anew(mm, op.range, op.prot, a);
  return a.was(-ENOMEM) && may_lack_vmas(a.m, mm) ? Verdict{} : expect(a.result, kElsewhere);
}

Verdict FlatMemory::on(const Munmap& op, const Reply& a) {
  const int mm = op.mm.id;
  if (!alive(mm)) return no_such_process(a.result);
  if (a.was(-ENOMEM) && may_lack_vmas(a.m, mm)) return {};  // before the point of no return
  unmap(mm, op.range.first, op.range.end);
  return expect(a.result, 0);
}

// v6.1 mm/mprotect.c: do_mprotect_pkey(): VMA by VMA up to the first hole.
Verdict FlatMemory::on(const Mprotect& op, const Reply& a) {
  const int mm = op.mm.id;
  if (!alive(mm)) return no_such_process(a.result);
  const std::uint32_t prot = vm_flags_of(op.prot);
  const int hole = first_hole(mm, op.range);
  int end = hole;
  if (a.was(-ENOMEM) && may_lack_vmas(a.m, mm))
    end = std::min(hole, reached(a.m, mm, op.range, VM_READ | VM_WRITE, prot));
  const int bits = ((prot & VM_READ) ? kMayRead : 0) | ((prot & VM_WRITE) ? kMayWrite : 0);
  mark(mm, op.range.first, end, kMayRead | kMayWrite, std::uint8_t(bits));
  return expect(a.result, hole < op.range.end || end < hole ? -ENOMEM : 0);
}

// Does one VMA have all of it?
static bool is_one_mapping(const Machine& m, int mm, PageRange range) {
  const Vma* vma = vma_at(m, mm, range.first);
  return vma != nullptr && vma->end >= range.end;
}

// v6.1 mm/mremap.c: mremap_to(), vma_to_resize(), move_vma(). The target, and what a lesser size
// leaves over, are unmapped before anyone asks whether the source is one VMA. What has grown is as
// the VMA, and empty; so is what MREMAP_DONTUNMAP leaves, and not locked.
Verdict FlatMemory::moved(const Mremap& op, bool dontunmap, const Reply& a) {
  const int mm = op.mm.id, to = op.to.number, size = op.range.size();
  const int new_size = op.size.of(op.range), to_end = to + new_size;
  if (!alive(mm)) return no_such_process(a.result);
  if (!mapped(mm, op.range.first)) return expect(a.result, -EFAULT);
  const bool overlap = op.range.end > to && to_end > op.range.first;
  if (to_end > pages_ || overlap) return expect(a.result, -EINVAL);
  if (a.was(-ENOMEM) && may_lack_vmas(a.m, mm)) return {};  // asked before anything is unmapped
  const PageRange kept{op.range.first, op.range.first + std::min(size, new_size)};
  unmap(mm, to, to_end);
  unmap(mm, kept.end, op.range.end);
  if (a.was(-EFAULT) && !is_one_mapping(a.m, mm, kept)) return {};
  Window window = windows_[index(mm, kept.first)];
  const Summary source = summary(mm, kept);
  const bool alike = ((source.all ^ source.any) & kOfTheVma) == 0;
  move(mm, kept, to);
  std::ranges::fill(states(mm, to + kept.size(), to_end), std::uint8_t(source.all & kOfTheVma));
  soft_dirty_.moved(mm, to, to + kept.size());
  for (int page = to; page < to + kept.size(); ++page)
    if ((state(mm, page) & kLazy) != 0) soft_dirty_.may_be_discarded(mm, page, page + 1);
  soft_dirty_.mapped(mm, to + kept.size(), to_end);
  if (dontunmap)
    std::ranges::fill(states(mm, kept.first, kept.end),
                      std::uint8_t(source.all & kOfTheVma & ~kLocked));
  if ((source.all & kWindow) != 0) {
    std::copy_n(&windows_[index(mm, kept.first)], kept.size(), &windows_[index(mm, to)]);
    if (dontunmap) open_windows(mm, kept, window);
    window.index = std::uint16_t(window.index + kept.size());
    open_windows(mm, {to + kept.size(), to_end}, window);
  }
  return expect(a.result, alike ? 0 : -EFAULT);
}
Verdict FlatMemory::on(const Mremap& op, const Reply& a) { return moved(op, false, a); }
Verdict FlatMemory::on(const MremapDontunmap& op, const Reply& a) {
  return moved({op.mm, op.range, op.to, {}}, true, a);
}

// mremap(2): EFAULT for what is not one mapping, ENOMEM where it cannot grow in place. Whoever
// shrinks is not asked.
Verdict FlatMemory::on(const MremapResize& op, const Reply& a) {
  const int mm = op.mm.id, first = op.range.first, end = op.range.end;
  const int new_end = first + op.size.of(op.range);
  if (!alive(mm)) return no_such_process(a.result);
  if (!mapped(mm, first)) return expect(a.result, -EFAULT);
  if (new_end <= end) {
    if (a.was(-ENOMEM) && may_lack_vmas(a.m, mm)) return {};
    unmap(mm, new_end, end);
    return expect(a.result, 0);
  }
  if (a.was(-EFAULT) && !is_one_mapping(a.m, mm, op.range)) return {};
  const Summary grown = summary(mm, op.range);
  if (((grown.all ^ grown.any) & kOfTheVma) != 0) return expect(a.result, -EFAULT);
  if (new_end > pages_ || (summary(mm, {end, new_end}).any & kMapped) != 0)
    return expect(a.result, -ENOMEM);
  touch(mm, end, new_end);
  touched_[std::size_t(mm)].vmas = true;
  std::ranges::fill(states(mm, end, new_end), std::uint8_t(grown.all & kOfTheVma));
  if ((grown.all & kWindow) != 0) {
    Window window = windows_[index(mm, end - 1)];
    ++window.index;
    open_windows(mm, {end, new_end}, window);
  }
  soft_dirty_.mapped(mm, end, new_end);
  return expect(a.result, 0);
}

// v6.1 kernel/fork.c: dup_mmap(): no VM_DONTCOPY areas, no locks.
Verdict FlatMemory::on(const Fork& op, const Reply& a) {
  const int mm = op.mm.id, child = op.child.id;
  if (!alive(mm)) return no_such_process(a.result);
  if (alive(child)) return expect(a.result, -EEXIST);
  if (a.was(-ENOMEM) && may_oom(a.m, a.armed, mm)) return {};
  std::ranges::copy(values(mm, 0, pages_), values(child, 0, pages_).begin());
  std::ranges::copy(states(mm, 0, pages_), states(child, 0, pages_).begin());
  std::copy_n(&windows_[index(mm, 0)], pages_, &windows_[index(child, 0)]);
  for (int page = 0; page < pages_; ++page) {
    Cell cell = at(child, page);
    const bool copied = (cell.state & kDontfork) == 0;
    cell.value = copied ? cell.value : 0;
    cell.state = copied ? std::uint8_t(cell.state & ~kLocked) : 0;
  }
  alive_[std::size_t(child)] = true;
  soft_dirty_.end(child);
  touched_[std::size_t(child)] = {0, pages_, true};
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const Exit& op, const Reply& a) {
  if (!alive(op.mm.id)) return no_such_process(a.result);
  unmap(op.mm.id, 0, pages_);
  soft_dirty_.end(op.mm.id);
  alive_[std::size_t(op.mm.id)] = false;
  return expect(a.result, 0);
}

// A call that fails changes no lock, but where a defect has struck. v6.1 mm/mlock.c: -ENOMEM at a
// hole, for PROT_NONE, or beyond the end of a file; -EAGAIN without memory for what it locks.
Verdict FlatMemory::locked(int mm, PageRange range, bool lock, const Reply& a) {
  if (!alive(mm)) return no_such_process(a.result);
  const std::uint8_t set = lock ? kLocked : 0;
  const bool whole = first_hole(mm, range) == range.end;
  if (a.was(0) && whole) mark(mm, range.first, range.end, kLocked, set);
  for (const Strike& strike : a.m.strikes.all())
    if (strike.defect == &kFailedMlockKeepsLocks) mark(mm, strike.first, strike.end, kLocked, set);
  if (a.was(-ENOMEM) && may_lack_vmas(a.m, mm)) return {};
  if (!whole) return expect(a.result, -ENOMEM);
  if (lock && a.was(-EAGAIN) && may_oom(a.m, a.armed, mm)) return {};
  bool beyond = false, perhaps = false;
  for (int page = range.first; page < range.end; ++page) {
    const bool may_be = may_be_beyond_its_file(a.m, mm, page);
    perhaps |= may_be;
    beyond |= is_beyond_its_file(mm, page) && !may_be;
  }
  const bool touches_all = (summary(mm, range).all & kMayRead) != 0 && !beyond;
  if (lock && touches_all && perhaps && a.was(-ENOMEM)) return {};
  return expect(a.result, lock && !touches_all ? -ENOMEM : 0);
}
Verdict FlatMemory::on(const Mlock& op, const Reply& a) {
  return locked(op.mm.id, op.range, true, a);
}
Verdict FlatMemory::on(const Munlock& op, const Reply& a) {
  return locked(op.mm.id, op.range, false, a);
}

Verdict FlatMemory::on(const ClearSoftDirty& op, const Reply& a) {
  const int mm = op.mm.id;
  if (!alive(mm)) return no_such_process(a.result);
  soft_dirty_.clear_refs(mm, values(mm, 0, pages_));
  return expect(a.result, 0);
}

// --- Accesses.

Verdict FlatMemory::on(const Store& op, const Reply& a) {
  const int mm = op.mm.id;
  if (!alive(mm)) return no_such_process(a.result);
  Cell cell = at(mm, op.page.number);
  if ((cell.state & kMayWrite) == 0) return expect(a.result, kSigsegv);
  if (a.was(kOom) && may_oom(a.m, a.armed, mm)) return {};
  if (is_beyond_its_file(mm, op.page.number)) return expect(a.result, kSigbus);
  store_by_processor(mm, op.page.number, op.value.number);
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const Load& op, const Reply& a) {
  const int mm = op.mm.id;
  if (!alive(mm)) return no_such_process(a.result);
  Cell cell = at(mm, op.page.number);
  if ((cell.state & kMayRead) == 0) return expect(a.result, kSigsegv);
  if (a.was(kOom) && may_oom(a.m, a.armed, mm)) return {};
  if (is_beyond_its_file(mm, op.page.number)) return expect(a.result, kSigbus);
  if (a.was(cell.value)) return {};
  if ((cell.state & kLazy) == 0 || !a.was(0))
    return Mismatch{&kWrongValue, mm, op.page.number, -1, cell.value, a.result};
  found_discarded(mm, op.page.number);  // 0 until a store
  touch(mm, op.page.number, op.page.number + 1);
  return {};
}

// v6.1 mm/gup.c: check_vma_flags(): FOLL_FORCE writes to every private mapping, PROT_NONE included;
// fs/proc/base.c: mem_rw(): nothing written is -EIO, whatever the reason.
Verdict FlatMemory::on(const StoreForced& op, const Reply& a) {
  const int mm = op.mm.id;
  if (!alive(mm)) return no_such_process(a.result);
  Cell cell = at(mm, op.page.number);
  if ((cell.state & kMapped) == 0) return expect(a.result, -EIO);
  if (a.was(-EIO) && may_oom(a.m, a.armed, mm)) return {};
  store_by_processor(mm, op.page.number, op.value.number);
  return expect(a.result, 0);
}

}  // namespace thp
