// The alphabet: every op, declared once. Text, generation, mutation, shrinking, exploration and the
// README's table are folds over `Op`, `name`, `args` and `help`. Ops are total: legal in every
// state. step() returns what the caller sees: 0 or a number, -errno, or one of these:
#pragma once
#include <array>
#include <string_view>
#include <tuple>
#include <variant>

#include "model/args.h"
#include "model/machine.h"

namespace thp {

inline constexpr int kSigsegv = -1000;    // the access is not allowed
inline constexpr int kOom = -1001;        // VM_FAULT_OOM: the access could not be served
inline constexpr int kSigbus = -1002;     // the file does not reach that far
inline constexpr int kEof = -1003;        // there is nothing to read
inline constexpr int kElsewhere = -1004;  // mapped, but not where it was asked for

// --- Address spaces.

struct Mmap {
  MmId mm;
  PageRange range;
  Protection prot = Protection::rw;
  static constexpr std::string_view name = "mmap";
  static constexpr std::string_view help =
      "mmap(MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS); replaces what is there";
  static constexpr std::tuple args{&Mmap::mm, &Mmap::range, &Mmap::prot};
  int step(Machine& m) const;
  bool operator==(const Mmap&) const = default;
};

struct MmapHint {
  MmId mm;
  PageRange range;
  Protection prot = Protection::rw;
  static constexpr std::string_view name = "mmap_hint";
  static constexpr std::string_view help =
      "mmap() without MAP_FIXED: ELSEWHERE, and unmapped at once, where something is in the way";
  static constexpr std::tuple args{&MmapHint::mm, &MmapHint::range, &MmapHint::prot};
  int step(Machine& m) const;
  bool operator==(const MmapHint&) const = default;
};

struct Munmap {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "munmap";
  static constexpr std::string_view help = "munmap(); a partly covered huge PMD is split";
  static constexpr std::tuple args{&Munmap::mm, &Munmap::range};
  int step(Machine& m) const;
  bool operator==(const Munmap&) const = default;
};

struct Mprotect {
  MmId mm;
  PageRange range;
  Protection prot = Protection::rw;
  static constexpr std::string_view name = "mprotect";
  static constexpr std::string_view help = "mprotect()";
  static constexpr std::tuple args{&Mprotect::mm, &Mprotect::range, &Mprotect::prot};
  int step(Machine& m) const;
  bool operator==(const Mprotect&) const = default;
};

struct Mremap {
  MmId mm;
  PageRange range;
  PageNr to;
  NewSize size = {};
  static constexpr std::string_view name = "mremap";
  static constexpr std::string_view help =
      "mremap(MREMAP_MAYMOVE | MREMAP_FIXED) to a page, and there to a new size in pages";
  static constexpr std::tuple args{&Mremap::mm, &Mremap::range, &Mremap::to, &Mremap::size};
  int step(Machine& m) const;
  bool operator==(const Mremap&) const = default;
};

struct MremapResize {
  MmId mm;
  PageRange range;
  NewSize size = {};
  static constexpr std::string_view name = "mremap_resize";
  static constexpr std::string_view help =
      "mremap() in place to a new size in pages; ENOMEM where there is no room to grow";
  static constexpr std::tuple args{&MremapResize::mm, &MremapResize::range, &MremapResize::size};
  int step(Machine& m) const;
  bool operator==(const MremapResize&) const = default;
};

struct MremapDontunmap {
  MmId mm;
  PageRange range;
  PageNr to;
  static constexpr std::string_view name = "mremap_dontunmap";
  static constexpr std::string_view help =
      "mremap(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP): what it leaves is empty";
  static constexpr std::tuple args{&MremapDontunmap::mm, &MremapDontunmap::range,
                                   &MremapDontunmap::to};
  int step(Machine& m) const;
  bool operator==(const MremapDontunmap&) const = default;
};

struct Fork {
  MmId mm;
  MmId child;
  static constexpr std::string_view name = "fork";
  static constexpr std::string_view help = "fork(); EEXIST while the child's name is taken";
  static constexpr std::tuple args{&Fork::mm, &Fork::child};
  int step(Machine& m) const;
  bool operator==(const Fork&) const = default;
};

struct Exit {
  MmId mm;
  static constexpr std::string_view name = "exit";
  static constexpr std::string_view help = "the last thread exits: exit_mmap()";
  static constexpr std::tuple args{&Exit::mm};
  int step(Machine& m) const;
  bool operator==(const Exit&) const = default;
};

struct Mlock {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "mlock";
  static constexpr std::string_view help = "mlock(); populates the range";
  static constexpr std::tuple args{&Mlock::mm, &Mlock::range};
  int step(Machine& m) const;
  bool operator==(const Mlock&) const = default;
};

struct Munlock {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "munlock";
  static constexpr std::string_view help = "munlock()";
  static constexpr std::tuple args{&Munlock::mm, &Munlock::range};
  int step(Machine& m) const;
  bool operator==(const Munlock&) const = default;
};

struct ClearSoftDirty {
  MmId mm;
  static constexpr std::string_view name = "clear_soft_dirty";
  static constexpr std::string_view help = "echo 4 > /proc/PID/clear_refs";
  static constexpr std::tuple args{&ClearSoftDirty::mm};
  int step(Machine& m) const;
  bool operator==(const ClearSoftDirty&) const = default;
};

// --- Accesses.

struct Store {
  MmId mm;
  PageNr page;
  Value value;
  static constexpr std::string_view name = "store";
  static constexpr std::string_view help = "a store of one byte, with the faults it takes";
  static constexpr std::tuple args{&Store::mm, &Store::page, &Store::value};
  int step(Machine& m) const;
  bool operator==(const Store&) const = default;
};

struct Load {
  MmId mm;
  PageNr page;
  static constexpr std::string_view name = "load";
  static constexpr std::string_view help =
      "a load of one byte, with the faults it takes; returns what it reads";
  static constexpr std::tuple args{&Load::mm, &Load::page};
  int step(Machine& m) const;
  bool operator==(const Load&) const = default;
};

struct StoreForced {
  MmId mm;
  PageNr page;
  Value value;
  static constexpr std::string_view name = "store_forced";
  static constexpr std::string_view help = "write to /proc/PID/mem: FOLL_FORCE | FOLL_WRITE";
  static constexpr std::tuple args{&StoreForced::mm, &StoreForced::page, &StoreForced::value};
  int step(Machine& m) const;
  bool operator==(const StoreForced&) const = default;
};

// --- Advice.

struct MadviseHugepage {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_hugepage";
  static constexpr std::string_view help = "MADV_HUGEPAGE";
  static constexpr std::tuple args{&MadviseHugepage::mm, &MadviseHugepage::range};
  int step(Machine& m) const;
  bool operator==(const MadviseHugepage&) const = default;
};

struct MadviseNohugepage {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_nohugepage";
  static constexpr std::string_view help = "MADV_NOHUGEPAGE";
  static constexpr std::tuple args{&MadviseNohugepage::mm, &MadviseNohugepage::range};
  int step(Machine& m) const;
  bool operator==(const MadviseNohugepage&) const = default;
};

struct MadviseDontneed {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_dontneed";
  static constexpr std::string_view help =
      "MADV_DONTNEED: zap; a partly covered huge PMD is split first";
  static constexpr std::tuple args{&MadviseDontneed::mm, &MadviseDontneed::range};
  int step(Machine& m) const;
  bool operator==(const MadviseDontneed&) const = default;
};

struct MadviseFree {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_free";
  static constexpr std::string_view help =
      "MADV_FREE: the pages may be discarded until they are stored to";
  static constexpr std::tuple args{&MadviseFree::mm, &MadviseFree::range};
  int step(Machine& m) const;
  bool operator==(const MadviseFree&) const = default;
};

struct MadviseCold {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_cold";
  static constexpr std::string_view help = "MADV_COLD: deactivate; a partly covered THP is split";
  static constexpr std::tuple args{&MadviseCold::mm, &MadviseCold::range};
  int step(Machine& m) const;
  bool operator==(const MadviseCold&) const = default;
};

struct MadvisePageout {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_pageout";
  static constexpr std::string_view help =
      "MADV_PAGEOUT: reclaim what only this address space maps";
  static constexpr std::tuple args{&MadvisePageout::mm, &MadvisePageout::range};
  int step(Machine& m) const;
  bool operator==(const MadvisePageout&) const = default;
};

struct MadviseCollapse {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_collapse";
  static constexpr std::string_view help = "MADV_COLLAPSE: back the range by huge pages";
  static constexpr std::tuple args{&MadviseCollapse::mm, &MadviseCollapse::range};
  int step(Machine& m) const;
  bool operator==(const MadviseCollapse&) const = default;
};

struct MadviseDontfork {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_dontfork";
  static constexpr std::string_view help = "MADV_DONTFORK";
  static constexpr std::tuple args{&MadviseDontfork::mm, &MadviseDontfork::range};
  int step(Machine& m) const;
  bool operator==(const MadviseDontfork&) const = default;
};

struct MadviseDofork {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_dofork";
  static constexpr std::string_view help = "MADV_DOFORK";
  static constexpr std::tuple args{&MadviseDofork::mm, &MadviseDofork::range};
  int step(Machine& m) const;
  bool operator==(const MadviseDofork&) const = default;
};

struct MadvisePopulateRead {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_populate_read";
  static constexpr std::string_view help = "MADV_POPULATE_READ: as a load from each page";
  static constexpr std::tuple args{&MadvisePopulateRead::mm, &MadvisePopulateRead::range};
  int step(Machine& m) const;
  bool operator==(const MadvisePopulateRead&) const = default;
};

struct MadvisePopulateWrite {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "madvise_populate_write";
  static constexpr std::string_view help =
      "MADV_POPULATE_WRITE: as a store to each page, but nothing is stored";
  static constexpr std::tuple args{&MadvisePopulateWrite::mm, &MadvisePopulateWrite::range};
  int step(Machine& m) const;
  bool operator==(const MadvisePopulateWrite&) const = default;
};

// --- References that outlive the op.

struct Pin {
  HolderId holder;
  MmId mm;
  PageNr page;
  PinMode mode = PinMode::w;
  static constexpr std::string_view name = "pin";
  static constexpr std::string_view help =
      "pin_user_pages() of one page: FOLL_PIN, for reading or writing";
  static constexpr std::tuple args{&Pin::holder, &Pin::mm, &Pin::page, &Pin::mode};
  int step(Machine& m) const;
  bool operator==(const Pin&) const = default;
};

struct Unpin {
  HolderId holder;
  static constexpr std::string_view name = "unpin";
  static constexpr std::string_view help = "unpin_user_page()";
  static constexpr std::tuple args{&Unpin::holder};
  int step(Machine& m) const;
  bool operator==(const Unpin&) const = default;
};

struct Get {
  HolderId holder;
  MmId mm;
  PageNr page;
  static constexpr std::string_view name = "get";
  static constexpr std::string_view help = "get_user_pages() for reading, as vmsplice(): FOLL_GET";
  static constexpr std::tuple args{&Get::holder, &Get::mm, &Get::page};
  int step(Machine& m) const;
  bool operator==(const Get&) const = default;
};

struct Put {
  HolderId holder;
  static constexpr std::string_view name = "put";
  static constexpr std::string_view help = "put_page() of what `get` took";
  static constexpr std::tuple args{&Put::holder};
  int step(Machine& m) const;
  bool operator==(const Put&) const = default;
};

struct StoreViaPin {
  HolderId holder;
  Value value;
  static constexpr std::string_view name = "store_via_pin";
  static constexpr std::string_view help = "the device writes through a pin taken for writing";
  static constexpr std::tuple args{&StoreViaPin::holder, &StoreViaPin::value};
  int step(Machine& m) const;
  bool operator==(const StoreViaPin&) const = default;
};

struct LoadViaPin {
  HolderId holder;
  static constexpr std::string_view name = "load_via_pin";
  static constexpr std::string_view help = "the device, or the pipe, reads through a pin or a get";
  static constexpr std::tuple args{&LoadViaPin::holder};
  int step(Machine& m) const;
  bool operator==(const LoadViaPin&) const = default;
};

struct Isolate {
  HolderId holder;
  MmId mm;
  PageNr page;
  static constexpr std::string_view name = "isolate";
  static constexpr std::string_view help = "folio_isolate_lru() of the folio mapped at the page";
  static constexpr std::tuple args{&Isolate::holder, &Isolate::mm, &Isolate::page};
  int step(Machine& m) const;
  bool operator==(const Isolate&) const = default;
};

struct Putback {
  HolderId holder;
  static constexpr std::string_view name = "putback";
  static constexpr std::string_view help = "folio_putback_lru()";
  static constexpr std::tuple args{&Putback::holder};
  int step(Machine& m) const;
  bool operator==(const Putback&) const = default;
};

// --- Splitting.

struct SplitFolio {
  MmId mm;
  PageRange range;
  static constexpr std::string_view name = "split_folio";
  static constexpr std::string_view help =
      "debugfs split_huge_pages: PID,START,END; returns 0 whatever it split";
  static constexpr std::tuple args{&SplitFolio::mm, &SplitFolio::range};
  int step(Machine& m) const;
  bool operator==(const SplitFolio&) const = default;
};

struct ShrinkDeferred {
  static constexpr std::string_view name = "shrink_deferred";
  static constexpr std::string_view help =
      "deferred_split_scan() of the whole queue; returns folios split";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const ShrinkDeferred&) const = default;
};

