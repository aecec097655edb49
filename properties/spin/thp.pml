/* Anonymous huge pages of Linux 6.1 once more, for SPIN: two address spaces of one PMD each,
 * written from the kernel's source and not from model/. An op is one atomic step; -DWITH_OP puts it
 * into a scope, SUBPAGES and BLOCKS say how large that is. ../README.md says what is left out.
 * Mapcounts are the kernel's plus 1, so that 0 is "none" and a free frame is all zero. */
#ifndef SUBPAGES
#define SUBPAGES 2 /* of a huge page */
#endif
#ifndef BLOCKS
#define BLOCKS 8 /* of physical memory */
#endif
#ifndef CLUSTERS
#define CLUSTERS 1 /* of swap slots; the device is on */
#endif
#define FRAMES (SUBPAGES * BLOCKS)
#define SLOTS (SUBPAGES * CLUSTERS)
#define NO_SLOT 255
#define ZERO FRAMES /* the frame that all zero PTEs share */
#define PIN 1024    /* what a pin adds to the references of a small page */

/* What an entry is. */
#define NONE 0
#define TABLE 1
#define MAPS 2
#define ZEROS 3
#define SWAPPED 4

/* What a block of frames is. */
#define SMALL 0
#define THP 1
#define HUGE_ZERO 2

/* Ops. */
#define STORE 0
#define LOAD 1
#define PIN_WRITE 2
#define PIN_READ 3
#define UNPIN 4
#define FORK 5
#define EXIT 6
#define DONTNEED 7
#define SPLIT_FOLIO 8
#define SHRINK_DEFERRED 9
#define SHRINK_HUGE_ZERO 10
#define RECLAIM 11
#define WRITEBACK_END 12

/* Address spaces. */
bit alive[2] = {1, 0};
bit has_pinned[2]; /* MMF_HAS_PINNED */
bit uses_zero[2];  /* MMF_HUGE_ZERO_PAGE */
byte pmd[2];
byte pmd_frame[2];
bit pmd_write[2];
bit pmd_young[2];
bit pmd_dirty[2];
byte pte[2 * SUBPAGES];
byte pte_frame[2 * SUBPAGES]; /* or its slot */
bit pte_write[2 * SUBPAGES];
bit pte_young[2 * SUBPAGES];
bit pte_dirty[2 * SUBPAGES];
bit pte_lone[2 * SUBPAGES]; /* swapped out while exclusive */

/* Frames. */
short refs[FRAMES];
byte maps[FRAMES];
bit exclusive[FRAMES];
bit content[FRAMES];
bit dirty[FRAMES]; /* this and the next two: of the folio, at its head */
bit referenced[FRAMES];
bit writeback[FRAMES];
byte cached[FRAMES]; /* 1 + its slot of the swap cache */

/* Blocks. */
byte kind[BLOCKS];
byte entire[BLOCKS]; /* PMDs that map it */
byte pins[BLOCKS];
bit doubly[BLOCKS]; /* PG_double_map */
bit queued[BLOCKS];
byte queue[BLOCKS]; /* deferred_split_queue */
byte queue_length;

byte zero_refs; /* huge_zero_refcount */
byte zero_head; /* 1 + its first frame */

/* Swap slots, and where this CPU takes the next from: first its cluster, then wherever a scan
 * behind the last one finds one. */
byte swapped[SLOTS]; /* swap PTEs */
byte cache[SLOTS];   /* 1 + the frame in the swap cache */
bit disk[SLOTS];
bit cluster_huge[CLUSTERS];
byte free_cluster[CLUSTERS] = 0;
byte free_clusters = CLUSTERS;
byte cpu_cluster; /* 1 + it */
byte cpu_next;
byte scan_from; /* 1 + the slot */
byte lowest = 1;      /* lowest_bit: 1 + the slot where a scan begins anew */
byte highest = SLOTS; /* highest_bit: 1 + the one where it ends */

/* The one holder. */
byte held; /* 0, or 1 for a pin */
byte held_frame;

#ifdef DEPTH
byte steps; /* ops so far; not told */
#endif

/* Scratch: of no state. Parameters of the op are chosen before its step, which leaves them alone:
 * SPIN would not restore them. Names are those of C variables, and must not be SPIN's own. */
hidden byte op, who, from, to;
hidden byte sub, nth, each, count, blk, pfn, other, head, was_exclusive, mode, mm, child;
hidden short mapcount;
hidden byte again, round, at_slot, keep_head, listed, enough, slot, slots, extra, busy, room, at;
hidden byte root, verdict, todo, turns, first, referrers;
hidden byte gather[2 * SUBPAGES], gathered;
hidden byte order[BLOCKS], scanned;

#define HEAD(pfn) (kind[(pfn) / SUBPAGES] -> ((pfn) / SUBPAGES) * SUBPAGES : (pfn))
#define AT(a, p) ((a) * SUBPAGES + (p))

/* What ci/spin compares: every state as numbers, in the order above, hashed and summed up. */
c_code {
  \#include "tell.h"
}

/* ---- Physical memory. */

/* The first block that is all free; used by both sizes. */
inline find_free_block(out) {
  out = 0;
  do
  :: out < BLOCKS ->
     count = 0;
     for (each : 0 .. SUBPAGES - 1) {
       if :: refs[out * SUBPAGES + each] != 0 -> count++ :: else fi
     }
     if :: kind[out] == SMALL && count == 0 -> break :: else -> out++ fi
  :: else -> break
  od;
  assert(out < BLOCKS)
}

/* A huge page, with one reference. */
inline alloc_huge(out, what) {
  find_free_block(out);
  kind[out] = what;
  refs[out * SUBPAGES] = 1
}

