// Everything is appended to the words where it is met first; what it refers to gets a number then,
// and its own turn later.
#include "properties/canonical.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace thp {

void Numbers::reset(int count) {
  if (numbers_.size() != std::size_t(count)) {
    numbers_.assign(std::size_t(count), kNone);
  } else {
    for (const int thing : things_) numbers_[std::size_t(thing)] = kNone;
  }
  things_.clear();
}

std::uint16_t Numbers::operator()(int thing) {
  if (thing < 0 || thing >= int(numbers_.size())) return kNone;
  std::uint16_t& number = numbers_[std::size_t(thing)];
  if (number == kNone) {
    number = std::uint16_t(things_.size());
    things_.push_back(thing);
  }
  return number;
}

class Canonical::Writer {
 public:
  Writer(Canonical& names, const Machine& m, const Order& order)
      : m_(m),
        order_(order),
        folios_(names.folios_),
        slots_(names.slots_),
        anon_vmas_(names.anon_vmas_),
        contents_(names.contents_),
        words_(names.words_) {}

  void put_machine() {
    contents_(0);  // a zeroed page stays one
    for_each_mm([this](int mm) { put_mm(mm); });
    for (const std::uint8_t id : order_.holders) put_holder(m_.holders[id]);
    for (int i = 0; i < m_.geometry.inodes; ++i) put_inode(order_.inodes[std::size_t(i)]);
    put_globals();
    put_what_is_referred_to();
    for (int pfn = 0; pfn < m_.frames(); ++pfn)
      if (is_used(Pfn(pfn))) folios_(page_folio(m_, Pfn(pfn)));
    for (int slot = 0; slot < m_.geometry.swap_slots(); ++slot)
      if (is_in_use(Slot(slot))) slots_(slot);
    for (int id = 0; id < kMaxAnonVmas; ++id)
      if (m_.anon_vmas[std::size_t(id)].used) anon_vmas_(id);
    put_what_is_referred_to();
  }

  void name_all_slots() {
    for (int slot = 0; slot < m_.geometry.swap_slots(); ++slot) slots_(slot);
  }

  void put_order() {
    const SwapDevice& device = m_.swap_device;
    put(device.nr_free, device.cluster, device.next, device.cluster_next, device.lowest,
        device.highest);
    for (int i = 0; i < device.nr_free; ++i) put(device.free_clusters[std::size_t(i)]);
    for_each_mm([this](int mm) {
      for (const Vma& vma : m_.vmas(mm)) put(vma.turn, vma.file_turn);
    });
  }

  void put_memory(const FlatMemory& memory) {
    memory.tell(
        order_.mms, order_.holders, order_.inodes, [this](int number) { put(number); },
        [this](int value) { put(contents_(value)); });
  }

 private:
  // A number takes a word: the form is for comparing, not for storing.
  template <class... Ints>
  void put(Ints... numbers) {
    (words_.push_back(std::uint32_t(numbers)), ...);
  }

  template <class Visit>
  void for_each_mm(Visit visit) const {
    for (int i = 0; i < m_.geometry.mms; ++i) visit(order_.mms[std::size_t(i)]);
  }

  bool is_used(Pfn pfn) const { return !(m_.page(pfn) == Page{}); }
  bool is_in_use(Slot slot) const {
    return m_.swap(slot).count != 0 || m_.swap(slot).cache != kNoPfn;
  }

  // A frame is known by its folio and its place there; the 4K zero page and nowhere by themselves.
  void put_pfn(Pfn pfn) {
    if (pfn >= m_.frames()) return put(pfn == kNoPfn ? -1 : -2, 0);
    const Pfn folio = page_folio(m_, pfn);
    put(folios_(folio), pfn - folio);
  }

  void put_entry(const Entry& entry) {
    put(entry.kind, entry.bits);
    if (entry.is_present() || entry.is_migration() || entry.is_zero()) put_pfn(entry.frame);
    if (entry.is_swap()) put(slots_(entry.frame));
  }

