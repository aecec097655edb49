// Four levels, as x86-64 boots with no5lvl; the PMD table is known, see find_space().
#include "oracle/live/guest/page_tables.h"

#include "oracle/live/guest/settings.h"
#include "oracle/live/guest/workers.h"
#include "oracle/live/guest/x86_entries.h"
#include "oracle/live/runs.h"

namespace thp::live {
namespace {

constexpr int kPtes = 512;

EntryRun run_of_present(std::uint64_t entry, std::uint32_t pfn, std::uint32_t zero_pfn) {
  const bool zero = pfn == zero_pfn;
  return {.kind = zero ? EntryKind::zero : EntryKind::present,
          .bits = x86::bits_of_present(entry),
          .frame = zero ? kNoFrame : pfn};
}

EntryRun run_of_other(std::uint64_t entry) {
  if (x86::is_migration(entry))
    return {.kind = EntryKind::migration,
            .bits = x86::bits_of_migration(entry),
            .frame = x86::migration_pfn(entry)};
  return {.kind = EntryKind::swap,
          .bits = x86::bits_of_swap(entry),
          .frame = std::uint32_t(x86::swp_offset(entry)) - kFirstSlot};
}

EntryRun run_of_pmd(std::uint64_t entry, std::uint32_t huge_zero_pfn) {
  if (x86::is_table(entry)) return {.kind = EntryKind::table};
  return x86::is_pmd_present(entry) ? run_of_present(entry, x86::huge_pfn_of(entry), huge_zero_pfn)
                                    : run_of_other(entry);
}

EntryRun run_of_pte(std::uint64_t entry, std::uint32_t zero_pfn) {
  return x86::is_present(entry) ? run_of_present(entry, x86::pfn_of(entry), zero_pfn)
                                : run_of_other(entry);
}

}  // namespace

void read_tables(const Kernel& kernel, const Space& space, int pmds, Tables& tables) {
  const std::uint64_t at = space.pmd_table + 8 * (kBase >> 21 & 511);
  tables.pmds = {};
  kernel.memory.read(at, tables.pmds.data(), 8 * std::size_t(pmds));
  for (int i = 0; i < pmds; ++i) {
    const std::uint64_t pmd = tables.pmds[std::size_t(i)];
    auto& ptes = tables.ptes[std::size_t(i)];
    if (x86::is_table(pmd) &&
        !kernel.memory.read(kernel.frame(x86::pfn_of(pmd)), ptes.data(), sizeof ptes))
      ptes = {};
  }
}

void append_entries(const Kernel& kernel, const Tables& tables, int pmds, int mm,
                    std::uint32_t huge_zero_pfn, std::vector<EntryRun>& entries) {
  const auto append = [&](EntryRun run, bool huge, int page) {
    run.mm = std::uint8_t(mm);
    run.huge = huge;
    run.page = std::uint16_t(page);
    append_run(entries, run);
  };
  for (int i = 0; i < pmds; ++i) {
    const std::uint64_t pmd = tables.pmds[std::size_t(i)];
    if (x86::is_none(pmd)) continue;
    append(run_of_pmd(pmd, huge_zero_pfn), true, i * kPtes);
    if (!x86::is_table(pmd)) continue;
    for (int n = 0; n < kPtes; ++n) {
      const std::uint64_t pte = tables.ptes[std::size_t(i)][std::size_t(n)];
      if (x86::is_none(pte)) continue;
      append(run_of_pte(pte, kernel.zero_pfn), false, i * kPtes + n);
    }
  }
}

// v6.1 mm/pgtable-generic.c: pgtable_trans_huge_deposit(): a ring of page tables through their lru,
// the PMD table's struct page points to one of them.
int count_deposits(const Kernel& kernel, const Space& space) {
  const auto& layout = kernel.page;
  const auto pfn = std::uint32_t((space.pmd_table - kernel.direct_map) >> 12);
  const auto first = kernel.memory.get<std::uint64_t>(kernel.page_struct(pfn) +
                                                      std::uint64_t(layout.pmd_huge_pte));
  if (first == 0) return 0;
  int count = 0;
  std::uint64_t page = first;
  do {
    const std::uint64_t lru = page + std::uint64_t(layout.lru);
    page = kernel.memory.get<std::uint64_t>(lru) - std::uint64_t(layout.lru);
  } while (++count < 64 && page != first);
  return count;
}

std::uint32_t frame_at(const Tables& tables, int page) {
  const std::uint64_t pmd = tables.pmds[std::size_t(page / kPtes)];
  if (x86::is_none(pmd)) return kNoFrame;
  if (!x86::is_table(pmd))
    return x86::is_pmd_present(pmd) ? x86::huge_pfn_of(pmd) + std::uint32_t(page % kPtes)
                                    : kNoFrame;
  const std::uint64_t pte = tables.ptes[std::size_t(page / kPtes)][std::size_t(page % kPtes)];
  return !x86::is_none(pte) && x86::is_present(pte) ? x86::pfn_of(pte) : kNoFrame;
}

}  // namespace thp::live
