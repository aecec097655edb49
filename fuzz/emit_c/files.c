/* --- Files of memory, which all processes have open. */

#define FILES 2
#define END_OF_FILE (-1003) /* what a read answers where there is nothing to read */

static int file_of[FILES] = {-1, -1};

__attribute__((unused)) static long create_file(int f) {
  file_of[f] = memfd_create("thp", MFD_CLOEXEC);
  return file_of[f] < 0 ? -errno : 0;
}

__attribute__((unused)) static long close_file(int f) {
  const int file = file_of[f];
  file_of[f] = -1;
  return close(file) ? -errno : 0;
}

__attribute__((unused)) static long read_page(int f, long page) {
  unsigned char byte;
  const ssize_t got = pread(file_of[f], &byte, 1, page * (off_t)PAGE);
  return got == 1 ? byte : got == 0 ? END_OF_FILE : -errno;
}

__attribute__((unused)) static long write_page(int f, long page, int value) {
  static char bytes[PAGE];
  memset(bytes, value, PAGE);
  const ssize_t written = pwrite(file_of[f], bytes, PAGE, page * (off_t)PAGE);
  return written == (ssize_t)PAGE ? 0 : written < 0 ? -errno : -EIO;
}

__attribute__((unused)) static long allocate(int f, long first, long end, int mode) {
  const off_t start = first * (off_t)PAGE, bytes = (end - first) * (off_t)PAGE;
  return fallocate(file_of[f], mode, start, bytes) ? -errno : 0;
}

__attribute__((unused)) static long truncate_file(int f, long pages) {
  return ftruncate(file_of[f], pages * (off_t)PAGE) ? -errno : 0;
}

__attribute__((unused)) static long map_file(int who, long first, long end, int f, long offset,
                                             int sharing, int prot) {
  const struct order order = {CALL,
                              SYS_mmap,
                              {(long)address(first), (end - first) * (long)PAGE, prot,
                               MAP_FIXED | sharing, file_of[f], offset * (long)PAGE}};
  if (!pid_of[who]) return -ESRCH;
  return file_of[f] < 0 ? -EBADF : zero_or_error(ask_with(who, &order));
}

/* What stat() tells: the size in pages, and blocks. */
__attribute__((unused)) static void file_is(int f, long pages, long blocks) {
  struct stat found;
  if (fstat(file_of[f], &found)) bail_out("fstat");
  expect("st_size", pages * (long)PAGE, (long)found.st_size);
  expect("st_blocks", blocks, (long)found.st_blocks);
}

/* At the end, as reading makes pages active. */
__attribute__((unused)) static void file_contents(int f, long first, long end, long value) {
  for (; first < end; ++first) {
    const long found = read_page(f, first);
    ++facts;
    if (found == value) continue;
    bad = 1;
    remark("page %ld of f%d: expected %ld, found %ld", first, f, value, found);
    return;
  }
}
