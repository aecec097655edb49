// Offsets and sizes of the model are pages.
#include "oracle/live/guest/execute_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "oracle/live/guest/settings.h"

namespace thp::live {
namespace {

int& descriptor_of(Guest& guest, InodeId inode) { return guest.files[std::size_t(inode.id)]; }

off_t bytes(int pages) { return off_t(pages) * off_t(kPageBytes); }

int zero_or_errno(int result) { return result == 0 ? 0 : -errno; }

int allocate(Guest& guest, InodeId inode, PageRange range, int mode) {
  const int file = descriptor_of(guest, inode);
  return zero_or_errno(fallocate(file, mode, bytes(range.first), bytes(range.size())));
}

}  // namespace

int run(Guest& guest, const Creat& op) {
  int& file = descriptor_of(guest, op.inode);
  if (file >= 0 || guest.observer.has_inode(op.inode.id)) return -EEXIST;
  file = memfd_create("thp", MFD_CLOEXEC);
  if (file < 0) return -errno;
  guest.observer.add_inode(op.inode.id, find_inode(guest.kernel, file));
  return 0;
}

int run(Guest& guest, const Close& op) {
  int& file = descriptor_of(guest, op.inode);
  guest.observer.close_inode(op.inode.id);
  const int result = zero_or_errno(close(file));
  file = -1;
  return result;
}

int run(Guest& guest, const Pread& op) {
  std::uint8_t byte = 0;
  const ssize_t got = pread(descriptor_of(guest, op.inode), &byte, 1, bytes(op.page.number));
  return got == 1 ? byte : got == 0 ? kEof : -errno;
}

int run(Guest& guest, const Pwrite& op) {
  static std::array<std::uint8_t, kPageBytes> page;
  page.fill(std::uint8_t(op.value.number));
  const ssize_t written =
      pwrite(descriptor_of(guest, op.inode), page.data(), page.size(), bytes(op.page.number));
  return written == ssize_t(page.size()) ? 0 : written < 0 ? -errno : -EIO;
}

int run(Guest& guest, const Fallocate& op) {
  return allocate(guest, op.inode, op.range, op.mode == FallocMode::keep ? FALLOC_FL_KEEP_SIZE : 0);
}

int run(Guest& guest, const Punch& op) {
  return allocate(guest, op.inode, op.range, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

int run(Guest& guest, const SplitFile& op) {
  const int file = descriptor_of(guest, op.inode);
  if (file < 0) return -EBADF;
  std::array<char, 64> what;
  std::snprintf(what.data(), what.size(), "/proc/self/fd/%d,0x%x,0x%x", file,
                unsigned(op.range.first), unsigned(op.range.end));
  split_huge_pages(what.data());
  return 0;
}

int run(Guest& guest, const Truncate& op) {
  return zero_or_errno(ftruncate(descriptor_of(guest, op.inode), bytes(op.size.pages)));
}

}  // namespace thp::live
