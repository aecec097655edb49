// The oracle's first half: memory as applications and devices see it, page by page, from the calls
// alone. It has never heard of frames, folios, huge pages or swap.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <boost/container/vector.hpp>
#include <cstdint>
#include <span>

#include "model/ops.h"
#include "oracle/flat/soft_dirty.h"

namespace thp {

class FlatMemory {
 public:
  explicit FlatMemory(const Geometry& geometry = {}) { reset(geometry); }
  void reset(const Geometry& geometry);  // only A lives; keeps the memory it has

  // One op more: is its result one that its caller may see? The machine before it and `m` after it
  // only tell whether a failure had a cause, how far a call got that failed at one of several VMAs,
  // and where a defect has struck.
  Verdict after(const Op& op, int result, const Machine& before, const Machine& m);

  // What the page tables hold, looked at without faulting, against what the calls left there. They
  // learn: an advised page that is seen discarded stays 0, a `get` seen apart stays apart.
  Verdict compare(const Machine& m);  // everything
  Verdict compare_pages(const Machine& m, int mm, int first, int end);
  Verdict compare_holders(const Machine& m);              // after each op: they are a history
  Verdict compare_vmas(const Machine& m, int mm) const;   // which pages are mapped, and how
  Verdict compare_told(const Machine& m, int mm) const {  // which pages are told soft-dirty
    return compare_told(m, mm, 0, pages_);
  }
  Verdict compare_told(const Machine& m, int mm, int first, int end) const {
    return soft_dirty_.tracks(mm) ? soft_dirty_.compare(m, mm, first, end, values(mm, 0, pages_))
                                  : Verdict{};
  }

  // What the last op has changed here: of each address space the pages between the first and the
  // last one that hold something else, and whether it is mapped otherwise.
  struct Touched {
    int first = 0, end = 0;
    bool vmas = false;
    bool nothing() const { return first == end && !vmas; }
  };
  const Touched& touched(int mm) const { return touched_[std::size_t(mm)]; }
  bool nothing_touched() const;

  // Files that are open; their pages in the page cache against what readers must find there.
  bool is_open(int inode) const { return files_[std::size_t(inode)].open; }
  int size(int inode) const { return files_[std::size_t(inode)].size; }
  int file_value(int inode, int page) const { return file_values_[index(inode, page)]; }
  bool files_touched() const { return files_touched_; }
  Verdict compare_files(const Machine& m) const;

  bool alive(int mm) const { return alive_[std::size_t(mm)]; }
  bool mapped(int mm, int page) const { return (state(mm, page) & kMapped) != 0; }
  bool locked(int mm, int page) const { return (state(mm, page) & kLocked) != 0; }
  bool dontfork(int mm, int page) const { return (state(mm, page) & kDontfork) != 0; }
  // Stored to, or pinned for writing, since it was mapped, discarded or given away.
  bool wanted(int mm, int page) const { return (state(mm, page) & (kTouched | kLazy)) == kTouched; }
  int value(int mm, int page) const { return values_[index(mm, page)]; }
  // The page that a pin must be coherent with; nothing for everybody else.
  struct Owner {
    int mm, page;
  };
  unsigned holders() const { return held_; }  // bit h: something is held as h
  // Not what was touched last.
  bool operator==(const FlatMemory& other) const {
    const auto same = [](const auto& a, const auto& b) {  // as bytes
      return std::equal(a.data(), a.data() + a.size(), b.data(), b.data() + b.size());
    };
    return same(states_, other.states_) && same(values_, other.values_) &&
           same(file_values_, other.file_values_) && files_ == other.files_ &&
           soft_dirty_ == other.soft_dirty_ && same_views(other);
  }
  // All that it knows but of soft-dirty places, of which entries tell as much; for canonical
  // states: put(number) and content(value); of address spaces, holders and files in this order,
  // which becomes their names.
  template <class Put, class Content>
  void tell(const std::array<std::uint8_t, Geometry::kMaxMms>& mms,
            const std::array<std::uint8_t, kMaxHolders>& holders,
            const std::array<std::uint8_t, Geometry::kMaxInodes>& inodes, Put put,
            Content content) const;
  std::optional<Owner> coherent_owner(int holder) const {
    return views_[std::size_t(holder)].coherent ? owner(holder) : std::nullopt;
  }
  std::optional<Owner> owner(int holder) const {  // of the place that it was taken from
    const View& view = views_[std::size_t(holder)];
    if (view.mm < 0) return {};
    return Owner{view.mm, view.page};
  }

