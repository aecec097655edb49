// Each op: the system call, the processor's access or the kernel's daemon that it stands for.
#include "model/ops.h"

#include <cerrno>

#include "model/mm/gup.h"
#include "model/mm/huge_memory.h"
#include "model/mm/madvise.h"
#include "model/mm/memory.h"
#include "model/mm/migrate.h"
#include "model/mm/mmap.h"
#include "model/mm/page_alloc.h"
#include "model/mm/shmem.h"
#include "model/mm/shmem_shrink.h"
#include "model/mm/swapfile.h"
#include "model/mm/vmscan.h"

namespace thp {
namespace {

bool alive(const Machine& m, MmId mm) { return m.mms[std::size_t(mm.id)].alive != 0; }

// v6.1 arch/x86/mm/fault.c: access_error()
bool permits(const Vma* vma, bool write) {
  return vma != nullptr && vma->has(write ? VM_WRITE : VM_READ);
}

// Does it touch what its file does not have? Only a huge page reaches so far.
bool is_beyond_its_file(const Machine& m, int mm, const Vma& vma, int page) {
  return !vma.is_anonymous() && is_file_page(m, follow_pfn(m, mm, page)) &&
         vma.index_of(page) >= m.inodes[vma.file].i_size;
}

// One access by the processor, with as many faults as it takes. 0, -ESRCH, kSigsegv, kSigbus or
// kOom.
int touch(Machine& m, MmId mm, PageNr page, bool write) {
  if (!alive(m, mm)) return -ESRCH;
  for (int tries = 0; tries < 8; ++tries) {
    Vma* vma = vma_lookup(m, mm.id, page.number);
    if (!permits(vma, write)) return kSigsegv;
    const bool mapped = follow_pfn(m, mm.id, page.number) != kNoPfn;
    if (mapped && (!write || entry_writable(m, mm.id, page.number))) {
      touch_entry(m, mm.id, page.number, write);
      if (is_beyond_its_file(m, mm.id, *vma, page.number)) m.defect = &kHugePageBeyondTheEnd;
      return 0;
    }
    const Access access = write ? Access::write : Access::read;
    const Fault fault = handle_mm_fault(m, mm.id, *vma, page.number, access);
    if (fault == Fault::oom) return kOom;
    if (fault == Fault::sigbus) return kSigbus;
  }
  vm_bug_on(m, true, "page fault: no progress");
  return kOom;
}

void write_content(Machine& m, Pfn pfn, Value value) {
  m.page(pfn).content = std::uint8_t(value.number);
  m.stamps.frame(pfn);
}

// v6.1 mm/page-writeback.c: set_page_dirty_lock()
void set_page_dirty_lock(Machine& m, Pfn pfn) {
  lock_page(m, pfn);
  folio_mark_dirty(m, page_folio(m, pfn));
  unlock_page(m, pfn);
}

int advise(Machine& m, MmId mm, PageRange range, Advice advice) {
  return alive(m, mm) ? do_madvise(m, mm.id, range.first, range.end, advice) : -ESRCH;
}

bool is_of_a_file(Machine& m, MmId mm, PageNr page) {
  const Vma* vma = vma_lookup(m, mm.id, page.number);
  return vma != nullptr && !vma->is_anonymous();
}

Holder& holder_of(Machine& m, HolderId id) { return m.holders[std::size_t(id.id)]; }

// get_user_pages() of one page, kept under a holder's name.
int hold_user_page(Machine& m, HolderId id, MmId mm, PageNr page, HolderKind kind, bool write) {
  Holder& holder = holder_of(m, id);
  if (holder.kind != HolderKind::none) return -EBUSY;
  if (!alive(m, mm)) return -ESRCH;
  if (is_of_a_file(m, mm, page)) return not_modelled(m);
  const bool pin = kind == HolderKind::pin;
  const int pfn = get_user_page(m, mm.id, page.number, {.write = write, .pin = pin, .get = !pin});
  if (pfn < 0) return pfn;
  holder = {kind, write, Pfn(pfn)};
  return 0;
}

// Takes the reference out of its holder; kNoPfn if the holder is not of this kind.
Pfn take(Machine& m, HolderId id, HolderKind kind) {
  Holder& holder = holder_of(m, id);
  if (holder.kind != kind) return kNoPfn;
  const Pfn pfn = holder.pfn;
  holder = {};
  return pfn;
}

// The folio mapped at a page, or in the swap cache of the swap entry there; kNoPfn for zero pages.
Pfn folio_at(const Machine& m, MmId mm, PageNr page) {
  const Entry& pmd = m.pmd(mm.id, pmd_index(m, page.number));
  const Entry& entry = pmd.is_table() ? m.pte(mm.id, page.number) : pmd;
  if (entry.is_present()) return page_folio(m, entry.frame);
  const Pfn cached = entry.is_swap() ? m.swap(entry.frame).cache : kNoPfn;
  return cached == kNoPfn ? kNoPfn : page_folio(m, cached);
}

bool is_open(const Machine& m, InodeId inode) { return m.inodes[std::size_t(inode.id)].open != 0; }

}  // namespace

// --- Address spaces.

int Mmap::step(Machine& m) const {
  return alive(m, mm) ? do_mmap(m, mm.id, range.first, range.end, vm_flags_of(prot)) : -ESRCH;
}

int MmapHint::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  const int result = do_mmap_hint(m, mm.id, range.first, range.end, vm_flags_of(prot));
  return result == -EEXIST ? kElsewhere : result;
}

