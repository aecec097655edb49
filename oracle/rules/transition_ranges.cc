// What an op names.
#include "oracle/rules/transitions_of_ranges.h"

#include <bit>

namespace thp {
namespace {

// The folio that is mapped at the page, or that the swap cache has for it.
Pfn folio_named_by(const Transition& t) {
  const Machine& m = t.before;
  const Entry entry = t.page.was;
  Pfn pfn = t.page.frame_was;
  if (entry.is_swap() && entry.frame < m.geometry.swap_slots()) pfn = m.swap(entry.frame).cache;
  return pfn < m.frames() ? page_folio(m, pfn) : kNoPfn;
}

PageRange target_of(const Mremap& op) {
  return {op.to.number, op.to.number + op.size.of(op.range)};
}

PageRange whole_blocks_of(PageRange range, int nr) {
  return {(range.first + nr - 1) / nr * nr, range.end / nr * nr};
}

// Both lists are sorted. Of two VMAs that merge one may lose VM_SOFTDIRTY.
bool flags_change_in_range(const Transition& t, const Named& named, int mm) {
  const std::uint32_t kept = mm == named.mm ? ~std::uint32_t{VM_SOFTDIRTY} : ~std::uint32_t{0};
  const auto old = t.before.vmas(mm), now = t.after.vmas(mm);
  for (auto was = old.begin(), is = now.begin(); was != old.end() && is != now.end();) {
    const int first = std::max(was->start, is->start), end = std::min(was->end, is->end);
    const bool differ = first < end && ((was->flags ^ is->flags) & kept) != 0;
    if (differ && !named.has_all(mm, first, end)) return false;
    was->end < is->end ? ++was : ++is;
  }
  return true;
}

}  // namespace

Named named_by(const Transition& t) {
  Named named{.swapped = t.over<Swapoff>()};
  const PageRange all{0, t.before.pages()};
  visit_op(
      [&]<class O>(const O& op) {
        if constexpr (requires { op.mm; }) named.mm = op.mm.id;
        if constexpr (requires {
                        op.mm;
                        op.range;
                      })
          named.pages = op.range;
        if constexpr (requires {
                        op.mm;
                        op.page;
                      })
          named.pages = {op.page.number, op.page.number + 1};
        if constexpr (std::is_same_v<O, Fork>) named.mm = op.child.id;
        if constexpr (std::is_same_v<O, Fork> || std::is_same_v<O, Exit>) named.pages = all;
        if constexpr (times_in<O>(Remaps{}) > 0) named.target = target_of(as_mremap(op));
        if constexpr (times_in<O>(Collapses{}) > 0)
          named.pages = whole_blocks_of(op.range, t.before.hpage_nr());
        if constexpr (times_in<O>(Joined<Reclaim, Migrates>{}) > 0 && requires { op.page; })
          named.folio = folio_named_by(t);
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

bool vmas_change_in_range(const Transition& t) {
  if (t.changed.delta().vmas() == 0) return true;
  const Named named = named_by(t);
  for (unsigned left = t.changed.delta().vmas(); left != 0; left &= left - 1)
    if (!flags_change_in_range(t, named, std::countr_zero(left))) return false;
  return true;
}

bool is_unmapped_in_part(const PmdStep& p) {
  const int first = p.i * p.t.before.hpage_nr();
  if (!is_unmapped_by_a_split(p.t, p.mm, first) || p.t.over<Unmaps, Remaps>()) return false;
  for (int page = first; page < first + p.t.before.hpage_nr(); ++page)
    if (is_cut_off(p.t, p.mm, page)) return false;
  return true;
}

// Who tries to split a folio splits its PMDs first, and so does reclaim. Where somebody had to wait
// for a migration its end may have split the page.
bool has_cause_to_split(const PmdStep& p) {
  const Transition& t = p.t;
  const int tried = t.grown(Event::thp_split_page) + t.grown(Event::thp_split_page_failed);
  if (tried > 0 || t.over<Remaps, WritesOut>()) return true;
  if (p.was.is_migration() && t.over<Looks, Takes, Mlock, Populates>()) return true;
  if (t.over<Looks, MadvisePopulateRead>()) return false;
  const int first = p.i * t.before.hpage_nr(), end = first + t.before.hpage_nr();
  const Named named = named_by(t);
  const bool meant = named.overlaps(p.mm, first, end), all = named.has_all(p.mm, first, end);
  const bool is_own =
      p.was.has(kWrite) || (p.was.is_present() && test(t.before, p.was.frame, PG_anon_exclusive));
  if (t.over<MadviseNohugepage>()) return meant;  // 6.1 leaves it; the manual says that it goes
  if (t.over<Takes, MadvisePopulateWrite>()) return meant && !is_own;
  if (const auto* fork = std::get_if<Fork>(&t.op))
    return fork->mm.id == p.mm && p.was.is_present() && is_pinned(t.before, p.was.frame);
  return meant && (!all || (!is_own && (t.over<Mlock>() || populates_locked(t))));
}

}  // namespace thp
