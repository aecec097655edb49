/* --- What the documentation promises, where the kernel is known to break it. */

enum { LOCKED = 1 };

__attribute__((unused)) static int is_locked(int who, int page) {
  int first, end, locked = 0;
  char flags[128];
  read_vmas(who);
  for (const char* at = found; sscanf(at, "%d..%d %127[^\n]", &first, &end, flags) == 3;) {
    if (first <= page && page < end) locked = strstr(flags, " lo") != NULL;
    at += strcspn(at, "\n") + 1;
  }
  return locked;
}

static int breaks;

__attribute__((unused)) static void promise(int who, int page, int what, int promised,
                                            const char* defect, const char* says) {
  unsigned long long entries[MOST_PAGES];
  read_pagemap(who, entries);
  const int seen = what == LOCKED ? is_locked(who, page) : (int)(entries[page] >> what & 1);
  ++tests;
  failures += seen != promised;
  breaks += seen != promised;
  printf("%sok %d - after %s: page %d of %c: %s", seen == promised ? "" : "not ", tests, op_name,
         page, 'A' + who, says);
  printf(seen == promised ? "\n" : " # the defect %s\n", defect);
}

__attribute__((unused)) static void tell_defect(const char* defect) {
  printf("# %s: %s\n", defect, breaks ? "the kernel has it" : "the kernel does not have it");
}
