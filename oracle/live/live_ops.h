// Which ops the real kernel can be asked to do, and by what; and why not the others. Shared by the
// host, which draws only those, and the guest, which refuses the rest.
#pragma once
#include <string_view>
#include <variant>

#include "model/ops.h"

namespace thp::live {

inline constexpr std::string_view kInjection =
    "an injected failure: the kernel offers it only with FAULT_INJECTION, and never so exactly";
inline constexpr std::string_view kHalfDone =
    "half of a system call: what it leaves open closes before it returns";
inline constexpr std::string_view kOneFolio =
    "reclaim takes what its lists offer, not the one folio that is asked for";
inline constexpr std::string_view kOneShrinker =
    "drop_caches runs every shrinker, not this one alone";
inline constexpr std::string_view kReadingPin =
    "io_uring pins for writing only, and no other system call keeps a pin for reading";

// Empty: the op can be done.
template <class OpT>
inline constexpr std::string_view kWhyNotLive = {};
template <>
inline constexpr std::string_view kWhyNotLive<Isolate> = kHalfDone;
template <>
inline constexpr std::string_view kWhyNotLive<Putback> = kHalfDone;
template <>
inline constexpr std::string_view kWhyNotLive<ShrinkDeferred> = kOneShrinker;
template <>
inline constexpr std::string_view kWhyNotLive<ShrinkHugeZero> = kOneShrinker;
template <>
inline constexpr std::string_view kWhyNotLive<ShrinkShmem> = kOneShrinker;
template <>
inline constexpr std::string_view kWhyNotLive<Reclaim> = kOneFolio;
template <>
inline constexpr std::string_view kWhyNotLive<WritebackEnd> = kHalfDone;
template <>
inline constexpr std::string_view kWhyNotLive<MigrateBegin> = kHalfDone;
template <>
inline constexpr std::string_view kWhyNotLive<MigrateEnd> = kHalfDone;
template <>
inline constexpr std::string_view kWhyNotLive<FailHugeAlloc> = kInjection;
template <>
inline constexpr std::string_view kWhyNotLive<FailSmallAlloc> = kInjection;
template <>
inline constexpr std::string_view kWhyNotLive<FailCharge> = kInjection;
template <>
inline constexpr std::string_view kWhyNotLive<FailSwapCluster> = kInjection;
template <>
inline constexpr std::string_view kWhyNotLive<ContendPageLock> = kInjection;
template <>
inline constexpr std::string_view kWhyNotLive<HoldSpeculativeRef> = kInjection;

// How the executor does an op; empty if it does not.
template <class OpT>
inline constexpr std::string_view kSystemCall = {};
template <>
inline constexpr std::string_view kSystemCall<Mmap> = "mmap";
template <>
inline constexpr std::string_view kSystemCall<MmapHint> = "mmap";
template <>
inline constexpr std::string_view kSystemCall<Munmap> = "munmap";
template <>
inline constexpr std::string_view kSystemCall<Mprotect> = "mprotect";
template <>
inline constexpr std::string_view kSystemCall<Mremap> = "mremap";
template <>
inline constexpr std::string_view kSystemCall<MremapResize> = "mremap";
template <>
inline constexpr std::string_view kSystemCall<MremapDontunmap> = "mremap";
template <>
inline constexpr std::string_view kSystemCall<Fork> = "clone";
template <>
inline constexpr std::string_view kSystemCall<Exit> = "exit_group";
template <>
inline constexpr std::string_view kSystemCall<Mlock> = "mlock";
template <>
inline constexpr std::string_view kSystemCall<Munlock> = "munlock";
template <>
inline constexpr std::string_view kSystemCall<ClearSoftDirty> = "write /proc/PID/clear_refs";
template <>
inline constexpr std::string_view kSystemCall<Store> = "a store";
template <>
inline constexpr std::string_view kSystemCall<Load> = "a load";
template <>
inline constexpr std::string_view kSystemCall<StoreForced> = "write /proc/PID/mem";
template <>
inline constexpr std::string_view kSystemCall<MadviseHugepage> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadviseNohugepage> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadviseDontneed> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadviseFree> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadviseCold> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadvisePageout> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadviseCollapse> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadviseDontfork> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadviseDofork> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadvisePopulateRead> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<MadvisePopulateWrite> = "madvise";
template <>
inline constexpr std::string_view kSystemCall<Pin> = "io_uring_register IORING_REGISTER_BUFFERS";
template <>
inline constexpr std::string_view kSystemCall<Unpin> =
    "io_uring_register IORING_UNREGISTER_BUFFERS";
template <>
inline constexpr std::string_view kSystemCall<Get> = "vmsplice";
template <>
inline constexpr std::string_view kSystemCall<Put> = "read of the pipe";
template <>
inline constexpr std::string_view kSystemCall<StoreViaPin> = "io_uring_enter IORING_OP_READ_FIXED";
template <>
inline constexpr std::string_view kSystemCall<LoadViaPin> =
    "io_uring_enter IORING_OP_WRITE_FIXED; of a get: tee";
template <>
inline constexpr std::string_view kSystemCall<SplitFolio> = "write debugfs split_huge_pages";
template <>
inline constexpr std::string_view kSystemCall<SplitFile> = "write debugfs split_huge_pages";
template <>
inline constexpr std::string_view kSystemCall<DropCaches> = "write /proc/sys/vm/drop_caches";
template <>
inline constexpr std::string_view kSystemCall<Swapon> = "swapon";
template <>
inline constexpr std::string_view kSystemCall<Swapoff> = "swapoff";
template <>
inline constexpr std::string_view kSystemCall<MovePages> = "move_pages MPOL_MF_MOVE_ALL";
template <>
inline constexpr std::string_view kSystemCall<SetEnabled> = "write sysfs enabled";
template <>
inline constexpr std::string_view kSystemCall<SetUseZeroPage> = "write sysfs use_zero_page";
template <>
inline constexpr std::string_view kSystemCall<ShmemEnabled> = "write sysfs shmem_enabled";
template <>
inline constexpr std::string_view kSystemCall<PrctlThpDisable> = "prctl PR_SET_THP_DISABLE";
template <>
inline constexpr std::string_view kSystemCall<Creat> = "memfd_create";
template <>
inline constexpr std::string_view kSystemCall<Close> = "close";
template <>
inline constexpr std::string_view kSystemCall<Pread> = "pread";
template <>
inline constexpr std::string_view kSystemCall<Pwrite> = "pwrite";
template <>
inline constexpr std::string_view kSystemCall<Fallocate> = "fallocate";
template <>
inline constexpr std::string_view kSystemCall<Punch> = "fallocate FALLOC_FL_PUNCH_HOLE";
template <>
inline constexpr std::string_view kSystemCall<Truncate> = "ftruncate";
template <>
inline constexpr std::string_view kSystemCall<MmapFile> = "mmap MAP_SHARED or MAP_PRIVATE";

// Every op says one or the other.
template <class OpT>
struct IsDeclared {
  static_assert(kWhyNotLive<OpT>.empty() != kSystemCall<OpT>.empty(),
                "each op has its system call in oracle/live/live_ops.h, or a reason for none");
};
template <class... Ops>
consteval bool all_declared(std::type_identity<std::variant<Ops...>>) {
  return ((sizeof(IsDeclared<Ops>) > 0) && ...);
}
static_assert(all_declared(std::type_identity<Op>{}));

// Why this very op cannot be done; empty if it can.
inline std::string_view why_not_live(const Op& op) {
  if (const Pin* pin = std::get_if<Pin>(&op); pin != nullptr && pin->mode == PinMode::r)
    return kReadingPin;
  return visit_op([]<class OpT>(const OpT&) { return kWhyNotLive<OpT>; }, op);
}

}  // namespace thp::live
