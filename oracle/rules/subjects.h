// What an invariant can be about: the machine as a whole, an address space, a VMA, an anon_vma, an
// entry, a frame, a folio, one that is locked in memory, a file, a page of it, a swap slot, a
// holder. Each is the thing itself and what points at it.
#pragma once
#include "oracle/recount/recount.h"

namespace thp {

struct TheMachine {
  const Machine& m;
  const Recount& r;
};

struct TheMm {
  const Machine& m;
  const Recount& r;
  int id;
  const Mm& mm;
  const MmCount& count;
};

struct TheVma {
  const Machine& m;
  int mm, i;
  const Vma& vma;
  std::span<const Vma> all;  // of its address space
  // Another of the same family of anon_vmas, at the same offset?
  bool is_equal(const Vma& other) const {
    if (&other == &vma || other.pgoff != vma.pgoff) return false;
    if (other.anon_vma >= kMaxAnonVmas || vma.anon_vma >= kMaxAnonVmas) return false;
    return m.anon_vmas[other.anon_vma].root == m.anon_vmas[vma.anon_vma].root;
  }
};

// An anon_vma, and what the VMAs and the other anon_vmas say about it.
struct TheAnonVma {
  const Machine& m;
  int id;
  const AnonVma& anon_vma;
  int vmas, active_vmas, children;  // VMAs in its tree; those that call it theirs; its children
  unsigned active_mms;              // bit for address space: where those that call it theirs are
};

struct TheEntry {
  const Machine& m;
  const Recount& r;
  int mm, page;  // the first page that it is for
  Entry entry;
  bool huge;       // a PMD
  const Vma* vma;  // the one that covers `page`, or nullptr
  int pages() const { return huge ? m.hpage_nr() : 1; }
  int end() const { return page + pages(); }
  Entry pmd() const { return m.pmd(mm, pmd_index(m, page)); }
  bool has_pfn() const { return entry.is_present() || entry.is_migration(); }
  bool pfn_exists() const { return entry.frame + pages() <= m.frames(); }
  // Would a walk over this VMA, from the folio's anon_vma or file, and index, come to this entry?
  bool found_by_rmap_of(Pfn pfn) const {
    const Pfn folio = page_folio(m, pfn);
    const Page& head = m.page(folio);
    if (vma == nullptr || vma->index_of(page) != head.index + (pfn - folio)) return false;
    if (head.inode != kNoInode) return vma->file == head.inode;
    return head.anon_vma < kMaxAnonVmas && (vma->chain >> head.anon_vma & 1) != 0;
  }
};

struct TheFrame {
  const Machine& m;
  const Recount& r;
  Pfn pfn;
  Pfn block;  // the first frame of its block
  Pfn head;   // of its folio: `block`, or itself
  const Page& page;
  const FrameCount& count;
  bool has(Bits flag) const { return (page.flags & flag) != 0; }
  bool begins_block() const { return pfn == block && pfn < m.frames(); }
  bool in_compound() const { return folio_test_large(m, block); }
  bool is_of_a_file() const { return m.page(head).inode != kNoInode; }
  bool cached() const { return test(m, head, PG_swapcache); }
  const FolioCount& folio() const { return r.block(block >> m.geometry.order); }
  int pmds() const { return in_compound() ? folio().pmds : 0; }
  const SlotCount& slot() const {
    return r.slot(std::min<int>(page.private_slot, m.geometry.swap_slots()));
  }
};

struct TheFolio {
  const Machine& m;
  const Recount& r;
  Pfn head;
  bool large;
  const Page& page;
  FolioCount count;
  bool has(Bits flag) const { return (page.flags & flag) != 0; }
  const Compound& compound() const { return m.compound(head); }
  int references() const { return count.references(large); }
  bool in_flight() const { return count.migration > 0; }
  bool is_of_a_file() const { return page.inode != kNoInode; }
  int off_lru() const { return count.isolations + count.migration; }
};

// A folio that is marked as locked in memory, and how many mappings lock it.
struct TheMlocked {
  const Machine& m;
  Pfn folio;
  int locks;
};

// One index of a file, and the page behind it.
struct TheCell {
  const Machine& m;
  int inode, index;
  Cell cell;
};

struct TheInode {
  const Machine& m;
  const Recount& r;
  int id;
  const Inode& inode;
  const InodeCount& count;
  bool is_mapped() const {
    for (int mm = 0; mm < m.geometry.mms; ++mm)
      for (const Vma& vma : m.vmas(mm))
        if (vma.file == id) return true;
    return false;
  }
};

struct TheSlot {
  const Machine& m;
  const Recount& r;
  int id;
  const SwapSlot& slot;
  const SlotCount& count;
  bool cached() const { return slot.cache < m.frames(); }
  bool cache_is_mapped() const {
    return r.frame(slot.cache).ptes > 0 || r.block(slot.cache >> m.geometry.order).pmds > 0;
  }
};

struct TheHolder {
  const Machine& m;
  const Recount& r;
  int id;
  const Holder& holder;
  bool on_frame() const { return holder.pfn < m.frames(); }
};

// --- The thing and its counts. Callers see to it that it exists.

inline TheFrame the_frame(const Machine& m, const Recount& r, Pfn pfn) {
  const Pfn block = Pfn(pfn & ~(m.hpage_nr() - 1));
  return {m, r, pfn, block, page_folio(m, pfn), m.page(pfn), r.frame(pfn)};
}

inline TheFolio the_folio(const Machine& m, const Recount& r, Pfn head) {
  return {m, r, head, folio_test_large(m, head), m.page(head), r.folio(m, head)};
}

}  // namespace thp
