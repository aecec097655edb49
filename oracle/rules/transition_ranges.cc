// What an op names.
#include "oracle/rules/transitions_of_ranges.h"

namespace thp {
namespace {

// The folio that is mapped at a page, or that the swap cache has for it.
Pfn folio_at(const Transition& t, const auto& op) {
  const Machine& m = t.before;
  const Entry entry = t.was(op);
  Pfn pfn = t.frame_was(op);
  if (entry.is_swap() && entry.frame < m.geometry.swap_slots()) pfn = m.swap(entry.frame).cache;
  return pfn < m.frames() ? page_folio(m, pfn) : kNoPfn;
}

PageRange target_of(const Mremap& op) {
  const int size = op.size.pages == 0 ? op.range.size() : op.size.pages;
  return {op.to.number, op.to.number + size};
}

PageRange whole_blocks_of(PageRange range, int nr) {
  return {(range.first + nr - 1) / nr * nr, range.end / nr * nr};
}

}  // namespace

Named named_by(const Transition& t) {
  Named named{.swapped = t.over<Swapoff>()};
  const PageRange all{0, t.before.pages()};
  visit_op(
      [&]<class O>(const O& op) {
        if constexpr (requires { op.mm; }) named.mm = op.mm.id;
        if constexpr (requires { op.range; }) named.pages = op.range;
        if constexpr (requires { op.page; }) named.pages = {op.page.number, op.page.number + 1};
        if constexpr (std::is_same_v<O, Fork>) named.mm = op.child.id;
        if constexpr (std::is_same_v<O, Fork> || std::is_same_v<O, Exit>) named.pages = all;
        if constexpr (std::is_same_v<O, Mremap>) named.target = target_of(op);
        if constexpr (times_in<O>(Collapses{}) > 0)
          named.pages = whole_blocks_of(op.range, t.before.hpage_nr());
        if constexpr (times_in<O>(Joined<Reclaim, Migrates>{}) > 0 && requires { op.page; })
          named.folio = folio_at(t, op);
      },
      t.op);
  return named;
}

bool overlooked_by_advice(const Transition& t, const Entry& was) {
  const Machine& m = t.before;
  if (!t.over<Walks>() || !was.is_present() || was.frame >= m.frames()) return false;
  const Pfn folio = page_folio(m, was.frame);
  if (!folio_test_large(m, folio) || t.counts.frame(folio).ptes > 0) return false;
  bool is = false;
  visit_one_of(Walks{}, t.op, [&](const auto& op) {
    for_each_whole_pmd(m, op.mm.id, op.range.first, op.range.end, [&](int i) {
      const Entry& pmd = m.pmd(op.mm.id, i);
      is |= pmd.is_present() && pmd.frame == folio;
    });
  });
  return is;
}

// Of two VMAs that merge one may lose VM_SOFTDIRTY.
bool vmas_change_in_range(const Transition& t) {
  if (!t.changed.unstamped()) return true;
  const Named named = named_by(t);
  for (int mm = 0; mm < t.after.geometry.mms; ++mm) {
    const std::uint32_t kept = mm == named.mm ? ~std::uint32_t{VM_SOFTDIRTY} : ~std::uint32_t{0};
    for (const Vma& was : t.before.vmas(mm))
      for (const Vma& is : t.after.vmas(mm)) {
        const int first = std::max(was.start, is.start), end = std::min(was.end, is.end);
        if (first >= end || ((was.flags ^ is.flags) & kept) == 0) continue;
        if (!named.has_all(mm, first, end)) return false;
      }
  }
  return true;
}

// Who tries to split a folio splits its PMDs first, and so does reclaim. Where somebody had to wait
// for a migration its end may have split the page.
bool has_cause_to_split(const PmdStep& p) {
  const Transition& t = p.t;
  const int tried = t.grown(Event::thp_split_page) + t.grown(Event::thp_split_page_failed);
  if (tried > 0 || t.over<Mremap, WritesOut>()) return true;
  if (p.was.is_migration() && t.over<Looks, Takes, Mlock>()) return true;
  if (t.over<Looks>()) return false;
  const int first = p.i * t.before.hpage_nr(), end = first + t.before.hpage_nr();
  const Named named = named_by(t);
  const bool meant = named.overlaps(p.mm, first, end), all = named.has_all(p.mm, first, end);
  const bool is_own =
      p.was.has(kWrite) || (p.was.is_present() && test(t.before, p.was.frame, PG_anon_exclusive));
  if (t.over<MadviseNohugepage>()) return meant;  // 6.1 leaves it; the manual says that it goes
  if (t.over<Takes>()) return meant && !is_own;
  if (const auto* fork = std::get_if<Fork>(&t.op))
    return fork->mm.id == p.mm && p.was.is_present() && is_pinned(t.before, p.was.frame);
  return meant && (!all || (!is_own && (t.over<Mlock>() || populates_locked(t))));
}

}  // namespace thp
