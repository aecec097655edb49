/* --- VMAs. */

static void add_vma_flags(const char* flags) {
  static const char* const known[] = {"lo", "dc", "ac", "sd", "hg", "nh"};
  for (size_t i = 0; i < SIZE(known); ++i) {
    const char* at = strstr(flags, known[i]);
    if (at && at[-1] == ' ') add(" %s", known[i]);
  }
}

static void add_vmas(FILE* file) {
  char* line = NULL;
  size_t size = 0;
  int within = 0;
  while (getline(&line, &size, file) > 0) {
    unsigned long start, stop, kib;
    char word[32];
    if (sscanf(line, "%lx-%lx %31s", &start, &stop, word) == 3) {
      within = start >= BASE && start < address(pages_of_a_space);
      if (within) add("%lu..%lu %s", (start - BASE) / PAGE, (stop - BASE) / PAGE, word);
    } else if (within && sscanf(line, "%31[A-Za-z]: %lu kB", word, &kib) == 2 && kib) {
      if (!strcmp(word, "Rss") || !strcmp(word, "AnonHugePages") ||
          !strcmp(word, "ShmemPmdMapped") || !strcmp(word, "Swap"))
        add(" %s=%lu", word, kib);
    } else if (within && !strncmp(line, "VmFlags:", 8)) {
      add_vma_flags(line + 8);
      add("\n");
    }
  }
  free(line);
}

static void read_vmas(int who) {
  FILE* file = fdopen(open_to_look(who, "smaps"), "r");
  if (!file) bail_out("smaps");
  clear();
  add_vmas(file);
  fclose(file);
}

static void look_at_smaps(int who) {
  if (!smaps_of[who]) return; /* as with what is ignored */
  read_vmas(who);
  expect_text("smaps", who, smaps_of[who], found);
}

/* --- Events: /proc/vmstat counts those of the whole machine. */

#define EVENTS SIZE(event_names)
static long events_before[EVENTS];
static int event_is_free[EVENTS];

static void read_events(long* events) {
  char name[64];
  long count;
  FILE* file = fopen("/proc/vmstat", "r");
  if (!file) bail_out("/proc/vmstat");
  while (fscanf(file, "%63s %ld", name, &count) == 2)
    for (size_t i = 0; i < EVENTS; ++i)
      if (strcmp(event_names[i], name) == 0) events[i] = count;
  fclose(file);
}

/* From here on nobody knows how often it happens. */
__attribute__((unused)) static void free_event(const char* name) {
  for (size_t i = 0; i < EVENTS; ++i) event_is_free[i] |= strcmp(event_names[i], name) == 0;
}

static void look_at_events(void) {
  long now[EVENTS] = {0};
  read_events(now);
  clear();
  for (size_t i = 0; i < EVENTS; ++i)
    if (now[i] != events_before[i] && !event_is_free[i])
      add("%s %ld\n", event_names[i], now[i] - events_before[i]);
  if (in_guest) {
    expect_text("vmstat", -1, events_told, found);
  } else if (strcmp(events_told, found)) {
    remark("vmstat, of the whole machine, counts otherwise");
    quote("it counts", found);
  }
}

/* --- After each op. */

#define pagemap(who, text) (pagemap_of[who] = (text))
#define kpageflags(who, text) (kpageflags_of[who] = (text))
#define smaps(who, text) (smaps_of[who] = (text))
#define events(text) (events_told = (text))

/* The per-CPU lists of pages on their way to an LRU list hold a reference each; MADV_DONTNEED
 * empties them, and finds nothing here to zap. */
static void drain_lru_batches(void) {
  static void* nothing;
  if (!nothing) nothing = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(nothing, PAGE, MADV_DONTNEED);
}

/* Waits until nothing is written to swap any more. */
__attribute__((unused)) static void await_writeback(void) {
  static unsigned long long flags[1 << 15];
  for (int busy = 1, tries = 0; busy && tries < 10000; ++tries) {
    ssize_t got;
    busy = kpageflags_file < 0 && tries < 100;
    for (off_t at = 0; (got = pread(kpageflags_file, flags, sizeof flags, at)) > 0; at += got)
      for (size_t i = 0; i < (size_t)got / sizeof *flags; ++i) busy |= flags[i] >> 8 & 1;
    if (busy) usleep(1000);
  }
}

__attribute__((unused)) static void done(void) {
  unsigned long long entries[MOST_PAGES];
  drain_lru_batches();
  for (int who = 0; who < SPACES; ++who) {
    if (!pid_of[who]) continue;
    read_pagemap(who, entries);
    look_at_pagemap(who, entries);
    look_at_kpageflags(who, entries);
    look_at_smaps(who);
  }
  look_at_events();
  told(!bad);
}

/* Frame numbers, and so their flags, are for those with CAP_SYS_ADMIN. */
static void begin_to_look(void) {
  for (int who = 0; who < SPACES; ++who) pagemap_of[who] = kpageflags_of[who] = smaps_of[who] = "";
  kpageflags_file = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
  kpagecount_file = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
  if (kpageflags_file < 0) printf("# without CAP_SYS_ADMIN: the flags of frames are not checked\n");
  read_events(events_before);
}

/* --- At the end: what pages hold. It is looked at last, as a load brings pages in. */

__attribute__((unused)) static void contents_or(int who, long first, long end, long value,
                                                long or) {
  const long limit = value < 0 ? first + 1 : end; /* a signal for one page of a run is enough */
  const long other = ask(who, LOADS, 0, first, limit, value, or, 0);
  ++facts;
  if (other == -1) return;
  bad = 1;
  remark("page %ld of %c: expected %ld, found %ld", other, 'A' + who, value, load(who, other));
}

#define contents(who, first, end, value) contents_or(who, first, end, value, value)
#define contents_or_zero(who, first, end, value) contents_or(who, first, end, value, 0)
