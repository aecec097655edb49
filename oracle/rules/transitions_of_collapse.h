// Rules about madvise_collapse(). Part of transitions.cc.
#pragma once
#include <cerrno>

#include "oracle/rules/transitions.h"

namespace thp {

bool collapse_says_why(const MadviseCollapse& op, const Transition& t);

inline constexpr RuleOf<Collapse> kCollapseRules[] = {
    {"collapse_success_means_all_huge",
     "After MADV_COLLAPSE has succeeded a PMD maps each aligned block of the range.",
     promise(kEvery, "madvise(2), MADV_COLLAPSE"), "mm/khugepaged.c: madvise_collapse()",
     [](const Collapse& c) {
       bool all = true;
       if (c.t.succeeded())
         for_each_whole_pmd(c.t.after, c.op.mm.id, c.op.range.first, c.op.range.end, [&](int i) {
           const Entry& pmd = c.t.after.pmd(c.op.mm.id, i);
           all &= pmd.is_present() || pmd.is_zero();
         });
       return all;
     }},
    {"held_block_is_not_collapsed",
     "MADV_COLLAPSE fails over a page table below which somebody holds a page, with EAGAIN if "
     "nothing else is in its way.",
     promise(kEvery, "core-api/pin_user_pages.rst; madvise(2), EAGAIN"),
     "mm/khugepaged.c: is_refcount_suitable(), SCAN_PAGE_COUNT",
     [](const Collapse& c) {
       const bool again = c.any && c.all && c.certain && c.is_held && !c.read_only;
       if (again && c.t.result != -EAGAIN) return false;
       return !c.t.succeeded() ||
              !held_below_a_table(c.t.before, c.t.counts, c.op.mm.id, c.op.range);
     }},
    {"collapse_succeeds_where_it_can",
     "MADV_COLLAPSE succeeds, if there is memory, where each block is huge, or has a writable "
     "page and only pages on the LRU that nobody holds.",
     promise(k6_1, "madvise(2), MADV_COLLAPSE"),
     "mm/khugepaged.c: hpage_collapse_scan_pmd(), madvise_collapse()",
     [](const Collapse& c) {
       return c.t.result == 0 || !(c.any && c.all && c.certain) || c.is_held || c.read_only;
     }},
    {"collapse_goes_on_after_a_failure",
     "MADV_COLLAPSE goes on behind a block that is held, or has no writable page.", choice(k6_1),
     "mm/khugepaged.c: madvise_collapse(): SCAN_PAGE_RO, SCAN_PAGE_LRU, SCAN_PAGE_COUNT",
     [](const Collapse& c) {
       bool all = true;
       if (!c.t.succeeded() && c.known && c.certain)
         for_each_pmd(c.pmds, [&](int mm, int i) { all &= c.t.after.pmd(mm, i).is_present(); });
       return all;
     }},
    {"collapse_says_why_it_failed",
     "MADV_COLLAPSE fails for a reason that can be, and with its errno: ENOMEM, EBUSY, EAGAIN "
     "or EINVAL.",
     promise(k6_1, "madvise(2), MADV_COLLAPSE and ERRORS"),
     "mm/khugepaged.c: madvise_collapse_errno(), find_pmd_or_thp_or_none(), "
     "__collapse_huge_page_swapin()",
     [](const Collapse& c) {
       if (c.unsuited) return c.t.result == -EINVAL;
       return !c.any || !c.blocks || c.t.succeeded() || collapse_says_why(c.op, c.t);
     }},
};

}  // namespace thp
