// struct page of v6.1 include/linux/mm_types.h: what a large folio says of itself stands in its
// first and second tail.
#include "oracle/live/guest/folios.h"

#include <algorithm>

#include "oracle/live/guest/settings.h"
#include "oracle/live/guest/workers.h"
#include "oracle/live/guest/x86_entries.h"
#include "oracle/live/runs.h"

namespace thp::live {
namespace {

constexpr std::uint32_t kWholeBlockFrom = 8;  // frames in a row: a large folio is likely

template <class T>
T member(const std::byte* page, int offset) {
  T value;
  std::memcpy(&value, page + offset, sizeof value);
  return value;
}

bool is_tail(const PageLayout& at, const std::byte* page) {
  return (member<std::uint64_t>(page, at.compound_head) & 1) != 0;
}

std::uint32_t head_of(const Kernel& kernel, PageStructs& structs, std::uint32_t pfn) {
  const auto head = member<std::uint64_t>(structs.at(pfn), kernel.page.compound_head);
  return (head & 1) == 0 ? pfn : kernel.pfn_of_page_struct(head - 1);
}

// Flags that say the same are translated once.
class FlagBits {
 public:
  explicit FlagBits(const PageLayout& layout) : layout_(layout) {}
  Bits operator()(std::uint64_t flags) {
    if (flags != last_) {
      last_ = flags;
      bits_ = 0;
      for (const auto& [bit, of_model] : layout_.bits)
        if ((flags >> bit & 1) != 0) bits_ |= of_model;
    }
    return bits_;
  }