struct ShrinkHugeZero {
  static constexpr std::string_view name = "shrink_huge_zero";
  static constexpr std::string_view help = "shrink_huge_zero_page_scan(); returns pages freed";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const ShrinkHugeZero&) const = default;
};

struct DropCaches {
  static constexpr std::string_view name = "drop_caches";
  static constexpr std::string_view help =
      "echo 2 > /proc/sys/vm/drop_caches: shrink_shmem, shrink_huge_zero, shrink_deferred";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const DropCaches&) const = default;
};

// --- Swap and reclaim.

struct Swapon {
  static constexpr std::string_view name = "swapon";
  static constexpr std::string_view help =
      "swapon(); EBUSY while on, EINVAL for a device without slots";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const Swapon&) const = default;
};

struct Swapoff {
  static constexpr std::string_view name = "swapoff";
  static constexpr std::string_view help = "swapoff(): reads everything back; EINVAL while off";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const Swapoff&) const = default;
};

struct Reclaim {
  MmId mm;
  PageNr page;
  static constexpr std::string_view name = "reclaim";
  static constexpr std::string_view help =
      "shrink_folio_list() of the folio mapped or swapped out at the page; returns pages freed";
  static constexpr std::tuple args{&Reclaim::mm, &Reclaim::page};
  int step(Machine& m) const;
  bool operator==(const Reclaim&) const = default;
};