/* A small page comes from the first block broken up already, or else from a free one. */
inline alloc_small(out) {
  blk = 0;
  do
  :: blk < BLOCKS ->
     count = 0;
     for (each : 0 .. SUBPAGES - 1) {
       if :: refs[blk * SUBPAGES + each] != 0 -> count++ :: else fi
     }
     if :: kind[blk] == SMALL && count > 0 && count < SUBPAGES -> break :: else -> blk++ fi
  :: else -> break
  od;
  if :: blk == BLOCKS -> find_free_block(blk) :: else fi;
  out = blk * SUBPAGES;
  do :: refs[out] != 0 -> out++ :: else -> break od;
  refs[out] = 1
}

inline unqueue(block) {
  if
  :: queued[block] ->
     queued[block] = 0;
     each = 0;
     do :: queue[each] != block -> each++ :: else -> break od;
     do :: each + 1 < queue_length -> queue[each] = queue[each + 1]; each++ :: else -> break od;
     queue_length--;
     queue[queue_length] = 0
  :: else
  fi
}

inline enqueue(block) {
  if
  :: !queued[block] && cached[block * SUBPAGES] == 0 ->
     queued[block] = 1;
     queue[queue_length] = block;
     queue_length++
  :: else
  fi
}

inline clear_frame(frame) {
  assert(maps[frame] == 0);
  assert(cached[frame] == 0 && !writeback[frame]);
  exclusive[frame] = 0;
  content[frame] = 0;
  dirty[frame] = 0;
  referenced[frame] = 0
}

/* One reference less to the folio of a frame; `many` is more than 1 for a small page's pin. */
inline put(frame, many) {
  head = HEAD(frame);
  assert(refs[head] >= many);
  refs[head] = refs[head] - many;
  if
  :: refs[head] == 0 && kind[head / SUBPAGES] != SMALL ->
     blk = head / SUBPAGES;
     assert(entire[blk] == 0 && pins[blk] == 0 && !doubly[blk]);
     unqueue(blk);
     kind[blk] = SMALL;
     for (each : 0 .. SUBPAGES - 1) { clear_frame(head + each) }
  :: refs[head] == 0 && kind[head / SUBPAGES] == SMALL -> clear_frame(head)
  :: else
  fi
}

/* ---- Reverse map. */

inline remove_rmap_small(frame) {
  assert(maps[frame] > 0);
  maps[frame]--;
  if
  :: maps[frame] == 0 && kind[frame / SUBPAGES] == THP -> enqueue(frame / SUBPAGES)
  :: else
  fi
}

/* With the last PMD, what stood for it in the counts of sub-pages goes too. */
inline remove_rmap_huge(block) {
  assert(entire[block] > 0);
  entire[block]--;
  if
  :: entire[block] == 0 && doubly[block] ->
     doubly[block] = 0;
     count = 0;
     for (each : 0 .. SUBPAGES - 1) {
       maps[block * SUBPAGES + each]--;
       if :: maps[block * SUBPAGES + each] == 0 -> count++ :: else fi
     }
     if :: count > 0 && count < SUBPAGES -> enqueue(block) :: else fi
  :: else
  fi
}

inline total_mapcount(block) {
  mapcount = entire[block];
  for (each : 0 .. SUBPAGES - 1) {
    mapcount = mapcount + maps[block * SUBPAGES + each]
  }
  if :: doubly[block] -> mapcount = mapcount - SUBPAGES :: else fi
}

#define MAYBE_PINNED(pfn) \
  (kind[(pfn) / SUBPAGES] -> pins[(pfn) / SUBPAGES] > 0 : refs[pfn] >= PIN)

/* ---- Entries. */

inline set_pte(a, p, what, frame, may_write, is_young, is_dirty) {
  pte[AT(a, p)] = what;
  pte_frame[AT(a, p)] = frame;
  pte_write[AT(a, p)] = may_write;
  pte_young[AT(a, p)] = is_young;
  pte_dirty[AT(a, p)] = is_dirty;
  pte_lone[AT(a, p)] = 0
}

inline set_pmd(a, what, frame, may_write, is_young, is_dirty) {
  pmd[a] = what;
  pmd_frame[a] = frame;
  pmd_write[a] = may_write;
  pmd_young[a] = is_young;
  pmd_dirty[a] = is_dirty
}

/* The PMD of one address space becomes a table; the folio stays whole. */
inline split_pmd(a) {
  if
  :: pmd[a] == ZEROS ->
     for (sub : 0 .. SUBPAGES - 1) { set_pte(a, sub, ZEROS, ZERO, 0, 1, 0) }
  :: pmd[a] == MAPS ->
     pfn = pmd_frame[a];
     blk = pfn / SUBPAGES;
     refs[pfn] = refs[pfn] + SUBPAGES - 1;
     dirty[pfn] = dirty[pfn] | pmd_dirty[a]; /* its PTEs are clean */
     was_exclusive = exclusive[pfn];
     for (sub : 0 .. SUBPAGES - 1) {
       set_pte(a, sub, MAPS, pfn + sub, pmd_write[a], pmd_young[a], 0);
       exclusive[pfn + sub] = exclusive[pfn + sub] | was_exclusive;
       maps[pfn + sub]++
     }
     if
     :: entire[blk] > 1 && !doubly[blk] ->
        doubly[blk] = 1;
        for (sub : 0 .. SUBPAGES - 1) { maps[pfn + sub]++ }
     :: else
     fi;
     entire[blk]--;
     if
     :: entire[blk] == 0 && doubly[blk] ->
        doubly[blk] = 0;
        for (sub : 0 .. SUBPAGES - 1) { maps[pfn + sub]-- }
     :: else
     fi
  fi;
  set_pmd(a, TABLE, 0, 0, 0, 0)
}