  void put_vma(const Vma& vma) {
    put(vma.start, vma.end, vma.flags, vma.pgoff, anon_vmas_(vma.anon_vma));
    put(std::popcount(vma.chain));
    for (std::uint64_t left = vma.chain; left != 0; left &= left - 1)
      put(anon_vmas_(std::countr_zero(left)));
  }

  void put_mm(int id) {
    const Mm& mm = m_.mms[std::size_t(id)];
    put(mm.alive, mm.anon_pages, mm.swap_entries, mm.nr_ptes, mm.deposits, mm.map_count,
        mm.huge_zero_page, mm.has_pinned, mm.thp_disabled);
    for (const Vma& vma : m_.vmas(id)) put_vma(vma);
    for (int i = 0; i < m_.geometry.pmds; ++i) {
      put_entry(m_.pmd(id, i));
      if (!m_.pmd(id, i).is_table()) continue;
      for (int sub = 0; sub < m_.hpage_nr(); ++sub)
        put_entry(m_.pte(id, (i << m_.geometry.order) + sub));
    }
  }

  void put_holder(const Holder& holder) {
    put(holder.kind, holder.write);
    if (holder.kind != HolderKind::none) put_pfn(holder.pfn);
  }

  void put_inode(int id) {
    const Inode& inode = m_.inodes[std::size_t(id)];
    put(inode.alive, inode.open, inode.i_size, inode.fallocend, inode.nrpages, inode.alloced,
        inode.on_shrinklist);
    if (inode.alive == 0) return;
    for (int index = 0; index < m_.pages(); ++index) {
      const Cell cell = m_.cell(id, index);
      put(cell.kind);
      if (cell.is_folio()) put_pfn(cell.frame);
    }
  }

  void put_globals() {
    put_pfn(m_.migration.src);
    put_pfn(m_.migration.dst);
    const Injections& in = m_.inject;
    put(in.fail_huge_alloc, in.fail_small_alloc, in.fail_charge, in.fail_swap_cluster,
        in.contend_page_lock, in.speculative_ref);
    put(m_.enabled, m_.use_zero_page, m_.swap_on, m_.huge_zero_refcount, m_.nr_anon_mapped,
        m_.nr_anon_thps, m_.nr_swapcache, m_.nr_shmem, m_.anon_mapped_drift, m_.nr_shmem_thps,
        m_.nr_shmem_pmdmapped, m_.nr_file_mapped);
    put(m_.shmem_enabled, m_.shm_mnt.huge, m_.shm_mnt.shrinklist_len);
    for (int i = 0; i < m_.shm_mnt.shrinklist_len; ++i)
      put(std::ranges::find(order_.inodes, m_.shm_mnt.shrinklist[std::size_t(i)]) -
          order_.inodes.begin());
    put_pfn(m_.huge_zero_page);
    put(m_.mmlist.count);
    for (int i = 0; i < m_.mmlist.count; ++i)
      put(std::ranges::find(order_.mms, m_.mmlist.ids[std::size_t(i)]) - order_.mms.begin());
    put(m_.deferred_len);
    for (const Pfn head : m_.deferred_queue()) put_pfn(head);
  }

  // Mapped, or going to be again. Others never follow page->mapping, which may by then be the
  // anon_vma of somebody else.
  bool is_anyones(Pfn folio) const {
    bool mapped = folio == m_.migration.src;
    if (folio_test_large(m_, folio)) mapped = mapped || m_.compound(folio).mapcount >= 0;
    for (int i = 0; i < folio_nr_pages(m_, folio); ++i) {
      const Page& page = m_.page(Pfn(folio + i));
      const bool swapped = folio_test_swapcache(m_, folio) && m_.swap(page.private_slot).count != 0;
      mapped = mapped || page.mapcount >= 0 || swapped;
    }
    return mapped;
  }

