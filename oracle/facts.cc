// The table of facts: what each reads in the machine.
#include "oracle/expect.h"
#include "oracle/translate.h"

#include <algorithm>

namespace thp {
namespace {

using Found = std::optional<int>;

// --- What is behind a page.

bool is_huge(const Machine& m, int mm, int page) {
  return !m.pmd(mm, pmd_index(m, page)).is_table();
}

Entry entry_at(const Machine& m, int mm, int page) {
  return is_huge(m, mm, page) ? m.pmd(mm, pmd_index(m, page)) : m.pte(mm, page);
}

Mapping mapping_at(const Machine& m, int mm, int page) {
  const bool huge = is_huge(m, mm, page);
  switch (entry_at(m, mm, page).kind) {
    case EntryKind::present:
      return huge ? Mapping::huge : Mapping::pte;
    case EntryKind::zero:
      return huge ? Mapping::huge_zero : Mapping::zero;
    case EntryKind::swap:
      return Mapping::swap;
    case EntryKind::migration:
      return Mapping::migration;
    default:
      return Mapping::none;
  }
}

// The sub-page behind a page: mapped, in migration, or in the swap cache; behind a page of a file:
// in the page cache; else kNoPfn.
Pfn pfn_at(const Machine& m, int mm, int page) {
  const Entry entry = entry_at(m, mm, page);
  if (entry.is_none()) return kNoPfn;
  if (entry.is_swap()) return m.swap(entry.frame).cache;
  return Pfn(is_huge(m, mm, page) ? entry.frame + (page & (m.hpage_nr() - 1)) : entry.frame);
}

Pfn pfn_at(const Machine& m, About at) {
  if (!at.of_file) return pfn_at(m, at.id, at.page);
  const Cell cell = m.cell(at.id, at.page);
  return cell.is_folio() ? cell.frame : kNoPfn;
}

int content_at(const Machine& m, int mm, int page) {
  const Entry entry = entry_at(m, mm, page);
  const Pfn pfn = pfn_at(m, mm, page);
  if (pfn != kNoPfn) return m.page(pfn).content;
  return entry.is_swap() ? m.swap(entry.frame).content : 0;
}

// v6.1 mm/util.c: folio_mapcount(). A PMD counts in each page of a file, too.
int total_mapcount_of(const Machine& m, Pfn folio) {
  if (!folio_test_large(m, folio)) return m.page(folio).mapcount + 1;
  const int pmds = m.compound(folio).mapcount + 1;
  const int twice = test(m, folio, PG_anon) ? int(m.compound(folio).double_map) : pmds;
  int total = pmds - twice * m.hpage_nr();
  for (int i = 0; i < m.hpage_nr(); ++i) total += m.page(Pfn(folio + i)).mapcount + 1;
  return total;
}

// PG_anon_exclusive: of a huge PMD the head's; of swap and migration entries what the entry keeps.
Found exclusive_at(const Machine& m, int mm, int page) {
  const Entry entry = entry_at(m, mm, page);
  if (entry.is_swap()) return entry.has(kExclusive);
  if (entry.is_migration()) return entry.has(kExclusive | kWrite);
  if (!entry.is_present()) return std::nullopt;
  return test(m, entry.frame, PG_anon_exclusive);
}

// Getters: of the sub-page behind a page; of its folio; of what only a large folio has, 0 for a
// small one; of its entry; of an address space; of the machine.
template <int (*get)(const Machine&, Pfn)>
Found of_page(const Machine& m, int, About at) {
  const Pfn pfn = pfn_at(m, at);
  if (pfn == kNoPfn) return std::nullopt;
  return get(m, pfn);
}
template <int (*get)(const Machine&, Pfn)>
Found of_folio(const Machine& m, int, About at) {
  const Pfn pfn = pfn_at(m, at);
  if (pfn == kNoPfn) return std::nullopt;
  return get(m, page_folio(m, pfn));
}
template <auto field>
Found of_compound(const Machine& m, int, About at) {
  const Pfn pfn = pfn_at(m, at);
  if (pfn == kNoPfn) return std::nullopt;
  const Pfn folio = page_folio(m, pfn);
  return folio_test_large(m, folio) ? int(m.compound(folio).*field) : 0;
}
template <Bits flag>
int flag_of(const Machine& m, Pfn folio) {
  return test(m, folio, flag);
}
template <std::uint8_t bit>
Found of_entry(const Machine& m, int, About at) {
  const Entry entry = entry_at(m, at.id, at.page);
  if (entry.is_none()) return std::nullopt;
  return entry.has(bit);
}
template <auto field>
Found of_mm(const Machine& m, int, About about) {
  return m.mms[std::size_t(about.id)].*field;
}
template <auto field>
Found of_inode(const Machine& m, int, About about) {
  return m.inodes[std::size_t(about.id)].*field;
}
template <auto field>
Found of_machine(const Machine& m, int, About) {
  return m.*field;
}

int entire_mapcount_of(const Machine& m, Pfn folio) {  // compound_mapcount()
  return folio_test_large(m, folio) ? m.compound(folio).mapcount + 1 : 0;
}
int content_of(const Machine& m, Pfn pfn) { return m.page(pfn).content; }
int refcount_of(const Machine& m, Pfn folio) { return m.page(folio).refcount; }
int raw_mapcount_of(const Machine& m, Pfn pfn) { return m.page(pfn).mapcount; }
// v6.1: a small page has no pincount of its own; a pin is GUP_PIN_COUNTING_BIAS references.
int pincount_of(const Machine& m, Pfn folio) {
  return folio_test_large(m, folio) ? m.compound(folio).pincount
                                    : m.page(folio).refcount / kGupPinCountingBias;
}

Found swap_count(const Machine& m, int, About at) {
  const Entry entry = entry_at(m, at.id, at.page);
  return entry.is_swap() ? Found(m.swap(entry.frame).count) : std::nullopt;
}

// What /proc/PID/pagemap tells of any place, kPagemapNames. v6.1 fs/proc/task_mmu.c:
// pagemap_pmd_range(), pte_to_pagemap_entry(), pagemap_pte_hole(). The page of a PMD is its head;
// the 4K zero page counts as none.
int pagemap_at(const Machine& m, int mm, int page) {
  const Vma* vma = vma_at(m, mm, page);
  if (vma == nullptr) return 0;
  const Entry entry = entry_at(m, mm, page);
  const bool huge_zero = entry.is_zero() && is_huge(m, mm, page);
  int told = 0;
  if (entry.is_present() || entry.is_zero()) told |= kToldPresent;
  if (entry.is_swap() || entry.is_migration()) told |= kToldSwapped;
  const bool of_a_file = entry.is_present() && !test(m, page_folio(m, entry.frame), PG_anon);
  if (huge_zero || of_a_file) told |= kToldFile;
  if (entry.is_present() && told_mapcount(m, entry.frame) == 1) told |= kToldExclusive;
  if (entry.has(kSoftDirty) || vma->has(VM_SOFTDIRTY)) told |= kToldSoftDirty;
  return told;
}

int vm_flags_told(const Vma& vma) {
  int told = 0;
  for (std::size_t i = 0; i < std::size(kVmFlagWords); ++i)
    told |= int(vma.has(kVmFlagWords[i].first)) << i;
  return told;
}

int frames_used(const Machine& m) {
  int frames = 0;
  for (int pfn = 0; pfn < m.frames(); ++pfn) frames += !(m.page(Pfn(pfn)) == Page{});
  return frames;
}

// By its place in kDefectNames: in the last op, or, of one that ends the trace, ever.
bool has_struck(const Machine& m, int name) {
  if (name == 0) return m.defect == nullptr && m.strikes.all().empty();
  const Defect* defect = kDefects[std::size_t(name - 1)];
  return m.defect == defect || m.strikes.has(*defect);
}

constexpr Fact kFacts[] = {
    {"result", Subject::nothing, Answer::result, "what the caller of the op saw",
     [](const Machine&, int result, About) -> Found { return result; }},
    {"reason", Subject::nothing, Answer::reason, "the kernel's verdict inside the op",
     [](const Machine& m, int, About) -> Found { return int(m.reason); }},
    {"page", Subject::page, Answer::mapping, "how the page is mapped",
     [](const Machine& m, int, About at) -> Found { return int(mapping_at(m, at.id, at.page)); }},
    {"value", Subject::page, Answer::number,
     "the content behind the entry, also of a swap or migration entry; 0 of none",
     [](const Machine& m, int, About at) -> Found { return content_at(m, at.id, at.page); }},
    {"cell", Subject::cell, Answer::cell_kind, "what the page cache has for the page of the file",
     [](const Machine& m, int, About at) -> Found { return int(m.cell(at.id, at.page).kind); }},
    {"content", Subject::page_or_cell, Answer::number, "the content of the page that is there",
     of_page<content_of>},
    {"same_frame", Subject::two_pages, Answer::flag, "is the same frame behind both pages?",
     [](const Machine& m, int, About at) -> Found {
       const Pfn one = pfn_at(m, at.id, at.page), other = pfn_at(m, at.other_id, at.other_page);
       if (one == kNoPfn || other == kNoPfn) return std::nullopt;
       return one == other;
     }},
    {"pagemap", Subject::page, Answer::told, "what /proc/PID/pagemap tells of the page, all of it",
     [](const Machine& m, int, About at) -> Found { return pagemap_at(m, at.id, at.page); }},
    {"vmflags", Subject::page, Answer::vm_flags,
     "VmFlags of /proc/PID/smaps where the page is mapped, all of them; mr, mw, me and ms say "
     "nothing",
     [](const Machine& m, int, About at) -> Found {
       const Vma* vma = vma_at(m, at.id, at.page);
       return vma == nullptr ? Found() : vm_flags_told(*vma);
     }},
    {"refcount", Subject::page_or_cell, Answer::number, "_refcount of the folio",
     of_folio<refcount_of>},
    {"mapcount", Subject::page_or_cell, Answer::number, "page_mapcount() of the sub-page",
     of_page<told_mapcount>},
    {"told_exclusive", Subject::page, Answer::flag,
     "bit 56 of pagemap: is the page mapped once? Of a PMD the head's",
     [](const Machine& m, int, About at) -> Found {
       const Entry entry = entry_at(m, at.id, at.page);
       if (!entry.is_present()) return std::nullopt;
       return told_mapcount(m, entry.frame) == 1;
     }},
    {"raw_mapcount", Subject::page_or_cell, Answer::number, "_mapcount of the sub-page: from -1",
     of_page<raw_mapcount_of>},
    {"total_mapcount", Subject::page_or_cell, Answer::number,
     "folio_mapcount(): all mappings of the folio", of_folio<total_mapcount_of>},
    {"entire_mapcount", Subject::page_or_cell, Answer::number,
     "compound_mapcount(): PMDs that map the large folio", of_folio<entire_mapcount_of>},
    {"pincount", Subject::page_or_cell, Answer::number,
     "compound_pincount; of a small page refcount / 1024", of_folio<pincount_of>},
    {"large", Subject::page_or_cell, Answer::flag, "is the folio a huge page?",
     of_folio<flag_of<PG_head>>},
    {"double_map", Subject::page_or_cell, Answer::flag, "PageDoubleMap of the large folio",
     of_compound<&Compound::double_map>},
    {"deferred", Subject::page_or_cell, Answer::flag,
     "is the large folio on the deferred split queue?", of_compound<&Compound::deferred>},
    {"exclusive", Subject::page, Answer::flag,
     "PageAnonExclusive: of a PMD the head's; of a swap or migration entry its own",
     [](const Machine& m, int, About at) { return exclusive_at(m, at.id, at.page); }},
    {"dirty", Subject::page_or_cell, Answer::flag, "PG_dirty of the folio",
     of_folio<flag_of<PG_dirty>>},
    {"uptodate", Subject::page_or_cell, Answer::flag, "PG_uptodate of the folio",
     of_folio<flag_of<PG_uptodate>>},
    {"lru", Subject::page_or_cell, Answer::flag, "PG_lru of the folio", of_folio<flag_of<PG_lru>>},
    {"active", Subject::page_or_cell, Answer::flag, "PG_active of the folio",
     of_folio<flag_of<PG_active>>},
    {"referenced", Subject::page_or_cell, Answer::flag, "PG_referenced of the folio",
     of_folio<flag_of<PG_referenced>>},
    {"swapcache", Subject::page_or_cell, Answer::flag, "is the folio in the swap cache?",
     of_folio<flag_of<PG_swapcache>>},
    {"swapbacked", Subject::page_or_cell, Answer::flag, "PG_swapbacked; 0 after MADV_FREE",
     of_folio<flag_of<PG_swapbacked>>},
    {"writeback", Subject::page_or_cell, Answer::flag, "PG_writeback of the folio",
     of_folio<flag_of<PG_writeback>>},
    {"mlocked", Subject::page_or_cell, Answer::flag, "PG_mlocked of the folio",
     of_folio<flag_of<PG_mlocked>>},
    {"writable", Subject::page, Answer::flag, "the entry's write bit", of_entry<kWrite>},
    {"young", Subject::page, Answer::flag, "the entry's accessed bit", of_entry<kYoung>},
    {"entry_dirty", Subject::page, Answer::flag, "the entry's dirty bit", of_entry<kDirty>},
    {"soft_dirty", Subject::page, Answer::flag, "the entry's soft-dirty bit", of_entry<kSoftDirty>},
    {"swap_count", Subject::page, Answer::number, "swap_map of the swap entry's slot", swap_count},
    {"rss", Subject::mm, Answer::number, "MM_ANONPAGES", of_mm<&Mm::anon_pages>},
    {"rss_shmem", Subject::mm, Answer::number, "MM_SHMEMPAGES", of_mm<&Mm::shmem_pages>},
    {"swapents", Subject::mm, Answer::number, "MM_SWAPENTS", of_mm<&Mm::swap_entries>},
    {"nr_ptes", Subject::mm, Answer::number, "page tables, deposited ones included",
     of_mm<&Mm::nr_ptes>},
    {"vmas", Subject::mm, Answer::number, "map_count", of_mm<&Mm::map_count>},
    {"locked_vm", Subject::mm, Answer::number, "mm->locked_vm: pages of locked VMAs",
     [](const Machine& m, int, About about) -> Found { return locked_vm(m, about.id); }},
    {"thp_disabled", Subject::mm, Answer::flag, "MMF_DISABLE_THP: PR_GET_THP_DISABLE",
     of_mm<&Mm::thp_disabled>},
    {"event", Subject::event, Answer::number, "a counter of /proc/vmstat, since the trace began",
     [](const Machine& m, int, About about) -> Found {
       return int(m.events[std::size_t(about.id)]);
     }},
    {"anon_mapped", Subject::nothing, Answer::number, "NR_ANON_MAPPED, pages",
     of_machine<&Machine::nr_anon_mapped>},
    {"anon_thps", Subject::nothing, Answer::number, "NR_ANON_THPS, pages",
     of_machine<&Machine::nr_anon_thps>},
    {"mlocked_pages", Subject::nothing, Answer::number, "NR_MLOCK, pages",
     [](const Machine& m, int, About) -> Found { return nr_mlock(m); }},
    {"swapcache_pages", Subject::nothing, Answer::number, "NR_SWAPCACHE, pages",
     of_machine<&Machine::nr_swapcache>},
    {"i_size", Subject::file, Answer::number, "the size of the file, in pages",
     of_inode<&Inode::i_size>},
    {"fallocend", Subject::file, Answer::number, "where fallocate() ended in the file",
     of_inode<&Inode::fallocend>},
    {"nrpages", Subject::file, Answer::number, "pages of the file in the page cache",
     of_inode<&Inode::nrpages>},
    {"blocks", Subject::file, Answer::number, "st_blocks of the file: 8 for a page",
     [](const Machine& m, int, About about) -> Found {
       return 8 * m.inodes[std::size_t(about.id)].alloced;
     }},
    {"shrinklist", Subject::file, Answer::flag,
     "is the file on the list of the shrinker, as its last huge page may reach beyond its end?",
     of_inode<&Inode::on_shrinklist>},
    {"shmem_pages", Subject::nothing, Answer::number, "NR_SHMEM, pages",
     of_machine<&Machine::nr_shmem>},
    {"shmem_thps", Subject::nothing, Answer::number,
     "NR_SHMEM_THPS, pages: ShmemHugePages of /proc/meminfo", of_machine<&Machine::nr_shmem_thps>},
    {"shmem_pmdmapped", Subject::nothing, Answer::number,
     "NR_SHMEM_PMDMAPPED, pages: ShmemPmdMapped of /proc/meminfo",
     of_machine<&Machine::nr_shmem_pmdmapped>},
    {"file_mapped", Subject::nothing, Answer::number, "NR_FILE_MAPPED, pages",
     of_machine<&Machine::nr_file_mapped>},
    {"frames_used", Subject::nothing, Answer::number, "frames that are not free",
     [](const Machine& m, int, About) -> Found { return frames_used(m); }},
    {"deferred_len", Subject::nothing, Answer::number, "folios on the deferred split queue",
     of_machine<&Machine::deferred_len>},
    {"huge_zero_refcount", Subject::nothing, Answer::number, "huge_zero_refcount",
     of_machine<&Machine::huge_zero_refcount>},
    {"defect", Subject::defect, Answer::yes,
     "the defect of the kernel itself that the op met; or none",
     [](const Machine& m, int, About about) -> Found { return has_struck(m, about.id); }},
    {"holder", Subject::holder, Answer::holder_kind, "what the holder holds",
     [](const Machine& m, int, About about) -> Found {
       return int(m.holders[std::size_t(about.id)].kind);
     }},
};

}  // namespace

std::span<const Fact> facts() { return kFacts; }

}  // namespace thp
