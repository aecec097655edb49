// As spin/thp.pml has it: counts are the kernel's plus 1 where those start at -1.
#include "properties/twin.h"

namespace thp {
namespace {

class Words {
 public:
  Words(const Machine& m, std::vector<std::uint32_t>& words) : m_(m), words_(words) {}

  void put_spaces() {
    for_each_mm([this](int mm) { put(of(mm).alive); });
    for_each_mm([this](int mm) { put(of(mm).has_pinned); });
    for_each_mm([this](int mm) { put(of(mm).huge_zero_page); });
    put_entries(m_.geometry.pmds, [this](int mm, int i) { return m_.pmd(mm, i); });
    put_entries(m_.pages(), [this](int mm, int page) { return m_.pte(mm, page); });
    for_each_mm([this](int mm) {
      for (int page = 0; page < m_.pages(); ++page) put_bit(m_.pte(mm, page), kExclusive);
    });
  }

  void put_frames() {
    for_each_page([this](const Page& page) { put(page.refcount); });
    for_each_page([this](const Page& page) { put(page.mapcount + 1); });
    for_each_page([this](const Page& page) { put((page.flags & PG_anon_exclusive) != 0); });
    for_each_page([this](const Page& page) { put(page.content); });
    for_each_page([this](const Page& page) { put((page.flags & PG_dirty) != 0); });
    for_each_page([this](const Page& page) { put((page.flags & PG_referenced) != 0); });
    for_each_page([this](const Page& page) { put((page.flags & PG_writeback) != 0); });
    for (int pfn = 0; pfn < m_.frames(); ++pfn) {
      const bool tail = (m_.page(Pfn(pfn)).flags & PG_tail) != 0;
      const int head = tail ? pfn & ~(m_.hpage_nr() - 1) : pfn;
      const bool cached = (m_.page(Pfn(head)).flags & PG_swapcache) != 0;
      put(cached ? m_.page(Pfn(pfn)).private_slot + 1 : 0);
    }
  }

  void put_blocks() {
    for_each_head([this](Pfn head, const Compound& c) {
      const bool huge = (m_.page(head).flags & PG_head) != 0;
      put(huge ? (c.transhuge ? 1 : 2) : 0);
    });
    for_each_head([this](Pfn, const Compound& c) { put(c.mapcount + 1); });
    for_each_head([this](Pfn, const Compound& c) { put(c.pincount); });
    for_each_head([this](Pfn, const Compound& c) { put(c.double_map); });
    for_each_head([this](Pfn, const Compound& c) { put(c.deferred); });
    for (int i = 0; i < m_.geometry.frame_blocks(); ++i)
      put(i < m_.deferred_len ? m_.deferred_queue()[std::size_t(i)] >> m_.geometry.order : 0);
    put(m_.deferred_len);
    put(m_.huge_zero_refcount);
    put(m_.huge_zero_page == kNoPfn ? 0 : m_.huge_zero_page + 1);
  }

  void put_swap() {
    for_each_slot([this](const SwapSlot& slot) { put(slot.count); });
    for_each_slot([this](const SwapSlot& slot) { put(slot.cache == kNoPfn ? 0 : slot.cache + 1); });
    for_each_slot([this](const SwapSlot& slot) { put(slot.content); });
    const SwapDevice& device = m_.swap_device;
    const bool has_cluster = device.cluster != SwapDevice::kNoCluster;
    for (int i = 0; i < m_.geometry.swap_clusters(); ++i) put(m_.cluster_huge(i));
    for (int i = 0; i < m_.geometry.swap_clusters(); ++i)
      put(i < device.nr_free ? device.free_clusters[std::size_t(i)] : 0);
    put(device.nr_free);
    put(has_cluster ? device.cluster + 1 : 0);
    put(has_cluster ? device.next : 0);
    put(device.cluster_next + 1);
    put(device.lowest + 1);
    put(device.highest + 1);
  }

  void put_holder() {
    const Holder& holder = m_.holders[0];
    const bool held = holder.kind != HolderKind::none;
    put(int(held));
    put(held ? holder.pfn : 0);
  }

 private:
  void put(int number) { words_.push_back(std::uint32_t(number)); }
  const Mm& of(int mm) const { return m_.mms[std::size_t(mm)]; }

  template <class Visit>
  void for_each_mm(Visit visit) {
    for (int mm = 0; mm < m_.geometry.mms; ++mm) visit(mm);
  }

  template <class Visit>
  void for_each_page(Visit visit) {
    for (int pfn = 0; pfn < m_.frames(); ++pfn) visit(m_.page(Pfn(pfn)));
  }

  template <class Visit>
  void for_each_head(Visit visit) {
    for (int pfn = 0; pfn < m_.frames(); pfn += m_.hpage_nr())
      visit(Pfn(pfn), m_.compound(Pfn(pfn)));
  }

  template <class Visit>
  void for_each_slot(Visit visit) {
    for (int slot = 0; slot < m_.geometry.swap_slots(); ++slot) visit(m_.swap(Slot(slot)));
  }

  void put_bit(const Entry& entry, std::uint8_t bit) { put(int(entry.has(bit))); }

  static int kind_of(const Entry& entry) {
    switch (entry.kind) {
      case EntryKind::none:
        return 0;
      case EntryKind::table:
        return 1;
      case EntryKind::present:
        return 2;
      case EntryKind::zero:
        return 3;
      case EntryKind::swap:
        return 4;
      case EntryKind::migration:
        return 5;
    }
    return 6;
  }

  template <class Get>
  void put_entries(int count, Get get) {
    const auto for_each_entry = [&](auto visit) {
      for_each_mm([&](int mm) {
        for (int i = 0; i < count; ++i) visit(get(mm, i));
      });
    };
    for_each_entry([this](const Entry& entry) { put(kind_of(entry)); });
    for_each_entry(
        [this](const Entry& entry) { put(entry.is_none() || entry.is_table() ? 0 : entry.frame); });
    for (const std::uint8_t bit : {kWrite, kYoung, kDirty})
      for_each_entry([this, bit](const Entry& entry) { put_bit(entry, bit); });
  }

  const Machine& m_;
  std::vector<std::uint32_t>& words_;
};

// FNV-1a, by words.
std::uint64_t hash(std::span<const std::uint32_t> words) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const std::uint32_t word : words) sum = (sum ^ word) * 0x100000001b3;
  return sum;
}

}  // namespace

std::span<const std::uint32_t> twin_of(const Machine& m, std::vector<std::uint32_t>& words) {
  words.clear();
  Words twin(m, words);
  twin.put_spaces();
  twin.put_frames();
  twin.put_blocks();
  twin.put_swap();
  twin.put_holder();
  return words;
}

void TwinStates::visit(const Machine& m) {
  const std::uint64_t state = hash(twin_of(m, words_));
  if (!seen_.insert(state)) return;
  sum_ += state;
  for (const std::uint32_t word : words_) list_ << word << ' ';
  list_ << '\n';
}

}  // namespace thp