struct WritebackEnd {
  static constexpr std::string_view name = "writeback_end";
  static constexpr std::string_view help = "all writes to swap complete";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const WritebackEnd&) const = default;
};

// --- Migration.

struct MigrateBegin {
  MmId mm;
  PageNr page;
  static constexpr std::string_view name = "migrate_begin";
  static constexpr std::string_view help =
      "isolates, locks and unmaps the folio mapped at the page: migration entries";
  static constexpr std::tuple args{&MigrateBegin::mm, &MigrateBegin::page};
  int step(Machine& m) const;
  bool operator==(const MigrateBegin&) const = default;
};

struct MigrateEnd {
  static constexpr std::string_view name = "migrate_end";
  static constexpr std::string_view help =
      "moves the folio and restores its mappings, or puts it back with EAGAIN";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const MigrateEnd&) const = default;
};

struct MovePages {
  MmId mm;
  PageNr page;
  static constexpr std::string_view name = "move_pages";
  static constexpr std::string_view help =
      "move_pages(MPOL_MF_MOVE_ALL) of one page to another node: migrate_begin and migrate_end";
  static constexpr std::tuple args{&MovePages::mm, &MovePages::page};
  int step(Machine& m) const;
  bool operator==(const MovePages&) const = default;
};

// --- Failures to come.