/* ---- Swap. */

#define UNUSED(s) (swapped[s] == 0 && cache[s] == 0)
#define SWAP_FULL (room * 2 < SLOTS) /* after count_free_slots() */

inline count_free_slots() {
  room = 0;
  for (at : 0 .. SLOTS - 1) {
    if :: UNUSED(at) -> room++ :: else fi
  }
}

/* What the disk holds there matters no more. With its last slot a cluster goes to the end of the
 * free ones. */
inline slot_is_unused(s) {
  disk[s] = 0;
  if :: (s) + 1 < lowest -> lowest = (s) + 1 :: else fi;
  if :: (s) + 1 > highest -> highest = (s) + 1 :: else fi;
  busy = 0;
  for (at : 0 .. SUBPAGES - 1) {
    if :: UNUSED(((s) / SUBPAGES) * SUBPAGES + at) :: else -> busy = 1 fi
  }
  if
  :: !busy -> free_cluster[free_clusters] = (s) / SUBPAGES; free_clusters++
  :: else
  fi
}

/* folio_free_swap() of the folio with the head `page`: out of the swap cache if no PTE needs it. */
inline try_free_swap(page) {
  if
  :: cached[page] != 0 && !writeback[page] ->
     slot = cached[page] - 1;
     busy = swapped[slot] > 0;
     if
     :: kind[page / SUBPAGES] != SMALL && cluster_huge[slot / SUBPAGES] ->
        for (at : 0 .. SUBPAGES - 1) {
          if :: swapped[slot + at] > 0 -> busy = 1 :: else fi
        }
     :: else
     fi;
     if :: !busy -> leave_cache(page); dirty[page] = 1 :: else fi
  :: else
  fi
}

/* delete_from_swap_cache() */
inline leave_cache(page) {
  slot = cached[page] - 1;
  slots = (kind[page / SUBPAGES] == SMALL -> 1 : SUBPAGES);
  if
  :: slots > 1 -> assert(cluster_huge[slot / SUBPAGES]); cluster_huge[slot / SUBPAGES] = 0
  :: else
  fi;
  for (each : 0 .. SUBPAGES - 1) {
    if
    :: each < slots ->
       cache[slot + each] = 0;
       cached[page + each] = 0;
       if :: swapped[slot + each] == 0 -> slot_is_unused(slot + each) :: else fi
    :: else
    fi
  }
  refs[page] = refs[page] - slots
}

inline is_mapped(page) {
  busy = maps[page];
  if
  :: kind[page / SUBPAGES] != SMALL -> total_mapcount(page / SUBPAGES); busy = mapcount > 0
  :: else
  fi
}

/* Of any page of a folio, of which there is a reference. */
inline free_swap_cache(page) {
  root = HEAD(page);
  is_mapped(root);
  if :: !busy -> try_free_swap(root) :: else fi
}

/* A swap PTE less. What is left in the cache alone leaves it, if it can. */
inline free_swap_and_cache(s) {
  swapped[s]--;
  if
  :: swapped[s] == 0 && cache[s] == 0 -> slot_is_unused(s)
  :: swapped[s] == 0 && cache[s] != 0 ->
     root = HEAD(cache[s] - 1);
     is_mapped(root);
     count_free_slots();
     if
     :: !busy || SWAP_FULL -> refs[root]++; try_free_swap(root); put(root, 1)
     :: else
     fi
  :: else
  fi
}

/* ---- Faults: one of an address space at a page. */

#define READ 0
#define WRITE 1
#define UNSHARE 2

inline take_huge_zero(a) {
  if
  :: !uses_zero[a] ->
     uses_zero[a] = 1;
     if
     :: zero_head == 0 ->
        alloc_huge(blk, HUGE_ZERO);
        zero_head = 1 + blk * SUBPAGES;
        zero_refs = 2
     :: else -> zero_refs++
     fi
  :: else
  fi
}

inline fault_none_pmd(a, access) {
  if
  :: access == READ ->
     take_huge_zero(a);
     set_pmd(a, ZEROS, zero_head - 1, 0, 1, 0)
  :: else ->
     alloc_huge(blk, THP);
     entire[blk] = 1;
     exclusive[blk * SUBPAGES] = 1;
     set_pmd(a, MAPS, blk * SUBPAGES, 1, 1, 1)
  fi
}

/* Made writable where it is, if nobody else has a reference; otherwise split. */
inline fault_protected_pmd(a, access) {
  pfn = pmd_frame[a];
  if
  :: pmd[a] == MAPS && (exclusive[pfn] || refs[pfn] == 1) ->
     assert(cached[pfn] == 0); /* nothing in the swap cache is mapped by a PMD here */
     exclusive[pfn] = 1;
     if
     :: access == WRITE -> pmd_write[a] = 1; pmd_young[a] = 1; pmd_dirty[a] = 1
     :: else
     fi
  :: else -> split_pmd(a)
  fi
}

inline map_new_small(a, p, writable) {
  alloc_small(other);
  maps[other] = 1;
  exclusive[other] = 1;
  set_pte(a, p, MAPS, other, writable, 1, writable)
}

