// What pins, gets and isolations do to flat memory, and the ops that do nothing to it.
#include <cerrno>

#include "oracle/flat/flat_memory.h"
#include "oracle/flat/flat_reply.h"

namespace thp {

// --- Holders.

// Common to whatever hands out a reference under a name.
Verdict FlatMemory::hand_out(int holder, const View& view, bool permitted, const Reply& a) {
  View& mine = views_[std::size_t(holder)];
  if (mine.kind != HolderKind::none)
    return alive(view.mm) ? expect(a.result, -EBUSY) : expect_any(a.result, {-EBUSY, -ESRCH});
  if (!alive(view.mm)) return no_such_process(a.result);
  if (!permitted) return expect(a.result, -EFAULT);
  if (a.was(-ENOMEM) && may_oom(a.m, a.armed, view.mm)) return {};
  holders_touched_ = true;
  mine = view;
  held_ |= 1u << holder;
  mine.value = std::uint8_t(value(view.mm, view.page));
  return expect(a.result, 0);
}

Verdict FlatMemory::give_back(int holder, HolderKind kind, const Reply& a) {
  if (views_[std::size_t(holder)].kind != kind) return expect(a.result, -EINVAL);
  holders_touched_ = true;
  views_[std::size_t(holder)] = View{};
  held_ &= ~(1u << holder);
  for_each_view([&](View& view, int) { view.companions &= std::uint8_t(~(1 << holder)); });
  return expect(a.result, 0);
}

// A pin for reading is coherent only where the page is anonymous for certain: v6.1 pins the zero
// page as it is (include/linux/mm.h: gup_must_unshare()), and the first store leaves it behind.
Verdict FlatMemory::on(const Pin& op, const Reply& a) {
  Cell cell = at(op.mm.id, op.page.number);
  const bool write = op.mode == PinMode::w;
  const bool present = (cell.state & kTouched) != 0 && (cell.state & kLazy) == 0;
  const View view{.kind = HolderKind::pin,
                  .write = write,
                  .coherent = write || present,
                  .mm = std::int8_t(op.mm.id),
                  .page = std::uint16_t(op.page.number)};
  if (write && a.was(0)) cell.state |= kTouched;
  return hand_out(op.holder.id, view, (cell.state & (write ? kMayWrite : kMayRead)) != 0, a);
}

Verdict FlatMemory::on(const Get& op, const Reply& a) {
  const bool readable = (state(op.mm.id, op.page.number) & kMayRead) != 0;
  const View view{
      .kind = HolderKind::get, .mm = std::int8_t(op.mm.id), .page = std::uint16_t(op.page.number)};
  return hand_out(op.holder.id, view, readable, a);
}

Verdict FlatMemory::on(const Unpin& op, const Reply& a) {
  return give_back(op.holder.id, HolderKind::pin, a);
}
Verdict FlatMemory::on(const Put& op, const Reply& a) {
  return give_back(op.holder.id, HolderKind::get, a);
}
Verdict FlatMemory::on(const Putback& op, const Reply& a) {
  return give_back(op.holder.id, HolderKind::isolation, a);
}

// Whether the folio was on the LRU is none of flat memory's business.
Verdict FlatMemory::on(const Isolate& op, const Reply& a) {
  if (!a.was(0)) return a.result < 0 ? Verdict{} : expect(a.result, 0);
  const View view{.kind = HolderKind::isolation, .mm = std::int8_t(op.mm.id)};
  const Verdict verdict = hand_out(op.holder.id, view, true, a);
  views_[std::size_t(op.holder.id)].mm = -1;
  return verdict;
}

// The driver marks the page dirty, as it must: what was advised away is wanted again.
Verdict FlatMemory::on(const StoreViaPin& op, const Reply& a) {
  View& view = views_[std::size_t(op.holder.id)];
  if (view.kind != HolderKind::pin || !view.write) return expect(a.result, -EINVAL);
  const auto value = std::uint8_t(op.value.number);
  if (view.mm >= 0) store_by_device(view.mm, view.page, value);
  holders_touched_ = true;
  view.value = value;
  for_each_view([&](View& other, int) {
    if (view.mm >= 0 || ((other.companions >> op.holder.id) & 1) == 0) return;
    if (other.coherent) other.value = value;
    if (!other.coherent) other.through_another = value;
  });
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const LoadViaPin& op, const Reply& a) {
  const View& view = views_[std::size_t(op.holder.id)];
  if (view.kind != HolderKind::pin && view.kind != HolderKind::get)
    return expect(a.result, -EINVAL);
  if (a.was(view.value)) return {};
  return Mismatch{&kWrongValue, view.mm, view.page, op.holder.id, view.value, a.result};
}

// --- What the kernel does for itself: no application can tell.

Verdict FlatMemory::on(const SplitFolio& op, const Reply& a) {
  return expect(a.result, alive(op.mm.id) ? 0 : -ESRCH);
}
Verdict FlatMemory::on(const SplitFile& op, const Reply& a) {
  return is_open(op.inode.id) ? expect(a.result, 0) : not_open(a.result);
}
Verdict FlatMemory::on(const Reclaim& op, const Reply& a) {
  return alive(op.mm.id) ? Verdict{} : no_such_process(a.result);
}
Verdict FlatMemory::on(const MigrateBegin& op, const Reply& a) {
  return alive(op.mm.id) ? Verdict{} : no_such_process(a.result);
}
Verdict FlatMemory::on(const MovePages& op, const Reply& a) {
  return alive(op.mm.id) ? Verdict{} : no_such_process(a.result);
}
Verdict FlatMemory::on(const MigrateEnd&, const Reply&) { return {}; }
Verdict FlatMemory::on(const ShrinkDeferred&, const Reply&) { return {}; }
Verdict FlatMemory::on(const ShrinkShmem&, const Reply&) { return {}; }
Verdict FlatMemory::on(const ShrinkHugeZero&, const Reply&) { return {}; }
Verdict FlatMemory::on(const DropCaches&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const Swapon&, const Reply&) { return {}; }
Verdict FlatMemory::on(const Swapoff&, const Reply&) { return {}; }
Verdict FlatMemory::on(const WritebackEnd&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const FailHugeAlloc&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const FailSmallAlloc&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const FailCharge&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const FailSwapCluster&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const ContendPageLock&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const HoldSpeculativeRef&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const SetEnabled&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const SetUseZeroPage&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const ShmemEnabled&, const Reply& a) { return expect(a.result, 0); }
Verdict FlatMemory::on(const PrctlThpDisable& op, const Reply& a) {
  if (!alive(op.mm.id)) return no_such_process(a.result);
  return expect(a.result, op.value == ThpDisable::bad ? -EINVAL : 0);
}

}  // namespace thp
