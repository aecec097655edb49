// The sweeps over the tables of invariants.
#include "oracle/rules/invariants.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "oracle/rules/invariants_of_files.h"
#include "oracle/rules/invariants_of_machine.h"
#include "oracle/rules/invariants_of_memory.h"
#include "oracle/rules/invariants_of_spaces.h"
#include "oracle/rules/rules.h"

namespace thp {
namespace {

template <class Visit>
void for_each_bit(std::uint64_t bits, Visit visit) {
  for (; bits != 0; bits &= bits - 1) visit(std::size_t(std::countr_zero(bits)));
}

// How many mappings lock each folio, counted once somebody asks.
class LockCounts {
 public:
  explicit LockCounts(const Machine& m) : m_(m) {}
  int of(Pfn folio) {
    if (!counted_) count();
    return of_[folio];
  }

 private:
  void count() {
    std::fill_n(of_.begin(), m_.frames() + 1, std::uint8_t{0});
    for_each_lock(m_, [this](Pfn folio) { ++of_[folio]; });
    counted_ = true;
  }
  const Machine& m_;
  bool counted_ = false;
  std::array<std::uint8_t, (Geometry::kMaxBlocks << Geometry::kMaxOrder) + 1> of_;
};

class Sweep {
 public:
  Sweep(const Machine& m, const Recount& r) : m_(m), r_(r), locks_(m) {}

  Broken everything() {
    if (const Broken bad = memory()) return bad;
    for (int slot = 0; slot < m_.geometry.swap_slots(); ++slot)
      if (const Broken bad = is_idle_slot(slot) ? Broken{} : of_slot(slot)) return bad;
    for (int mm = 0; mm < m_.geometry.mms; ++mm)
      if (const Broken bad = entries(mm)) return bad;
    if (const Broken bad = vmas()) return bad;
    if (const Broken bad = mms(~0u)) return bad;
    if (const Broken bad = device()) return bad;
    for (int id = 0; id < m_.geometry.inodes * m_.pages(); ++id)
      if (const Broken bad = of_cell(id)) return bad;
    if (const Broken bad = inodes()) return bad;
    return what_is_few();
  }

  Broken changed() {
    for (const Pfn pfn : r_.changed_frames())
      if (const Broken bad = pfn <= m_.frames() ? of_frame(pfn) : Broken{}) return bad;
    for (const Pfn head : r_.changed_folios())
      if (const Broken bad = of_folio(head)) return bad;
    for (const std::uint16_t slot : r_.changed_slots())
      if (const Broken bad = slot < m_.geometry.swap_slots() ? of_slot(slot) : Broken{}) return bad;
    for (const std::uint16_t id : r_.changed_entries())
      if (const Broken bad = of_entry(id)) return bad;
    if (r_.vmas_changed()) {
      if (const Broken bad = vmas()) return bad;
      if (const Broken bad = all_mlocked()) return bad;
    }
    if (const Broken bad = mms(r_.changed_mms())) return bad;
    if (r_.device_changed())
      if (const Broken bad = device()) return bad;
    for (const std::uint16_t id : r_.changed_cells())
      if (const Broken bad = of_cell(id)) return bad;
    if (r_.files_changed())
      if (const Broken bad = inodes()) return bad;
    return what_is_few();
  }

 private:
  // --- Frames and folios. A free frame that nothing points at satisfies all that is said of it.
  Broken memory() {
    for (int block = 0; block <= m_.frames(); block += m_.hpage_nr())
      if (const Broken bad = of_block(Pfn(block))) return bad;
    return {};
  }

  Broken of_block(Pfn first) {
    const int end = std::min(first + m_.hpage_nr(), m_.frames() + 1);
    const bool compound = folio_test_large(m_, first);
    const bool bare = first == m_.frames() || m_.compound(first) == Compound{};
    const int block = first >> m_.geometry.order;
    if (bare && first < m_.frames() && r_.used_frames()[std::size_t(block)] == 0 &&
        r_.block(block) == FolioCount{})
      return {};
    if (compound)
      if (const Broken bad = of_folio(first)) return bad;
    for (int pfn = first; pfn < end; ++pfn) {
      if (!compound && bare && is_idle(Pfn(pfn))) continue;
      if (const Broken bad = of_frame(Pfn(pfn))) return bad;
      if (!compound)
        if (const Broken bad = of_folio(Pfn(pfn))) return bad;
    }
    return {};
  }

  bool is_idle(Pfn pfn) const { return !Recount::in_use(m_.page(pfn)) && r_.frame(pfn).nothing(); }

  Broken of_frame(Pfn pfn) {
    return first_broken_of<kFrameInvariants>(the_frame(m_, r_, pfn),
                                             {Where::Thing::frame, -1, pfn});
  }

