// Rules about madvise_collapse(). Part of transitions.cc.
#pragma once
#include <cerrno>

#include "oracle/rules/transitions.h"

namespace thp {

// The answers that may be, as one that was given: 0 or an errno.
bool is_answered(unsigned answers, int result);

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
     "MADV_COLLAPSE fails over a page table below which somebody holds a page.",
     promise(kEvery, "core-api/pin_user_pages.rst"),
     "mm/khugepaged.c: is_refcount_suitable(), SCAN_PAGE_COUNT",
     [](const Collapse& c) {
       return !c.t.succeeded() ||
              !held_below_a_table(c.t.before, c.t.counts, c.op.mm.id, c.op.range);
     }},
    {"collapse_succeeds_where_it_can",
     "MADV_COLLAPSE succeeds, if there is memory, where each block is huge, or has a writable "
     "page and only pages on the LRU that nobody holds.",
     promise(k6_1, "madvise(2), MADV_COLLAPSE"),
     "mm/khugepaged.c: hpage_collapse_scan_pmd(), madvise_collapse()",
     [](const Collapse& c) { return c.t.result == 0 || !c.any || c.answers != kCollapsed; }},
    {"collapse_goes_on_after_a_failure",
     "MADV_COLLAPSE goes on behind a block that is held, or has no writable page.", choice(k6_1),
     "mm/khugepaged.c: madvise_collapse(): SCAN_PAGE_RO, SCAN_PAGE_LRU, SCAN_PAGE_COUNT",
     [](const Collapse& c) {
       bool all = true;
       if (!c.t.succeeded())
         for_each_pmd(c.pmds, [&](int mm, int i) { all &= c.t.after.pmd(mm, i).is_present(); });
       return all;
     }},
    {"collapse_says_why_it_failed",
     "MADV_COLLAPSE says of the last block that failed what was in its way: ENOMEM no huge page, "
     "EBUSY no charge for one, EAGAIN a page that is held, isolated or locked, EINVAL no page. "
     "Where none is writable it may fail.",
     promise(k6_1, "madvise(2), MADV_COLLAPSE and ERRORS"),
     "mm/khugepaged.c: madvise_collapse(), madvise_collapse_errno()",
     [](const Collapse& c) {
       if (c.unsuited) return c.t.result == -EINVAL;
       return !c.any || is_answered(c.answers, c.t.result);
     }},
    {"collapse_counters",
     "thp_collapse_alloc counts the huge pages that a collapse has got, whatever became of them, "
     "thp_collapse_alloc_failed those that it could not get.",
     promise(kEvery, "admin-guide/mm/transhuge.rst, Monitoring usage"),
     "mm/khugepaged.c: hpage_collapse_alloc_page()",
     [](const Collapse& c) {
       const int had = c.t.grown(Event::thp_collapse_alloc);
       const int missed = c.t.grown(Event::thp_collapse_alloc_failed);
       if (!c.any || c.t.before.migration.in_flight()) return true;
       return c.least_had <= had && had <= c.most_had && c.least_missed <= missed &&
              missed <= c.most_missed;
     }},
};

}  // namespace thp