inline fault_protected_pte(a, p, access) {
  pfn = pte_frame[AT(a, p)];
  root = (pfn == ZERO -> 0 : HEAD(pfn));
  if
  :: pte[AT(a, p)] == MAPS && !exclusive[pfn] && cached[root] != 0 && refs[root] <= 2 ->
     try_free_swap(root)
  :: else
  fi;
  if
  :: pte[AT(a, p)] == ZEROS ->
     if :: access == WRITE -> map_new_small(a, p, 1) :: else fi
  :: pte[AT(a, p)] == MAPS && (exclusive[pfn] || refs[root] == 1) ->
     exclusive[pfn] = 1;
     if
     :: access == WRITE ->
        pte_write[AT(a, p)] = 1;
        pte_young[AT(a, p)] = 1;
        pte_dirty[AT(a, p)] = 1
     :: else
     fi
  :: else ->
     map_new_small(a, p, access == WRITE);
     content[other] = content[pfn];
     remove_rmap_small(pfn);
     free_swap_cache(pfn);
     put(pfn, 1)
  fi
}

/* A tail of a huge page in the swap cache is copied: ksm_might_need_to_copy() goes by its index,
 * and a tail has none. */
inline fault_swapped(a, p, access) {
  slot = pte_frame[AT(a, p)];
  was_exclusive = pte_lone[AT(a, p)];
  if
  :: cache[slot] == 0 ->
     alloc_small(other);
     refs[other] = 2;
     cached[other] = 1 + slot;
     cache[slot] = 1 + other;
     content[other] = disk[slot]
  :: else ->
     other = cache[slot] - 1;
     refs[HEAD(other)]++
  fi;
  swapped[slot]--;
  if
  :: other != HEAD(other) ->
     pfn = other;
     map_new_small(a, p, access == WRITE);
     content[other] = content[pfn];
     dirty[other] = 1;
     put(pfn, 1)
  :: else ->
     count_free_slots();
     if
     :: SWAP_FULL || (access == WRITE && refs[other] == 2) -> try_free_swap(other)
     :: else
     fi;
     assert(!exclusive[other]);
     maps[other]++;
     if
     :: was_exclusive || refs[other] == 1 ->
        exclusive[other] = 1;
        set_pte(a, p, MAPS, other, access == WRITE, 1, access == WRITE)
     :: else -> set_pte(a, p, MAPS, other, 0, 1, 0)
     fi
  fi
}

inline fault_pte(a, p, access) {
  if
  :: pte[AT(a, p)] == NONE ->
     if
     :: access == READ -> set_pte(a, p, ZEROS, ZERO, 0, 1, 0)
     :: else -> map_new_small(a, p, 1)
     fi
  :: pte[AT(a, p)] == SWAPPED -> fault_swapped(a, p, access)
  :: (pte[AT(a, p)] == MAPS || pte[AT(a, p)] == ZEROS) && access != READ &&
        !pte_write[AT(a, p)] ->
     fault_protected_pte(a, p, access)
  :: else
  fi
}

inline fault(a, p, access) {
  if
  :: pmd[a] == NONE -> fault_none_pmd(a, access)
  :: (pmd[a] == MAPS || pmd[a] == ZEROS) && access != READ && !pmd_write[a] ->
     fault_protected_pmd(a, access)
  :: else
  fi;
  if :: pmd[a] == TABLE -> fault_pte(a, p, access) :: else fi
}

#define HUGE(a) (pmd[a] == MAPS || pmd[a] == ZEROS)
#define PRESENT(a, p) \
  (HUGE(a) || (pmd[a] == TABLE && (pte[AT(a, p)] == MAPS || pte[AT(a, p)] == ZEROS)))
#define WRITABLE(a, p) \
  (pmd[a] == TABLE -> pte[AT(a, p)] == MAPS && pte_write[AT(a, p)] : pmd[a] == MAPS && pmd_write[a])
#define FRAME_AT(a, p) (pmd[a] == TABLE -> pte_frame[AT(a, p)] : pmd_frame[a] + (p))

/* What get_user_pages() of a page leaves for an access, in `mode`: a mode of fault, or enough. */
inline gup_needs(a, p, access) {
  enough = 0;
  mode = access;
  if
  :: access == WRITE -> enough = WRITABLE(a, p)
  :: access == READ && PRESENT(a, p) ->
     pfn = FRAME_AT(a, p);
     /* The exclusive bit of a PMD is its head's. */
     if
     :: pmd[a] == TABLE -> enough = (pfn == ZERO -> 1 : pte_write[AT(a, p)] || exclusive[pfn])
     :: else -> enough = (pmd[a] == ZEROS -> 1 : pmd_write[a] || exclusive[pmd_frame[a]])
     fi;
     if :: !enough -> mode = UNSHARE :: else fi
  :: else
  fi
}

/* What an op still needs of the page that it is about: `enough`, or else a fault of this `mode`. */
inline needs() {
  if
  :: op == STORE -> enough = WRITABLE(who, from); mode = WRITE
  :: op == LOAD -> enough = PRESENT(who, from); mode = READ
  :: op == PIN_WRITE -> gup_needs(who, from, WRITE)
  :: op == PIN_READ -> gup_needs(who, from, READ)
  fi
}

inline access() {
  if :: op == PIN_WRITE || op == PIN_READ -> has_pinned[who] = 1 :: else fi;
  needs();
  do
  :: !enough -> fault(who, from, mode); needs()
  :: else -> break
  od;
  pfn = FRAME_AT(who, from);
  if
  :: op == STORE || op == LOAD ->
     if
     :: pmd[who] == TABLE -> pte_young[AT(who, from)] = 1
     :: else -> pmd_young[who] = 1
     fi;
     if
     :: op == STORE && pmd[who] == TABLE -> pte_dirty[AT(who, from)] = 1; content[pfn] = 1
     :: op == STORE && pmd[who] != TABLE -> pmd_dirty[who] = 1; content[pfn] = 1
     :: else
     fi
  :: else ->
     held = 1;
     held_frame = pfn;
     if
     :: pfn == ZERO
     :: pfn != ZERO && kind[pfn / SUBPAGES] == SMALL -> refs[pfn] = refs[pfn] + PIN
     :: else -> pins[pfn / SUBPAGES]++; refs[HEAD(pfn)]++
     fi
  fi
}

