// Linux Documentation/driver-api/early-userspace/buffer-format.rst
#include "fuzz/cpio.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

namespace thp {

void Cpio::pad() { bytes_.resize((bytes_.size() + 3) & ~std::size_t{3}); }

void Cpio::add(std::string_view name, unsigned mode, std::string_view contents, Device device) {
  const unsigned fields[] = {++inode_,
                             mode,
                             0,
                             0,
                             1,
                             0,
                             unsigned(contents.size()),
                             0,
                             0,
                             device.major,
                             device.minor,
                             unsigned(name.size() + 1),
                             0};
  bytes_ += "070701";
  for (const unsigned field : fields) bytes_ += fmt::format("{:08x}", field);
  (bytes_ += name) += '\0';
  pad();
  bytes_ += contents;
  pad();
}

void Cpio::directory(std::string_view name) { add(name, S_IFDIR | 0755, {}, {}); }

void Cpio::file(std::string_view name, std::string_view contents, bool executable) {
  add(name, S_IFREG | (executable ? 0755 : 0644), contents, {});
}

void Cpio::character_device(std::string_view name, unsigned major, unsigned minor) {
  add(name, S_IFCHR | 0600, {}, {major, minor});
}

std::string Cpio::finish() {
  add("TRAILER!!!", 0, {}, {});
  inode_ = 0;
  return std::exchange(bytes_, {});
}

}  // namespace thp