 private:
  enum State : std::uint8_t {
    kMapped = 1,
    kMayRead = 2,
    kMayWrite = 4,
    kLocked = 8,  // VM_LOCKED
    kDontfork = 16,
    kTouched = 32,  // stored to, or pinned for writing, since it was mapped or discarded
    kLazy = 64,     // MADV_FREE, and no store since: a load may find 0
    kWindow = 128,  // of a file's mapping: shows a page of it, or a copy of its own
    kOfTheVma = kMapped | kMayRead | kMayWrite | kLocked | kDontfork | kWindow,
  };
  struct Cell {
    std::uint8_t& value;
    std::uint8_t& state;
  };

  // What `pin`, `get` and `isolate` have handed out. A pin is coherent with its owner's page. A
  // get, and a pin of a page that may still be the zero page, goes along with the owner's page only
  // until the owner gets another one: from then on it is apart, a snapshot. Whatever it was taken
  // from, a reference without an owner (unmapped, discarded, exited) is a snapshot too.
  struct View {
    HolderKind kind = HolderKind::none;
    bool write = false, coherent = false, apart = false;
    std::int8_t mm = -1;  // -1: no owner any more
    std::uint16_t page = 0;
    std::uint8_t value = 0;             // as last seen
    std::uint8_t companions = 0;        // bit h: lost its owner together with holder h
    std::int16_t through_another = -1;  // what a companion has just stored
    bool operator==(const View&) const = default;
  };

  struct File {
    bool open = false;
    std::uint16_t size = 0;
    bool operator==(const File&) const = default;
  };

  struct Reply {
    int result;
    const Machine& m;
    const Injections& armed;
    bool was(int expected) const { return result == expected; }
  };

  // --- One for each op; in flat_memory.cc, flat_advice.cc, flat_holders.cc and flat_files.cc.
  Verdict on(const Mmap& op, const Reply& a);
  Verdict on(const MmapHint& op, const Reply& a);
  Verdict on(const Munmap& op, const Reply& a);
  Verdict on(const Mprotect& op, const Reply& a);
  Verdict on(const Mremap& op, const Reply& a);
  Verdict on(const MremapResize& op, const Reply& a);
  Verdict on(const MremapDontunmap& op, const Reply& a);
  Verdict on(const Fork& op, const Reply& a);
  Verdict on(const Exit& op, const Reply& a);
  Verdict on(const Mlock& op, const Reply& a);
  Verdict on(const Munlock& op, const Reply& a);
  Verdict on(const ClearSoftDirty& op, const Reply& a);
  Verdict on(const Store& op, const Reply& a);
  Verdict on(const Load& op, const Reply& a);
  Verdict on(const StoreForced& op, const Reply& a);
  Verdict on(const MadviseHugepage& op, const Reply& a);
  Verdict on(const MadviseNohugepage& op, const Reply& a);
  Verdict on(const MadviseDontneed& op, const Reply& a);
  Verdict on(const MadviseFree& op, const Reply& a);
  Verdict on(const MadviseCold& op, const Reply& a);
  Verdict on(const MadvisePageout& op, const Reply& a);
  Verdict on(const MadviseCollapse& op, const Reply& a);
  Verdict on(const MadviseDontfork& op, const Reply& a);
  Verdict on(const MadviseDofork& op, const Reply& a);
  Verdict on(const MadvisePopulateRead& op, const Reply& a);
  Verdict on(const MadvisePopulateWrite& op, const Reply& a);
  Verdict on(const Pin& op, const Reply& a);
  Verdict on(const Unpin& op, const Reply& a);
  Verdict on(const Get& op, const Reply& a);
  Verdict on(const Put& op, const Reply& a);
  Verdict on(const StoreViaPin& op, const Reply& a);
  Verdict on(const LoadViaPin& op, const Reply& a);
  Verdict on(const Isolate& op, const Reply& a);
  Verdict on(const Putback& op, const Reply& a);
  Verdict on(const SplitFolio& op, const Reply& a);
  Verdict on(const SplitFile& op, const Reply& a);
  Verdict on(const ShrinkDeferred& op, const Reply& a);
  Verdict on(const ShrinkShmem& op, const Reply& a);
  Verdict on(const ShrinkHugeZero& op, const Reply& a);
  Verdict on(const DropCaches& op, const Reply& a);
  Verdict on(const Swapon& op, const Reply& a);
  Verdict on(const Swapoff& op, const Reply& a);
  Verdict on(const Reclaim& op, const Reply& a);
  Verdict on(const WritebackEnd& op, const Reply& a);
  Verdict on(const MigrateBegin& op, const Reply& a);
  Verdict on(const MigrateEnd& op, const Reply& a);
  Verdict on(const MovePages& op, const Reply& a);
  Verdict on(const FailHugeAlloc& op, const Reply& a);
  Verdict on(const FailSmallAlloc& op, const Reply& a);
  Verdict on(const FailCharge& op, const Reply& a);
  Verdict on(const FailSwapCluster& op, const Reply& a);
  Verdict on(const ContendPageLock& op, const Reply& a);
  Verdict on(const HoldSpeculativeRef& op, const Reply& a);
  Verdict on(const SetEnabled& op, const Reply& a);
  Verdict on(const SetUseZeroPage& op, const Reply& a);
  Verdict on(const ShmemEnabled& op, const Reply& a);
  Verdict on(const PrctlThpDisable& op, const Reply& a);
  Verdict on(const Creat& op, const Reply& a);
  Verdict on(const Close& op, const Reply& a);
  Verdict on(const Pread& op, const Reply& a);
  Verdict on(const Pwrite& op, const Reply& a);
  Verdict on(const Fallocate& op, const Reply& a);
  Verdict on(const Punch& op, const Reply& a);
  Verdict on(const Truncate& op, const Reply& a);
  Verdict on(const MmapFile& op, const Reply& a);

