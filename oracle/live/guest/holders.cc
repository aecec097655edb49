// v6.1 io_uring/rsrc.c: io_sqe_buffer_register() pins with FOLL_WRITE | FOLL_LONGTERM;
// fs/splice.c: vmsplice_to_pipe() takes pages by get_user_pages_fast() without FOLL_WRITE.
#include "oracle/live/guest/holders.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "oracle/live/guest/guard.h"
#include "oracle/live/guest/workers.h"

namespace thp::live {
namespace {

struct Ring {
  int file = -1;
  io_uring_params params{};
  std::byte* queues = nullptr;  // submission and completion queue in one mapping
  io_uring_sqe* entries = nullptr;
};
struct Pipe {
  int out = -1, in = -1;
};

std::array<Ring, kMaxHolders> rings;
std::array<Pipe, kMaxHolders> pipes;
Pipe scratch;  // for bytes on their way through a ring or out of a pipe

Ring& ring_of(int holder) { return rings[std::size_t(holder)]; }
Pipe& pipe_of(int holder) { return pipes[std::size_t(holder)]; }

// Without O_NONBLOCK a ring would hand its reads over to a thread of its own.
Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) give_up("no pipe");
  return {ends[0], ends[1]};
}

std::uint32_t& queue_word(const Ring& ring, std::uint32_t offset) {
  return *reinterpret_cast<std::uint32_t*>(ring.queues + offset);
}

// One read or write of one byte between a file and the registered buffer, done when this returns.
int transfer(Ring& ring, std::uint8_t opcode, int file, std::uint64_t address) {
  const auto& p = ring.params;
  std::uint32_t& tail = queue_word(ring, p.sq_off.tail);
  const std::uint32_t index = tail & queue_word(ring, p.sq_off.ring_mask);
  ring.entries[index] = {};
  ring.entries[index].opcode = opcode;
  ring.entries[index].fd = file;
  ring.entries[index].addr = address;
  ring.entries[index].len = 1;
  ring.entries[index].off = std::uint64_t(-1);
  reinterpret_cast<std::uint32_t*>(ring.queues + p.sq_off.array)[index] = index;
  std::atomic_ref(tail).store(tail + 1);
  const long entered =
      syscall(SYS_io_uring_enter, ring.file, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
  if (entered < 0) return -errno;
  std::uint32_t& head = queue_word(ring, p.cq_off.head);
  const std::uint32_t done = head & queue_word(ring, p.cq_off.ring_mask);
  const int result = reinterpret_cast<io_uring_cqe*>(ring.queues + p.cq_off.cqes)[done].res;
  std::atomic_ref(head).store(head + 1);
  return result;
}

int read_byte(int file) {
  std::uint8_t byte;
  const ssize_t got = read(file, &byte, 1);
  return got == 1 ? byte : got < 0 ? -errno : -EIO;
}

}  // namespace

void open_holders() {
  for (Ring& ring : rings) {
    ring.file = int(syscall(SYS_io_uring_setup, 2, &ring.params));
    if (ring.file < 0) give_up("no io_uring");
  }
  for (Pipe& pipe : pipes) pipe = make_pipe();
  scratch = make_pipe();
}

void map_rings() {
  for (Ring& ring : rings) {
    const auto& p = ring.params;
    const auto map = [&](std::size_t bytes, off_t what) {
      void* at =
          mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.file, what);
      if (at == MAP_FAILED) give_up("no ring");
      return at;
    };
    ring.queues = static_cast<std::byte*>(map(8192, IORING_OFF_SQ_RING));
    ring.entries =
        static_cast<io_uring_sqe*>(map(p.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
  }
}

int pin_page(int holder, int who, std::uint64_t address) {
  const std::uint64_t range = lend(who, {reinterpret_cast<void*>(address), kPageSize});
  return int(call(who, SYS_io_uring_register,
                  {std::uint64_t(ring_of(holder).file), IORING_REGISTER_BUFFERS, range, 1}));
}

int unpin_page(int holder) {
  const int file = ring_of(holder).file;
  return syscall(SYS_io_uring_register, file, IORING_UNREGISTER_BUFFERS, nullptr, 0) == 0 ? 0
                                                                                          : -errno;
}

int get_page(int holder, int who, std::uint64_t address) {
  const std::uint64_t range = lend(who, {reinterpret_cast<void*>(address), 1});
  const long got = call(who, SYS_vmsplice, {std::uint64_t(pipe_of(holder).in), range, 1, 0});
  return got < 0 ? int(got) : 0;
}

int put_page(int holder) {
  const int byte = read_byte(pipe_of(holder).out);
  return byte < 0 ? byte : 0;
}

int store_through_pin(int holder, std::uint64_t address, std::uint8_t value) {
  if (write(scratch.in, &value, 1) != 1) return -errno;
  const int done = transfer(ring_of(holder), IORING_OP_READ_FIXED, scratch.out, address);
  return done == 1 ? 0 : done;
}

int load_through_pin(int holder, std::uint64_t address) {
  const int done = transfer(ring_of(holder), IORING_OP_WRITE_FIXED, scratch.in, address);
  return done == 1 ? read_byte(scratch.out) : done;
}

int load_through_pipe(int holder) {
  if (tee(pipe_of(holder).out, scratch.in, 1, 0) != 1) return -errno;
  return read_byte(scratch.out);
}

}  // namespace thp::live