  Broken of_folio(Pfn head) {
    if (const Broken bad = first_broken_of<kFolioInvariants>(the_folio(m_, r_, head),
                                                             {Where::Thing::folio, -1, head}))
      return bad;
    if (m_.geometry.inodes > 0)
      if (const Broken bad = first_broken_of<kFileFolioInvariants>(the_folio(m_, r_, head),
                                                                   {Where::Thing::folio, -1, head}))
        return bad;
    return test(m_, head, PG_mlocked) ? of_mlocked(head) : Broken{};
  }

  Broken of_mlocked(Pfn folio) {
    return first_broken_of<kMlockedInvariants>(TheMlocked{m_, folio, locks_.of(folio)},
                                               {Where::Thing::folio, -1, folio});
  }

  // A VMA that is locked no more leaves no stamp at the pages that it maps.
  Broken all_mlocked() {
    for (int pfn = 0; pfn < m_.frames(); ++pfn) {
      if (r_.used_frames()[std::size_t(pfn >> m_.geometry.order)] == 0)
        pfn |= m_.hpage_nr() - 1;
      else if (test(m_, Pfn(pfn), PG_mlocked))
        if (const Broken bad = of_mlocked(Pfn(pfn))) return bad;
    }
    return {};
  }

  // --- Swap.
  bool is_idle_slot(int id) const {
    const SwapSlot& slot = m_.swap(Slot(id));
    return slot.count == 0 && slot.cache == kNoPfn && r_.slot(id) == SlotCount{};
  }

  Broken of_slot(int id) {
    const TheSlot slot{m_, r_, id, m_.swap(Slot(id)), r_.slot(id)};
    return first_broken_of<kSlotInvariants>(slot, {Where::Thing::slot, -1, id});
  }

  // --- Entries.
  Broken entries(int mm) {
    for (int i = 0; i < m_.geometry.pmds; ++i)
      if (const Broken bad = of_pmd(mm, i)) return bad;
    for (int page = 0; page < m_.pages(); ++page)
      if (const Broken bad = of_pte(mm, page)) return bad;
    return {};
  }

  Broken of_entry(int id) {
    const int pages = m_.pages(), pmds = m_.geometry.pmds;
    const int pmd = id - m_.geometry.mms * pages;
    return pmd < 0 ? of_pte(id / pages, id % pages) : of_pmd(pmd / pmds, pmd % pmds);
  }

  // Of one entry after the other most are of the same VMA.
  const Vma* vma_of(int mm, int page) {
    if (vma_ == nullptr || mm != vma_mm_ || !vma_->covers(page)) vma_ = vma_at(m_, mm, page);
    vma_mm_ = mm;
    return vma_;
  }

  Broken of_pmd(int mm, int i) { return of_entry(mm, i << m_.geometry.order, m_.pmd(mm, i), true); }
  Broken of_pte(int mm, int page) { return of_entry(mm, page, m_.pte(mm, page), false); }
  Broken of_entry(int mm, int page, const Entry& entry, bool huge) {
    if (entry.is_none()) return {};
    const TheEntry subject{m_, r_, mm, page, entry, huge, vma_of(mm, page)};
    return first_broken_of<kEntryInvariants>(
        subject, {huge ? Where::Thing::pmd : Where::Thing::pte, mm, page});
  }

  // --- VMAs and anon_vmas.
  // Behind those that VMAs know there is most often none: told at a glance.
  std::size_t end_of_anon_vmas(std::uint64_t known) const {
    static constexpr std::array<AnonVma, kMaxAnonVmas> kNone{};
    const auto end = std::size_t(std::bit_width(known));
    const std::size_t bytes = (kMaxAnonVmas - end) * sizeof(AnonVma);
    const bool none =
        end == kMaxAnonVmas || std::memcmp(&m_.anon_vmas[end], kNone.data(), bytes) == 0;
    return none ? end : kMaxAnonVmas;
  }

  Broken vmas() {
    std::array<std::uint8_t, kMaxAnonVmas> in_tree{}, active{}, children{}, active_mms{};
    std::uint64_t known = 0;
    for (int mm = 0; mm < m_.geometry.mms; ++mm) {
      const auto all = m_.vmas(mm);
      for (int i = 0; i < int(all.size()); ++i) {
        const Vma& vma = all[std::size_t(i)];
        if (const Broken bad = first_broken_of<kVmaInvariants>(TheVma{m_, mm, i, vma, all},
                                                               {Where::Thing::vma, mm, i}))
          return bad;
        known |= vma.chain;
        for_each_bit(vma.chain, [&](std::size_t n) { ++in_tree[n]; });
        if (vma.anon_vma >= kMaxAnonVmas) continue;
        ++active[vma.anon_vma];
        active_mms[vma.anon_vma] |= std::uint8_t(1 << mm);
      }
    }
    for_each_bit(known, [&](std::size_t n) {
      if (m_.anon_vmas[n].parent < kMaxAnonVmas) ++children[m_.anon_vmas[n].parent];
    });
    for (std::size_t n = 0, end = end_of_anon_vmas(known); n < end; ++n)
      known |= std::uint64_t(m_.anon_vmas[n] != AnonVma{}) << n;
    for (; known != 0; known &= known - 1) {
      const int i = std::countr_zero(known);
      const auto n = std::size_t(i);
      const TheAnonVma subject{m_,        i,           m_.anon_vmas[n], in_tree[n],
                               active[n], children[n], active_mms[n]};
      if (const Broken bad =
              first_broken_of<kAnonVmaInvariants>(subject, {Where::Thing::anon_vma, -1, i}))
        return bad;
    }
    return {};
  }

