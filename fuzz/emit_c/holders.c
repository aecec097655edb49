/* --- References that outlive an address space: a pin is the registered buffer of an io_uring, a
 * get is a page in a pipe. */

#define HOLDERS 8

enum { NOTHING, PIN, GET };

static struct holder {
  int kind, ring, pipe[2];
  long page;
  struct io_uring_params params;
  char* queues;
  struct io_uring_sqe* entries;
} holders[HOLDERS];
static int scratch[2]; /* bytes on their way through a ring, or out of a pipe */

static void* map_ring(int ring, size_t bytes, off_t what) {
  void* at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, what);
  if (at == MAP_FAILED) bail_out("mmap of a ring");
  return at;
}

/* Without O_NONBLOCK a ring would hand its reads over to a thread of its own. */
static void open_holder(int h) {
  struct holder* holder = &holders[h];
  if (!scratch[1] && pipe2(scratch, O_NONBLOCK | O_CLOEXEC)) bail_out("pipe");
  if (pipe2(holder->pipe, O_NONBLOCK | O_CLOEXEC)) bail_out("pipe");
  holder->ring = (int)syscall(SYS_io_uring_setup, 2, &holder->params);
  if (holder->ring < 0) bail_out("io_uring_setup");
  holder->queues = map_ring(holder->ring, 2 * PAGE, IORING_OFF_SQ_RING);
  holder->entries = map_ring(holder->ring, holder->params.sq_entries * sizeof(struct io_uring_sqe),
                             IORING_OFF_SQES);
}

static unsigned* word(const struct holder* holder, unsigned offset) {
  return (unsigned*)(holder->queues + offset);
}

/* One byte between a file and the registered buffer, done when this returns. */
__attribute__((unused)) static long transfer(struct holder* holder, int opcode, int file) {
  const struct io_uring_params* p = &holder->params;
  unsigned *tail = word(holder, p->sq_off.tail), *head = word(holder, p->cq_off.head);
  const unsigned index = *tail & *word(holder, p->sq_off.ring_mask);
  holder->entries[index] = (struct io_uring_sqe){.opcode = (unsigned char)opcode,
                                                 .fd = file,
                                                 .addr = address(holder->page),
                                                 .len = 1,
                                                 .off = (unsigned long long)-1};
  word(holder, p->sq_off.array)[index] = index;
  __atomic_store_n(tail, *tail + 1, __ATOMIC_SEQ_CST);
  if (syscall(SYS_io_uring_enter, holder->ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
    return -errno;
  const unsigned done = *head & *word(holder, p->cq_off.ring_mask);
  const long answer = ((struct io_uring_cqe*)(holder->queues + p->cq_off.cqes))[done].res;
  __atomic_store_n(head, *head + 1, __ATOMIC_SEQ_CST);
  return answer;
}

static long read_byte(int file) {
  unsigned char byte;
  return read(file, &byte, 1) == 1 ? byte : -errno;
}

static long hold(int h, int kind, int who, long page, long number) {
  struct holder* holder = &holders[h];
  const int file = kind == PIN ? holder->ring : holder->pipe[1];
  if (holder->kind != NOTHING) return -EBUSY;
  const long done =
      ask(who, HOLD, number, file, IORING_REGISTER_BUFFERS, page, kind == PIN ? (long)PAGE : 1, 0);
  if (done < 0) return done;
  holder->kind = kind;
  holder->page = page;
  return 0;
}

__attribute__((unused)) static long pin(int h, int who, long page) {
  return hold(h, PIN, who, page, SYS_io_uring_register);
}

__attribute__((unused)) static long get(int h, int who, long page) {
  return hold(h, GET, who, page, SYS_vmsplice);
}

__attribute__((unused)) static long unpin(int h) {
  if (holders[h].kind != PIN) return -EINVAL;
  holders[h].kind = NOTHING;
  const int failed =
      (int)syscall(SYS_io_uring_register, holders[h].ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
  return failed ? -errno : 0;
}

__attribute__((unused)) static long put(int h) {
  if (holders[h].kind != GET) return -EINVAL;
  holders[h].kind = NOTHING;
  const long byte = read_byte(holders[h].pipe[0]);
  return byte < 0 ? byte : 0;
}

__attribute__((unused)) static long store_via_pin(int h, int value) {
  const unsigned char byte = (unsigned char)value;
  if (holders[h].kind != PIN) return -EINVAL;
  if (write(scratch[1], &byte, 1) != 1) return -errno;
  const long done = transfer(&holders[h], IORING_OP_READ_FIXED, scratch[0]);
  return done == 1 ? 0 : done;
}

__attribute__((unused)) static long load_via_pin(int h) {
  if (holders[h].kind == NOTHING) return -EINVAL;
  if (holders[h].kind == GET)
    return tee(holders[h].pipe[0], scratch[1], 1, 0) == 1 ? read_byte(scratch[0]) : -errno;
  const long done = transfer(&holders[h], IORING_OP_WRITE_FIXED, scratch[1]);
  return done == 1 ? read_byte(scratch[0]) : done;
}