int Munmap::step(Machine& m) const {
  return alive(m, mm) ? do_munmap(m, mm.id, range.first, range.end) : -ESRCH;
}

int Mprotect::step(Machine& m) const {
  return alive(m, mm) ? do_mprotect(m, mm.id, range.first, range.end, vm_flags_of(prot)) : -ESRCH;
}

int Mremap::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  return do_mremap(m, mm.id, range.first, range.end, to.number, size.of(range));
}

int MremapResize::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  return do_mremap_resize(m, mm.id, range.first, range.end, size.of(range));
}

int MremapDontunmap::step(Machine& m) const {
  return alive(m, mm) ? do_mremap_dontunmap(m, mm.id, range.first, range.end, to.number) : -ESRCH;
}

int Fork::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  return alive(m, child) ? -EEXIST : dup_mm(m, mm.id, child.id);
}

int Exit::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  exit_mm(m, mm.id);
  return 0;
}

int Mlock::step(Machine& m) const {
  return alive(m, mm) ? do_mlock(m, mm.id, range.first, range.end) : -ESRCH;
}

int Munlock::step(Machine& m) const {
  return alive(m, mm) ? do_munlock(m, mm.id, range.first, range.end) : -ESRCH;
}

int ClearSoftDirty::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  clear_soft_dirty(m, mm.id);
  return 0;
}

// --- Accesses.

int Store::step(Machine& m) const {
  const int result = touch(m, mm, page, true);
  if (result == 0) write_content(m, follow_pfn(m, mm.id, page.number), value);
  return result;
}

int Load::step(Machine& m) const {
  const int result = touch(m, mm, page, false);
  return result == 0 ? m.page(follow_pfn(m, mm.id, page.number)).content : result;
}

// v6.1 fs/proc/base.c: mem_rw(); mm/memory.c: __access_remote_vm()
int StoreForced::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  if (is_of_a_file(m, mm, page)) return not_modelled(m);
  const int pfn = get_user_page(m, mm.id, page.number, {.write = true, .get = true, .force = true});
  if (pfn < 0) return -EIO;
  write_content(m, Pfn(pfn), value);
  set_page_dirty_lock(m, Pfn(pfn));
  put_page(m, Pfn(pfn));
  return 0;
}

// --- Advice.

int MadviseHugepage::step(Machine& m) const { return advise(m, mm, range, Advice::hugepage); }
int MadviseNohugepage::step(Machine& m) const { return advise(m, mm, range, Advice::nohugepage); }
int MadviseDontneed::step(Machine& m) const { return advise(m, mm, range, Advice::dontneed); }
int MadviseFree::step(Machine& m) const { return advise(m, mm, range, Advice::free); }
int MadviseCold::step(Machine& m) const { return advise(m, mm, range, Advice::cold); }
int MadvisePageout::step(Machine& m) const { return advise(m, mm, range, Advice::pageout); }
int MadviseCollapse::step(Machine& m) const { return advise(m, mm, range, Advice::collapse); }
int MadviseDontfork::step(Machine& m) const { return advise(m, mm, range, Advice::dontfork); }
int MadviseDofork::step(Machine& m) const { return advise(m, mm, range, Advice::dofork); }
int MadvisePopulateRead::step(Machine& m) const {
  return advise(m, mm, range, Advice::populate_read);
}
int MadvisePopulateWrite::step(Machine& m) const {
  return advise(m, mm, range, Advice::populate_write);
}

