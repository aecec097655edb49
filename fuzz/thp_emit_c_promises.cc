// Where Linux breaks a promise of its documentation: flat memory goes on to ask there.
#include <algorithm>

#include "fuzz/emit_c.h"
#include "oracle/translate.h"

namespace thp {
namespace {

constexpr std::string_view kSaysSoftDirty =
    "what has changed since clear_refs is told soft-dirty (soft-dirty.rst)";
constexpr std::string_view kSaysExclusive = "bit 56 tells of this page (pagemap.rst)";
constexpr std::string_view kSaysLocked = "a call that fails changes no lock (mlock(2))";

bool is_told_clean(const Machine& m, int mm, int page) {
  const Vma* vma = vma_at(m, mm, page);
  return !entry_of(m, mm, page).has(kSoftDirty) && (vma == nullptr || !vma->has(VM_SOFTDIRTY));
}

}  // namespace

Promises::Promises(const Geometry& geometry, std::vector<const Defect*> shown)
    : shown_(std::move(shown)), memory_(geometry) {}

bool Promises::shows(const Defect* defect) const {
  return std::ranges::find(shown_, defect) != shown_.end();
}

std::vector<Promises::Broken> Promises::after(const Op& op, int result, const Machine& before,
                                              const Machine& m) {
  Machine untold = m;
  untold.strikes.clear();
  static_cast<void>(memory_.after(op, result, before, untold));
  static_cast<void>(memory_.compare(untold));  // it learns what MADV_FREE has let go
  struck_.clear();
  std::vector<Broken> broken;
  note_strikes(m);
  for (int mm = 0; mm < m.geometry.mms; ++mm) {
    if (m.mms[std::size_t(mm)].alive == 0) continue;
    add_soft_clean(m, mm, broken);
    if (shows(&kFailedMlockKeepsLocks)) add_locks(m, mm, broken);
    if (shows(&kHeadSpeaksForAll)) add_heads(m, mm, broken);
  }
  return broken;
}

// A kernel without the defect tells these places otherwise, and may have other VMAs.
void Promises::note_strikes(const Machine& m) {
  for (const Strike& strike : m.strikes.all()) {
    strikes_.push_back(strike);
    if (!shows(strike.defect)) continue;
    vmas_differ_[std::size_t(strike.mm)] = true;
    if (strike.defect != &kFailedMlockKeepsLocks) ignore(m, strike);
  }
}

void Promises::ignore(const Machine& m, const Strike& strike) {
  for (int page = strike.first; page < strike.end; ++page) {
    std::uint8_t& bits = ignored_[std::size_t(strike.mm)][std::size_t(page)];
    if ((bits & kIgnoreSoftDirty) != 0 || !is_told_clean(m, strike.mm, page)) continue;
    bits |= kIgnoreSoftDirty;
    if (!struck_.empty() && struck_.back().mm == strike.mm && struck_.back().end == page)
      ++struck_.back().end;
    else
      struck_.push_back({strike.mm, page, page + 1, "SOFT_DIRTY"});
  }
}

void Promises::add(const Broken& broken, std::vector<Broken>& to) {
  const auto same = [&](const Broken& o) {
    return o.mm == broken.mm && o.page == broken.page && o.what == broken.what &&
           o.promised == broken.promised;
  };
  if (std::ranges::any_of(told_, same)) return;
  told_.push_back(broken);
  to.push_back(broken);
}

void Promises::add_soft_clean(const Machine& m, int mm, std::vector<Broken>& to) {
  for (const Strike& strike : strikes_) {
    if (strike.mm != mm || !shows(strike.defect)) continue;
    if (const Verdict v = memory_.compare_told(m, mm, strike.first, strike.end))
      add({strike.defect, mm, v->page, "SOFT_DIRTY", true, kSaysSoftDirty}, to);
  }
}

void Promises::add_locks(const Machine& m, int mm, std::vector<Broken>& to) {
  for (const Strike& strike : m.strikes.all()) {
    if (strike.mm != mm || strike.defect != &kFailedMlockKeepsLocks) continue;
    const Vma* vma = vma_at(m, mm, strike.first);
    const bool promised = memory_.locked(mm, strike.first);
    if (vma != nullptr && vma->has(VM_LOCKED) != promised)
      add({strike.defect, mm, strike.first, "LOCKED", promised, kSaysLocked}, to);
  }
}

// Of the first page that is told wrongly; the others are ignored, too.
void Promises::add_heads(const Machine& m, int mm, std::vector<Broken>& to) {
  for (int page = 0; page < m.pages(); ++page) {
    const Entry& pmd = m.pmd(mm, pmd_index(m, page));
    if (!is_huge(pmd) || !pmd.is_present()) continue;
    const bool told = told_mapcount(m, pmd.frame) == 1;
    const bool promised = told_mapcount(m, mapped_frame(m, mm, page)) == 1;
    std::uint8_t& bits = ignored_[std::size_t(mm)][std::size_t(page)];
    if (told == promised || (bits & kIgnoreExclusive) != 0) continue;
    if (page == 0 || (ignored_[std::size_t(mm)][std::size_t(page - 1)] & kIgnoreExclusive) == 0)
      add({&kHeadSpeaksForAll, mm, page, "EXCLUSIVE", promised, kSaysExclusive}, to);
    bits |= kIgnoreExclusive;
    if (!struck_.empty() && struck_.back().mm == mm && struck_.back().end == page)
      ++struck_.back().end;
    else
      struck_.push_back({mm, page, page + 1, "EXCLUSIVE"});
  }
}

}  // namespace thp
