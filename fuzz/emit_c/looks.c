/* --- What user space sees, as text: looking changes nothing. */

#define TEXT (1 << 18)
#define MOST_PAGES (4 * 512)
#define SIZE(array) (sizeof(array) / sizeof *(array))

static const char *pagemap_of[SPACES], *kpageflags_of[SPACES], *smaps_of[SPACES], *events_told = "";
static char found[TEXT];
static size_t length;
static int kpageflags_file = -1, kpagecount_file = -1; /* -1: this user does not see frames */

__attribute__((format(printf, 1, 2))) static void add(const char* format, ...) {
  va_list args;
  va_start(args, format);
  const int more = vsnprintf(found + length, TEXT - length, format, args);
  va_end(args);
  if (more > 0 && length + (size_t)more < TEXT) length += (size_t)more;
}

static void clear(void) { found[length = 0] = 0; }

static unsigned long long word_at(int file, unsigned long long index) {
  unsigned long long value = 0;
  if (pread(file, &value, sizeof value, (off_t)(index * sizeof value)) < 0) value = 0;
  return value;
}

static int open_to_look(int who, const char* name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid_of[who], name);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) bail_out(path);
  return file;
}

static void read_pagemap(int who, unsigned long long* entries) {
  const size_t bytes = (size_t)pages_of_a_space * sizeof *entries;
  const int file = open_to_look(who, "pagemap");
  const off_t at = (off_t)(BASE / PAGE * sizeof *entries);
  if (pread(file, entries, bytes, at) != (ssize_t)bytes) bail_out("pagemap");
  close(file);
}

/* --- Bits of pages, in runs: Documentation/admin-guide/mm/pagemap.rst. */

struct bit {
  int bit;
  const char* name;
};

/* A line for each run of pages with the same bits, and the same count behind them. */
static void add_runs(const unsigned long long* values, const int* counts, const struct bit* bits,
                     size_t known) {
  clear();
  for (int first = 0, end; first < pages_of_a_space; first = end) {
    for (end = first + 1; end < pages_of_a_space; ++end)
      if (values[end] != values[first] || counts[end] != counts[first]) break;
    if (!values[first]) continue;
    if (end == first + 1)
      add("%d", first);
    else
      add("%d..%d", first, end);
    for (size_t i = 0; i < known; ++i)
      if (values[first] >> bits[i].bit & 1) add(" %s", bits[i].name);
    if (counts[first]) add(" mapped=%d", counts[first]);
    add("\n");
  }
}

static unsigned long long mask_of(const struct bit* bits, size_t known) {
  unsigned long long mask = 0;
  for (size_t i = 0; i < known; ++i) mask |= 1ULL << bits[i].bit;
  return mask;
}

enum { SOFT_DIRTY = 55, EXCLUSIVE = 56 };
static const int no_counts[MOST_PAGES];

/* Bits that are not compared any more: kernels differ since a defect has struck there. */
static unsigned long long ignored[SPACES][MOST_PAGES];

__attribute__((unused)) static void ignore(int who, int first, int end, int bit) {
  for (; first < end; ++first) ignored[who][first] |= 1ULL << bit;
}

static void look_at_pagemap(int who, const unsigned long long* entries) {
  static const struct bit bits[] = {{63, "present"},
                                    {62, "swapped"},
                                    {61, "file"},
                                    {SOFT_DIRTY, "soft-dirty"},
                                    {EXCLUSIVE, "exclusive"}};
  const unsigned long long mask = mask_of(bits, SIZE(bits));
  unsigned long long values[MOST_PAGES];
  for (int page = 0; page < pages_of_a_space; ++page)
    values[page] = entries[page] & mask & ~ignored[who][page];
  add_runs(values, no_counts, bits, SIZE(bits));
  expect_text("pagemap", who, pagemap_of[who], found);
}

/* Of pages that are mapped. Of a huge page the head alone has all flags; nobody counts who maps the
 * zero pages. */
static void look_at_kpageflags(int who, const unsigned long long* entries) {
  enum { SWAPBACKED = 14, TAIL = 16, ZERO_PAGE = 24, MLOCKED = 33 };
  static const struct bit bits[] = {{ZERO_PAGE, "zero"}, {22, "thp"},
                                    {15, "head"},        {TAIL, "tail"},
                                    {12, "anon"},        {SWAPBACKED, "swapbacked"},
                                    {13, "swapcache"},   {MLOCKED, "mlocked"}};
  const unsigned long long mask = mask_of(bits, SIZE(bits));
  unsigned long long values[MOST_PAGES] = {0};
  int counts[MOST_PAGES] = {0};
  if (kpageflags_file < 0 || kpagecount_file < 0) return;
  for (int page = 0; page < pages_of_a_space; ++page) {
    const unsigned long long pfn = entries[page] & ((1ULL << 55) - 1);
    if (!(entries[page] >> 63)) continue;
    values[page] = word_at(kpageflags_file, pfn) & mask;
    if (values[page] >> TAIL & 1) values[page] &= ~(1ULL << SWAPBACKED | 1ULL << MLOCKED);
    if (!(values[page] >> ZERO_PAGE & 1)) counts[page] = (int)word_at(kpagecount_file, pfn);
  }
  add_runs(values, counts, bits, SIZE(bits));
  expect_text("kpageflags", who, kpageflags_of[who], found);
}

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
      if (!strcmp(word, "Rss") || !strcmp(word, "AnonHugePages") || !strcmp(word, "Swap"))
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
  if (in_guest)
    expect_text("vmstat", -1, events_told, found);
  else if (strcmp(events_told, found))
    remark("vmstat, of the whole machine, counts otherwise");
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
