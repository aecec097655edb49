// An archive in cpio's newc format, as Linux unpacks it into its first root: written here because
// no common tool writes device nodes without being root.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace thp {

class Cpio {
 public:
  void directory(std::string_view name);
  void file(std::string_view name, std::string_view contents, bool executable = false);
  void character_device(std::string_view name, unsigned major, unsigned minor);
  std::string finish();  // with the trailer; the archive is then empty again

 private:
  struct Device {
    unsigned major = 0, minor = 0;
  };
  void add(std::string_view name, unsigned mode, std::string_view contents, Device device);
  void pad();
  std::string bytes_;
  unsigned inode_ = 0;
};

}  // namespace thp