inline unpin() {
  pfn = held_frame;
  held = 0;
  held_frame = 0;
  if
  :: pfn == ZERO
  :: pfn != ZERO && kind[pfn / SUBPAGES] == SMALL -> put(pfn, PIN)
  :: else -> pins[pfn / SUBPAGES]--; put(pfn, 1)
  fi
}

/* ---- fork(): of who, into the other address space `child`. */

inline copy_huge_pmd() {
  pfn = pmd_frame[who];
  if
  :: exclusive[pfn] && has_pinned[who] && MAYBE_PINNED(pfn) -> split_pmd(who)
  :: else ->
     exclusive[pfn] = 0;
     refs[pfn]++;
     entire[pfn / SUBPAGES]++;
     pmd_write[who] = 0;
     set_pmd(child, MAPS, pfn, 0, 0, pmd_dirty[who])
  fi
}

inline copy_pte(p) {
  pfn = pte_frame[AT(who, p)];
  if
  :: pte[AT(who, p)] == ZEROS -> set_pte(child, p, ZEROS, ZERO, 0, 0, 0)
  :: pte[AT(who, p)] == SWAPPED ->
     swapped[pfn]++;
     pte_lone[AT(who, p)] = 0;
     set_pte(child, p, SWAPPED, pfn, 0, 0, 0)
  :: pte[AT(who, p)] == MAPS && exclusive[pfn] && has_pinned[who] && MAYBE_PINNED(pfn) ->
     map_new_small(child, p, 1);
     content[other] = content[pfn]
  :: pte[AT(who, p)] == MAPS && !(exclusive[pfn] && has_pinned[who] && MAYBE_PINNED(pfn)) ->
     exclusive[pfn] = 0;
     refs[HEAD(pfn)]++;
     maps[pfn]++;
     pte_write[AT(who, p)] = 0;
     set_pte(child, p, MAPS, pfn, 0, 0, pte_dirty[AT(who, p)])
  :: else
  fi
}

inline fork() {
  child = 1 - who;
  alive[child] = 1;
  if
  :: pmd[who] == ZEROS -> take_huge_zero(child); set_pmd(child, ZEROS, pmd_frame[who], 0, 0, 0)
  :: pmd[who] == MAPS -> copy_huge_pmd()
  :: else
  fi;
  if
  :: pmd[who] == TABLE ->
     set_pmd(child, TABLE, 0, 0, 0, 0);
     for (sub : 0 .. SUBPAGES - 1) { copy_pte(sub) }
  :: else
  fi
}

/* ---- Zapping pages [from, to) of who: mappings go at once, references when all is unmapped. */

inline zap_pte(p) {
  pfn = pte_frame[AT(who, p)];
  if
  :: pte[AT(who, p)] == MAPS -> remove_rmap_small(pfn); gather[gathered] = pfn; gathered++
  :: pte[AT(who, p)] == SWAPPED -> free_swap_and_cache(pfn)
  :: else
  fi;
  set_pte(who, p, NONE, 0, 0, 0, 0)
}

inline flush() {
  for (nth : 0 .. SUBPAGES - 1) {
    if :: nth < gathered -> free_swap_cache(gather[nth]) :: else fi
  }
  for (nth : 0 .. SUBPAGES - 1) {
    if :: nth < gathered -> put(gather[nth], 1) :: else fi
  }
}

inline zap() {
  gathered = 0;
  if
  :: HUGE(who) && (from > 0 || to < SUBPAGES) -> split_pmd(who)
  :: HUGE(who) && !(from > 0 || to < SUBPAGES) ->
     if
     :: pmd[who] == MAPS ->
        gather[0] = pmd_frame[who];
        gathered = 1;
        remove_rmap_huge(pmd_frame[who] / SUBPAGES)
     :: else
     fi;
     set_pmd(who, NONE, 0, 0, 0, 0)
  :: else
  fi;
  if
  :: pmd[who] == TABLE ->
     for (sub : 0 .. SUBPAGES - 1) {
       if :: sub >= from && sub < to -> zap_pte(sub) :: else fi
     }
  :: else
  fi;
  flush()
}

/* What else goes with exit(), after everything is zapped. */
inline leave() {
  set_pmd(who, NONE, 0, 0, 0, 0);
  alive[who] = 0;
  has_pinned[who] = 0;
  if :: uses_zero[who] -> uses_zero[who] = 0; zero_refs-- :: else fi
}

/* ---- Splitting the folio `blk` itself; the caller holds a reference, on the sub-page `other`. */

#define MAPPED_BY_PMD(a) (pmd[a] == MAPS && pmd_frame[a] == head)
#define MAPPED_BY_PTE(a, p, pfn) \
  (pmd[a] == TABLE && pte[AT(a, p)] == MAPS && pte_frame[AT(a, p)] == (pfn))
#define MAPPED_INSIDE(a, p) \
  (pmd[a] == TABLE && pte[AT(a, p)] == MAPS && HEAD(pte_frame[AT(a, p)]) == head)

/* All mappings become PTEs and keep what they allowed; then each sub-page counts its own. */
inline split_mappings() {
  was_exclusive = exclusive[head];
  for (mm : 0 .. 1) {
    if
    :: MAPPED_BY_PMD(mm) ->
       for (each : 0 .. SUBPAGES - 1) {
         set_pte(mm, each, MAPS, head + each, pmd_write[mm], pmd_young[mm], pmd_dirty[mm]);
         exclusive[head + each] = exclusive[head + each] | was_exclusive
       }
       dirty[head] = dirty[head] | pmd_dirty[mm];
       set_pmd(mm, TABLE, 0, 0, 0, 0)
    :: else
    fi
  }
}