struct FailHugeAlloc {
  static constexpr std::string_view name = "fail_huge_alloc";
  static constexpr std::string_view help = "the next allocation of a huge page fails";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const FailHugeAlloc&) const = default;
};

struct FailSmallAlloc {
  static constexpr std::string_view name = "fail_small_alloc";
  static constexpr std::string_view help = "the next allocation of a small page fails";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const FailSmallAlloc&) const = default;
};

struct FailCharge {
  static constexpr std::string_view name = "fail_charge";
  static constexpr std::string_view help = "the next memcg charge fails";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const FailCharge&) const = default;
};

struct FailSwapCluster {
  static constexpr std::string_view name = "fail_swap_cluster";
  static constexpr std::string_view help = "the next swap-out of a THP finds no free cluster";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const FailSwapCluster&) const = default;
};

struct ContendPageLock {
  static constexpr std::string_view name = "contend_page_lock";
  static constexpr std::string_view help = "the next trylock of a page fails";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const ContendPageLock&) const = default;
};

struct HoldSpeculativeRef {
  static constexpr std::string_view name = "hold_speculative_ref";
  static constexpr std::string_view help =
      "the next freeze of a refcount meets a speculative reference";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const HoldSpeculativeRef&) const = default;
};

// --- Settings.

struct SetEnabled {
  Enabled policy = Enabled::always;
  static constexpr std::string_view name = "enabled";
  static constexpr std::string_view help = "/sys/kernel/mm/transparent_hugepage/enabled";
  static constexpr std::tuple args{&SetEnabled::policy};
  int step(Machine& m) const;
  bool operator==(const SetEnabled&) const = default;
};

