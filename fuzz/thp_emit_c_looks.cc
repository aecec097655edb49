// What user space sees of a machine, in the words of fuzz/emit_c/looks.c. v6.1
// fs/proc/task_mmu.c: pagemap_pmd_range(), smaps_pte_range(), show_smap_vma_flags();
// fs/proc/page.c: stable_page_flags().
#include <fmt/format.h>

#include <algorithm>

#include "fuzz/emit_c.h"
#include "oracle/report/flag_names.h"
#include "oracle/translate.h"

namespace thp {
namespace {

std::string place(int first, int end) {
  return end == first + 1 ? std::to_string(first) : fmt::format("{}..{}", first, end);
}

// A line for each run of pages of which `tell` says the same, and something.
template <class Tell>
std::string runs(const Machine& m, Tell tell) {
  std::string text, now, next = tell(0);
  for (int first = 0, page = 0; page < m.pages(); first = page) {
    now = next;
    for (++page; page < m.pages() && (next = tell(page)) == now;) ++page;
    if (!now.empty()) text += place(first, page) + now + '\n';
  }
  return text;
}

std::string told_page(const Machine& m, int mm, int page, std::uint8_t ignored) {
  const Entry& entry = entry_of(m, mm, page);
  const Vma* vma = vma_at(m, mm, page);
  const bool huge = is_huge(m.pmd(mm, pmd_index(m, page)));
  std::string text;
  if (entry.is_present() || entry.is_zero()) text += " present";
  if (entry.is_swap()) text += " swapped";
  const bool of_a_file = entry.is_present() && is_file_page(m, entry.frame);
  if ((entry.is_zero() && huge) || of_a_file) text += " file";  // what is not anonymous
  const bool soft_dirty = entry.has(kSoftDirty) || (vma != nullptr && vma->has(VM_SOFTDIRTY));
  if (soft_dirty && (ignored & kIgnoreSoftDirty) == 0) text += " soft-dirty";
  const bool exclusive = entry.is_present() && told_mapcount(m, entry.frame) == 1;
  if (exclusive && (ignored & kIgnoreExclusive) == 0) text += " exclusive";
  return text;
}

std::string told_frame(const Machine& m, int mm, int page) {
  const Entry& entry = entry_of(m, mm, page);
  if (entry.is_zero()) {
    if (!is_huge(m.pmd(mm, pmd_index(m, page)))) return " zero";
    return page == pmd_first(m, page) ? " zero thp head" : " zero thp tail";
  }
  const Pfn pfn = mapped_frame(m, mm, page);
  if (pfn == kNoPfn) return {};
  const Pfn folio = page_folio(m, pfn);
  const bool tail = test(m, pfn, PG_tail);
  std::string text;
  if (folio_test_large(m, folio)) text += tail ? " thp tail" : " thp head";
  if (test(m, folio, PG_anon)) text += " anon";
  if (!tail && test(m, folio, PG_swapbacked)) text += " swapbacked";
  if (folio_test_swapcache(m, folio)) text += " swapcache";
  if (!tail && test(m, folio, PG_mlocked)) text += " mlocked";
  if (const int mapped = told_mapcount(m, pfn); mapped != 0)
    text += fmt::format(" mapped={}", mapped);
  return text;
}

struct Kib {
  int rss = 0, anon_huge = 0, shmem_huge = 0, swap = 0;
};
// smaps leaves out huge pages of PROT_NONE: v6.1 mm/huge_memory.c: follow_trans_huge_pmd() takes
// their PMDs for those of NUMA hinting.
Kib kib_of(const Machine& m, int mm, const Vma& vma) {
  Kib kib;
  const bool huge_counts = vma.has(VM_READ | VM_WRITE);
  for (int page = vma.start; page < vma.end; ++page) {
    const Entry& entry = entry_of(m, mm, page);
    if (entry.is_swap()) kib.swap += 4;
    const bool huge = is_huge(m.pmd(mm, pmd_index(m, page)));
    if (!entry.is_present() || (huge && !huge_counts)) continue;
    kib.rss += 4;
    if (huge) (is_file_page(m, entry.frame) ? kib.shmem_huge : kib.anon_huge) += 4;
  }
  return kib;
}

std::string told_vma(const Machine& m, int mm, const Vma& vma) {
  std::string text = fmt::format("{}..{} {}{}-{}", vma.start, vma.end, vma.has(VM_READ) ? 'r' : '-',
                                 vma.has(VM_WRITE) ? 'w' : '-', vma.has(VM_SHARED) ? 's' : 'p');
  const Kib kib = kib_of(m, mm, vma);
  if (kib.rss != 0) text += fmt::format(" Rss={}", kib.rss);
  if (kib.anon_huge != 0) text += fmt::format(" AnonHugePages={}", kib.anon_huge);
  if (kib.shmem_huge != 0) text += fmt::format(" ShmemPmdMapped={}", kib.shmem_huge);
  if (kib.swap != 0) text += fmt::format(" Swap={}", kib.swap);
  for (const auto& [flag, name] : kVmFlagWords)  // the others are told
    if (vma.has(flag & ~(VM_READ | VM_WRITE | VM_SHARED))) text += fmt::format(" {}", name);
  return text + '\n';
}

}  // namespace

std::string pagemap_text(const Machine& m, int mm, const Ignored& ignored) {
  return runs(m, [&](int page) {
    return told_page(m, mm, page, ignored[std::size_t(mm)][std::size_t(page)]);
  });
}

std::string kpageflags_text(const Machine& m, int mm) {
  return runs(m, [&](int page) { return told_frame(m, mm, page); });
}

std::string smaps_text(const Machine& m, int mm) {
  std::string text;
  for (const Vma& vma : m.vmas(mm)) text += told_vma(m, mm, vma);
  return text;
}

// Copies that were saved are counted of every process; and pins only now and then, by a CPU.
bool is_event_told(Event event) {
  return event != Event::pgreuse && event != Event::nr_foll_pin_acquired &&
         event != Event::nr_foll_pin_released;
}

std::string events_text(const Machine& m, bool split_failures_are_free) {
  std::string text;
  for (std::size_t i = 0; i < kEvents; ++i) {
    const bool free = split_failures_are_free && Event(i) == Event::thp_split_page_failed;
    if (m.events[i] != 0 && is_event_told(Event(i)) && !free)
      text += fmt::format("{} {}\n", kEventNames[i], m.events[i]);
  }
  return text;
}

// NAME(WHOSE, first, end, what) for each run of equal pages, which `tell` says as "NAME what"; of
// those of which it says nothing there is none.
template <class Tell>
static std::string calls_of_runs(std::string_view whose, int pages, Tell tell) {
  std::string text;
  for (int first = 0, end; first < pages; first = end) {
    const std::string told = tell(first);
    for (end = first + 1; end < pages && tell(end) == told;) ++end;
    if (told.empty()) continue;
    const std::size_t blank = told.find(' ');
    text += fmt::format("  {}({}, {}, {}, {});\n", told.substr(0, blank), whose, first, end,
                        told.substr(blank + 1));
  }
  return text;
}

// Of a page beyond the end of its file: might a huge page that begins before the end be mapped
// there? A load before may have brought it. See kHugePageBeyondTheEnd in model/defects.h.
static bool may_be_mapped_whole(const Machine& m, const Vma& vma, int page) {
  const int first = pmd_first(m, vma.index_of(page));
  if (first >= m.inodes[vma.file].i_size) return false;
  const Cell cell = m.cell(vma.file, first);
  return cell.is_folio() ? folio_test_large(m, page_folio(m, cell.frame))
                         : m.shmem_enabled != ShmemHuge::never;
}

std::string contents_calls(const Machine& m, const FlatMemory& memory, int mm) {
  const auto tell = [&](int page) -> std::string {
    const Vma* vma = vma_at(m, mm, page);
    if (vma == nullptr || !vma->has(VM_READ)) return "contents SIGSEGV_SEEN";
    if (is_beyond_its_file(m, mm, page))
      return may_be_mapped_whole(m, *vma, page) ? "" : "contents SIGBUS_SEEN";
    if (!vma->is_anonymous()) return fmt::format("contents {}", memory.value(mm, page));
    const int value = std::max(visible(m, mm, page), 0);
    const bool may_be_discarded = !memory.wanted(mm, page) && memory.value(mm, page) != 0;
    return fmt::format("{} {}", may_be_discarded ? "contents_or_zero" : "contents", value);
  };
  return calls_of_runs(std::string(1, char('A' + mm)), m.pages(), tell);
}

// The page behind its end, too.
std::string file_contents_calls(const FlatMemory& memory, int inode) {
  const auto tell = [&](int page) -> std::string {
    if (page == memory.size(inode)) return "file_contents END_OF_FILE";
    return fmt::format("file_contents {}", memory.file_value(inode, page));
  };
  return calls_of_runs(std::to_string(inode), memory.size(inode) + 1, tell);
}

}  // namespace thp
