/* --- The machine: what is changed of it is put back at the end, and nothing is without leave. */

#ifndef THP
#define THP "/sys/kernel/mm/transparent_hugepage/"
#endif

static struct setting {
  const char* path;
  char old[64]; /* empty: it was not changed */
} settings[] = {{THP "enabled", ""},
                {THP "use_zero_page", ""},
                {THP "shmem_enabled", ""},
                {THP "defrag", ""},
                {THP "khugepaged/pages_to_scan", ""},
                {THP "khugepaged/scan_sleep_millisecs", ""},
                {"/proc/sys/vm/page-cluster", ""}};
static int swap_is_on;

static long write_text(const char* path, const char* text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  const long done = file < 0 || write(file, text, strlen(text)) < 0 ? -errno : 0;
  if (file >= 0) close(file);
  return done;
}

/* The word in brackets, where there is one. */
static void read_setting(const char* path, char value[64]) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  const long got = file < 0 ? 0 : read(file, value, 63);
  if (file >= 0) close(file);
  value[got > 0 ? got : 0] = 0;
  value[strcspn(value, "\n")] = 0;
  char* const chosen = strchr(value, '[');
  if (!chosen) return;
  memmove(value, chosen + 1, strlen(chosen));
  value[strcspn(value, "]")] = 0;
}

static long change(const char* path, const char* value, int may, const char* needs) {
  char now[64];
  read_setting(path, now);
  if (strcmp(now, value) == 0) return 0;
  if (!may && needs) skip_rest(needs);
  if (!may) return 0;
  for (size_t i = 0; i < sizeof settings / sizeof *settings; ++i)
    if (strcmp(settings[i].path, path) == 0 && !settings[i].old[0]) strcpy(settings[i].old, now);
  return write_text(path, value);
}

static void restore(void) {
  for (int who = 0; who < SPACES; ++who) {
    if (pid_of[who] <= 0) continue;
    kill(pid_of[who], SIGKILL);
    waitpid(pid_of[who], NULL, 0);
    pid_of[who] = 0;
  }
  if (swap_is_on) swapoff(swap_device);
  swap_is_on = 0;
  for (size_t i = 0; i < sizeof settings / sizeof *settings; ++i)
    if (settings[i].old[0]) write_text(settings[i].path, settings[i].old);
}

/* khugepaged is to stay away: it looks at one PMD at a time, each time that `enabled` turns from
 * never to always, and first at this process. That has more PMDs than it will ever come to, and a
 * page at the end gives them the anon_vma without which they would not do. */
static void occupy_khugepaged(void) {
  const size_t size = 1UL << 40;
  char* at = mmap((void*)(2UL << 40), size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (at == MAP_FAILED) bail_out("mmap");
  madvise(at, size, MADV_DONTFORK);
  madvise(at, size, MADV_NOHUGEPAGE);
  at[size - 1] = 1;
  madvise(at, size, MADV_HUGEPAGE);
  change(THP "khugepaged/pages_to_scan", "1", 1, NULL);
  change(THP "khugepaged/scan_sleep_millisecs", "4000000000", 1, NULL);
}

/* As every trace finds it. All of this runs on one CPU, which has one set of LRU batches. */
static void set_up(void) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(sched_getcpu(), &cpus);
  sched_setaffinity(0, sizeof cpus, &cpus);
  op_name = "a setting of the machine";
  change(THP "enabled", "always", may_sysfs,
         "--sysfs: transparent_hugepage/enabled is to be always");
  change(THP "use_zero_page", "1", may_sysfs,
         "--sysfs: transparent_hugepage/use_zero_page is to be 1");
  change(THP "defrag", "always", may_sysfs, NULL);
#ifdef FILES
  change(THP "shmem_enabled", "never", may_sysfs,
         "--sysfs: transparent_hugepage/shmem_enabled is to be never");
#endif
  if (may_sysfs) occupy_khugepaged();
}