// --- References that outlive the op.

int Pin::step(Machine& m) const {
  return hold_user_page(m, holder, mm, page, HolderKind::pin, mode == PinMode::w);
}

int Unpin::step(Machine& m) const {
  const Pfn pfn = take(m, holder, HolderKind::pin);
  if (pfn == kNoPfn) return -EINVAL;
  unpin_page(m, pfn);
  return 0;
}

int Get::step(Machine& m) const {
  return hold_user_page(m, holder, mm, page, HolderKind::get, false);
}

int Put::step(Machine& m) const {
  const Pfn pfn = take(m, holder, HolderKind::get);
  if (pfn == kNoPfn) return -EINVAL;
  put_page(m, pfn);
  return 0;
}

// The device writes, and its driver marks the page dirty: as in v6.1 mm/gup.c,
// unpin_user_pages_dirty_lock(), only if it is not yet.
int StoreViaPin::step(Machine& m) const {
  const Holder& pin = holder_of(m, holder);
  if (pin.kind != HolderKind::pin || !pin.write) return -EINVAL;
  write_content(m, pin.pfn, value);
  if (!test(m, page_folio(m, pin.pfn), PG_dirty)) set_page_dirty_lock(m, pin.pfn);
  return 0;
}

int LoadViaPin::step(Machine& m) const {
  const Holder& held = holder_of(m, holder);
  if (held.kind != HolderKind::pin && held.kind != HolderKind::get) return -EINVAL;
  return m.page(held.pfn).content;
}

int Isolate::step(Machine& m) const {
  if (holder_of(m, holder).kind != HolderKind::none) return -EBUSY;
  if (!alive(m, mm)) return -ESRCH;
  const Pfn folio = folio_at(m, mm, page);
  if (folio == kNoPfn) return -ENOENT;
  if (!folio_isolate_lru(m, folio)) return -EBUSY;
  holder_of(m, holder) = {HolderKind::isolation, 0, folio};
  return 0;
}

int Putback::step(Machine& m) const {
  const Pfn folio = take(m, holder, HolderKind::isolation);
  if (folio == kNoPfn) return -EINVAL;
  folio_putback_lru(m, folio);
  return 0;
}

// --- Splitting.

int SplitFolio::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  split_huge_pages_pid(m, mm.id, range.first, range.end);
  return 0;
}

int ShrinkDeferred::step(Machine& m) const { return deferred_split_scan(m); }
int ShrinkHugeZero::step(Machine& m) const { return shrink_huge_zero_page(m); }

// v6.1 fs/drop_caches.c: drop_slab(), in the order of registration: shm_mnt's super_cache_scan(),
// then mm/huge_memory.c: hugepage_init(). It goes round until little is freed; a later round finds
// what the first left.
int DropCaches::step(Machine& m) const {
  shmem_unused_huge_shrink(m);
  shrink_huge_zero_page(m);
  deferred_split_scan(m);
  return 0;
}

// --- Swap and reclaim.

int Swapon::step(Machine& m) const { return sys_swapon(m); }
int Swapoff::step(Machine& m) const { return sys_swapoff(m); }

// Reclaim never meets an unevictable folio: those are on no list that it scans.
int Reclaim::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  const Pfn folio = folio_at(m, mm, page);
  if (folio == kNoPfn) return -ENOENT;
  if (is_file_page(m, folio)) return not_modelled(m);
  if (test(m, folio, PG_unevictable) || !folio_isolate_lru(m, folio)) return -EBUSY;
  FolioList list{folio};
  return reclaim_folio_list(m, list);
}

int WritebackEnd::step(Machine& m) const {
  end_writeback(m);
  return 0;
}

