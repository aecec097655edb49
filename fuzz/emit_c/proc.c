/* --- Ops that write to a file of a process. */

__attribute__((unused)) static int open_of(int who, const char* file) {
  char path[64];
  if (!may_proc) skip_rest("--proc");
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid_of[who], file);
  return open(path, O_WRONLY | O_CLOEXEC);
}

__attribute__((unused)) static long clear_soft_dirty(int who) {
  if (!pid_of[who]) return -ESRCH;
  const int file = open_of(who, "clear_refs");
  const long done = file < 0 || write(file, "4", 1) != 1 ? -errno : 0;
  close(file);
  return done;
}

__attribute__((unused)) static long store_forced(int who, long page, int value) {
  const unsigned char byte = (unsigned char)value;
  if (!pid_of[who]) return -ESRCH;
  const int file = open_of(who, "mem");
  const long done = file < 0 || pwrite(file, &byte, 1, (off_t)address(page)) != 1 ? -errno : 0;
  close(file);
  return done;
}