inline count_mappings(frame) {
  maps[frame] = 0;
  for (mm : 0 .. 1) {
    for (each : 0 .. SUBPAGES - 1) {
      if
      :: MAPPED_BY_PTE(mm, each, frame) ->
         maps[frame]++;
         dirty[head] = dirty[head] | pte_dirty[AT(mm, each)]
      :: else
      fi
    }
  }
}

inline split_folio() {
  total_mapcount(blk);
  head = blk * SUBPAGES;
  extra = (cached[head] != 0 -> SUBPAGES : 0);
  if
  :: kind[blk] == THP && mapcount > 0 && mapcount == refs[head] - extra - 1 && !writeback[head] ->
     split_mappings();
     unqueue(blk);
     kind[blk] = SMALL;
     entire[blk] = 0;
     doubly[blk] = 0;
     for (nth : 0 .. SUBPAGES - 1) { count_mappings(head + nth) }
     for (nth : 0 .. SUBPAGES - 1) { become_small(head + nth) }
     if :: extra > 0 -> cluster_huge[(cached[head] - 1) / SUBPAGES] = 0 :: else fi;
     pfn = head;
     for (nth : 0 .. SUBPAGES - 1) {
       if :: pfn + nth != other -> free_swap_cache(pfn + nth); put(pfn + nth, 1) :: else fi
     }
  :: else
  fi
}

/* Each has a reference of the split itself still. */
inline become_small(frame) {
  refs[frame] = maps[frame] + 1 + (cached[frame] != 0 -> 1 : 0) + (frame != other -> listed : 0);
  if
  :: frame != head ->
     exclusive[frame] = exclusive[frame] && maps[frame] > 0;
     dirty[frame] = dirty[head];
     referenced[frame] = referenced[head]
  :: else
  fi
}

/* echo PID,FROM,TO > split_huge_pages */
inline split_range() {
  listed = 0;
  sub = from;
  do
  :: sub < to ->
     if
     :: pmd[who] == MAPS || (pmd[who] == TABLE && pte[AT(who, sub)] == MAPS) ->
        other = FRAME_AT(who, sub);
        if
        :: kind[other / SUBPAGES] == THP ->
           blk = other / SUBPAGES;
           refs[HEAD(other)]++;
           split_folio();
           put(other, 1)
        :: else
        fi
     :: else
     fi;
     sub++
  :: else -> break
  od
}

/* deferred_split_scan(): list_move() turns the order round, for those that stay as well. */
inline shrink_deferred() {
  listed = 0;
  scanned = queue_length;
  sub = 0;
  do
  :: sub < scanned ->
     order[sub] = queue[scanned - 1 - sub];
     refs[order[sub] * SUBPAGES]++;
     sub++
  :: else -> break
  od;
  sub = 0;
  do
  :: sub < scanned -> queue[sub] = order[sub]; sub++
  :: else -> break
  od;
  sub = 0;
  do
  :: sub < scanned ->
     blk = order[sub];
     other = blk * SUBPAGES;
     split_folio();
     put(other, 1);
     sub++
  :: else -> break
  od
}

/* ---- Reclaim of the folio that an entry of who leads to. */

/* A place in the swap device for the folio at `head`, in `slot`. */
inline alloc_slots() {
  count_free_slots();
  slot = NO_SLOT;
  if
  :: kind[blk] == THP && room >= SUBPAGES && free_clusters > 0 ->
     slot = free_cluster[0] * SUBPAGES;
     take_cluster();
     narrow_bounds(slot, SUBPAGES);
     cluster_huge[slot / SUBPAGES] = 1
  :: kind[blk] == SMALL && room >= 1 -> alloc_small_slot()
  :: else
  fi
}

inline take_cluster() {
  free_clusters--;
  for (at : 0 .. CLUSTERS - 1) {
    if
    :: at < free_clusters -> free_cluster[at] = free_cluster[at + 1]
    :: else -> free_cluster[at] = 0
    fi
  }
}

/* swap_range_alloc() */
inline narrow_bounds(from_slot, nr_slots) {
  if :: (from_slot) + 1 == lowest -> lowest = lowest + nr_slots :: else fi;
  if :: (from_slot) + nr_slots == highest -> highest = highest - nr_slots :: else fi;
  if :: room == nr_slots -> lowest = SLOTS + 1; highest = 0 :: else fi
}

/* scan_swap_map_try_ssd_cluster() */
inline take_from_cpu_cluster() {
  do
  :: slot == NO_SLOT && cpu_cluster == 0 && free_clusters == 0 -> break
  :: slot == NO_SLOT && cpu_cluster == 0 && free_clusters > 0 ->
     cpu_cluster = 1 + free_cluster[0];
     cpu_next = free_cluster[0] * SUBPAGES
  :: slot == NO_SLOT && cpu_cluster > 0 ->
     if
     :: cpu_next >= cpu_cluster * SUBPAGES -> cpu_cluster = 0; cpu_next = 0
     :: cpu_next < cpu_cluster * SUBPAGES && !UNUSED(cpu_next) -> cpu_next++
     :: else -> slot = cpu_next; cpu_next++
     fi
  :: else -> break
  od
}

/* scan_swap_map_slots(): behind where the last one ended, then from the lowest slot on to there; a
 * third time behind it, if there was one that the swap cache alone uses but does not let go. The
 * kernel goes round until it does; here it gives up. */
