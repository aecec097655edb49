// khugepaged would scan once whenever `enabled` turns from never to always. Its list of address
// spaces begins with the decoy, whose only eligible mapping is empty and larger than it can ever
// scan at one PMD a time: it never comes to a trace.
#include "oracle/live/guest/settings.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "model/trace/text.h"
#include "oracle/live/guest/guard.h"
#include "oracle/live/guest/workers.h"

namespace thp::live {
namespace {

struct Setting {
  const char* path;
  std::string_view value;
};
// 4 to drop_caches: it says nothing in the log from then on.
constexpr Setting kSettings[] = {
    {"/proc/sys/kernel/printk", "5 4 1 5"},
    {"/proc/sys/vm/page-cluster", "0"},
    {"/proc/sys/kernel/numa_balancing", "0"},
    {"/proc/sys/vm/swappiness", "60"},
    {"/proc/sys/vm/stat_interval", "1000000"},  // nobody moves counters while they are read
    {"/proc/sys/vm/overcommit_memory", "1"},
    {"/sys/kernel/mm/transparent_hugepage/defrag", "always"},
    {"/sys/kernel/mm/transparent_hugepage/shmem_enabled", "never"},
    {"/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "4000000000"},
    {"/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs", "4000000000"},
    {"/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan", "1"},
    {"/proc/sys/vm/drop_caches", "4"},
};

// A page at its end gives it the anon_vma without which it would not be eligible.
void occupy_khugepaged() {
  constexpr std::uint64_t kAt = std::uint64_t{2} << 40, kBytes = std::uint64_t{1} << 40;
  constexpr std::uint64_t kLast = kAt + kBytes - kPageSize;
  constexpr int kMadvPopulateWrite = 23;
  const auto advise = [](std::uint64_t at, std::uint64_t bytes, int advice) {
    if (call(kDecoy, SYS_madvise, {at, bytes, std::uint64_t(advice)}) != 0) give_up("no decoy");
  };
  call(kDecoy, SYS_mmap,
       {kAt, kBytes, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, std::uint64_t(-1), 0});
  advise(kAt, kBytes, MADV_NOHUGEPAGE);
  advise(kLast, kPageSize, kMadvPopulateWrite);
  advise(kAt, kBytes, MADV_HUGEPAGE);
}

// v6.1 include/linux/swap.h: union swap_header
struct SwapHeader {
  char boot[1024];
  std::uint32_t version, last_page, nr_badpages;
  unsigned char uuid[16], label[16];
  std::uint32_t padding[117], badpages[637];
  char unused[2];
  char magic[10];
};

// All of the header's cluster but the header is bad.
void fill(SwapHeader& header, int slots) {
  header = {};
  header.version = 1;
  header.last_page = kFirstSlot + std::uint32_t(slots) - 1;
  header.nr_badpages = kFirstSlot - 1;
  for (std::uint32_t i = 1; i < kFirstSlot; ++i) header.badpages[i - 1] = i;
  std::memcpy(header.magic, "SWAPSPACE2", sizeof header.magic);
}

int write_swap_header(const std::string& device, int slots) {
  alignas(kPageSize) static char page[kPageSize];  // O_DIRECT
  SwapHeader header;
  static_assert(sizeof header <= kPageSize);
  fill(header, slots);
  std::memcpy(page, &header, sizeof header);
  const int file = open_for_writing(device.c_str(), O_DIRECT);
  const bool written = file >= 0 && pwrite(file, page, kPageSize, 0) == ssize_t(kPageSize);
  if (file >= 0) close(file);
  return written ? 0 : -EIO;
}

}  // namespace

void set_up_machine() {
  for (const Setting& s : kSettings)
    if (write_file(s.path, s.value) != 0) give_up(std::string("no setting ") + s.path);
  occupy_khugepaged();
  set_enabled(Enabled::always);
  set_use_zero_page(true);
  set_shmem_enabled(ShmemHuge::never);
}

int set_enabled(Enabled policy) {
  return write_file("/sys/kernel/mm/transparent_hugepage/enabled",
                    kEnabledNames[std::size_t(policy)]);
}
int set_use_zero_page(bool on) {
  return write_file("/sys/kernel/mm/transparent_hugepage/use_zero_page", on ? "1" : "0");
}
int set_shmem_enabled(ShmemHuge policy) {
  return write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
                    kShmemHugeNames[std::size_t(policy)]);
}
void split_huge_pages(std::string_view what) {
  write_file("/sys/kernel/debug/split_huge_pages", what);
}
int drop_caches() { return write_file("/proc/sys/vm/drop_caches", "2"); }

int swap_on_with(const std::string& device, int slots) {
  static int slots_on_disk = -1;
  if (slots != slots_on_disk) {
    if (const int error = write_swap_header(device, slots); error != 0) return error;
    slots_on_disk = slots;
  }
  return swap_on(device.c_str());
}

}  // namespace thp::live
