// The kernel's own description of its types, /sys/kernel/btf/vmlinux: where a member lies, what an
// enumerator is worth. v6.1 include/uapi/linux/btf.h. Left out: everything but structs, unions and
// 32-bit enums.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace thp::live {

class Btf {
 public:
  static std::optional<Btf> load(std::string bytes);  // nothing if it is no BTF

  // Bytes from the start of `type` to a member, which may be a path (`a.b`) and lie in anonymous
  // members; -1 if there is none.
  int offset(std::string_view type, std::string_view path) const;
  int size(std::string_view type) const;
  // Of `name` in enum `type`, empty for those without a name; -1 if there is none.
  int enumerator(std::string_view type, std::string_view name) const;

 private:
  struct Found {
    int offset = -1;
    std::uint32_t type = 0;
  };
  void index();
  const std::uint32_t* type_at(std::uint32_t id) const;
  std::string_view name_at(std::uint32_t offset) const;
  std::uint32_t without_qualifiers(std::uint32_t id) const;
  Found member(std::uint32_t id, std::string_view name) const;

  std::string bytes_;
  std::size_t strings_ = 0;
  std::vector<std::uint32_t> starts_;  // of each type, in bytes_
  std::unordered_map<std::string_view, std::uint32_t> structs_;
  std::unordered_multimap<std::string_view, std::uint32_t> enums_;
};

}  // namespace thp::live
