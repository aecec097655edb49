// The sentences of flat memory.
#pragma once
#include "oracle/flat_memory.h"

namespace thp {

inline constexpr char kWrongResult[] = "the call returns what it should";
inline constexpr char kWrongValue[] = "a load returns what was stored last";
inline constexpr char kContent[] = "a page holds what was stored last";
inline constexpr char kMarkedSoftDirty[] =
    "a page that was stored to is soft-dirty until that is cleared";
inline constexpr char kVmas[] = "the VMAs are what the calls made";
inline constexpr char kAlive[] = "an address space lives from fork to exit";
inline constexpr char kHolder[] = "a reference is held from its call to its return";
inline constexpr char kSnapshot[] = "a reference that has lost its owner's page sees it as it was";

inline constexpr const char* kFlatRules[] = {kWrongResult, kWrongValue, kContent, kMarkedSoftDirty,
                                             kVmas,        kAlive,      kHolder,  kSnapshot};

}  // namespace thp