  std::size_t index(int mm, int page) const { return std::size_t(mm * pages_ + page); }
  std::uint8_t state(int mm, int page) const { return states_[index(mm, page)]; }
  Cell at(int mm, int page) { return {values_[index(mm, page)], states_[index(mm, page)]}; }
  std::span<std::uint8_t> values(int mm, int first, int end) {
    return {values_.data() + index(mm, first), std::size_t(end - first)};
  }
  std::span<const std::uint8_t> values(int mm, int first, int end) const {
    return {values_.data() + index(mm, first), std::size_t(end - first)};
  }
  std::span<std::uint8_t> states(int mm, int first, int end) {
    return {states_.data() + index(mm, first), std::size_t(end - first)};
  }
  std::span<const std::uint8_t> states(int mm, int first, int end) const {
    return {states_.data() + index(mm, first), std::size_t(end - first)};
  }
  // What all pages of a range have, and what any of them has.
  struct Summary {
    std::uint8_t all, any;
  };
  Summary summary(int mm, PageRange range) const;
  template <class Visit>  // visit(view, holder) of whatever is held
  void for_each_view(Visit visit) {
    for (unsigned left = held_; left != 0; left &= left - 1)
      visit(views_[std::size_t(std::countr_zero(left))], std::countr_zero(left));
  }
  bool same_views(const FlatMemory& other) const {  // where nothing is held there is none
    bool same = held_ == other.held_;
    for (unsigned left = held_; same && left != 0; left &= left - 1) {
      const auto holder = std::size_t(std::countr_zero(left));
      same = views_[holder] == other.views_[holder];
    }
    return same;
  }
  int first_hole(int mm, PageRange range) const;  // range.end if all of it is mapped
  void touch(int mm, int first, int end);
  std::span<std::uint8_t> file_values(int inode, int first, int end) {
    return {file_values_.data() + index(inode, first), std::size_t(end - first)};
  }
  // A window shows one page of a file, whose bytes it has in values_, too; a copy shows its own.
  struct Window {
    std::uint8_t inode;
    bool is_private, is_copied;  // stored to, it shows the file no more
    std::uint16_t index;
  };
  bool maps_a_file(int mm, int page) const { return (state(mm, page) & kWindow) != 0; }
  bool is_window(int mm, int page) const {
    return maps_a_file(mm, page) && !windows_[index(mm, page)].is_copied;
  }
  bool is_beyond_its_file(int mm, int page) const {
    const Window& window = windows_[index(mm, page)];
    return is_window(mm, page) && window.index >= size(window.inode);
  }
  // Beyond the end a huge page of the file may be: see kHugePageBeyondTheEnd in model/defects.h.
  bool may_be_beyond_its_file(const Machine& m, int mm, int page) const;
  bool is_mapped(int inode) const;
  // visit(mm, page) of each window on pages [first, end) of a file, and of each copy of them.
  template <class Visit>
  void for_each_window_or_copy(int inode, int first, int end, Visit visit) {
    for (int mm = 0; mm < mms_; ++mm)
      for (int page = 0; page < pages_; ++page) {
        const Window& window = windows_[index(mm, page)];
        const bool within = window.inode == inode && first <= window.index && window.index < end;
        if (within && maps_a_file(mm, page)) visit(mm, page);
      }
  }
  template <class Visit>  // the same without copies
  void for_each_window(int inode, int first, int end, Visit visit) {
    for_each_window_or_copy(inode, first, end, [&](int mm, int page) {
      if (is_window(mm, page)) visit(mm, page);
    });
  }
  void open_windows(int mm, PageRange range, Window first);
  void show(int mm, int page);
  void file_changed(int inode, int first, int end);
  void evict_if_unused(int inode);
  void learn_copies(const Op& op, const Machine& m);
  void grow_file(int inode, int size);
  void cut_file(int inode, int first, int end, bool even_copies);
  void store(int mm, int page, int value);
  void store_by_processor(int mm, int page, int value);
  void store_by_device(int mm, int page, int value);
  void found_discarded(int mm, int page);
  void mark(int mm, int first, int end, std::uint8_t clear, std::uint8_t set);
  void discard(int mm, int first, int end, std::uint8_t keep);
  void unmap(int mm, int first, int end) { discard(mm, first, end, 0); }
  void move(int mm, PageRange from, int to);
  void detach(int mm, int first, int end);
  void release(int holder);
  Verdict hand_out(int holder, const View& view, bool permitted, const Reply& a);
  Verdict give_back(int holder, HolderKind kind, const Reply& a);
  Verdict advised(int mm, PageRange range, std::uint8_t refused, int& end, const Reply& a) const;
  Verdict flags_advised(int mm, PageRange range, std::uint8_t clear, std::uint8_t set,
                        const Reply& a);
  Verdict locked(int mm, PageRange range, bool lock, const Reply& a);
  Verdict mapped_anew(int mm, PageRange range, Protection protection, const Reply& a);
  Verdict moved(const Mremap& op, bool dontunmap, const Reply& a);
  Verdict populated(int mm, PageRange range, std::uint8_t needed, const Reply& a) const;
  Verdict see(int mm, int page, int seen);
  Verdict compare_holder(const Machine& m, int holder);
  bool agrees(const Machine& m, int mm, const Entry& pmd, int first, int end) const;
  Verdict compare_below(const Machine& m, int mm, int i, int first, int end);
  Verdict compare_entry(const Machine& m, int mm, int page, const Entry& entry, int offset);

