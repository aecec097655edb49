// Counting from scratch, and what the counts say.
#include "oracle/recount/recount.h"

#include <utility>

namespace thp {

void Recount::reset(const Geometry& g, bool updates) {
  geometry_ = g;
  updates_ = updates;
  const auto frames = g.frames() + 2, slots = g.swap_slots() + 1;
  const auto ptes = g.mms * g.pages(), pmds = g.mms * g.pmds;
  frames_.resize(std::size_t(frames));
  slots_.resize(std::size_t(slots));
  changed_frames_.reset(frames);
  changed_folios_.reset(frames);
  changed_entries_.reset(ptes + pmds);
  changed_slots_.reset(slots);
  changed_cells_.reset(g.inodes * g.pages());
  wanderers_ = {};
  drift_before_ = drift_ = splits_before_ = splits_ = moves_before_ = moves_ = 0;
}

// --- Counting.

void Recount::count_mapping(int pfn, Entry entry, bool of_file, int by) {
  FrameCount& frame = frames_[std::size_t(pfn)];
  FolioCount& folio = blocks_[block_of(pfn)];
  const auto add = [by](std::uint16_t& count) { count = std::uint16_t(count + by); };
  if (entry.is_present()) {
    const bool was_mapped = frame.ptes > 0;
    add(frame.ptes);
    const int newly_mapped = (frame.ptes > 0) - was_mapped;
    folio.mapped += newly_mapped;
    if (pfn < geometry_.frames()) (of_file ? file_pte_mapped_ : pte_mapped_) += newly_mapped;
    folio.ptes += by;
    if (entry.has(kWrite)) add(frame.writable_ptes);
  } else {
    add(frame.migration_ptes);
    folio.migration_ptes += by;
    if (entry.has(kWrite | kExclusive)) add(frame.exclusive_migration_ptes);
  }
}

void Recount::count_pte(const Machine& m, int mm, Entry entry, int by) {
  MmCount& count = mms_[std::size_t(mm)];
  if (entry.is_present() || entry.is_migration()) {
    const bool of_file = entry.frame < geometry_.frames() && is_file_page(m, entry.frame);
    (of_file ? count.shmem_pages : count.anon_pages) += by;
    count_mapping(frame_at(entry.frame), entry, of_file, by);
  } else if (entry.is_swap()) {
    SlotCount& slot = slots_[std::size_t(slot_at(entry.frame))];
    count.swap_entries += by;
    slot.ptes = std::uint16_t(slot.ptes + by);
    if (entry.has(kExclusive)) slot.exclusive_ptes = std::uint16_t(slot.exclusive_ptes + by);
  }
}

void Recount::count_file_pmd(int mm, Entry entry, int by) {
  mms_[std::size_t(mm)].shmem_pages += by * geometry_.hpage_nr();
  const std::size_t block = block_of(entry.frame);
  FolioCount& folio = blocks_[block];
  folio.pmds += by;
  if (entry.has(kWrite)) folio.writable_pmds += by;
  const std::uint64_t bit = std::uint64_t{1} << block;
  file_pmd_mapped_ = folio.pmds > 0 ? file_pmd_mapped_ | bit : file_pmd_mapped_ & ~bit;
}

void Recount::count_pmd(const Machine& m, int mm, Entry entry, int by) {
  MmCount& count = mms_[std::size_t(mm)];
  if (entry.is_none()) return;
  if (entry.is_table()) {
    count.tables += by;
    return;
  }
  if (entry.is_present() && entry.frame < geometry_.frames() && is_file_page(m, entry.frame))
    return count_file_pmd(mm, entry, by);
  count.huge += by;
  if (entry.is_zero()) {
    count.huge_zero += by;
    return;
  }
  count.anon_pages += by * geometry_.hpage_nr();
  const std::size_t block = block_of(frame_at(entry.frame));
  FolioCount& folio = blocks_[block];
  if (entry.is_present()) {
    folio.pmds += by;
    if (block < Geometry::kMaxBlocks && entry.frame < geometry_.frames()) {
      const std::uint64_t bit = std::uint64_t{1} << block;
      pmd_mapped_ = folio.pmds > 0 ? pmd_mapped_ | bit : pmd_mapped_ & ~bit;
    }
    if (entry.has(kWrite)) folio.writable_pmds += by;
  } else {
    folio.migration_pmds += by;
    if (entry.has(kWrite | kExclusive)) folio.exclusive_migration_pmds += by;
  }
}

void Recount::count_holder(const Holder& holder, int by) {
  if (holder.kind == HolderKind::none) return;
  const int pfn = frame_at(holder.pfn);
  if (holder.kind == HolderKind::pin && pfn == geometry_.frames()) return;
  FrameCount& frame = frames_[std::size_t(pfn)];
  FolioCount& folio = blocks_[block_of(pfn)];
  const auto add = [by](std::uint8_t& of_frame, std::int32_t& of_folio) {
    of_frame = std::uint8_t(of_frame + by);
    of_folio += by;
  };
  switch (holder.kind) {
    case HolderKind::pin:
      outstanding_pins_ += by;
      return add(frame.pins, folio.pins);
    case HolderKind::get:
      return add(frame.gets, folio.gets);
    default:
      return add(frame.isolations, folio.isolations);
  }
}

void Recount::count_slot(int id, const SwapSlot& slot, int by) {
  std::uint16_t& used = used_slots_[std::size_t(id >> geometry_.order)];
  if (slot.count > 0 || slot.cache != kNoPfn) used = std::uint16_t(used + by);
  if (slot.cache == kNoPfn) return;
  const int pfn = frame_at(slot.cache);
  FrameCount& frame = frames_[std::size_t(pfn)];
  cached_slots_ += by;
  frame.cache_slots = std::uint16_t(frame.cache_slots + by);
  blocks_[block_of(pfn)].cache_slots += by;
}

void Recount::count_cell(int inode, Cell cell, int by) {
  if (!cell.is_folio()) return;
  const int pfn = frame_at(cell.frame);
  FrameCount& frame = frames_[std::size_t(pfn)];
  inodes_[std::size_t(inode)].folio_cells += by;
  frame.cells = std::uint16_t(frame.cells + by);
  blocks_[block_of(pfn)].cells += by;
}

void Recount::count_all(const Machine& m) {
  std::fill(frames_.begin(), frames_.end(), FrameCount{});
  std::fill(slots_.begin(), slots_.end(), SlotCount{});
  std::fill_n(blocks_.begin(), geometry_.frame_blocks() + 1, FolioCount{});
  mms_ = {};
  inodes_ = {};
  used_slots_ = {};
  cached_slots_ = outstanding_pins_ = pte_mapped_ = file_pte_mapped_ = 0;
  pmd_mapped_ = file_pmd_mapped_ = deferred_ = 0;
  for (int i = 0; i < geometry_.frame_blocks(); ++i)
    deferred_ |= std::uint64_t(m.compound(Pfn(i << geometry_.order)).deferred != 0) << i;
  for (int mm = 0; mm < geometry_.mms; ++mm) {
    for (int i = 0; i < geometry_.pmds; ++i) count_pmd(m, mm, m.pmd(mm, i), 1);
    for (int page = 0; page < geometry_.pages(); ++page)
      if (!m.pte(mm, page).is_none()) count_pte(m, mm, m.pte(mm, page), 1);
  }
  for (int slot = 0; slot < geometry_.swap_slots(); ++slot) count_slot(slot, m.swap(Slot(slot)), 1);
  for (const Holder& holder : m.holders) count_holder(holder, 1);
  for (int inode = 0; inode < geometry_.inodes; ++inode)
    for (int index = 0; index < geometry_.pages(); ++index)
      count_cell(inode, m.cell(inode, index), 1);
  used_frames_ = {};
  for (int i = 0; i < geometry_.frame_blocks(); ++i)
    used_frames_[std::size_t(i)] = used_frames_of(m, i);
}

std::uint16_t Recount::used_frames_of(const Machine& m, int block) const {
  static constexpr std::array<Page, 1 << Geometry::kMaxOrder> kFree{};
  const auto frames = std::size_t(geometry_.hpage_nr());
  const Page* first = &m.page(Pfn(block << geometry_.order));
  if (same(first, kFree.data(), frames)) return 0;
  return std::uint16_t(std::count_if(first, first + frames, in_use));
}

void Recount::recount(const Machine& m) {
  count_all(m);
  if (updates_)
    for (int i = 0; i < geometry_.frame_blocks(); ++i) shape_[std::size_t(i)] = shape_of(m, i);
  note_history(m);
  for (int block = 0; block < geometry_.frame_blocks(); ++block) note_wanderer(m, block);
  anything_changed_ = all_changed_ = vmas_changed_ = device_changed_ = true;
  files_changed_ = true;
}

// --- History.

void Recount::note_history(const Machine& m) {
  const auto counted = [&m](Event event) { return int(m.events[std::size_t(event)]); };
  drift_before_ = std::exchange(drift_, m.anon_mapped_drift);
  splits_before_ = std::exchange(splits_, counted(Event::thp_split_pmd));
  moves_before_ = std::exchange(moves_, counted(Event::thp_migration_success));
}

void Recount::continue_from(const Recount& other) {
  drift_ = other.drift_;
  splits_ = other.splits_;
  moves_ = other.moves_;
  wanderers_ = other.wanderers_;
}

// A folio that is new when one has moved may be where that went: `move_pages` begins and ends a
// migration in one op.
void Recount::note_wanderer(const Machine& m, int block) {
  const Pfn head = Pfn(block << geometry_.order);
  const bool moving = m.migration.src == head || m.migration.dst == head;
  Wanderer& wanderer = wanderers_[std::size_t(block)];
  const bool moved = wanderer == Wanderer::none && moves_ > moves_before_;
  const bool wanders = wanderer == Wanderer::yes || moving || moved || test(m, head, PG_swapcache);
  wanderer = !folio_test_large(m, head) ? Wanderer::none : wanders ? Wanderer::yes : Wanderer::no;
}

// --- What the counts say.

FolioCount Recount::folio(const Machine& m, Pfn head) const {
  FolioCount count;
  if (head < geometry_.frames() && folio_test_large(m, head)) {
    count = blocks_[block_of(head)];
  } else {
    const FrameCount& frame = frames_[head];
    count.ptes = frame.ptes;
    count.mapped = frame.ptes > 0;
    count.migration_ptes = frame.migration_ptes;
    count.cache_slots = frame.cache_slots;
    count.cells = frame.cells;
    count.pins = frame.pins;
    count.gets = frame.gets;
    count.isolations = frame.isolations;
  }
  count.migration = (m.migration.src == head) + (m.migration.dst == head);
  count.pointer = (m.huge_zero_page == head) + (m.zero_pfn() == head);
  return count;
}

// v6.1 mm/rmap.c: a folio's share of NR_ANON_MAPPED. Without DoubleMap the sub-pages that have PTEs
// beside the PMD count twice: only putting a PMD back where migration had taken it, or a PTE where
// the page was swapped out, leaves both kinds without it.
int Recount::nr_anon_mapped(const Machine& m) const {
  int pages = pte_mapped_ + nr_anon_thps();
  const bool tried = m.events[std::size_t(Event::pgmigrate_fail)] > 0;
  for (std::uint64_t blocks = pmd_mapped_; blocks != 0; blocks &= blocks - 1) {
    const int i = std::countr_zero(blocks);
    const Pfn head = Pfn(i << geometry_.order);
    const bool twice = m.compound(head).double_map == 0 && (tried || wandered(head));
    if (!twice) pages -= blocks_[std::size_t(i)].mapped;
  }
  return pages;
}

// Cells of huge folios: a split changes none of them.
int Recount::nr_shmem_thps(const Machine& m) const {
  int pages = 0;
  for (int i = 0; geometry_.inodes > 0 && i < geometry_.frame_blocks(); ++i)
    if (blocks_[std::size_t(i)].cells > 0 && folio_test_large(m, Pfn(i << geometry_.order)))
      pages += blocks_[std::size_t(i)].cells;
  return pages;
}

// v6.1 mm/rmap.c: page_add_file_rmap(). A page counts once, however it is mapped.
int Recount::nr_file_mapped() const {
  int pages = file_pte_mapped_ + nr_shmem_pmdmapped();
  for (std::uint64_t blocks = file_pmd_mapped_; blocks != 0; blocks &= blocks - 1)
    pages -= blocks_[std::size_t(std::countr_zero(blocks))].mapped;
  return pages;
}

bool Recount::operator==(const Recount& o) const {
  return geometry_ == o.geometry_ && std::ranges::equal(frames_, o.frames_) &&
         std::ranges::equal(slots_, o.slots_) &&
         std::equal(blocks_.begin(), blocks_.begin() + geometry_.frame_blocks() + 1,
                    o.blocks_.begin()) &&
         mms_ == o.mms_ && inodes_ == o.inodes_ && used_frames_ == o.used_frames_ &&
         cached_slots_ == o.cached_slots_ && outstanding_pins_ == o.outstanding_pins_ &&
         wanderers_ == o.wanderers_;
}

}  // namespace thp