inline scan() {
  again = 0;
  round = 0;
  do
  :: slot == NO_SLOT && round < 3 ->
     at_slot = (round == 1 -> lowest - 1 : scan_from);
     if :: round == 2 && again && scan_from > 0 -> at_slot = scan_from - 1 :: else fi;
     do
     :: slot == NO_SLOT && at_slot < highest && (round != 1 || at_slot + 1 < scan_from) &&
           (round != 2 || again) ->
        try_slot();
        at_slot++
     :: else -> break
     od;
     round++
  :: else -> break
  od
}

/* While more than half of the device is used, what only the swap cache needs may be had too. */
inline try_slot() {
  count_free_slots();
  if
  :: UNUSED(at_slot) -> slot = at_slot
  :: !UNUSED(at_slot) && swapped[at_slot] == 0 && SWAP_FULL ->
     root = HEAD(cache[at_slot] - 1);
     refs[root]++;
     try_free_swap(root);
     put(root, 1);
     head = keep_head;
     blk = head / SUBPAGES;
     slot = (UNUSED(at_slot) -> at_slot : NO_SLOT);
     again = again || slot == NO_SLOT
  :: else
  fi
}

inline alloc_small_slot() {
  assert(CLUSTERS == 1); /* else another free cluster might come before the CPU's own */
  keep_head = head;
  take_from_cpu_cluster();
  if :: slot == NO_SLOT -> scan() :: else fi;
  count_free_slots();
  if
  :: slot != NO_SLOT ->
     narrow_bounds(slot, 1);
     scan_from = slot + 2;
     if :: room == SLOTS -> take_cluster() :: else fi
  :: else
  fi
}

inline add_to_swap() {
  alloc_slots();
  if
  :: slot != NO_SLOT ->
     slots = (kind[blk] == SMALL -> 1 : SUBPAGES);
     for (each : 0 .. SUBPAGES - 1) {
       if
       :: each < slots ->
          cache[slot + each] = 1 + head + each;
          cached[head + each] = 1 + slot + each
       :: else
       fi
     }
     refs[head] = refs[head] + slots;
     dirty[head] = 1
  :: else
  fi
}

/* folio_referenced(): address spaces in which something of it is young, and is no longer. */
inline clear_young() {
  referrers = 0;
  for (mm : 0 .. 1) {
    busy = 0;
    if :: MAPPED_BY_PMD(mm) && pmd_young[mm] -> pmd_young[mm] = 0; busy = 1 :: else fi;
    for (each : 0 .. SUBPAGES - 1) {
      if
      :: MAPPED_INSIDE(mm, each) && pte_young[AT(mm, each)] -> pte_young[AT(mm, each)] = 0; busy = 1
      :: else
      fi
    }
    referrers = referrers + busy
  }
}

inline unmap_pte(a, p) {
  pfn = pte_frame[AT(a, p)];
  dirty[head] = dirty[head] | pte_dirty[AT(a, p)];
  was_exclusive = exclusive[pfn];
  assert(!(was_exclusive && MAYBE_PINNED(pfn)));
  exclusive[pfn] = 0;
  set_pte(a, p, SWAPPED, cached[pfn] - 1, 0, 0, 0);
  pte_lone[AT(a, p)] = was_exclusive;
  swapped[cached[pfn] - 1]++;
  remove_rmap_small(pfn);
  refs[head]--
}

inline try_to_unmap() {
  for (mm : 0 .. 1) {
    if :: MAPPED_BY_PMD(mm) -> split_pmd(mm) :: else fi;
    for (sub : 0 .. SUBPAGES - 1) {
      if :: MAPPED_INSIDE(mm, sub) -> unmap_pte(mm, sub) :: else fi
    }
  }
}

#define KEEP 1
#define ACTIVATE 2

/* Tails follow in their order, each with a reference of its own. */
inline split_for_reclaim() {
  other = head;
  listed = 1;
  split_folio();
  assert(kind[blk] == SMALL);
  head = other;
  todo = SUBPAGES
}

inline give_it_a_slot() {
  if
  :: cached[head] != 0
  :: cached[head] == 0 && MAYBE_PINNED(head) -> verdict = KEEP
  :: else ->
     if
     :: kind[blk] == THP ->
        total_mapcount(blk);
        if
        :: mapcount != refs[head] - 1 -> verdict = ACTIVATE
        :: mapcount == refs[head] - 1 && entire[blk] == 0 -> split_for_reclaim()
        :: else
        fi
     :: else
     fi;
     if
     :: verdict == 0 -> 
        add_to_swap();
        if
        :: slot == NO_SLOT && kind[blk] == THP -> split_for_reclaim(); add_to_swap()
        :: else
        fi;
        if :: slot == NO_SLOT -> verdict = ACTIVATE :: else fi
     :: else
     fi
  fi
}

inline write_out() {
  slots = (kind[blk] == SMALL -> 1 : SUBPAGES);
  if
  :: refs[head] != 1 + slots -> verdict = KEEP
  :: refs[head] == 1 + slots && dirty[head] ->
     verdict = KEEP;
     dirty[head] = 0;
     try_free_swap(head);
     if
     :: cached[head] != 0 ->
        writeback[head] = 1;
        slots = (kind[blk] == SMALL -> 1 : SUBPAGES);
        for (each : 0 .. SUBPAGES - 1) {
          if :: each < slots -> disk[cached[head] - 1 + each] = content[head + each] :: else fi
        }
     :: else
     fi
  :: else -> leave_cache(head)
  fi
}