 private:
  const PageLayout& layout_;
  std::uint64_t last_ = 0;
  Bits bits_ = 0;
};

// PAGE_MAPPING_ANON is bit 0 of page->mapping, v6.1 include/linux/page-flags.h; of heads only.
bool is_anon(const PageLayout& at, const std::byte* page) {
  return (member<std::uint64_t>(page, at.mapping) & 1) != 0;
}

int order_of(const PageLayout& at, PageStructs& structs, FlagBits& bits, std::uint32_t head) {
  if ((bits(member<std::uint64_t>(structs.at(head), at.flags)) & PG_head) == 0) return 0;
  return member<std::uint8_t>(structs.at(head + 1), at.compound_order);
}

// Of anonymous memory the index counts from the traced range; of a file, and of a private copy of a
// page of it, from the start of that.
std::int32_t index_in_its_range(std::int64_t index) {
  constexpr auto kFirst = std::int64_t(kBase >> 12);
  return std::int32_t(index >= kFirst ? index - kFirst : index);
}

FolioSeen folio_seen(const Kernel& kernel, PageStructs& structs, FlagBits& bits, std::uint32_t head,
                     int order) {
  const PageLayout& at = kernel.page;
  const std::byte* const page = structs.at(head);
  FolioSeen folio{.pfn = head,
                  .refcount = member<std::int32_t>(page, at.refcount),
                  .order = std::uint8_t(order)};
  if (member<std::uint64_t>(page, at.mapping) != 0)
    folio.index = index_in_its_range(member<std::int64_t>(page, at.index));
  if ((bits(member<std::uint64_t>(page, at.flags)) & PG_swapcache) != 0)
    folio.slot =
        std::uint32_t(x86::swp_entry_offset(member<std::uint64_t>(page, at.private_data))) -
        kFirstSlot;
  if (order == 0) return folio;
  const std::byte* const first_tail = structs.at(head + 1);
  folio.mapcount = member<std::int32_t>(first_tail, at.compound_mapcount);
  folio.pincount = member<std::int32_t>(first_tail, at.compound_pincount);
  folio.double_map = member<std::uint64_t>(first_tail, at.flags) >> at.double_map & 1;
  folio.transhuge = member<std::uint8_t>(first_tail, at.compound_dtor) == at.transhuge;
  if (order == 1) return folio;
  const std::uint64_t list = kernel.page_struct(head + 2) + std::uint64_t(at.deferred_list);
  folio.deferred = member<std::uint64_t>(structs.at(head + 2), at.deferred_list) != list;
  return folio;
}

PageRun page_seen(const PageLayout& at, const std::byte* page, FlagBits& bits, std::uint32_t pfn) {
  Bits flags = bits(member<std::uint64_t>(page, at.flags));
  if (is_tail(at, page))
    flags |= PG_tail;
  else if (is_anon(at, page))
    flags |= PG_anon;
  return {.pfn = pfn, .flags = flags, .mapcount = member<std::int32_t>(page, at.mapcount)};
}

// What a struct page says in the same way as its neighbour's is of the same run.
void append_pages(const PageLayout& at, const std::byte* page, FlagBits& bits, FrameRange range,
                  std::vector<PageRun>& runs) {
  const auto is_alike = [&](const std::byte* a, const std::byte* b) {
    const auto same = [&](int offset, std::size_t n) {
      return std::memcmp(a + offset, b + offset, n) == 0;
    };
    return same(at.flags, 8) && same(at.compound_head, 8) && same(at.mapcount, 4);
  };
  for (std::uint32_t i = 0; i < range.count; ++i, page += kPageStructBytes)
    if (i > 2 && is_alike(page, page - kPageStructBytes))
      ++runs.back().count;
    else
      append_run(runs, page_seen(at, page, bits, range.pfn + i));
}

// The heads of all folios among the frames, sorted.
std::vector<std::uint32_t> heads_of(const Kernel& kernel, PageStructs& structs, FlagBits& bits,
                                    const std::vector<FrameRange>& frames,
                                    std::uint32_t huge_zero_pfn) {
  std::vector<std::uint32_t> heads;
  for (const FrameRange& range : frames) {
    structs.read(range);
    const std::uint32_t end = range.pfn + range.count;
    for (std::uint32_t pfn = range.pfn; pfn < end;) {
      const std::uint32_t head = head_of(kernel, structs, pfn);
      pfn = std::max(pfn, head + (1u << order_of(kernel.page, structs, bits, head)) - 1) + 1;
      if (head != huge_zero_pfn && head != kernel.zero_pfn) heads.push_back(head);
    }
  }
  std::ranges::sort(heads);
  heads.erase(std::ranges::unique(heads).begin(), heads.end());
  return heads;
}

}  // namespace

PageStructs::Block& PageStructs::block_of(std::uint32_t pfn) {
  const std::uint32_t first = pfn & ~(kBlock - 1);
  if (last_ < used_ && blocks_[last_]->first == first) return *blocks_[last_];
  for (last_ = 0; last_ < used_; ++last_)
    if (blocks_[last_]->first == first) return *blocks_[last_];
  if (used_ == blocks_.size()) blocks_.push_back(std::make_unique_for_overwrite<Block>());
  Block& block = *blocks_[used_++];
  block.first = first;
  block.known.reset();
  return block;
}

// What cannot be read is all zeros: a page that nobody uses.
void PageStructs::read(FrameRange range) {
  while (range.count > 0) {
    Block& block = block_of(range.pfn);
    const std::uint32_t at = range.pfn - block.first;
    const std::uint32_t here = std::min(range.count, kBlock - at);
    const bool whole = here >= kWholeBlockFrom;
    const std::uint32_t from = whole ? 0 : at, count = whole ? kBlock : here;
    if (!(whole ? block.known.all() : block.known[at])) {
      std::byte* const to = block.bytes.data() + from * kPageStructBytes;
      if (!kernel_.memory.read(kernel_.page_struct(block.first + from), to,
                               count * kPageStructBytes))
        std::memset(to, 0, count * kPageStructBytes);
      for (std::uint32_t i = from; i < from + count; ++i) block.known.set(i);
    }
    range.pfn += here;
    range.count -= here;
  }
}

const std::byte* PageStructs::at(std::uint32_t pfn) {
  const Block& block = block_of(pfn);
  if (!block.known[pfn - block.first]) read({pfn, 1});
  return block.bytes.data() + (pfn - block.first) * kPageStructBytes;
}

void append_folios(const Kernel& kernel, PageStructs& structs,
                   const std::vector<FrameRange>& frames, std::uint32_t huge_zero_pfn,
                   Observation& o) {
  FlagBits bits(kernel.page);
  for (const std::uint32_t head : heads_of(kernel, structs, bits, frames, huge_zero_pfn)) {
    const int order = order_of(kernel.page, structs, bits, head);
    const std::uint32_t pages = std::uint32_t{1} << order;
    structs.read({head, pages});
    o.folios.push_back(folio_seen(kernel, structs, bits, head, order));
    append_pages(kernel.page, structs.at(head), bits, {head, pages}, o.pages);
  }
}

}  // namespace thp::live
