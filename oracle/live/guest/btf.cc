// v6.1 include/uapi/linux/btf.h: a header, then types (struct btf_type and what belongs to its
// kind), then strings.
#include "oracle/live/guest/btf.h"

#include <cstring>

namespace thp::live {
namespace {

enum Kind : std::uint32_t {
  kInt = 1,
  kArray = 3,
  kStruct = 4,
  kUnion = 5,
  kEnum = 6,
  kTypedef = 8,
  kVolatile = 9,
  kConst = 10,
  kRestrict = 11,
  kFuncProto = 13,
  kVar = 14,
  kDatasec = 15,
  kDeclTag = 17,
  kTypeTag = 18,
  kEnum64 = 19,
};

struct Header {
  std::uint16_t magic;
  std::uint8_t version, flags;
  std::uint32_t hdr_len, type_off, type_len, str_off, str_len;
};

std::uint32_t kind_of(const std::uint32_t* type) { return type[1] >> 24 & 31; }
std::uint32_t vlen_of(const std::uint32_t* type) { return type[1] & 0xffff; }

std::size_t bytes_after(const std::uint32_t* type) {
  switch (kind_of(type)) {
    case kInt:
    case kVar:
    case kDeclTag:
      return 4;
    case kArray:
      return 12;
    case kStruct:
    case kUnion:
    case kDatasec:
    case kEnum64:
      return std::size_t{12} * vlen_of(type);
    case kEnum:
    case kFuncProto:
      return std::size_t{8} * vlen_of(type);
    default:
      return 0;
  }
}

bool is_aggregate(const std::uint32_t* type) {
  return kind_of(type) == kStruct || kind_of(type) == kUnion;
}

}  // namespace

std::optional<Btf> Btf::load(std::string bytes) {
  Header header;
  if (bytes.size() < sizeof header) return {};
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::size_t types = header.hdr_len + header.type_off;
  if (header.magic != 0xeb9f || types + header.type_len > bytes.size()) return {};
  std::optional<Btf> btf(std::in_place);
  btf->strings_ = header.hdr_len + header.str_off;
  btf->bytes_ = std::move(bytes);
  btf->starts_.push_back(0);
  for (std::size_t at = types; at + 12 <= types + header.type_len;) {
    btf->starts_.push_back(std::uint32_t(at));
    at += 12 + bytes_after(btf->type_at(std::uint32_t(btf->starts_.size() - 1)));
  }
  btf->index();
  return btf;
}

void Btf::index() {
  for (std::uint32_t id = 1; id < starts_.size(); ++id) {
    const std::uint32_t* type = type_at(id);
    if (kind_of(type) == kStruct) structs_.try_emplace(name_at(type[0]), id);
    if (kind_of(type) == kEnum) enums_.emplace(name_at(type[0]), id);
  }
}

const std::uint32_t* Btf::type_at(std::uint32_t id) const {
  return reinterpret_cast<const std::uint32_t*>(bytes_.data() + starts_[id]);
}

std::string_view Btf::name_at(std::uint32_t offset) const {
  return bytes_.data() + strings_ + offset;
}

std::uint32_t Btf::without_qualifiers(std::uint32_t id) const {
  while (id != 0) {
    const std::uint32_t* type = type_at(id);
    const std::uint32_t kind = kind_of(type);
    const bool qualifies = (kind >= kTypedef && kind <= kRestrict) || kind == kTypeTag;
    if (!qualifies) break;
    id = type[2];
  }
  return id;
}

Btf::Found Btf::member(std::uint32_t id, std::string_view name) const {
  const std::uint32_t* type = type_at(id);
  if (id == 0 || !is_aggregate(type)) return {};
  const bool bitfields = type[1] >> 31 != 0;
  for (std::uint32_t i = 0; i < vlen_of(type); ++i) {
    const std::uint32_t* m = type + 3 + 3 * i;
    const int offset = int((bitfields ? m[2] & 0xffffff : m[2]) / 8);
    const std::string_view found = name_at(m[0]);
    if (found == name) return {offset, without_qualifiers(m[1])};
    if (!found.empty()) continue;
    const Found inner = member(without_qualifiers(m[1]), name);
    if (inner.offset >= 0) return {offset + inner.offset, inner.type};
  }
  return {};
}

int Btf::offset(std::string_view type, std::string_view path) const {
  const auto found = structs_.find(type);
  if (found == structs_.end()) return -1;
  Found at{0, found->second};
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const Found next = member(at.type, path.substr(0, dot));
    if (next.offset < 0) return -1;
    at = {at.offset + next.offset, next.type};
    path = dot == path.npos ? std::string_view{} : path.substr(dot + 1);
  }
  return at.offset;
}

int Btf::size(std::string_view type) const {
  const auto found = structs_.find(type);
  return found == structs_.end() ? -1 : int(type_at(found->second)[2]);
}

int Btf::enumerator(std::string_view type, std::string_view name) const {
  const auto [first, last] = enums_.equal_range(type);
  for (auto found = first; found != last; ++found) {
    const std::uint32_t* e = type_at(found->second);
    for (std::uint32_t i = 0; i < vlen_of(e); ++i)
      if (name_at(e[3 + 2 * i]) == name) return int(e[4 + 2 * i]);
  }
  return -1;
}

}  // namespace thp::live