// --- Migration.

// v6.1 mm/migrate.c: add_page_for_migration()
int MigrateBegin::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  const int pfn = follow_page_get(m, mm.id, page.number);  // add_page_for_migration()
  if (pfn < 0) return pfn;
  put_page(m, Pfn(pfn));
  if (is_file_page(m, Pfn(pfn))) return not_modelled(m);
  return migrate_begin(m, Pfn(pfn));
}

int MigrateEnd::step(Machine& m) const { return migrate_end(m); }

int MovePages::step(Machine& m) const {
  const int begun = MigrateBegin{mm, page}.step(m);
  return begun == 0 && m.migration.in_flight() ? migrate_end(m) : begun;
}

// --- Failures to come.

int FailHugeAlloc::step(Machine& m) const { return m.inject.fail_huge_alloc = 1, 0; }
int FailSmallAlloc::step(Machine& m) const { return m.inject.fail_small_alloc = 1, 0; }
int FailCharge::step(Machine& m) const { return m.inject.fail_charge = 1, 0; }
int FailSwapCluster::step(Machine& m) const { return m.inject.fail_swap_cluster = 1, 0; }
int ContendPageLock::step(Machine& m) const { return m.inject.contend_page_lock = 1, 0; }
int HoldSpeculativeRef::step(Machine& m) const { return m.inject.speculative_ref = 1, 0; }

// --- Settings.

int SetEnabled::step(Machine& m) const { return m.enabled = policy, 0; }
int SetUseZeroPage::step(Machine& m) const { return m.use_zero_page = value == Toggle::on, 0; }

// v6.1 kernel/sys.c: prctl(PR_SET_THP_DISABLE)
int PrctlThpDisable::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  if (value == ThpDisable::bad) return -EINVAL;
  m.mms[std::size_t(mm.id)].thp_disabled = value == ThpDisable::on;
  return 0;
}

// --- Files.

int Creat::step(Machine& m) const {
  if (m.inodes[std::size_t(inode.id)].alive != 0) return -EEXIST;
  shmem_file_setup(m, inode.id);
  return 0;
}

int Close::step(Machine& m) const {
  if (!is_open(m, inode)) return -EBADF;
  m.inodes[std::size_t(inode.id)].open = 0;
  fput(m, inode.id);
  return 0;
}

int Pread::step(Machine& m) const {
  return is_open(m, inode) ? shmem_file_read(m, inode.id, page.number) : -EBADF;
}

int Pwrite::step(Machine& m) const {
  if (!is_open(m, inode)) return -EBADF;
  return shmem_file_write(m, inode.id, page.number, std::uint8_t(value.number));
}

int Fallocate::step(Machine& m) const {
  if (!is_open(m, inode)) return -EBADF;
  return shmem_fallocate(m, inode.id, range.first, range.end, mode == FallocMode::keep);
}

int Punch::step(Machine& m) const {
  if (!is_open(m, inode)) return -EBADF;
  shmem_punch_hole(m, inode.id, range.first, range.end);
  return 0;
}

int Truncate::step(Machine& m) const {
  if (!is_open(m, inode)) return -EBADF;
  shmem_setattr(m, inode.id, size.pages);
  return 0;
}

int MmapFile::step(Machine& m) const {
  if (!alive(m, mm)) return -ESRCH;
  if (!is_open(m, inode)) return -EBADF;
  const bool shared = sharing == Sharing::shared;
  return do_mmap_file(m, mm.id, range.first, range.end, vm_flags_of(prot), shared, inode.id,
                      offset.number);
}

int SplitFile::step(Machine& m) const {
  if (!is_open(m, inode)) return -EBADF;
  split_huge_pages_in_file(m, inode.id, range.first, range.end);
  return 0;
}

int ShmemEnabled::step(Machine& m) const { return shmem_enabled_store(m, policy), 0; }
int ShrinkShmem::step(Machine& m) const { return shmem_unused_huge_shrink(m); }

int step(Machine& m, const Op& op) {
  m.reason = Reason::none;
  m.strikes.clear();
  m.mlock_pvec.clear();
  return visit_op([&](const auto& o) { return o.step(m); }, op);
}

}  // namespace thp