  Broken mms(unsigned which) {
    for (int i = 0; i < m_.geometry.mms; ++i) {
      if ((which >> i & 1) == 0) continue;
      const TheMm mm{m_, r_, i, m_.mms[std::size_t(i)], r_.mm(i)};
      if (const Broken bad = first_broken_of<kMmInvariants>(mm, {Where::Thing::mm, -1, i}))
        return bad;
    }
    return {};
  }

  // --- Files.
  Broken of_cell(int id) {
    const int inode = id / m_.pages(), index = id % m_.pages();
    return first_broken_of<kCellInvariants>(TheCell{m_, inode, index, m_.cell(inode, index)},
                                            {Where::Thing::cell, inode, index});
  }

  Broken inodes() {
    for (int i = 0; i < m_.geometry.inodes; ++i) {
      const TheInode inode{m_, r_, i, m_.inodes[std::size_t(i)], r_.inode(i)};
      if (const Broken bad = first_broken_of<kInodeInvariants>(inode, {Where::Thing::inode, -1, i}))
        return bad;
    }
    return {};
  }

  Broken device() {
    return first_broken_of<kDeviceInvariants>(TheMachine{m_, r_}, {Where::Thing::machine});
  }

  // --- What is so little that it is looked at after every op.
  Broken what_is_few() {
    for (int i = 0; i < kMaxHolders; ++i) {
      const Holder& holder = m_.holders[std::size_t(i)];
      if (holder.kind == HolderKind::none) continue;
      if (const Broken bad = first_broken_of<kHolderInvariants>(TheHolder{m_, r_, i, holder},
                                                                {Where::Thing::holder, -1, i}))
        return bad;
    }
    return first_broken_of<kMachineInvariants>(TheMachine{m_, r_}, {Where::Thing::machine});
  }

  const Machine& m_;
  const Recount& r_;
  const Vma* vma_ = nullptr;  // the last one asked for, and of which address space
  int vma_mm_ = -1;
  LockCounts locks_;
};

}  // namespace

// What nobody maps and no swap entry leads to nobody reads again.
bool differs_from_disk(const TheFolio& f) {
  for (int sub = 0; sub < folio_nr_pages(f.m, f.head); ++sub) {
    const int pfn = f.head + sub;
    const Page& page = f.m.page(Pfn(pfn));
    if (page.private_slot >= f.m.geometry.swap_slots()) continue;
    if (f.m.swap(page.private_slot).content == page.content) continue;
    const FrameCount& count = f.r.frame(pfn);
    const int entries = count.ptes + count.migration_ptes + f.r.slot(page.private_slot).ptes;
    if (entries + f.count.pmds + f.count.migration_pmds > 0) return true;
  }
  return false;
}

Broken first_broken(const Machine& m, const Recount& r) { return Sweep(m, r).everything(); }

Broken first_broken_of_changed(const Machine& m, const Recount& r) {
  Sweep sweep(m, r);
  if (!r.all_changed() && !sweep.changed()) return {};
  return sweep.everything();
}

void append_invariants(std::vector<ListedRule>& all) {
  append_rules(all, kFrameInvariants, "a frame");
  append_rules(all, kFolioInvariants, "a folio");
  append_rules(all, kMlockedInvariants, "a mlocked folio");
  append_rules(all, kFileFolioInvariants, "a folio");
  append_rules(all, kCellInvariants, "an index of a file");
  append_rules(all, kInodeInvariants, "a file");
  append_rules(all, kEntryInvariants, "an entry");
  append_rules(all, kVmaInvariants, "a VMA");
  append_rules(all, kMmInvariants, "an address space");
  append_rules(all, kAnonVmaInvariants, "an anon_vma");
  append_rules(all, kSlotInvariants, "a swap slot");
  append_rules(all, kHolderInvariants, "a holder");
  append_rules(all, kDeviceInvariants, "the machine");
  append_rules(all, kMachineInvariants, "the machine");
}

}  // namespace thp
