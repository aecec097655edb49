#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* --- What is told, in TAP; and what this program may do. */

#define PAGE 4096UL
#define BASE ((1UL << 40) + (1UL << 29)) /* page 0 of every address space */
#define SPACES 4
#define ELSEWHERE (-1004) /* mapped, but not where it was asked for */
#define SIGSEGV_SEEN (-1000) /* what a store or a load returns that is not allowed */
#define SIGBUS_SEEN (-1002)

enum { A, B, C, D };

static int tests, planned, failures, bad, pages_of_a_space;
static long facts;
static const char* op_name = "the beginning";
static int may_proc, may_sysfs, in_guest;
static const char* swap_device;
static pid_t controller;

static void restore(void);

static void end_program(int status) {
  restore();
  fflush(stdout);
  _exit(status);
}

__attribute__((format(printf, 1, 2))) static void remark(const char* format, ...) {
  va_list args;
  va_start(args, format);
  printf("# %s: ", op_name);
  vprintf(format, args);
  printf("\n");
  va_end(args);
}

static void bail_out(const char* what) {
  printf("Bail out! %s: %s: %s\n", op_name, what, strerror(errno));
  end_program(3);
}

/* From here on nothing is as the trace has it: nothing more is run, nor checked. */
static void skip_rest(const char* why) {
  while (tests < planned)
    printf("ok %d # SKIP from %s on, which needs %s\n", ++tests, op_name, why);
  printf("# SKIPPED\n");
  end_program(failures ? 1 : 4);
}

static void op(const char* name) {
  op_name = name;
  bad = 0;
  fflush(stdout);
  alarm(60);
}

static void told(int holds) {
  ++tests;
  failures += !holds;
  printf("%sok %d - %s\n", holds ? "" : "not ", tests, op_name);
}

/* Numbers that must be equal: the answer of an op, or what a page holds. */
__attribute__((unused)) static void expect(const char* what, long expected, long found) {
  ++facts;
  if (expected == found) return;
  bad = 1;
  remark("%s: expected %ld, found %ld", what, expected, found);
}

#define result(found, expected) expect("result", expected, found)

static void quote(const char* title, const char* text) {
  printf("#   %s:\n", title);
  while (*text) {
    const int length = (int)strcspn(text, "\n");
    printf("#     %.*s\n", length, text);
    text += length + (text[length] == '\n');
  }
}

/* Texts that must be equal, a fact a line. -1: they are of the whole machine. */
static void expect_text(const char* what, int who, const char* expected, const char* found) {
  for (const char* at = expected; *at; ++at) facts += *at == '\n';
  if (strcmp(expected, found) == 0) return;
  bad = 1;
  if (who < 0)
    remark("%s", what);
  else
    remark("%s of %c", what, 'A' + who);
  quote("expected", expected);
  quote("found", found);
}

static void on_signal(int signal) {
  if (getpid() == controller) restore();
  _exit(128 + signal);
}

static void usage(const char* program) {
  fprintf(stderr,
          "Usage: %s [--proc] [--sysfs] [--swap DEVICE] [--guest]\n"
          "  --proc         write to /proc/PID/clear_refs and /proc/PID/mem of its own processes\n"
          "  --sysfs        change settings of the machine: transparent_hugepage, drop_caches,\n"
          "                 debugfs split_huge_pages; they are put back at the end\n"
          "  --swap DEVICE  page out: turns this swap device or file on, which has 16 MiB or more\n"
          "  --guest        as --proc --sysfs, and nobody else uses the machine: counters of\n"
          "                 /proc/vmstat are checked, too\n",
          program);
  exit(2);
}

static void begin(int argc, char** argv, int tests_planned, int pages) {
  planned = tests_planned;
  pages_of_a_space = pages;
  controller = getpid();
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--proc") == 0)
      may_proc = 1;
    else if (strcmp(argv[i], "--sysfs") == 0)
      may_sysfs = 1;
    else if (strcmp(argv[i], "--guest") == 0)
      in_guest = may_proc = may_sysfs = 1;
    else if (strcmp(argv[i], "--swap") == 0 && i + 1 < argc)
      swap_device = argv[++i];
    else
      usage(argv[0]);
  }
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  signal(SIGALRM, on_signal);
  printf("TAP version 13\n1..%d\n", planned);
}

static int end(void) {
  printf("# %d tests, %d failed; %ld facts\n", tests, failures, facts);
  end_program(failures ? 1 : 0);
  return 0;
}