  void put_folio(Pfn folio) {
    const int nr_pages = folio_nr_pages(m_, folio);
    const bool mapped = is_anyones(folio);
    const bool filled = test(m_, folio, PG_uptodate);  // else nobody has seen what is there
    put(nr_pages);
    if (folio_test_large(m_, folio)) {
      const Compound& compound = m_.compound(folio);
      put(compound.mapcount, compound.pincount, compound.double_map, compound.deferred,
          compound.transhuge);
    }
    for (int i = 0; i < nr_pages; ++i) {
      const Page& page = m_.page(Pfn(folio + i));
      put(page.refcount, page.mapcount, page.flags, page.mlock_count,
          filled ? contents_(page.content) : Numbers::kNone);
      if (mapped) put(page.index, anon_vmas_(page.anon_vma));
      if (page.inode != kNoInode)
        put(page.index, std::ranges::find(order_.inodes, page.inode) - order_.inodes.begin());
      if (folio_test_swapcache(m_, folio)) put(slots_(page.private_slot));
    }
  }

  void put_slot(Slot slot) {
    const SwapSlot& swap = m_.swap(slot);
    const int content = is_in_use(slot) ? swap.content : 0;
    put(swap.count, contents_(content), m_.cluster_huge(slot >> m_.geometry.order));
    put_pfn(swap.cache);
  }

  void put_anon_vma(int id) {
    const AnonVma& anon_vma = m_.anon_vmas[std::size_t(id)];
    put(anon_vma.used, anon_vma.num_children, anon_vma.num_active_vmas);
    put(anon_vmas_(anon_vma.root), anon_vmas_(anon_vma.parent));
  }

  void put_what_is_referred_to() {
    bool more = true;
    while (more) {
      more = false;
      for (; put_folios_ < folios_.size(); more = true)
        put_folio(Pfn(folios_.thing(put_folios_++)));
      for (; put_slots_ < slots_.size(); more = true) put_slot(Slot(slots_.thing(put_slots_++)));
      for (; put_anon_vmas_ < anon_vmas_.size(); more = true)
        put_anon_vma(anon_vmas_.thing(put_anon_vmas_++));
    }
  }

  const Machine& m_;
  const Order& order_;
  Numbers &folios_, &slots_, &anon_vmas_, &contents_;
  boost::container::vector<std::uint32_t>& words_;
  std::size_t put_folios_ = 0, put_slots_ = 0, put_anon_vmas_ = 0;
};

void Canonical::reset(const Machine& m) {
  folios_.reset(m.frames());
  slots_.reset(m.geometry.swap_slots());
  anon_vmas_.reset(kMaxAnonVmas);
  contents_.reset(256);
  words_.clear();
}

std::span<const std::uint32_t> Canonical::of(const Machine& m) {
  reset(m);
  const Order as_they_are;
  Writer(*this, m, as_they_are).put_machine();
  return {words_.data(), words_.size()};
}

std::span<const std::uint32_t> Canonical::of(const Machine& m, const FlatMemory& memory,
                                             const Order& order) {
  reset(m);
  Writer writer(*this, m, order);
  writer.name_all_slots();
  writer.put_machine();
  writer.put_order();
  writer.put_memory(memory);
  return {words_.data(), words_.size()};
}

std::span<const std::uint32_t> Canonical::exactly(const Machine& m) {
  words_.clear();
  const auto put_bytes = [this](std::span<const std::byte> bytes) {
    const std::size_t begin = words_.size();
    words_.resize(begin + (bytes.size() + 3) / 4, 0);
    std::memcpy(words_.data() + begin, bytes.data(), bytes.size());
  };
  std::apply([&](const auto&... member) { (put_bytes(std::as_bytes(std::span(&member, 1))), ...); },
             m.members());
  put_bytes(m.arena());
  return {words_.data(), words_.size()};
}

bool equal_but_for_names(const Machine& a, const Machine& b) {
  Canonical one, other;
  return std::ranges::equal(one.of(a), other.of(b));
}

}  // namespace thp
