/* --- Address spaces: each is a process that does one thing after the other for this one. */

enum { CALL, LOAD, STORE, LOADS, FORK, HOLD, EXIT };

struct order {
  int what;
  long number, arg[6];
};

static int orders[SPACES][2], answers[SPACES][2];
static pid_t pid_of[SPACES]; /* 0: it is not alive */
static sigjmp_buf access_failed;

static void serve(int who);

static unsigned long address(long page) { return BASE + (unsigned long)page * PAGE; }

static void on_fault(int signal) {
  siglongjmp(access_failed, signal == SIGSEGV ? SIGSEGV_SEEN : SIGBUS_SEEN);
}

static long load_byte(long page) {
  const int failed = sigsetjmp(access_failed, 1);
  return failed ? failed : *(volatile unsigned char*)address(page);
}

static long store_byte(long page, long value) {
  const int failed = sigsetjmp(access_failed, 1);
  if (failed) return failed;
  *(volatile unsigned char*)address(page) = (unsigned char)value;
  return 0;
}

/* The first page of a range that holds neither value; -1: there is none. */
static long first_other(long page, long end, long value, long or) {
  for (; page < end; ++page) {
    const long found = load_byte(page);
    if (found != value && found != or) return page;
  }
  return -1;
}

/* As fork(), but the child is the controller's, and has its files. */
static long fork_from_here(int child) {
  const long pid = syscall(SYS_clone, CLONE_PARENT | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) serve(child);
  return pid < 0 ? -errno : pid;
}

static long do_call(long number, const long* arg) {
  const long done = syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
  return done == -1 ? -errno : done;
}

/* A system call about memory that is told by a struct iovec: fd, how to hold it, page, bytes. */
static long do_hold(long number, const long* arg) {
  struct iovec range = {(void*)address(arg[2]), (size_t)arg[3]};
  const long call[6] = {arg[0], arg[1], (long)&range, 1, 0, 0};
  const long vmsplice[6] = {arg[0], (long)&range, 1, 0, 0, 0};
  return do_call(number, number == SYS_vmsplice ? vmsplice : call);
}

static long obey(const struct order* order) {
  const long* arg = order->arg;
  switch (order->what) {
    case LOAD:
      return load_byte(arg[0]);
    case STORE:
      return store_byte(arg[0], arg[1]);
    case LOADS:
      return first_other(arg[0], arg[1], arg[2], arg[3]);
    case FORK:
      return fork_from_here((int)arg[0]);
    case HOLD:
      return do_hold(order->number, arg);
    case EXIT:
      _exit(0);
    default:
      return do_call(order->number, arg);
  }
}

