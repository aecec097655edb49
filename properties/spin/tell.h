// What the states of thp.pml add up to: part of the program that SPIN makes of it. ../twin.h has
// the same for the machine in C++. -DLIST prints each state too.
#pragma once
#include <stdio.h>
#include <stdlib.h>

static unsigned long long tell_hash, tell_sum, tell_count;

static void tell_word(unsigned word) {
  tell_hash = (tell_hash ^ word) * 0x100000001b3ULL;
#ifdef LIST
  printf("%u ", word);
#endif
}

#define TELL_ALL(array) \
  for (unsigned n = 0; n < sizeof(array) / sizeof((array)[0]); ++n) tell_word((unsigned)(array)[n])

// With -DDEPTH a state comes once for each number of steps that lead to it: only the first counts.
#ifdef DEPTH
#define TELL_MOST (1u << 22)  // a power of 2

static int tell_is_new(void) {
  static unsigned long long seen[TELL_MOST];
  unsigned slot = (unsigned)tell_hash & (TELL_MOST - 1);
  for (; seen[slot] != 0; slot = (slot + 1) & (TELL_MOST - 1))
    if (seen[slot] == tell_hash) return 0;
  if (tell_count == TELL_MOST / 4 * 3) abort();
  seen[slot] = tell_hash;
  return 1;
}
#else
static int tell_is_new(void) { return 1; }
#endif

static int tell(void) {
  tell_hash = 0xcbf29ce484222325ULL;
  TELL_ALL(now.alive);
  TELL_ALL(now.has_pinned);
  TELL_ALL(now.uses_zero);
  TELL_ALL(now.pmd);
  TELL_ALL(now.pmd_frame);
  TELL_ALL(now.pmd_write);
  TELL_ALL(now.pmd_young);
  TELL_ALL(now.pmd_dirty);
  TELL_ALL(now.pte);
  TELL_ALL(now.pte_frame);
  TELL_ALL(now.pte_write);
  TELL_ALL(now.pte_young);
  TELL_ALL(now.pte_dirty);
  TELL_ALL(now.pte_lone);
  TELL_ALL(now.refs);
  TELL_ALL(now.maps);
  TELL_ALL(now.exclusive);
  TELL_ALL(now.content);
  TELL_ALL(now.dirty);
  TELL_ALL(now.referenced);
  TELL_ALL(now.writeback);
  TELL_ALL(now.cached);
  TELL_ALL(now.kind);
  TELL_ALL(now.entire);
  TELL_ALL(now.pins);
  TELL_ALL(now.doubly);
  TELL_ALL(now.queued);
  TELL_ALL(now.queue);
  tell_word(now.queue_length);
  tell_word(now.zero_refs);
  tell_word(now.zero_head);
  TELL_ALL(now.swapped);
  TELL_ALL(now.cache);
  TELL_ALL(now.disk);
  TELL_ALL(now.cluster_huge);
  TELL_ALL(now.free_cluster);
  tell_word(now.free_clusters);
  tell_word(now.cpu_cluster);
  tell_word(now.cpu_next);
  tell_word(now.scan_from);
  tell_word(now.lowest);
  tell_word(now.highest);
  tell_word(now.held);
  tell_word(now.held_frame);
  if (tell_is_new()) {
    tell_sum += tell_hash;
    ++tell_count;
  }
#ifdef LIST
  printf("\n");
#endif
  return 0;
}

__attribute__((destructor)) static void tell_the_sum(void) {
  printf("%llu states, different\nsum of states %016llx\n", tell_count, tell_sum);
}
