// Page-table entries of x86-64 as Linux 6.1 uses them. This is architecture, not in BTF: all of it
// stands here, with its source.
#pragma once
#include <cstdint>

#include "model/state.h"

namespace thp::live::x86 {

// v6.1 arch/x86/include/asm/pgtable_types.h
inline constexpr std::uint64_t kPresent = 1 << 0, kRw = 1 << 1, kAccessed = 1 << 5,
                               kDirtyBit = 1 << 6, kPse = 1 << 7, kProtNone = 1 << 8,
                               kSoftDirtyBit = 1 << 11;
inline constexpr std::uint64_t kSwpSoftDirty = 1 << 1, kSwpExclusive = 1 << 3;
inline constexpr std::uint64_t kPfnMask = 0x000f'ffff'ffff'f000;

// v6.1 include/linux/swap.h: the three migration types are the ones below the PTE marker and the
// swap-in error, of 32; CONFIG_DEVICE_PRIVATE, which Debian's cloud kernel has not, takes four
// more.
inline constexpr unsigned kSwpMigrationRead = 32 - 1 - 1 - 3, kSwpMigrationReadExclusive = 28,
                          kSwpMigrationWrite = 29;
// v6.1 include/linux/swapops.h: a migration entry's offset holds the pfn in MAX_PHYSMEM_BITS -
// PAGE_SHIFT bits, then A and D; 46 of them with four-level tables (no5lvl).
inline constexpr unsigned kSwpPfnBits = 46 - 12;

inline bool is_none(std::uint64_t e) { return (e & ~(kAccessed | kDirtyBit)) == 0; }
inline bool is_present(std::uint64_t e) { return (e & (kPresent | kProtNone)) != 0; }
inline bool is_pmd_present(std::uint64_t e) { return (e & (kPresent | kProtNone | kPse)) != 0; }
inline bool is_table(std::uint64_t e) { return (e & (kPresent | kPse)) == kPresent; }

// v6.1 arch/x86/include/asm/pgtable-invert.h: entries that the processor must not follow hold the
// inverted frame number.
inline std::uint32_t pfn_of(std::uint64_t e) {
  return std::uint32_t(((e & kPresent) != 0 ? e : ~e) >> 12 & (kPfnMask >> 12));
}
// Of a huge PMD: bits below its frame's mean something else (PAT), inverted or not.
inline std::uint32_t huge_pfn_of(std::uint64_t e) { return pfn_of(e) & ~std::uint32_t{511}; }
inline std::uint8_t bits_of_present(std::uint64_t e) {
  return std::uint8_t(((e & kRw) != 0 ? kWrite : 0) | ((e & kAccessed) != 0 ? kYoung : 0) |
                      ((e & kDirtyBit) != 0 ? kDirty : 0) |
                      ((e & kSoftDirtyBit) != 0 ? kSoftDirty : 0));
}

// v6.1 arch/x86/include/asm/pgtable_64.h: __swp_type(), __swp_offset()
inline unsigned swp_type(std::uint64_t e) { return unsigned(e >> 59); }
inline std::uint64_t swp_offset(std::uint64_t e) { return ~e << 5 >> 14; }
// v6.1 include/linux/swapops.h: swp_offset() of a swp_entry_t, as page->private has it
inline std::uint64_t swp_entry_offset(std::uint64_t val) { return val << 6 >> 6; }
inline bool is_migration(std::uint64_t e) {
  return swp_type(e) >= kSwpMigrationRead && swp_type(e) <= kSwpMigrationWrite;
}
inline std::uint32_t migration_pfn(std::uint64_t e) {
  return std::uint32_t(swp_offset(e) & ((std::uint64_t{1} << kSwpPfnBits) - 1));
}
inline std::uint8_t bits_of_swap(std::uint64_t e) {
  return std::uint8_t(((e & kSwpSoftDirty) != 0 ? kSoftDirty : 0) |
                      ((e & kSwpExclusive) != 0 ? kExclusive : 0));
}
inline std::uint8_t bits_of_migration(std::uint64_t e) {
  const std::uint64_t marks = swp_offset(e) >> kSwpPfnBits;
  return std::uint8_t(((e & kSwpSoftDirty) != 0 ? kSoftDirty : 0) |
                      (swp_type(e) == kSwpMigrationWrite ? kWrite : 0) |
                      (swp_type(e) == kSwpMigrationReadExclusive ? kExclusive : 0) |
                      ((marks & 1) != 0 ? kYoung : 0) | ((marks & 2) != 0 ? kDirty : 0));
}

}  // namespace thp::live::x86
