// What people read about a state and about a failure.
#include "oracle/report/report.h"

#include <algorithm>
#include <random>

#include "model/trace/generate.h"
#include "oracle/report/describe.h"
#include "oracle/rules/rules.h"
#include "properties/check.h"

using namespace thp;

namespace {

struct Shown {
  Machine m;
  FolioNames names;
};

Shown after(std::string_view text) {
  const auto file = parse_trace("thp-trace 1\n" + std::string(text));
  check(file.has_value(), text);
  Shown shown{.m = Machine(file->trace.geometry), .names = {}};
  for (const Op& op : file->trace.ops) {
    step(shown.m, op);
    shown.names.follow(shown.m);
  }
  return shown;
}

void pictures(std::string_view text, std::string_view a, std::string_view b) {
  const Shown shown = after(text);
  check(pictures(shown.m, shown.names)[0].drawn == a, pictures(shown.m, shown.names)[0].drawn);
  check(pictures(shown.m, shown.names)[1].drawn == b, pictures(shown.m, shown.names)[1].drawn);
}

void every_kind_of_page_has_its_character() {
  pictures("", "---- ----", "");
  pictures("mmap A 0..6\nstore A 0 1\nstore A 4 1\n", "AAAA b.--", "");
  pictures("mmap A 0..8\nstore A 0 1\nmadvise_dontneed A 1..2\nfork A B\n", "a.aa ....",
           "a.aa ....");
  pictures("mmap A 0..8\nstore A 0 1\nfork A B\nmunmap B 0..1\n", "AAAA ....", "-aaa ....");
  pictures("mmap A 0..6\nload A 0\nload A 4\n", "ZZZZ 0.--", "");
  pictures("mmap A 0..6\nstore A 0 1\nstore A 5 1\nmigrate_begin A 0\n", "MMMM .b--", "");
  pictures("mmap A 0..6\nswapon\nstore A 4 1\nmadvise_pageout A 4..5\n", ".... s.--", "");
  pictures("geometry order=9 pmds=1 mms=2\nmmap A 0..512\nstore A 0 1\nmadvise_dontneed A 3..4\n",
           "aaa.a{508}", "");
}

// A letter stays with its folio, and is free for another only when all others are taken.
void letters_stay() {
  pictures("mmap A 0..8\nstore A 0 1\nstore A 4 1\nmunmap A 0..4\n", "---- BBBB", "");
  pictures("mmap A 0..8\nstore A 0 1\nmunmap A 0..4\nstore A 4 1\n", "---- BBBB", "");
}

std::string holders(std::string_view text) {
  const Shown shown = after(text);
  std::string all;
  for (const std::string& holder : describe_holders(shown.m, 0)) all += holder + ", ";
  return all;
}

void every_holder_has_a_name() {
  check(holders("mmap A 0..4\nstore A 0 1\nfork A B\nmunmap B 0..1\nget h4 A 0\n") ==
            "PMD A 0, PTEs B 1..4, get h4, ",
        "a folio in two address spaces");
  check(holders("mmap A 0..4\nstore A 0 1\npin h3 A 1\nisolate h5 A 0\n") ==
            "PMD A 0, pin h3, isolation h5, ",
        "a folio pinned and isolated");
  check(holders("mmap A 0..4\nstore A 0 1\nmigrate_begin A 0\n") == "migration, ", "in migration");
  check(holders("mmap A 0..1\nswapon\nstore A 0 1\nmadvise_pageout A 0..1\n") ==
            "swap cache of slot 0, ",
        "in the swap cache");
  check(holders("mmap A 0..4\nload A 0\npin h0 A 0 r\n") == "pin h0, huge_zero_page, ",
        "the huge zero page");
}

void no_reference_is_nameless() {
  std::minstd_rand rng(1);
  const auto choose = [&](int n) { return int(rng() % unsigned(n)); };
  for (int i = 0; i < 300; ++i) {
    const Trace trace = generate_trace(choose);
    Machine m(trace.geometry);
    for (const Op& op : trace.ops) step(m, op);
    for (int pfn = 0; pfn < m.frames(); ++pfn)
      if (m.page(Pfn(pfn)).refcount > 0)
        check(!describe_holders(m, Pfn(pfn)).empty(), print(trace));
  }
}

std::string told(std::string_view text, std::string_view thing) {
  const Shown shown = after(text);
  for (const Described& described : describe(shown.m, shown.names))
    if (described.thing == thing) return described.text;
  return "";
}

void files_are_told_where_there_are_some() {
  const std::string file =
      "geometry order=2 pmds=1 mms=1 inodes=1\nshmem_enabled always\ncreat f0\npwrite f0 0 1\n"
      "mmap_file A 0..4 f0 0 shared\n";
  const std::string counters = told(file + "load A 0\n", "counters");
  check(counters ==
            "NR_ANON_MAPPED 0, NR_ANON_THPS 0, NR_SWAPCACHE 0, NR_SHMEM 4, NR_SHMEM_THPS "
            "4, NR_SHMEM_PMDMAPPED 4, NR_FILE_MAPPED 4",
        counters);
  const std::string settings = told(file, "settings");
  check(settings == "enabled always, use_zero_page on, swap off, shmem_enabled always", settings);
  const std::string denied = told(file + "shmem_enabled deny\n", "settings");
  check(denied.ends_with(", shmem_enabled deny (huge=always)"), denied);
  const std::string inode = told(file, "file f0");
  check(inode == "i_size 1, nrpages 4, alloced 4, fallocend 0, on the shrinklist", inode);
  check(told("", "counters") == "NR_ANON_MAPPED 0, NR_ANON_THPS 0, NR_SWAPCACHE 0", "no files");
  check(told("", "settings") == "enabled always, use_zero_page on, swap off", "no files");
}

void changes_are_told() {
  const std::vector<Described> before{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const std::vector<Described> after{{"a", "1"}, {"b", "9"}, {"d", "4"}};
  const std::vector<std::string> changes{"* b: 9", "+ d: 4", "- c"};
  check(describe_changes(before, after) == changes, "changed, new and gone");
}

// What `where` leads to, of a child that shares a huge page and a parent that has exited.
std::string told_of(const Where& where) {
  const auto file = parse_trace(
      "thp-trace 1\ngeometry order=2 pmds=1 mms=2\nmmap A 0..4\nstore A 0 1\nfork A B\nexit A\n");
  const Violation violation{.op = 2,
                            .broken = "load_returns_last_store",
                            .after = "fork",
                            .detail = "who and what",
                            .where = where};
  return report(file->trace, violation, "reproduce: COMMAND FILE\n");
}

void the_page_says_it_all() {
  const std::string expected =
      "load_returns_last_store does not hold after op 3, fork\n"
      "  violated: A load returns what was stored there last.\n"
      "  promise, Linux 6.1 to 6.12: mmap(2), fork(2), madvise(2)\n"
      "  at: who and what\n"
      "\n"
      "geometry order=2 pmds=1 mms=2 swap=8 blocks=8\n"
      "                     A     B     B 3\n"
      "     1  mmap A 0..4  ....\n"
      "     2  store A 0 1  AAAA\n"
      ">    3  fork A B     AAAA  AAAA  --   <- load_returns_last_store\n"
      "        and 1 ops more\n"
      "\n"
      "before:\n"
      "  nothing\n"
      "after:\n"
      "  PMD B 0: a dirty soft-dirty\n"
      "  folio a, frames 0..4: refcount 2 = PMD A 0 + PMD B 0; _mapcount -1, compound_mapcount 2; "
      "exclusive 0, content 1 0 0 0, anon_vma 0, index 0; uptodate lru swapbacked\n"
      "\n" +
      std::string(kPictureKey) + std::string(kMarksKey) + "\nreproduce: COMMAND FILE\n";
  const std::string page = told_of({Where::Thing::pages, 1, 3});
  check(page == expected, page);
  for (const auto& [rule, subject] : rules())
    check(sentence_of(rule.name) == rule.sentence, rule.name);
}

// The picture up to op `ops` of a page that is shared and copied, with marks of what `where` names.
std::string marked(std::size_t ops, const Where& where) {
  const auto file = parse_trace(
      "thp-trace 1\ngeometry order=2 pmds=1 mms=2\nmmap A 0..2\nstore A 0 1\nstore A 1 1\n"
      "fork A B\nstore B 0 2\nmunmap B 0..2\n");
  const std::string text =
      report(file->trace, {.op = ops - 1, .broken = "a", .after = "b", .where = where}, "");
  check(text.contains(kMarksKey) == text.contains("wx"), text);
  const std::size_t begin = text.find("     1  mmap") + std::string_view("     1  ").size();
  return text.substr(begin, text.find("<-") - begin);
}

void entries_that_a_violation_names_have_marks() {
  using enum Where::Thing;
  const std::string until_fork =
      "mmap A 0..2  ..--\n"
      "     2  store A 0 1  a.--        wx\n"
      "     3  store A 1 1  ab--        wx\n"
      ">    4  fork A B     ab--  ab--  --   ";
  check(marked(4, {pte, 0, 0}) == until_fork, marked(4, {pte, 0, 0}));
  const std::string of_the_copy =
      "mmap A 0..2  ..--\n"
      "     2  store A 0 1  a.--\n"
      "     3  store A 1 1  ab--\n"
      "     4  fork A B     ab--  ab--  --\n"
      ">    5  store B 0 2  ab--  cb--  wx   ";
  check(marked(5, {pages, 1, 0, 2}) == of_the_copy, marked(5, {pages, 1, 0, 2}));
  const std::string shared = marked(5, {folio, -1, 1});
  check(shared.ends_with("  ab--  cb--  --   --   "), "one entry of each address space: " + shared);
  const std::string unmapped = marked(6, {frame, -1, 2});
  check(unmapped.contains("\n     5  store B 0 2    ab--  cb--  wx\n"), unmapped);
  check(!marked(5, {.thing = op}).contains("wx"), "an op names no entry");
}

void a_subject_is_shown_before_and_after() {
  const std::string folio = told_of({Where::Thing::folio, -1, 0});
  check(folio.contains("before:\n  folio a, frames 0..4: refcount 1 = PMD A 0;"), folio);
  check(folio.contains("after:\n  folio a, frames 0..4: refcount 2 = PMD A 0 + PMD B 0;"), folio);
  const std::string space = told_of({Where::Thing::mm, -1, 1});
  check(space.contains("before:\n  nothing\nafter:\n  address space B: rss 4"), space);
  const std::string op = told_of({.thing = Where::Thing::op});
  check(op.contains("changed:\n") && op.contains("  + PMD B 0: a dirty soft-dirty\n"), op);
}

}  // namespace

int report_test(int, char*[]) {
  every_kind_of_page_has_its_character();
  letters_stay();
  every_holder_has_a_name();
  no_reference_is_nameless();
  files_are_told_where_there_are_some();
  changes_are_told();
  the_page_says_it_all();
  entries_that_a_violation_names_have_marks();
  a_subject_is_shown_before_and_after();
  return failures();
}