inline reclaim_one() {
  verdict = 0;
  blk = head / SUBPAGES;
  if
  :: writeback[head] -> verdict = ACTIVATE
  :: else ->
     clear_young();
     busy = referenced[head];
     referenced[head] = referrers > 0;
     if
     :: referrers > 0 && (busy || referrers > 1) -> verdict = ACTIVATE
     :: referrers > 0 && !(busy || referrers > 1) -> verdict = KEEP
     :: else -> give_it_a_slot()
     fi
  fi;
  if :: verdict == 0 -> try_to_unmap(); blk = head / SUBPAGES; write_out() :: else fi;
  count_free_slots();
  if :: verdict == ACTIVATE && SWAP_FULL -> try_free_swap(head) :: else fi;
  put(head, 1)
}

inline reclaim() {
  pfn = ZERO;
  if
  :: pmd[who] == MAPS -> pfn = pmd_frame[who]
  :: pmd[who] == TABLE && pte[AT(who, from)] == MAPS -> pfn = pte_frame[AT(who, from)]
  :: pmd[who] == TABLE && pte[AT(who, from)] == SWAPPED && cache[pte_frame[AT(who, from)]] != 0 ->
     pfn = cache[pte_frame[AT(who, from)]] - 1
  :: else
  fi;
  if
  :: pfn != ZERO ->
     head = HEAD(pfn);
     first = head;
     refs[head]++;
     todo = 1;
     turns = 0;
     do
     :: turns < todo -> head = first + turns; reclaim_one(); turns++
     :: else -> break
     od
  :: else
  fi
}

inline writeback_end() {
  for (sub : 0 .. FRAMES - 1) { writeback[sub] = 0 }
}

/* shrink_huge_zero_page_scan() */
inline shrink_huge_zero() {
  if
  :: zero_refs == 1 ->
     zero_refs = 0;
     other = zero_head - 1;
     zero_head = 0;
     put(other, 1)
  :: else
  fi
}

/* ---- The ops. */

#define OF_A_SPACE \
  (op != UNPIN && op != SHRINK_DEFERRED && op != SHRINK_HUGE_ZERO && op != WRITEBACK_END)
#define OF_A_PAGE \
  (op == STORE || op == LOAD || op == PIN_WRITE || op == PIN_READ || op == RECLAIM)
#define OF_A_RANGE (op == DONTNEED || op == SPLIT_FOLIO)

/* SPIN takes so much into one d_step and no more: an op has its own, and is there when it is asked
 * for. */
inline step() {
  if
#if defined(WITH_STORE) || defined(WITH_LOAD) || defined(WITH_PIN)
  :: op == STORE || op == LOAD || op == PIN_WRITE || op == PIN_READ -> d_step { access(); skip }
#endif
#ifdef WITH_UNPIN
  :: op == UNPIN -> d_step { unpin(); skip }
#endif
#ifdef WITH_FORK
  :: op == FORK -> d_step { fork(); skip }
#endif
#if defined(WITH_EXIT) || defined(WITH_MADVISE_DONTNEED)
  :: op == EXIT || op == DONTNEED ->
     d_step {
       zap();
       if :: op == EXIT -> leave() :: else fi;
       skip
     }
#endif
#ifdef WITH_SPLIT_FOLIO
  :: op == SPLIT_FOLIO -> d_step { split_range(); skip }
#endif
#ifdef WITH_SHRINK_DEFERRED
  :: op == SHRINK_DEFERRED -> d_step { shrink_deferred(); skip }
#endif
#ifdef WITH_SHRINK_HUGE_ZERO
  :: op == SHRINK_HUGE_ZERO -> d_step { shrink_huge_zero(); skip }
#endif
#ifdef WITH_RECLAIM
  :: op == RECLAIM -> d_step { reclaim(); skip }
#endif
#ifdef WITH_WRITEBACK_END
  :: op == WRITEBACK_END -> d_step { writeback_end(); skip }
#endif
  fi
}

active proctype machine() {
  do
  :: c_expr { (tell()) } -> skip /* never: it is asked once in each state */
  :: atomic {
#ifdef DEPTH
       steps < DEPTH -> steps++;
#endif
       if
#ifdef WITH_STORE
       :: op = STORE
#endif
#ifdef WITH_LOAD
       :: op = LOAD
#endif
#ifdef WITH_PIN
       :: held == 0 -> op = PIN_WRITE
       :: held == 0 -> op = PIN_READ
#endif
#ifdef WITH_UNPIN
       :: held != 0 -> op = UNPIN
#endif
#ifdef WITH_FORK
       :: op = FORK
#endif
#ifdef WITH_EXIT
       :: op = EXIT
#endif
#ifdef WITH_MADVISE_DONTNEED
       :: op = DONTNEED
#endif
#ifdef WITH_SPLIT_FOLIO
       :: op = SPLIT_FOLIO
#endif
#ifdef WITH_SHRINK_DEFERRED
       :: op = SHRINK_DEFERRED
#endif
#ifdef WITH_SHRINK_HUGE_ZERO
       :: op = SHRINK_HUGE_ZERO
#endif
#ifdef WITH_RECLAIM
       :: op = RECLAIM
#endif
#ifdef WITH_WRITEBACK_END
       :: op = WRITEBACK_END
#endif
       fi;
       who = 0;
       from = 0;
       to = SUBPAGES;
       if :: OF_A_SPACE -> select(who : 0 .. 1) :: else fi;
       if :: OF_A_PAGE || OF_A_RANGE -> select(from : 0 .. SUBPAGES - 1) :: else fi;
       if :: OF_A_RANGE -> select(to : from + 1 .. SUBPAGES) :: else fi;
       if
       :: !OF_A_SPACE || (alive[who] && (op != FORK || !alive[1 - who])) -> step()
       :: else
       fi
     }
  od
}