  int pages_ = 0, mms_ = 0, inodes_ = 0;
  bool holders_touched_ = false, files_touched_ = false;
  std::array<Touched, Geometry::kMaxMms> touched_{};
  std::array<bool, Geometry::kMaxMms> alive_{};
  std::array<View, kMaxHolders> views_{};
  unsigned held_ = 0;                                       // bit h: views_[h] is of something
  boost::container::vector<std::uint8_t> values_, states_;  // of all pages
  std::array<File, Geometry::kMaxInodes> files_{};
  boost::container::vector<std::uint8_t> file_values_;  // beyond its size a file has zeroes
  boost::container::vector<Window> windows_;            // of all pages; valid where kWindow
  SoftDirty soft_dirty_;
};

template <class Put, class Content>
void FlatMemory::tell(const std::array<std::uint8_t, Geometry::kMaxMms>& mms,
                      const std::array<std::uint8_t, kMaxHolders>& holders,
                      const std::array<std::uint8_t, Geometry::kMaxInodes>& inodes, Put put,
                      Content content) const {
  std::array<int, Geometry::kMaxMms> name_of{};
  for (int i = 0; i < mms_; ++i) {
    name_of[mms[std::size_t(i)]] = i;
    for (int page = 0; page < pages_; ++page) {
      put(state(mms[std::size_t(i)], page));
      content(value(mms[std::size_t(i)], page));
    }
  }
  for (int i = 0; i < inodes_; ++i) {
    const std::uint8_t id = inodes[std::size_t(i)];
    put(files_[id].open);
    put(files_[id].size);
    for (int page = 0; page < pages_; ++page) content(file_values_[index(id, page)]);
  }
  for (const std::uint8_t holder : holders) {
    const View& view = views_[holder];
    put(int(view.kind) | view.write << 2 | view.coherent << 3 | view.apart << 4);
    if (view.kind == HolderKind::none) continue;
    put(view.mm < 0 ? -1 : name_of[std::size_t(view.mm)]);
    put(view.page);
    for (const std::uint8_t other : holders) put(view.companions >> other & 1);
    content(view.value);
  }
}

// What a load at the page would find were it to fault in nothing but what is already there; -1 if
// the entry points nowhere.
int visible(const Machine& m, int mm, int page);
// The same behind a swap entry of this slot.
int content_of_slot(const Machine& m, int slot);

}  // namespace thp
