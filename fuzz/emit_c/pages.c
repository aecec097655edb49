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
