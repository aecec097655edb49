// Rules about mmap(), munmap(), mprotect(), mremap(), fork(), clear_refs. Part of
// transitions.cc.
#pragma once
#include <cerrno>

#include "oracle/rules/transitions.h"
#include "oracle/rules/transitions_of_locks.h"

namespace thp {

// The VMA at `area.start` after a call that makes `area` of its part of the range: one with which
// neighbours?
bool is_merged(const Transition& t, int mm, PageRange range, Vma area, bool is_new);
// The same of a call that changes flags of the VMA of the range's first page.
bool is_merged(const Transition& t, int mm, PageRange range, std::uint32_t set,
               std::uint32_t clear);
// The same of the VMA that mremap() makes. It is not asked where a neighbour is unmapped, too.
bool is_merged(const Transition& t, const Mremap& op);
bool has_oldest_anon_vma(const Fork& op, const Transition& t);

// What a page has that moved with its entry: nothing lost, and not opened.
inline bool carries(Traits had, Traits has) {
  const auto lost = had & ~has;
  const bool mapped = (has & kMapped) != 0, kept = mapped || (has & kSwapped) != 0;
  if ((lost & kThere) != 0 || (kept && (lost & (kSoleOwner | kSoftly)) != 0)) return false;
  if (mapped && (lost & (kOpen | kUsed | kDirtied)) != 0) return false;
  return (had & (kMapped | kOpen)) != kMapped || (has & kOpen) == 0;
}

// Such a mapping is split, which leaves nothing, where it does not move as a whole.
inline bool is_a_part_of_a_huge_mapping_of_a_file(const Move& move, int page) {
  const Machine& m = move.t.before;
  const int nr = m.hpage_nr(), was = page - move.delta, first = pmd_first(m, was);
  const Entry& pmd = m.pmd(move.mm, pmd_index(m, was));
  const bool whole =
      move.delta % nr == 0 && move.to <= first + move.delta && first + move.delta + nr <= move.end;
  return maps_a_file(m, pmd) && !pmd.is_table() && !whole;
}

inline constexpr RuleOf<Move> kMoveRules[] = {
    {"mremap_carries_the_entry",
     "What mremap() moves is still there, as exclusive, soft-dirty, writable, young and dirty "
     "as it was. A part of a huge page of a file is left to faults.",
     promise(kEvery, "mremap(2), DESCRIPTION"),
     "mm/mremap.c: move_ptes(); mm/huge_memory.c: move_huge_pmd()",
     [](const Move& move) {
       for (int page = move.to; page < move.end; ++page)
         if (!carries(traits_of(move.t.before, move.mm, page - move.delta),
                      traits_of(move.t.after, move.mm, page)) &&
             !is_a_part_of_a_huge_mapping_of_a_file(move, page))
           return false;
       return true;
     }},
    {"locked_growth_is_populated",
     "What mremap() adds to a locked VMA is in memory, if there is memory.",
     promise(kEvery, "mremap(2), NOTES"), "mm/mremap.c: mremap()",
     [](const Move& move) {
       const Transition& t = move.t;
       const Vma* vma = vma_at(t.before, move.mm, move.from);
       const bool fills = vma != nullptr && vma->has(VM_LOCKED) && vma->has(VM_READ);
       if (!fills || !t.nothing_injected() || !has_anon_vmas(t.before, *vma)) return true;
       const int end = std::min(move.to + move.wanted, t.after.pages());
       for (int page = move.end; page < end && free_blocks(t.after) > 0; ++page)
         if (entry_of(t.after, move.mm, page).is_none() &&
             !is_beyond_its_file(t.after, move.mm, page))
           return false;
       return true;
     }},
};

// do_mmap() refuses only who has more than the limit already.
inline bool stays_below_map_count_limit(const Transition& t) {
  const int limit = map_count_limit(t.after);
  const auto* fork = std::get_if<Fork>(&t.op);
  for (int mm = 0; mm < t.after.geometry.mms; ++mm) {
    const int now = t.after.mms[std::size_t(mm)].map_count;
    const int from = fork != nullptr && fork->child.id == mm ? fork->mm.id : mm;
    if (now <= limit || now <= t.before.mms[std::size_t(from)].map_count) continue;
    if (!t.over<Mmap, MmapHint>() || now > limit + 1) return false;
  }
  return true;
}

inline constexpr OpRule kSpaceRules[] = {
    {"map_count_is_limited",
     "No op takes a process over max_map_count VMAs; but mmap() takes one by one that has as many.",
     promise(kEvery, "admin-guide/sysctl/vm.rst, max_map_count"),
     "mm/mmap.c: split_vma(); do_mmap(): map_count > sysctl_max_map_count",
     over_any(stays_below_map_count_limit)},
    {"munmap_fails_at_the_limit",
     "munmap() fails exactly where it cuts out the middle of a VMA and there are "
     "sysctl_max_map_count of them.",
     promise(kEvery, "munmap(2), ENOMEM"), "mm/mmap.c: do_mas_align_munmap()",
     over<Munmap>([](const Munmap& op, const Transition& t) {
       return t.before.mms[std::size_t(op.mm.id)].alive == 0 ||
              t.result == (cuts_one_too_many(t.before, op) ? -ENOMEM : 0);
     })},
    {"vmas_merge_if_alike",
     "The first VMA that a call maps or changes becomes one with its neighbours of the same "
     "kind and family, and with no other.",
     choice(k6_1),
     "mm/mmap.c: vma_merge(), mmap_region(): can_vma_merge_before(), can_vma_merge_after()",
     after<Mmap, MmapHint>([](const auto& op, const Transition& t) {
       const Vma area{.flags = flags_of(op.prot),
                      .start = std::uint16_t(op.range.first),
                      .end = std::uint16_t(op.range.end),
                      .pgoff = std::uint16_t(op.range.first)};
       return is_merged(t, op.mm.id, op.range, area, true);
     }),
     after<MmapFile>([](const MmapFile& op, const Transition& t) {
       const bool shared = op.sharing == Sharing::shared;
       const Vma area{.flags = shared ? vm_flags_of(op.prot) | VM_SHARED : flags_of(op.prot),
                      .start = std::uint16_t(op.range.first),
                      .end = std::uint16_t(op.range.end),
                      .pgoff = std::uint16_t(op.offset.number),
                      .file = std::uint8_t(op.inode.id)};
       return is_merged(t, op.mm.id, op.range, area, true);
     }),
     after<Locks, Mprotect, MarksHuge, MarksFork>([]<class O>(const O& op, const Transition& t) {
       std::uint32_t set = times_in<O>(MarksFork{}) > 0 ? VM_DONTCOPY : VM_LOCKED, clear = 0;
       if (std::is_same_v<O, Munlock> || std::is_same_v<O, MadviseDofork>) std::swap(set, clear);
       if (std::is_same_v<O, MadviseHugepage>) set = VM_HUGEPAGE, clear = VM_NOHUGEPAGE;
       if (std::is_same_v<O, MadviseNohugepage>) set = VM_NOHUGEPAGE, clear = VM_HUGEPAGE;
       if constexpr (std::is_same_v<O, Mprotect>)
         set = flags_of(op.prot), clear = (VM_READ | VM_WRITE) & ~set;
       return is_merged(t, op.mm.id, op.range, set, clear);
     }),
     after<Moves>([](const auto& op, const Transition& t) { return is_merged(t, as_mremap(op)); })},
    {"mprotect_populates_locked",
     "What mprotect() makes writable in a locked VMA is there and unshared, if there is memory.",
     choice(kEvery), "mm/mprotect.c: mprotect_fixup(): populate_vma_page_range()",
     after<Mprotect>([](const Mprotect& op, const Transition& t) {
       const Vma* vma = vma_at(t.before, op.mm.id, op.range.first);
       if (op.prot != Protection::rw || vma == nullptr || vma->has(VM_WRITE | VM_SHARED))
         return true;
       const bool fills = vma->has(VM_LOCKED) && op.range.end <= vma->end && t.nothing_injected() &&
                          has_anon_vmas(t.before, *vma) && free_blocks(t.before) >= op.range.size();
       for (int page = op.range.first; page < op.range.end; ++page)
         if (is_beyond_its_file(t.before, op.mm.id, page)) return true;
       return !fills || is_resident(t.after, op.mm.id, op.range.first, op.range.end);
     })},
    {"clear_refs_clears_soft_dirty",
     "clear_refs leaves nothing of its process soft-dirty, and no page that is in memory writable, "
     "but for PTEs of pinned pages.",
     promise(kEvery, "admin-guide/mm/soft-dirty.rst; proc(5), clear_refs"),
     "fs/proc/task_mmu.c: clear_soft_dirty(), clear_soft_dirty_pmd(), pte_is_pinned()",
     after<ClearSoftDirty>([](const ClearSoftDirty& op, const Transition& t) {
       const Machine& m = t.after;
       for (const Vma& vma : m.vmas(op.mm.id))
         if (vma.has(VM_SOFTDIRTY)) return false;
       for (int page = 0; page < m.pages(); ++page) {
         const Entry& entry = entry_of(m, op.mm.id, page);
         const bool open = entry.is_present() && entry.has(kWrite);
         if (entry.is_none() || (!entry.has(kSoftDirty) && !open)) continue;
         const bool by_pte = m.pmd(op.mm.id, pmd_index(m, page)).is_table();
         const bool maps = open && by_pte && entry.frame < m.frames();
         if (!maps || !is_pinned(m, page_folio(m, entry.frame))) return false;
       }
       return true;
     })},
    {"fork_reuses_an_idle_anon_vma",
     "fork() takes over the oldest anon_vma that nobody calls his own, of those with one child "
     "at most, and no other. It is asked of the first VMA that has any.",
     choice(k6_1), "mm/rmap.c: anon_vma_clone()",
     after<Fork>([](const Fork& op, const Transition& t) { return has_oldest_anon_vma(op, t); })},
    // An entry of the child is the parent's, but old: of the page itself, or of its slot. A page
    // that fork() had to copy, as somebody has pinned it, is the child's own. Where no fault ever
    // was there is nothing to inherit.
    {"child_inherits_entries",
     "A child has the entries of its parent, only old; of a pinned page it may have a copy, and "
     "of a huge mapping of a file it has none.",
     choice(k6_1),
     "mm/memory.c: copy_present_pte(), copy_nonpresent_pte(); mm/huge_memory.c: copy_huge_pmd()",
     after<Fork>([](const Fork& op, const Transition& t) {
       const Machine& m = t.after;
       for (const Vma& vma : m.vmas(op.child.id))
         for (int page = vma.start; page < vma.end; ++page) {
           const Entry &entry = entry_of(m, op.child.id, page), &from = entry_of(m, op.mm.id, page);
           const bool huge = !m.pmd(op.mm.id, pmd_index(m, page)).is_table();
           if (vma.anon_vma == kNoAnonVma || from.is_none() || (huge && maps_a_file(m, from))) {
             if (!entry.is_none()) return false;
             continue;
           }
           const bool same = entry.frame == from.frame;
           const int copy = kYoung | kMkDirty | (vma.has(VM_WRITE) ? kWrite : 0);
           const int old = from.is_present() ? from.bits & ~kYoung : from.bits;
           if (entry.kind != from.kind) return false;
           if (!entry.is_zero() && entry.bits != (same ? old : copy)) return false;
           const bool maps = from.is_present() && from.frame < m.frames();
           if (!same && !(maps && is_pinned(m, page_folio(m, from.frame)))) return false;
         }
       return true;
     })},
};

}  // namespace thp