static void serve(int who) {
  struct order order;
  signal(SIGINT, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (read(orders[who][0], &order, sizeof order) == sizeof order) {
    const long answer = obey(&order);
    if (write(answers[who][1], &answer, sizeof answer) != sizeof answer) break;
  }
  _exit(1);
}

static long ask_with(int who, const struct order* order) {
  long answer = 0;
  if (write(orders[who][1], order, sizeof *order) != sizeof *order) bail_out("order");
  if (read(answers[who][0], &answer, sizeof answer) != sizeof answer) bail_out("answer");
  return answer;
}

static long ask(int who, int what, long number, long a, long b, long c, long d, long e) {
  const struct order order = {what, number, {a, b, c, d, e, 0}};
  if (!pid_of[who]) return -ESRCH;
  return ask_with(who, &order);
}

/* Address space A is a child of this process, with its files, and empty where traces look. */
static void start(void) {
  for (int who = 0; who < SPACES; ++who)
    if (pipe(orders[who]) || pipe(answers[who])) bail_out("pipe");
  signal(SIGSEGV, on_fault);
  signal(SIGBUS, on_fault);
  fflush(stdout);
  pid_of[A] = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
  if (pid_of[A] < 0) bail_out("fork");
  if (pid_of[A] == 0) serve(A);
}

/* --- Ops that are system calls, stores and loads. */

static long zero_or_error(long answer) { return answer < 0 && answer > -4096 ? answer : 0; }

__attribute__((unused)) static long on_range(int who, long number, long first, long end, long arg) {
  const long start = (long)address(first), bytes = (end - first) * (long)PAGE;
  return zero_or_error(ask(who, CALL, number, start, bytes, arg, 0, 0));
}

__attribute__((unused)) static long map(int who, long first, long end, int prot) {
  const struct order order = {CALL,
                              SYS_mmap,
                              {(long)address(first), (end - first) * (long)PAGE, prot,
                               MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}};
  return pid_of[who] ? zero_or_error(ask_with(who, &order)) : -ESRCH;
}

/* What lands elsewhere goes at once. */
__attribute__((unused)) static long map_hint(int who, long first, long end, int prot) {
  const long wanted = (long)address(first), bytes = (end - first) * (long)PAGE;
  const struct order order = {
      CALL, SYS_mmap, {wanted, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}};
  const long there = pid_of[who] ? ask_with(who, &order) : -ESRCH;
  if (zero_or_error(there) < 0 || there == wanted) return zero_or_error(there);
  ask(who, CALL, SYS_munmap, there, bytes, 0, 0, 0);
  return ELSEWHERE;
}

/* What would end behind the last page of the trace is sent behind that of all processes. */
__attribute__((unused)) static long mremap_to(int who, long first, long end, long to, long size,
                                              int flags) {
  const long there = to + size > pages_of_a_space ? 1L << 47 : (long)address(to);
  const long bytes = (end - first) * (long)PAGE;
  return zero_or_error(ask(who, CALL, SYS_mremap, (long)address(first), bytes, size * (long)PAGE,
                           MREMAP_MAYMOVE | MREMAP_FIXED | flags, there));
}
__attribute__((unused)) static long resize(int who, long first, long end, long size) {
  const long from = (long)address(first), bytes = (end - first) * (long)PAGE;
  const long wanted = first + size > pages_of_a_space ? (1L << 47) - from : size * (long)PAGE;
  return zero_or_error(ask(who, CALL, SYS_mremap, from, bytes, wanted, 0, 0));
}
__attribute__((unused)) static long disable_thp(int who, int on, int third) {
  return ask(who, CALL, SYS_prctl, PR_SET_THP_DISABLE, on, third, 0, 0);
}

#define move(who, first, end, to, size) mremap_to(who, first, end, to, size, 0)
#define move_dontunmap(who, first, end, to) \
  mremap_to(who, first, end, to, (end) - (first), MREMAP_DONTUNMAP)

#define unmap(who, first, end) on_range(who, SYS_munmap, first, end, 0)
#define protect(who, first, end, prot) on_range(who, SYS_mprotect, first, end, prot)
#define lock(who, first, end) on_range(who, SYS_mlock, first, end, 0)
#define unlock(who, first, end) on_range(who, SYS_munlock, first, end, 0)
#define advise(who, first, end, advice) on_range(who, SYS_madvise, first, end, advice)
#define load(who, page) ask(who, LOAD, 0, page, 0, 0, 0, 0)
#define store(who, page, value) ask(who, STORE, 0, page, value, 0, 0, 0)

__attribute__((unused)) static long fork_space(int who, int child) {
  if (pid_of[who] && pid_of[child]) return -EEXIST;
  const long pid = ask(who, FORK, 0, child, 0, 0, 0, 0);
  if (pid < 0) return pid;
  pid_of[child] = (pid_t)pid;
  return 0;
}

__attribute__((unused)) static long exit_space(int who) {
  const struct order order = {.what = EXIT};
  if (!pid_of[who]) return -ESRCH;
  if (write(orders[who][1], &order, sizeof order) != sizeof order) bail_out("order");
  if (waitpid(pid_of[who], NULL, 0) < 0) bail_out("waitpid");
  pid_of[who] = 0;
  return 0;
}