struct SetUseZeroPage {
  Toggle value = Toggle::on;
  static constexpr std::string_view name = "use_zero_page";
  static constexpr std::string_view help = "/sys/kernel/mm/transparent_hugepage/use_zero_page";
  static constexpr std::tuple args{&SetUseZeroPage::value};
  int step(Machine& m) const;
  bool operator==(const SetUseZeroPage&) const = default;
};

struct PrctlThpDisable {
  MmId mm;
  ThpDisable value = ThpDisable::on;
  static constexpr std::string_view name = "prctl_thp_disable";
  static constexpr std::string_view help =
      "prctl(PR_SET_THP_DISABLE): no new huge pages; `bad`: with a third argument, EINVAL";
  static constexpr std::tuple args{&PrctlThpDisable::mm, &PrctlThpDisable::value};
  int step(Machine& m) const;
  bool operator==(const PrctlThpDisable&) const = default;
};

// --- Files: memory that has a name, kept in the page cache.

struct Creat {
  InodeId inode;
  static constexpr std::string_view name = "creat";
  static constexpr std::string_view help =
      "memfd_create(): an empty file, open for reading and writing; EEXIST while it lives";
  static constexpr std::tuple args{&Creat::inode};
  int step(Machine& m) const;
  bool operator==(const Creat&) const = default;
};

struct Close {
  InodeId inode;
  static constexpr std::string_view name = "close";
  static constexpr std::string_view help = "close() of its last descriptor; without users it goes";
  static constexpr std::tuple args{&Close::inode};
  int step(Machine& m) const;
  bool operator==(const Close&) const = default;
};

struct Pread {
  InodeId inode;
  PageNr page;
  static constexpr std::string_view name = "pread";
  static constexpr std::string_view help =
      "pread() of the first byte of a page of the file; EOF from its size on";
  static constexpr std::tuple args{&Pread::inode, &Pread::page};
  int step(Machine& m) const;
  bool operator==(const Pread&) const = default;
};

struct Pwrite {
  InodeId inode;
  PageNr page;
  Value value;
  static constexpr std::string_view name = "pwrite";
  static constexpr std::string_view help =
      "pwrite() of a whole page of one byte; the file may grow";
  static constexpr std::tuple args{&Pwrite::inode, &Pwrite::page, &Pwrite::value};
  int step(Machine& m) const;
  bool operator==(const Pwrite&) const = default;
};

struct Fallocate {
  InodeId inode;
  PageRange range;
  FallocMode mode = FallocMode::grow;
  static constexpr std::string_view name = "fallocate";
  static constexpr std::string_view help =
      "fallocate(): pages for a range of the file; `keep`: FALLOC_FL_KEEP_SIZE";
  static constexpr std::tuple args{&Fallocate::inode, &Fallocate::range, &Fallocate::mode};
  int step(Machine& m) const;
  bool operator==(const Fallocate&) const = default;
};

struct Punch {
  InodeId inode;
  PageRange range;
  static constexpr std::string_view name = "punch";
  static constexpr std::string_view help =
      "fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE): a hole where pages were";
  static constexpr std::tuple args{&Punch::inode, &Punch::range};
  int step(Machine& m) const;
  bool operator==(const Punch&) const = default;
};

struct Truncate {
  InodeId inode;
  FileSize size;
  static constexpr std::string_view name = "truncate";
  static constexpr std::string_view help = "ftruncate() to a size in pages";
  static constexpr std::tuple args{&Truncate::inode, &Truncate::size};
  int step(Machine& m) const;
  bool operator==(const Truncate&) const = default;
};

struct MmapFile {
  MmId mm;
  PageRange range;
  InodeId inode;
  Offset offset;
  Sharing sharing = Sharing::shared;
  Protection prot = Protection::rw;
  static constexpr std::string_view name = "mmap_file";
  static constexpr std::string_view help = "mmap(MAP_FIXED) of a file, from a page of it on";
  static constexpr std::tuple args{&MmapFile::mm,     &MmapFile::range,   &MmapFile::inode,
                                   &MmapFile::offset, &MmapFile::sharing, &MmapFile::prot};
  int step(Machine& m) const;
  bool operator==(const MmapFile&) const = default;
};

struct SplitFile {
  InodeId inode;
  PageRange range;
  static constexpr std::string_view name = "split_file";
  static constexpr std::string_view help =
      "debugfs split_huge_pages: PATH,OFFSET,OFFSET; returns 0 whatever it split";
  static constexpr std::tuple args{&SplitFile::inode, &SplitFile::range};
  int step(Machine& m) const;
  bool operator==(const SplitFile&) const = default;
};

