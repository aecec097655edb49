// The rules of flat memory: what a process, a debugger or a device sees.
#pragma once
#include "oracle/flat/flat_memory.h"

namespace thp {

inline constexpr Rule kWrongResult{
    "call_returns_what_is_due",
    "A call returns what its manual page says, and fails only for a cause.",
    promise(k6_1, "man pages, RETURN VALUE and ERRORS")};
inline constexpr Rule kWrongValue{"load_returns_last_store",
                                  "A load returns what was stored there last.",
                                  promise(kEvery, "mmap(2), fork(2), madvise(2)")};
inline constexpr Rule kContent{
    "page_holds_last_store", "A page holds what was stored there last, looked at without a fault.",
    promise(kEvery, "mmap(2), fork(2), madvise(2)")};
// --- From a process's own clear_refs on. Discards break neither, and a device's stores are not
// told.
inline constexpr Rule kCleanPlaceIsUnchanged{
    "clean_place_is_unchanged",
    "A page that pagemap tells clean shows what its place showed at clear_refs, and was not stored "
    "to since.",
    promise(kEvery, "admin-guide/mm/soft-dirty.rst; proc(5), clear_refs")};
inline constexpr Rule kNewPlaceIsSoftDirty{"new_place_is_soft_dirty",
                                           "A place that was mapped since clear_refs, or that a "
                                           "mapping was moved to or grown over, is told "
                                           "soft-dirty until the next clear_refs.",
                                           promise(kEvery, "admin-guide/mm/soft-dirty.rst")};
inline constexpr Rule kVmas{
    "vmas_are_what_calls_made",
    "The VMAs cover, permit, lock and keep from fork() what the calls asked for.",
    promise(kEvery, "mmap(2), munmap(2), mprotect(2), mlock(2), mremap(2), fork(2), madvise(2)")};
inline constexpr Rule kAlive{"address_space_lives_until_exit",
                             "An address space lives from fork() to exit().",
                             promise(kEvery, "fork(2), _exit(2)")};
inline constexpr Rule kHolder{
    "reference_lasts_until_returned",
    "A reference is held from the call that took it to the call that returns it.",
    promise(kEvery, "core-api/pin_user_pages.rst")};
inline constexpr Rule kSnapshot{
    "lost_reference_sees_old_page",
    "A reference whose place got another page goes on to see the page as it was.",
    promise(kEvery, "fork(2)")};

inline constexpr Rule kFileContent{
    "file_holds_last_write",
    "A page of a file holds what was written there last, and zeroes where nothing was, or where it "
    "was cut off or punched out since.",
    promise(kEvery, "write(2); ftruncate(2); fallocate(2), Deallocating file space")};
inline constexpr Rule kFileSize{
    "file_is_as_long_as_calls_made_it",
    "A file has the size that writes, ftruncate() and fallocate() gave it, and lives while it is "
    "open.",
    promise(kEvery, "write(2); ftruncate(2); fallocate(2); close(2)")};

inline constexpr Rule kFlatRules[] = {kWrongResult,
                                      kWrongValue,
                                      kContent,
                                      kCleanPlaceIsUnchanged,
                                      kNewPlaceIsSoftDirty,
                                      kVmas,
                                      kAlive,
                                      kHolder,
                                      kSnapshot,
                                      kFileContent,
                                      kFileSize};

}  // namespace thp
