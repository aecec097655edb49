// What calls on files do to flat memory, and what the page cache must hold then.
#include <algorithm>
#include <cerrno>

#include "oracle/flat/flat_memory.h"
#include "oracle/flat/flat_reply.h"
#include "oracle/translate.h"

namespace thp {

void FlatMemory::grow_file(int inode, int size) {
  File& file = files_[std::size_t(inode)];
  file.size = std::max(file.size, std::uint16_t(size));
  files_touched_ = true;
}

// ftruncate() takes private copies away, too, a punched hole does not.
void FlatMemory::cut_file(int inode, int first, int end, bool even_copies) {
  std::ranges::fill(file_values(inode, first, end), std::uint8_t{0});
  if (even_copies)
    for_each_window_or_copy(inode, first, end,
                            [&](int mm, int page) { windows_[index(mm, page)].is_copied = false; });
  for_each_window(inode, first, end, [&](int mm, int page) { soft_dirty_.discarded(mm, page); });
  file_changed(inode, first, end);
}

// --- Windows.

bool FlatMemory::may_be_beyond_its_file(const Machine& m, int mm, int page) const {
  const Window& window = windows_[index(mm, page)];
  if (!is_beyond_its_file(mm, page) || window.index >= pages_) return false;
  return huge_page_behind(m, m.cell(window.inode, window.index)) != kNoPfn;
}

bool FlatMemory::is_mapped(int inode) const {
  for (int mm = 0; mm < mms_; ++mm)
    for (int page = 0; page < pages_; ++page)
      if (maps_a_file(mm, page) && windows_[index(mm, page)].inode == inode) return true;
  return false;
}

void FlatMemory::open_windows(int mm, PageRange range, Window window) {
  window.is_copied = false;
  for (int page = range.first; page < range.end; ++page, ++window.index) {
    windows_[index(mm, page)] = window;
    show(mm, page);
  }
}

// No file is longer than pages_.
void FlatMemory::show(int mm, int page) {
  const Window& window = windows_[index(mm, page)];
  const int at = window.index;
  const std::uint8_t value = at < pages_ ? file_values(window.inode, at, at + 1)[0] : 0;
  values_[index(mm, page)] = value;
  soft_dirty_.stored_by_device(mm, page, value);  // whoever stored it: not here
  touch(mm, page, page + 1);
}

// Pages [first, end) of a file may be others now: so are their windows.
void FlatMemory::file_changed(int inode, int first, int end) {
  files_touched_ = true;
  for_each_window(inode, first, end, [&](int mm, int page) { show(mm, page); });
}

// mmap(2): it is unspecified when a private mapping ceases to show changes of the file. What faults
// pages in as if for a store, and stores nothing, may have copied some.
void FlatMemory::learn_copies(const Op& op, const Machine& m) {
  if (!is_op<Mlock, Mprotect, MadvisePopulateWrite, Mremap, MremapResize>(op)) return;
  for (int mm = 0; mm < mms_; ++mm)
    for (int page = 0; page < pages_; ++page) {
      Window& window = windows_[index(mm, page)];
      if (!is_window(mm, page) || !window.is_private) continue;
      const Entry& entry = entry_of(m, mm, page);
      const bool of_the_file = entry.is_present() && is_file_page(m, entry.frame);
      window.is_copied = !entry.is_none() && !of_the_file;
    }
}

// close(2), munmap(2): a file lives as long as somebody has it open or mapped.
void FlatMemory::evict_if_unused(int inode) {
  if (is_open(inode) || is_mapped(inode)) return;
  cut_file(inode, 0, pages_, true);
  files_[std::size_t(inode)] = {};
}

Verdict FlatMemory::on(const Creat& op, const Reply& a) {
  File& file = files_[std::size_t(op.inode.id)];
  if (file.open || is_mapped(op.inode.id)) return expect(a.result, -EEXIST);
  file = {.open = true};
  files_touched_ = true;
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const Close& op, const Reply& a) {
  if (!is_open(op.inode.id)) return not_open(a.result);
  files_[std::size_t(op.inode.id)].open = false;
  files_touched_ = true;
  evict_if_unused(op.inode.id);
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const Pread& op, const Reply& a) {
  if (!is_open(op.inode.id)) return not_open(a.result);
  const int index = op.page.number;
  if (index >= size(op.inode.id)) return expect(a.result, kEof);
  const int value = file_values(op.inode.id, index, index + 1)[0];
  if (a.was(value)) return {};
  return Mismatch{.rule = &kWrongValue,
                  .page = index,
                  .expected = value,
                  .seen = a.result,
                  .inode = op.inode.id};
}

Verdict FlatMemory::on(const Pwrite& op, const Reply& a) {
  if (!is_open(op.inode.id)) return not_open(a.result);
  if (a.was(-ENOMEM) && may_lack_pages(a.m, a.armed)) return {};
  const int index = op.page.number;
  file_values(op.inode.id, index, index + 1)[0] = std::uint8_t(op.value.number);
  grow_file(op.inode.id, index + 1);
  file_changed(op.inode.id, index, index + 1);
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const Fallocate& op, const Reply& a) {
  if (!is_open(op.inode.id)) return not_open(a.result);
  if (a.was(-ENOMEM) && may_lack_pages(a.m, a.armed)) return {};
  if (op.mode == FallocMode::grow) grow_file(op.inode.id, op.range.end);
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const Punch& op, const Reply& a) {
  if (!is_open(op.inode.id)) return not_open(a.result);
  cut_file(op.inode.id, op.range.first, op.range.end, false);
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const Truncate& op, const Reply& a) {
  if (!is_open(op.inode.id)) return not_open(a.result);
  cut_file(op.inode.id, op.size.pages, pages_, op.size.pages < size(op.inode.id));
  files_[std::size_t(op.inode.id)].size = std::uint16_t(op.size.pages);
  return expect(a.result, 0);
}

Verdict FlatMemory::on(const MmapFile& op, const Reply& a) {
  const int mm = op.mm.id;
  if (!alive(mm)) return no_such_process(a.result);
  if (!is_open(op.inode.id)) return not_open(a.result);
  if (a.was(-ENOMEM) && may_lack_vmas(a.m, mm)) return {};
  const Verdict verdict = mapped_anew(mm, op.range, op.prot, a);
  for (std::uint8_t& state : states(mm, op.range.first, op.range.end)) state |= kWindow;
  open_windows(mm, op.range,
               {.inode = std::uint8_t(op.inode.id),
                .is_private = op.sharing == Sharing::privately,
                .is_copied = false,
                .index = std::uint16_t(op.offset.number)});
  return verdict;
}

// What pread() would find: a page that is not up to date is a hole still.
static int content_of_cell(const Machine& m, Cell cell) {
  if (!cell.is_folio() || cell.frame >= m.frames()) return 0;
  return test(m, page_folio(m, cell.frame), PG_uptodate) ? m.page(cell.frame).content : 0;
}

Verdict FlatMemory::compare_files(const Machine& m) const {
  for (int i = 0; i < inodes_; ++i) {
    const File& file = files_[std::size_t(i)];
    const Inode& inode = m.inodes[std::size_t(i)];
    if (file.open != (inode.open != 0) || file.size != inode.i_size)
      return Mismatch{.rule = &kFileSize, .expected = file.size, .seen = inode.i_size, .inode = i};
    for (int page = 0; page < file.size; ++page) {
      const int seen = content_of_cell(m, m.cell(i, page)), expected = file_values_[index(i, page)];
      if (seen == expected) continue;
      return Mismatch{
          .rule = &kFileContent, .page = page, .expected = expected, .seen = seen, .inode = i};
    }
  }
  return {};
}

}  // namespace thp
