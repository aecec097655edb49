// Rules about accesses: loads, stores, pins, and what they fault in. Part of transitions.cc.
#pragma once
#include "oracle/rules/transitions.h"

namespace thp {

// Must who needs a page for himself get another one? Not if it is exclusive, or the mapping's is
// the only reference once the swap cache has let go; certainly if there is one that neither has. A
// PTE's page is copied rather than waited for, and where a huge page has more than one slot.
enum class Copies : std::uint8_t { no, perhaps, yes };

template <class O>
Copies copies(const O& op, const Transition& t) {
  const Machine& m = t.before;
  const Entry entry = t.page.was;
  const Pfn pfn = t.page.frame_was;
  if (pfn == kNoPfn) return Copies::perhaps;
  if (times_in<O>(Looks{}) > 0) return Copies::no;
  if (entry.has(kWrite) || test(m, entry.frame, PG_anon_exclusive)) return Copies::no;
  const Pfn folio = page_folio(m, pfn);
  if (is_file_page(m, folio)) {  // shared on purpose, or not its own
    const Vma* vma = vma_at(m, op.mm.id, op.page.number);
    return vma != nullptr && vma->has(VM_SHARED) ? Copies::no : Copies::yes;
  }
  const bool large = folio_test_large(m, folio);
  const bool by_pmd = !m.pmd(op.mm.id, pmd_index(m, op.page.number)).is_table();
  const bool slots = large && test(m, folio, PG_swapcache);
  const FolioCount count = t.count(folio);
  if (count.references(large) - 1 - count.cache_slots > 0) return Copies::yes;
  if (!by_pmd && (slots || m.inject.contend_page_lock != 0)) return Copies::yes;
  const bool stays = count.cache_slots > 0 && !is_idle_but_for_mapping(m, folio);
  return stays ? Copies::perhaps : Copies::no;
}

// Would two VMAs, one behind the other, be one but for their protection?
inline bool differ_only_in_protection(const Vma& a, const Vma& b) {
  constexpr std::uint32_t kRest = ~std::uint32_t{VM_READ | VM_WRITE | VM_SOFTDIRTY};
  return a.end == b.start && a.index_of(a.end) == b.pgoff && a.file == b.file &&
         (a.flags & kRest) == (b.flags & kRest);
}
// Has it an anon_vma, and hangs in the tree of no other?
inline bool has_only_one_anon_vma(const Vma& vma) {
  return vma.anon_vma < kMaxAnonVmas && vma.chain == std::uint64_t{1} << vma.anon_vma;
}

// The VMA of a page that nothing is mapped at yet.
inline const Vma* faulting_vma(const auto& op, const Transition& t) {
  const bool alive = t.before.mms[std::size_t(op.mm.id)].alive != 0;
  return alive && t.page.was.is_none() ? vma_at(t.before, op.mm.id, op.page.number) : nullptr;
}
inline bool may_fault_huge(const auto& op, const Transition& t, const Vma& vma) {
  const int i = pmd_index(t.before, op.page.number), nr = t.before.hpage_nr();
  return t.before.pmd(op.mm.id, i).is_none() && vma.start <= i * nr && (i + 1) * nr <= vma.end &&
         may_be_huge(t.before, op.mm.id, i, true);
}

inline bool is_locked_once(const Machine& m, int mm, int page) {
  const Pfn pfn = mapped_frame(m, mm, page);
  if (pfn == kNoPfn) return true;
  const Pfn folio = page_folio(m, pfn);
  return test(m, folio, PG_mlocked) && test(m, folio, PG_unevictable) &&
         m.page(folio).mlock_count == 1;
}

inline constexpr OpRule kAccessRules[] = {
    {"load_leaves_entry_young", "A load leaves its entry young.",
     promise(kEvery, "admin-guide/mm/idle_page_tracking.rst, Implementation Details"),
     "arch/x86: _PAGE_ACCESSED; mm/memory.c: do_anonymous_page()",
     after<Load>([](const Load&, const Transition& t) {
       return (t.page.is.is_present() || t.page.is.is_zero()) && t.page.is.has(kYoung);
     })},
    {"store_leaves_entry_dirty", "A store leaves its entry young, dirty and writable.",
     promise(kEvery, "admin-guide/mm/pagemap.rst, DIRTY"),
     "arch/x86: _PAGE_DIRTY; mm/memory.c: wp_page_reuse(), wp_page_copy(), do_swap_page()",
     after<Store>([](const Store&, const Transition& t) {
       const Entry now = t.page.is;
       return now.is_present() && now.has(kYoung) && now.has(kDirty) && now.has(kWrite);
     })},
    {"own_page_is_not_copied",
     "A load or a get leaves a mapped page where it is. So does a store or a pin, if nobody "
     "else refers to the page, and mlock() and MADV_POPULATE_*, if it is exclusive.",
     choice(k6_1), "mm/memory.c: do_wp_page(), mm/huge_memory.c: do_huge_pmd_wp_page(): reuse",
     where_changed(after<Looks, Takes>([](const auto& op, const Transition& t) {
       return t.page.frame_is == t.page.frame_was || copies(op, t) != Copies::no;
     })),
     after<Mlock, Populates>([](const auto& op, const Transition& t) {
       for (const auto [mm, page, count] : t.changed.pages()) {
         const Entry& was = entry_of(t.before, mm, page);
         const Pfn pfn = mapped_frame(t.before, mm, page);
         if (mm != op.mm.id || pfn == kNoPfn || !test(t.before, was.frame, PG_anon_exclusive))
           continue;
         if (mapped_frame(t.after, mm, page) != pfn) return false;
       }
       return true;
     })},
    {"shared_page_is_copied_on_store",
     "A store to a page that is not exclusive and that somebody else refers to, or a pin of "
     "it, gets another page.",
     promise(kEvery, "fork(2)"),
     "mm/memory.c: do_wp_page(), mm/huge_memory.c: do_huge_pmd_wp_page(): copy",
     after<Takes>([](const auto& op, const Transition& t) {
       return t.page.frame_is != t.page.frame_was || copies(op, t) != Copies::yes;
     })},
    // What a store brings to a page that had none, or copies, belongs to the VMA, too.
    {"reused_page_moves_home",
     "A page that a store brings, or makes exclusive, belongs to the anon_vma of its VMA.",
     choice(k6_1), "mm/rmap.c: page_move_anon_rmap()",
     after<Store>([](const Store& op, const Transition& t) {
       const Machine& m = t.after;
       const Entry was = t.page.was;
       const Pfn pfn = t.page.frame_is, old = t.page.frame_was;
       const bool exclusive = old != kNoPfn && test(t.before, was.frame, PG_anon_exclusive);
       const bool kept_huge = old != kNoPfn && was.has(kWrite) &&
                              !t.before.pmd(op.mm.id, pmd_index(m, op.page.number)).is_table();
       const bool its_own = pfn == old ? old != kNoPfn && !exclusive && !kept_huge
                                       : pfn != kNoPfn && !was.is_swap() && !was.is_migration();
       if (!its_own || !test(m, t.page.is.frame, PG_anon_exclusive)) return true;
       const Vma* vma = vma_at(m, op.mm.id, op.page.number);
       return vma != nullptr && m.page(page_folio(m, pfn)).anon_vma == vma->anon_vma;
     })},
    // The next VMA is asked first, but it may be asked in vain.
    {"first_anon_vma_is_a_neighbours",
     "The first anon_vma of a VMA is that of the next or else the previous VMA, if that "
     "differs in its protection alone and never saw a fork. Otherwise it is a new one.",
     choice(k6_1), "mm/mmap.c: find_mergeable_anon_vma(), anon_vma_compatible()",
     where_changed(after<Looks, Takes>([](const auto& op, const Transition& t) {
       if (t.changed.delta().vmas() == 0) return true;
       const Machine& m = t.before;
       const int mm = op.mm.id;
       const Vma* vma = vma_at(m, mm, op.page.number);
       const Vma* now = vma_at(t.after, mm, op.page.number);
       if (vma == nullptr || vma->anon_vma != kNoAnonVma) return true;
       if (now == nullptr || now->anon_vma == kNoAnonVma) return true;
       const Vma* prev = vma->start > 0 ? vma_at(m, mm, vma->start - 1) : nullptr;
       const Vma* next = vma->end < m.pages() ? vma_at(m, mm, vma->end) : nullptr;
       if (next && differ_only_in_protection(*vma, *next) && has_only_one_anon_vma(*next))
         return now->anon_vma == next->anon_vma;
       if (prev && differ_only_in_protection(*prev, *vma) && has_only_one_anon_vma(*prev))
         return now->anon_vma == prev->anon_vma;
       return has_only_one_anon_vma(*now) &&
              std::ranges::count(t.after.vmas(mm), now->anon_vma, &Vma::anon_vma) == 1;
     }))},
    // Whoever has isolated a page, or finds it unevictable, takes the mark away again; a huge PMD
    // keeps none.
    {"gup_marks_page_used",
     "A page that a get or a debugger finds below a page table, and on an evictable list, is "
     "marked as used or active.",
     promise(k6_1, "admin-guide/mm/idle_page_tracking.rst, Implementation Details"),
     "mm/gup.c: follow_page_pte(): FOLL_TOUCH, gup_pte_range(): folio_set_referenced()",
     after<Get, StoreForced>([](const auto& op, const Transition& t) {
       const Machine& m = t.before;
       const Pfn was = t.page.frame_was, is = t.page.frame_is;
       if (was == kNoPfn || !m.pmd(op.mm.id, pmd_index(m, op.page.number)).is_table()) return true;
       const Pfn folio = page_folio(m, was);
       if (!test(m, folio, PG_lru) || test(m, folio, PG_unevictable)) return true;
       return is != kNoPfn && test(t.after, page_folio(t.after, is), PG_referenced | PG_active);
     })},
    {"foreign_store_is_marked_dirty",
     "A page that a debugger or a device has stored to is marked dirty.",
     promise(k6_1, "admin-guide/mm/pagemap.rst, DIRTY"),
     "mm/memory.c: __access_remote_vm(); mm/gup.c: unpin_user_pages_dirty_lock()",
     after<StoreForced>([](const StoreForced&, const Transition& t) {
       const Pfn pfn = t.page.frame_is;
       return pfn == kNoPfn || test(t.after, page_folio(t.after, pfn), PG_dirty);
     }),
     after<StoreViaPin>([](const StoreViaPin& op, const Transition& t) {
       const Pfn pfn = t.before.holders[std::size_t(op.holder.id)].pfn;
       return pfn >= t.after.frames() || test(t.after, page_folio(t.after, pfn), PG_dirty);
     })},
    {"first_load_gets_zero_page",
     "A load or a get of anonymous memory that nobody has stored to maps a zero page, unless it "
     "may be huge and the setting wants no huge zero page.",
     promise(kEvery,
             "admin-guide/mm/concepts.rst, Anonymous Memory; admin-guide/mm/transhuge.rst, "
             "use_zero_page"),
     "mm/memory.c: do_anonymous_page(); mm/huge_memory.c: do_huge_pmd_anonymous_page()",
     after<Looks>([](const auto& op, const Transition& t) {
       const Vma* vma = faulting_vma(op, t);
       if (vma == nullptr || !vma->is_anonymous()) return true;
       if (may_fault_huge(op, t, *vma) && !t.before.use_zero_page) return true;
       return t.page.is.is_zero();
     })},
    {"first_access_gets_huge_page",
     "The first access to a block maps a huge page, where that is allowed and one is free.",
     promise(
         k6_1,
         "admin-guide/mm/transhuge.rst, Optimizing the applications; madvise(2), MADV_HUGEPAGE"),
     "mm/memory.c: __handle_mm_fault(): create_huge_pmd()",
     after<Looks, Takes>([](const auto& op, const Transition& t) {
       const Vma* vma = faulting_vma(op, t);
       const bool must = vma != nullptr && may_fault_huge(op, t, *vma) && t.nothing_injected() &&
                         free_blocks(t.before) > 0;
       return !must || is_huge(t.after.pmd(op.mm.id, pmd_index(t.after, op.page.number)));
     })},
    {"uncharged_huge_page_costs_nothing",
     "A load or a store to a block that may be huge succeeds although one charge fails.",
     promise(kEvery,
             "admin-guide/mm/transhuge.rst, thp_fault_fallback_charge; mm/transhuge.rst, "
             "Design principles"),
     "mm/huge_memory.c: __do_huge_pmd_anonymous_page()",
     over<Load, Store>([](const auto& op, const Transition& t) {
       const Vma* vma = faulting_vma(op, t);
       const bool must = vma != nullptr && may_fault_huge(op, t, *vma) &&
                         has_anon_vmas(t.before, *vma) && free_blocks(t.before) > 0 &&
                         t.before.inject == Injections{.fail_charge = 1};
       return !must || t.result != kOom;
     })},
    {"new_locked_page_is_counted_once",
     "An anonymous page that a load or a store brings to a locked VMA is mlocked, once. So is the "
     "first that mlock() brings.",
     promise(k6_1, "mm/unevictable-lru.rst, mlock() handling"),
     "mm/swap.c: lru_cache_add_inactive_or_unevictable(); mm/mlock.c: __mlock_new_page()",
     after<Load, Store>([](const auto& op, const Transition& t) {
       const Vma* vma = faulting_vma(op, t);
       return vma == nullptr || !vma->has(VM_LOCKED) || !vma->is_anonymous() ||
              is_locked_once(t.after, op.mm.id, op.page.number);
     }),
     after<Mlock>([](const Mlock& op, const Transition& t) {
       const Vma* vma = vma_at(t.before, op.mm.id, op.range.first);
       const bool brings = entry_of(t.before, op.mm.id, op.range.first).is_none() &&
                           vma != nullptr && vma->is_anonymous();
       return !brings || is_locked_once(t.after, op.mm.id, op.range.first);
     })},
};

}  // namespace thp
