// /proc/kcore is an ELF core file whose segments are the memory.
#include "oracle/live/guest/kcore.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace thp::live {

bool Kcore::open() {
  file_ = ::open("/proc/kcore", O_RDONLY | O_CLOEXEC);
  Elf64_Ehdr header;
  if (file_ < 0 || pread(file_, &header, sizeof header, 0) != sizeof header) return false;
  std::vector<Elf64_Phdr> programs(header.e_phnum);
  const std::size_t bytes = programs.size() * sizeof programs[0];
  if (pread(file_, programs.data(), bytes, off_t(header.e_phoff)) != ssize_t(bytes)) return false;
  for (const Elf64_Phdr& p : programs)
    if (p.p_type == PT_LOAD) segments_.push_back({p.p_vaddr, p.p_offset, p.p_memsz});
  return !segments_.empty();
}

bool Kcore::read(std::uint64_t address, void* to, std::size_t bytes) const {
  for (const Segment& s : segments_) {
    if (address < s.address || address - s.address + bytes > s.size) continue;
    return pread(file_, to, bytes, off_t(s.offset + (address - s.address))) == ssize_t(bytes);
  }
  return false;
}

std::unordered_map<std::string, std::uint64_t> symbols(
    std::string_view kallsyms, const std::vector<std::string_view>& wanted) {
  std::unordered_map<std::string, std::uint64_t> found;
  while (!kallsyms.empty() && found.size() < wanted.size()) {
    const std::size_t end = std::min(kallsyms.find('\n'), kallsyms.size());
    const std::string_view line = kallsyms.substr(0, end);
    kallsyms.remove_prefix(std::min(end + 1, kallsyms.size()));
    if (line.size() < 20 || line[16] != ' ') continue;  // 16 digits, a letter, the name
    const std::string_view name = line.substr(19, line.find('\t') - 19);
    if (std::ranges::find(wanted, name) == wanted.end()) continue;
    std::uint64_t address = 0;
    std::from_chars(line.data(), line.data() + 16, address, 16);
    found.try_emplace(std::string(name), address);
  }
  return found;
}

}  // namespace thp::live
