// What canonical states forget, and what they do not.
#include "properties/canonical.h"

#include "model/trace/trace.h"
#include "properties/check.h"

using namespace thp;

namespace {

Machine after(std::string_view ops) {
  const auto file = parse_trace("thp-trace 1\ngeometry order=2 pmds=2 mms=2\n" + std::string(ops));
  check(file.has_value(), ops);
  Machine m(file->trace.geometry);
  for (const Op& op : file->trace.ops) step(m, op);
  return m;
}

void same(std::string_view a, std::string_view b) {
  const Machine one = after(a), other = after(b);
  check(equal_but_for_names(one, other),
        std::string(a) + "-- is not the same as\n" + std::string(b));
}

void different(std::string_view a, std::string_view b) {
  check(!equal_but_for_names(after(a), after(b)),
        std::string(a) + "-- is the same as\n" + std::string(b));
}

void forgets_names() {
  same("mmap A 0..8\nstore A 0 1\nstore A 4 2\n", "mmap A 0..8\nstore A 4 2\nstore A 0 1\n");
  same("mmap A 0..8\nstore A 0 1\n", "mmap A 0..8\nstore A 0 9\n");
  same("mmap A 0..3\nstore A 0 1\nstore A 2 1\n", "mmap A 0..3\nstore A 2 1\nstore A 0 1\n");
  same("mmap A 0..4\nstore A 0 1\nload A 3\n", "mmap A 0..4\nstore A 0 1\n");
  // Another anon_vma is in the first one's place.
  same("mmap A 0..4\nstore A 0 1\nmunmap A 0..4\nmmap A 0..4\nstore A 0 1\n",
       "mmap A 0..4\nstore A 0 1\n");
}

void keeps_the_rest() {
  different("mmap A 0..8\nstore A 0 1\nstore A 1 2\n", "mmap A 0..8\nstore A 0 1\nstore A 1 1\n");
  different("mmap A 0..8\nstore A 0 1\n", "mmap A 0..8\nstore A 4 1\n");
  different("mmap A 0..8\nstore A 0 1\n", "mmap A 0..8\nload A 0\n");
  different("mmap A 0..4\nstore A 0 1\nfork A B\n", "mmap A 0..4\nstore A 0 1\nfork A B\nexit A\n");
  different("mmap A 0..4\nstore A 0 1\npin h0 A 0\n", "mmap A 0..4\nstore A 0 1\npin h1 A 0\n");
  different("mmap A 0..4\nstore A 0 1\npin h0 A 0\n", "mmap A 0..4\nstore A 0 1\npin h0 A 1\n");
  different("fail_charge\n", "fail_huge_alloc\n");
  different("enabled never\n", "enabled madvise\n");
  different("swapon\n", "");
}

// The order of the deferred split queue is one of its facts.
void keeps_the_queue() {
  const std::string mapped = "mmap A 0..8\nstore A 0 1\nstore A 4 2\n";
  different(mapped + "munmap A 0..1\nmunmap A 4..5\n", mapped + "munmap A 4..5\nmunmap A 0..1\n");
}

}  // namespace

int canonical_test(int, char*[]) {
  forgets_names();
  keeps_the_rest();
  keeps_the_queue();
  return failures();
}
