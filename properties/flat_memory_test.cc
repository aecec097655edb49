// Flat memory against a machine that somebody tampers with: it must see what no op can have done,
// and must not see what an op may do.
#include "oracle/flat/flat_memory.h"

#include <optional>

#include "properties/check.h"

using namespace thp;

namespace {

// A machine and flat memory after the same ops.
struct Pair {
  Machine m{Geometry{.order = 2, .pmds = 2, .mms = 2}};
  FlatMemory memory{m.geometry};

  void run(const Op& op) {
    const Machine before = m;
    check(!memory.after(op, step(m, op), before, m), "a sound step");
  }
  // Does it notice when a page holds something else all of a sudden?
  bool notices(int mm, int page, std::uint8_t content) {
    Machine other = m;
    FlatMemory learner = memory;
    const Entry& pmd = m.pmd(mm, page >> m.geometry.order);
    const int frame = pmd.is_table() ? m.pte(mm, page).frame : pmd.frame + page % m.hpage_nr();
    other.page(Pfn(frame)).content = content;
    return learner.compare(other).has_value();
  }
};

Pair with_page() {
  Pair p;
  p.run(Mmap{{0}, {0, 4}});
  p.run(Store{{0}, {1}, {7}});
  return p;
}

void notices_contents() {
  Pair p = with_page();
  check(!p.notices(0, 1, 7), "what was stored");
  check(p.notices(0, 1, 0) && p.notices(0, 1, 8), "a store that is lost, one that nobody made");
  p.run(Fork{{0}, {1}});
  p.run(Store{{1}, {1}, {9}});
  check(p.notices(0, 1, 9) && p.notices(1, 1, 7), "one address space's store seen by another");
}

void lazy_pages() {
  Pair p = with_page();
  p.run(Pin{{0}, {0}, {1}, PinMode::w});
  p.run(MadviseFree{{0}, {0, 4}});
  check(!p.notices(0, 1, 0), "MADV_FREE: the page may be discarded");
  check(p.notices(0, 1, 3), "but not changed");
  Pair stored = p;
  stored.run(Store{{0}, {1}, {8}});
  check(stored.notices(0, 1, 0), "a store ends MADV_FREE");
  p.run(StoreViaPin{{0}, {8}});
  check(p.notices(0, 1, 0), "so does a store through a pin");
}

void discarded_pages() {
  Pair p = with_page();
  p.run(MadviseFree{{0}, {0, 4}});
  Machine discarded = p.m;
  discarded.page(Pfn(p.m.pmd(0, 0).frame + 1)).content = 0;
  check(!p.memory.compare(discarded), "the page is seen discarded");
  check(p.memory.compare(p.m).has_value(), "and does not come back");
}

}  // namespace

int flat_memory_test(int, char*[]) {
  notices_contents();
  lazy_pages();
  discarded_pages();
  return failures();
}
