// anon_vmas: which VMAs may map the anonymous pages of another. v6.1 mm/rmap.c, mm/mmap.c.
// A VMA's anon_vma_chain is a bit set. The kernel keeps it in the order of age, and one of its
// rules depends on that; here a new anon_vma gets an id above those of its chain, so ids ascend
// with age, and memory for anon_vmas is full where there is none above. Left out: locks, and the
// references that keep the struct alive while nobody links it.
#include <bit>
#include <utility>

#include "model/mm/rmap.h"

namespace thp {
namespace {

std::uint64_t bit(int id) { return std::uint64_t{1} << id; }
int oldest(std::uint64_t chain) { return std::countr_zero(chain); }
int newest(std::uint64_t chain) { return 63 - std::countl_zero(chain); }

AnonVma& anon_vma_of(Machine& m, int id) { return m.anon_vmas[std::size_t(id)]; }

// Visits the VMAs of the same family that start at the same page offset as `vma`: no tree can tell
// them by their place.
template <class Visit>
void for_each_equal(Machine& m, const Vma& vma, Visit visit) {
  if (vma.chain == 0) return;
  const int root = anon_vma_root(m, oldest(vma.chain));
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (Vma& other : m.vmas(mm))
      if (&other != &vma && other.pgoff == vma.pgoff && other.chain != 0 &&
          anon_vma_root(m, oldest(other.chain)) == root)
        visit(other);
}

// v6.1 mm/rmap.c: anon_vma_alloc(). An id for a VMA with this chain; -1: none is left.
int anon_vma_alloc(Machine& m, std::uint64_t chain) {
  for (int id = chain == 0 ? 0 : newest(chain) + 1; id < kMaxAnonVmas; ++id) {
    AnonVma& found = anon_vma_of(m, id);
    if (found.used) continue;
    found = {.used = 1, .root = std::uint8_t(id), .parent = std::uint8_t(id)};
    return id;
  }
  return -1;
}

// v6.1 mm/mmap.c: anon_vma_compatible(). Would `a` and `b` be one VMA but for their protection?
bool anon_vma_compatible(const Vma& a, const Vma& b) {
  constexpr std::uint32_t ignored = VM_READ | VM_WRITE | VM_SOFTDIRTY;
  return a.end == b.start && a.file == b.file && ((a.flags ^ b.flags) & ~ignored) == 0 &&
         b.pgoff == a.index_of(b.start);
}

// v6.1 mm/mmap.c: reusable_anon_vma(). Not one that has seen a fork.
bool has_reusable_anon_vma(const Vma& old) {
  return old.anon_vma != kNoAnonVma && std::has_single_bit(old.chain);
}

// v6.1 mm/mmap.c: find_mergeable_anon_vma(). The next VMA first, then the previous one.
std::uint8_t find_mergeable_anon_vma(Machine& m, int mm, const Vma& vma) {
  const auto vmas = m.vmas(mm);
  const auto i = std::size_t(&vma - vmas.data());
  if (i + 1 < vmas.size()) {
    const Vma& next = vmas[i + 1];
    if (anon_vma_compatible(vma, next) && has_reusable_anon_vma(next)) return next.anon_vma;
  }
  if (i > 0) {
    const Vma& prev = vmas[i - 1];
    if (anon_vma_compatible(prev, vma) && has_reusable_anon_vma(prev)) return prev.anon_vma;
  }
  return kNoAnonVma;
}

// The anon_vmas whose interval trees are not empty.
std::uint64_t linked_anon_vmas(const Machine& m) {
  std::uint64_t linked = 0;
  for (int mm = 0; mm < m.geometry.mms; ++mm)
    for (const Vma& vma : m.vmas(mm)) linked |= vma.chain;
  return linked;
}

}  // namespace

// v6.1 mm/interval_tree.c: anon_vma_interval_tree_insert(). Behind its equals, and in every tree of
// its chain at once.
void anon_vma_interval_tree_insert(Machine& m, Vma& vma) {
  vma.turn = 0;
  for_each_equal(m, vma, [&](const Vma&) { ++vma.turn; });
}

void anon_vma_interval_tree_remove(Machine& m, Vma& vma) {
  for_each_equal(m, vma, [&](Vma& other) { other.turn -= other.turn > vma.turn; });
  vma.turn = 0;
}

// v6.1 mm/rmap.c: __anon_vma_prepare()
bool anon_vma_prepare(Machine& m, int mm, Vma& vma) {
  if (vma.anon_vma != kNoAnonVma) return true;
  int id = find_mergeable_anon_vma(m, mm, vma);
  if (id == kNoAnonVma) {
    id = anon_vma_alloc(m, 0);
    if (id < 0) return false;
    ++anon_vma_of(m, id).num_children;  // a root is its own child
  }
  vma.anon_vma = std::uint8_t(id);
  vma.chain |= bit(id);
  anon_vma_interval_tree_insert(m, vma);
  ++anon_vma_of(m, id).num_active_vmas;
  return true;
}

// v6.1 mm/rmap.c: anon_vma_clone(). Links `dst`, whose chain is empty, to all that `src` is linked
// to. At fork `dst` has no anon_vma yet and takes over the oldest that nobody uses and that has one
// child at most, lest a line of forking children grow an endless chain. A bit set can't fail.
void anon_vma_clone(Machine& m, Vma& dst, const Vma& src) {
  for (std::uint64_t left = src.chain; left != 0; left &= left - 1) {
    const int id = oldest(left);
    const AnonVma& linked = anon_vma_of(m, id);
    dst.chain |= bit(id);
    if (dst.anon_vma == kNoAnonVma && src.anon_vma != kNoAnonVma && linked.num_children < 2 &&
        linked.num_active_vmas == 0)
      dst.anon_vma = std::uint8_t(id);
  }
  anon_vma_interval_tree_insert(m, dst);
  if (dst.anon_vma != kNoAnonVma) ++anon_vma_of(m, dst.anon_vma).num_active_vmas;
}

// v6.1 mm/rmap.c: anon_vma_fork(). The child's VMA can reach the parent's pages, and has an
// anon_vma of its own for the pages it will copy.
bool anon_vma_fork(Machine& m, Vma& child, const Vma& parent) {
  if (parent.anon_vma == kNoAnonVma) return true;
  child.anon_vma = kNoAnonVma;
  anon_vma_clone(m, child, parent);
  if (child.anon_vma != kNoAnonVma) return true;
  const int id = anon_vma_alloc(m, child.chain);
  if (id < 0) {
    unlink_anon_vmas(m, child);
    return false;
  }
  AnonVma& own = anon_vma_of(m, id);
  own.root = anon_vma_of(m, parent.anon_vma).root;
  own.parent = parent.anon_vma;
  own.num_active_vmas = 1;
  child.anon_vma = std::uint8_t(id);
  child.chain |= bit(id);
  ++anon_vma_of(m, own.parent).num_children;
  return true;
}

// v6.1 mm/rmap.c: unlink_anon_vmas(). Frees those that no VMA is linked to any more.
void unlink_anon_vmas(Machine& m, Vma& vma) {
  anon_vma_interval_tree_remove(m, vma);
  const std::uint64_t chain = std::exchange(vma.chain, 0);
  const std::uint64_t empty = chain & ~linked_anon_vmas(m);
  for (std::uint64_t left = empty; left != 0; left ^= bit(newest(left)))
    --anon_vma_of(m, anon_vma_of(m, newest(left)).parent).num_children;
  if (vma.anon_vma != kNoAnonVma)
    --anon_vma_of(m, std::exchange(vma.anon_vma, kNoAnonVma)).num_active_vmas;
  for (std::uint64_t left = empty; left != 0; left &= left - 1) {
    AnonVma& unused = anon_vma_of(m, oldest(left));
    vm_bug_on(m, unused.num_children != 0, "unlink_anon_vmas: num_children");
    vm_bug_on(m, unused.num_active_vmas != 0, "unlink_anon_vmas: num_active_vmas");
    unused = {};
  }
}

int anon_vma_root(const Machine& m, int anon_vma) {
  return anon_vma == kNoAnonVma ? kNoAnonVma : m.anon_vmas[std::size_t(anon_vma)].root;
}

// v6.1 mm/rmap.c: folio_get_anon_vma(). Once a folio is unmapped, its anon_vma may be gone.
std::uint8_t folio_get_anon_vma(const Machine& m, Pfn folio) {
  return test(m, folio, PG_anon) && folio_mapped(m, folio) ? m.page(folio).anon_vma : kNoAnonVma;
}

}  // namespace thp