__attribute__((unused)) static long set_enabled(const char* policy) {
  return change(THP "enabled", policy, may_sysfs, "--sysfs");
}

__attribute__((unused)) static long set_use_zero_page(const char* value) {
  return change(THP "use_zero_page", value, may_sysfs, "--sysfs");
}

__attribute__((unused)) static long set_shmem_enabled(const char* policy) {
  return change(THP "shmem_enabled", policy, may_sysfs, "--sysfs");
}

__attribute__((unused)) static long drop_caches(void) {
  if (!may_sysfs) skip_rest("--sysfs");
  return write_text("/proc/sys/vm/drop_caches", "2");
}

/* PID,START,END or PATH,OFFSET,OFFSET. It answers with an error wherever it split nothing; the op
 * answers 0 whatever it split. */
__attribute__((unused)) static long split_huge_pages(const char* what) {
  if (!may_sysfs) skip_rest("--sysfs");
  if (access("/sys/kernel/debug/split_huge_pages", W_OK) != 0) skip_rest("debugfs");
  write_text("/sys/kernel/debug/split_huge_pages", what);
  return 0;
}

__attribute__((unused)) static long split_folio(int who, long first, long end) {
  char line[96];
  if (!pid_of[who]) return -ESRCH;
  snprintf(line, sizeof line, "%d,0x%lx,0x%lx", (int)pid_of[who], address(first), address(end));
  return split_huge_pages(line);
}

#ifdef FILES
__attribute__((unused)) static long split_file(int f, long first, long end) {
  char line[96];
  if (file_of[f] < 0) return -EBADF;
  snprintf(line, sizeof line, "/proc/self/fd/%d,0x%lx,0x%lx", file_of[f], first, end);
  return split_huge_pages(line);
}
#endif

/* --- Swap. */

static int other_swap_is_on(void) {
  char line[256];
  int lines = 0;
  FILE* file = fopen("/proc/swaps", "r");
  while (file && fgets(line, sizeof line, file)) ++lines;
  if (file) fclose(file);
  return lines > 1 + swap_is_on; /* the first one is a title */
}

/* Pages go out to this device alone, and come back one by one. */
__attribute__((unused)) static void need_swap(void) {
  if (!swap_device) skip_rest("--swap DEVICE");
  if (other_swap_is_on()) skip_rest("a machine without other swap");
  change("/proc/sys/vm/page-cluster", "0", 1, NULL);
}

__attribute__((unused)) static long swap_on(void) {
  need_swap();
  if (swap_is_on) return -EBUSY;
  if (swapon(swap_device, 0)) return -errno;
  swap_is_on = 1;
  return 0;
}

__attribute__((unused)) static long swap_off(void) {
  need_swap();
  if (!swap_is_on) return -EINVAL;
  if (swapoff(swap_device)) return -errno;
  swap_is_on = 0;
  return 0;
}

__attribute__((unused)) static long page_out(int who, long first, long end) {
  need_swap();
  return advise(who, first, end, MADV_PAGEOUT);
}

/* --- Nodes. */

static long node_of(int who, void* page) {
  int status = -EAGAIN;
  const long failed = syscall(SYS_move_pages, pid_of[who], 1, &page, NULL, &status, 0);
  return failed < 0 ? -errno : status;
}

/* A folio that could not be moved is counted, but its status is not set. */
__attribute__((unused)) static long move_page(int who, long page) {
  void* at = (void*)address(page);
  int status = -EAGAIN, node;
  if (!pid_of[who]) return -ESRCH;
  if (access("/sys/devices/system/node/node1", F_OK) != 0) skip_rest("two NUMA nodes");
  node = node_of(who, at) == 1 ? 0 : 1;
  const long failed =
      syscall(SYS_move_pages, pid_of[who], 1, &at, &node, &status, 4 /* MPOL_MF_MOVE_ALL */);
  if (failed < 0) return -errno;
  return failed > 0 ? -EAGAIN : status < 0 ? status : 0;
}
