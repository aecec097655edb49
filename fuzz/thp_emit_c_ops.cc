// Each op as a call of fuzz/emit_c/*.c. An op that has a system call (oracle/live/live_ops.h) and
// none here does not compile.
#include <fmt/format.h>

#include "fuzz/emit_c.h"
#include "model/trace/text.h"
#include "oracle/live/live_ops.h"

namespace thp {
namespace {

// The arguments as C has them: A, first, end, page, value, PROT_READ.
std::string c_argument(MmId mm) { return std::string(1, char('A' + mm.id)); }
std::string c_argument(PageNr page) { return std::to_string(page.number); }
std::string c_argument(Offset offset) { return std::to_string(offset.number); }
std::string c_argument(PageRange r) { return fmt::format("{}, {}", r.first, r.end); }
std::string c_argument(Value value) { return std::to_string(value.number); }
std::string c_argument(InodeId inode) { return std::to_string(inode.id); }
std::string c_argument(FileSize size) { return std::to_string(size.pages); }
std::string c_argument(HolderId holder) { return std::to_string(holder.id); }
std::string c_argument(Sharing sharing) {
  return sharing == Sharing::shared ? "MAP_SHARED" : "MAP_PRIVATE";
}
std::string c_argument(Protection prot) {
  return prot == Protection::rw  ? "PROT_READ | PROT_WRITE"
         : prot == Protection::r ? "PROT_READ"
                                 : "PROT_NONE";
}

template <class... Args>
OpCall c_call(std::string_view function, const Args&... args) {
  std::string text;
  ((text += (text.empty() ? "" : ", ") + c_argument(args)), ...);
  return {fmt::format("{}({})", function, text)};
}

OpCall needing(std::string_view needs, OpCall call) {
  call.needs = needs;
  return call;
}

OpCall advice(const auto& op, std::string_view advice) {
  return {fmt::format("advise({}, {}, {})", c_argument(op.mm), c_argument(op.range), advice)};
}

OpCall in_c(const Mmap& op) { return c_call("map", op.mm, op.range, op.prot); }
OpCall in_c(const MmapHint& op) { return c_call("map_hint", op.mm, op.range, op.prot); }
OpCall in_c(const Munmap& op) { return c_call("unmap", op.mm, op.range); }
OpCall in_c(const Mprotect& op) { return c_call("protect", op.mm, op.range, op.prot); }
OpCall in_c(const Mremap& op) {
  const Value size{op.size.of(op.range)};
  return c_call("move", op.mm, op.range, op.to, size);
}
OpCall in_c(const MremapResize& op) {
  const Value size{op.size.of(op.range)};
  return c_call("resize", op.mm, op.range, size);
}
OpCall in_c(const MremapDontunmap& op) { return c_call("move_dontunmap", op.mm, op.range, op.to); }
OpCall in_c(const Fork& op) { return c_call("fork_space", op.mm, op.child); }
OpCall in_c(const Exit& op) { return c_call("exit_space", op.mm); }
OpCall in_c(const Mlock& op) { return c_call("lock", op.mm, op.range); }
OpCall in_c(const Munlock& op) { return c_call("unlock", op.mm, op.range); }
OpCall in_c(const ClearSoftDirty& op) {
  return needing(kNeedsProc, c_call("clear_soft_dirty", op.mm));
}

OpCall in_c(const Store& op) { return c_call("store", op.mm, op.page, op.value); }
OpCall in_c(const Load& op) { return c_call("load", op.mm, op.page); }
OpCall in_c(const StoreForced& op) {
  return needing(kNeedsProc, c_call("store_forced", op.mm, op.page, op.value));
}

OpCall in_c(const MadviseHugepage& op) { return advice(op, "MADV_HUGEPAGE"); }
OpCall in_c(const MadviseNohugepage& op) { return advice(op, "MADV_NOHUGEPAGE"); }
OpCall in_c(const MadviseDontneed& op) { return advice(op, "MADV_DONTNEED"); }
OpCall in_c(const MadviseFree& op) { return advice(op, "MADV_FREE"); }
OpCall in_c(const MadviseCold& op) { return advice(op, "MADV_COLD"); }
OpCall in_c(const MadvisePageout& op) {
  return needing(kNeedsSwap, c_call("page_out", op.mm, op.range));
}
OpCall in_c(const MadviseCollapse& op) { return advice(op, "MADV_COLLAPSE"); }
OpCall in_c(const MadvisePopulateRead& op) { return advice(op, "MADV_POPULATE_READ"); }
OpCall in_c(const MadvisePopulateWrite& op) { return advice(op, "MADV_POPULATE_WRITE"); }
OpCall in_c(const MadviseDontfork& op) { return advice(op, "MADV_DONTFORK"); }
OpCall in_c(const MadviseDofork& op) { return advice(op, "MADV_DOFORK"); }

OpCall in_c(const Pin& op) { return c_call("pin", op.holder, op.mm, op.page); }
OpCall in_c(const Unpin& op) { return c_call("unpin", op.holder); }
OpCall in_c(const Get& op) { return c_call("get", op.holder, op.mm, op.page); }
OpCall in_c(const Put& op) { return c_call("put", op.holder); }
OpCall in_c(const StoreViaPin& op) { return c_call("store_via_pin", op.holder, op.value); }
OpCall in_c(const LoadViaPin& op) { return c_call("load_via_pin", op.holder); }

OpCall in_c(const SplitFolio& op) {
  return needing(kNeedsSysfs, c_call("split_folio", op.mm, op.range));
}
OpCall in_c(const DropCaches&) { return {"drop_caches()", kNeedsSysfs}; }
OpCall in_c(const Swapon&) { return {"swap_on()", kNeedsSwap}; }
OpCall in_c(const Swapoff&) { return {"swap_off()", kNeedsSwap}; }
OpCall in_c(const MovePages& op) {
  return needing(kNeedsNodes, c_call("move_page", op.mm, op.page));
}

OpCall in_c(const SetEnabled& op) {
  return {fmt::format("set_enabled(\"{}\")", kEnabledNames[std::size_t(op.policy)]), kNeedsSysfs};
}
OpCall in_c(const SetUseZeroPage& op) {
  return {fmt::format("set_use_zero_page(\"{}\")", int(op.value == Toggle::on)), kNeedsSysfs};
}

OpCall in_c(const ShmemEnabled& op) {
  return {fmt::format("set_shmem_enabled(\"{}\")", kShmemHugeNames[std::size_t(op.policy)]),
          kNeedsSysfs};
}
OpCall in_c(const SplitFile& op) {
  return needing(kNeedsSysfs, c_call("split_file", op.inode, op.range));
}

OpCall in_c(const PrctlThpDisable& op) {
  return {fmt::format("disable_thp({}, {}, {})", c_argument(op.mm), int(op.value == ThpDisable::on),
                      int(op.value == ThpDisable::bad))};
}

OpCall allocation(const auto& op, std::string_view mode) {
  return {fmt::format("allocate({}, {}, {})", c_argument(op.inode), c_argument(op.range), mode)};
}

OpCall in_c(const MmapFile& op) {
  return c_call("map_file", op.mm, op.range, op.inode, op.offset, op.sharing, op.prot);
}
OpCall in_c(const Creat& op) { return c_call("create_file", op.inode); }
OpCall in_c(const Close& op) { return c_call("close_file", op.inode); }
OpCall in_c(const Pread& op) { return c_call("read_page", op.inode, op.page); }
OpCall in_c(const Pwrite& op) { return c_call("write_page", op.inode, op.page, op.value); }
OpCall in_c(const Fallocate& op) {
  return allocation(op, op.mode == FallocMode::keep ? "FALLOC_FL_KEEP_SIZE" : "0");
}
OpCall in_c(const Punch& op) {
  return allocation(op, "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE");
}
OpCall in_c(const Truncate& op) { return c_call("truncate_file", op.inode, op.size); }

// No trace that a kernel can run has these.
template <class OpT>
  requires(!live::kWhyNotLive<OpT>.empty())
OpCall in_c(const OpT&) {
  return {"0"};
}

}  // namespace

OpCall call_of(const Op& op) {
  return visit_op([](const auto& o) { return in_c(o); }, op);
}

}  // namespace thp