struct ShmemEnabled {
  ShmemHuge policy = ShmemHuge::always;
  static constexpr std::string_view name = "shmem_enabled";
  static constexpr std::string_view help = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
  static constexpr std::tuple args{&ShmemEnabled::policy};
  int step(Machine& m) const;
  bool operator==(const ShmemEnabled&) const = default;
};

struct ShrinkShmem {
  static constexpr std::string_view name = "shrink_shmem";
  static constexpr std::string_view help =
      "shmem_unused_huge_scan(): splits what reaches beyond the end of its file; returns how many";
  static constexpr std::tuple<> args{};
  int step(Machine& m) const;
  bool operator==(const ShrinkShmem&) const = default;
};

// The first 48 stay where they are: kinds are drawn and explored in this order.
using Op =
    std::variant<Mmap, Munmap, Mprotect, Mremap, Fork, Exit, Mlock, Munlock, ClearSoftDirty, Store,
                 Load, StoreForced, MadviseHugepage, MadviseNohugepage, MadviseDontneed,
                 MadviseFree, MadviseCold, MadvisePageout, MadviseCollapse, MadviseDontfork,
                 MadviseDofork, Pin, Unpin, Get, Put, StoreViaPin, LoadViaPin, Isolate, Putback,
                 SplitFolio, ShrinkDeferred, ShrinkHugeZero, DropCaches, Swapon, Swapoff, Reclaim,
                 WritebackEnd, MigrateBegin, MigrateEnd, MovePages, FailHugeAlloc, FailSmallAlloc,
                 FailCharge, FailSwapCluster, ContendPageLock, HoldSpeculativeRef, SetEnabled,
                 SetUseZeroPage, MmapHint, MremapResize, MremapDontunmap, MadvisePopulateRead,
                 MadvisePopulateWrite, PrctlThpDisable, Creat, Close, Pread, Pwrite, Fallocate,
                 Punch, Truncate, MmapFile, SplitFile, ShmemEnabled, ShrinkShmem>;

// visit(op) of the type that the op is: std::visit(), but quick to compile.
template <class T, class Result, class Visit, class AnyOp>
Result visit_as(Visit& visit, AnyOp& op) {
  return visit(*std::get_if<T>(&op));
}
template <class Visit, class AnyOp>
decltype(auto) visit_op(Visit&& visit, AnyOp& op) {
  return [&]<class... Ts>(std::type_identity<std::variant<Ts...>>) -> decltype(auto) {
    using Result = decltype(visit(*std::get_if<0>(&op)));
    static constexpr std::array kVisits{&visit_as<Ts, Result, Visit, AnyOp>...};
    return kVisits[op.index()](visit, op);
  }(std::type_identity<Op>{});
}

// One op: the machine after it, and what its caller sees. Clears and sets m.reason.
int step(Machine& m, const Op& op);

inline constexpr int kOpKinds = int(std::variant_size_v<Op>);
template <class T>
inline constexpr int kKindOf = int(Op(std::in_place_type<T>).index());

// Is it one of these? std::holds_alternative() counts the alternatives anew at each call.
template <class... Ts>
bool is_op(const Op& op) {
  return ((op.index() == std::size_t(kKindOf<Ts>)) || ...);
}

// Is it about files? Such an op is in no alphabet of a geometry without files.
template <class T>
inline constexpr bool kIsOfFiles =
    std::is_same_v<T, ShmemEnabled> || std::is_same_v<T, ShrinkShmem> ||
    std::apply(
        [](auto... arg) {
          return (std::is_same_v<std::remove_cvref_t<decltype(T{}.*arg)>, InodeId> || ...);
        },
        T::args);

// Calls visit(op.*arg) for each argument of an op, in the order of its text.
template <class AnyOp, class Visit>
void visit_args(AnyOp& op, Visit&& visit) {
  std::apply([&](auto... arg) { (visit(op.*arg), ...); }, std::remove_cvref_t<AnyOp>::args);
}

// Calls visit.template operator()<T>() for every op type of the alphabet, in order.
template <class Visit>
void for_each_op_type(Visit&& visit) {
  [&]<class... Ts>(std::type_identity<std::variant<Ts...>>) {
    (visit.template operator()<Ts>(), ...);
  }(std::type_identity<Op>{});
}

}  // namespace thp
