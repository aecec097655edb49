// Text in and out: what is printed is read again, what is wrong is refused at its place.
#include <iterator>
#include <random>
#include <string>

#include "model/trace/generate.h"
#include "model/trace/text.h"
#include "oracle/expect.h"
#include "properties/check.h"

using namespace thp;

namespace {

const std::string kHeader = "thp-trace 1\n";

void ops_round_trip() {
  const Geometry geometry{.order = 1, .pmds = 2, .mms = 3};
  std::size_t ops = 0;
  for_each_op(geometry,
              [&](const Op& op) {
                const auto parsed = parse_op(print(op), geometry);
                check(parsed && *parsed == op, print(op));
                check(in_geometry(op, geometry), print(op));
                ++ops;
              },
              {.mask = {}, .values = 3, .holders = 8});
  check(ops > 1000, "the alphabet has many ops");
}

void traces_round_trip() {
  const Geometry geometries[] = {{},
                                 {.order = 9, .pmds = 4, .mms = 4},
                                 {.order = 1, .pmds = 1, .mms = 1, .swap = 0, .blocks = 2}};
  for (const Geometry& geometry : geometries) {
    Trace trace{.kernel = {}, .geometry = geometry, .ops = {Exit{}, Mmap{}, SetEnabled{}}};
    const auto parsed = parse_trace(print(trace));
    check(parsed && parsed->trace == trace, print(trace));
  }
  check(print(Trace{}) == "thp-trace 1\nkernel 6.1\ngeometry order=2 pmds=2 mms=2\n",
        print(Trace{}));
}

void prints_the_short_form() {
  check(print(Op(Mmap{{0}, {0, 4}, Protection::rw})) == "mmap A 0..4", "rw is left out");
  check(print(Op(Mmap{{1}, {3, 4}, Protection::none})) == "mmap B 3..4 none", "none is not");
  check(print(Op(Pin{{7}, {0}, {5}, PinMode::w})) == "pin h7 A 5", "w is left out");
  check(print(Op(Pin{{7}, {0}, {5}, PinMode::r})) == "pin h7 A 5 r", "r is not");
  check(print(Op(SetEnabled{Enabled::always})) == "enabled always", "a policy is never left out");
  check(print(Op(ShrinkDeferred{})) == "shrink_deferred", "no arguments");
}

void reads_odd_forms() {
  const auto file = parse_trace(
      "# \n#\t The title.\xff\r\n \t\r\nthp-trace   1# x\r\ngeometry mms=3 order=1 # y\n"
      "kernel 6.1\n# not the title\n\tmmap C 3 r#z\n\nexpect  page A 0  none # w\nexit C");
  check(file.has_value(), "an odd but correct trace");
  if (!file) return;
  check(file->title == "The title.\\xff", file->title);
  const Trace trace{.kernel = {},
                    .geometry = {.order = 1, .pmds = 2, .mms = 3},
                    .ops = {Mmap{{2}, {3, 4}, Protection::r}, Exit{{2}}}};
  check(file->trace == trace, print(file->trace));
  check(file->expects.size() == 1, "one expectation");
  const Annotation& expect = file->expects.front();
  check(expect.after_op == 1 && expect.line == 10, "where the expectation stands");
  check(expect.words == std::vector<std::string>{"page", "A", "0", "none"}, "its words");
  check(expect.columns == std::vector<int>{9, 14, 16, 19}, "its columns");
  check(parse_trace("thp-trace 1")->trace == Trace{}, "an empty trace");
  check(parse_op(" exit  A # bye", {}) == Op(Exit{}), "an op with blanks and a comment");
}

struct Wrong {
  std::string text;
  int line, column;
  std::string message;
};

void refuses(const Wrong& wrong) {
  const auto file = parse_trace(wrong.text);
  if (file) return check(false, "not refused: " + escaped(wrong.text));
  const ParseError& error = file.error();
  const bool same =
      error.line == wrong.line && error.column == wrong.column && error.message == wrong.message;
  check(same, escaped(wrong.text.substr(0, 80)) + " is refused at " + std::to_string(error.line) +
                  ":" + std::to_string(error.column) + ": " + error.message);
}

void refuses_wrong_headers() {
  const std::string keys =
      "expected KEY=NUMBER, KEY one of order, pmds, mms, swap, blocks and inodes, found ";
  for (const Wrong& wrong : {
           Wrong{"", 1, 1, "expected `thp-trace 1` as the first line, found the end of the line"},
           Wrong{"# x\n\n", 3, 1,
                 "expected `thp-trace 1` as the first line, found the end of the line"},
           Wrong{"\n mmap A 0..4", 2, 2, "expected `thp-trace 1` as the first line, found `mmap`"},
           Wrong{"thp-trace", 1, 10, "expected `thp-trace 1`, found the end of the line"},
           Wrong{"thp-trace one", 1, 11, "expected `thp-trace 1`, found `one`"},
           Wrong{"thp-trace 0", 1, 11, "expected `thp-trace 1`, found `0`"},
           Wrong{"thp-trace 2", 1, 11,
                 "trace format `2` is newer than version 1, the newest understood here"},
           Wrong{"thp-trace 1 2", 1, 13, "expected the end of the line, found `2`"},
           Wrong{"thp-trace 1\rx", 1, 11, "expected `thp-trace 1`, found `1\\x0dx`"},
           Wrong{kHeader + "kernel 5.10", 2, 8, "expected 6.1, found `5.10`"},
           Wrong{kHeader + "kernel 6.1\nkernel 6.1", 3, 1, "`kernel` is given twice"},
           Wrong{kHeader + "exit A\n kernel 6.1", 3, 2,
                 "`kernel` must stand before the first op and `expect`"},
           Wrong{kHeader + "expect result 0\ngeometry", 3, 1,
                 "`geometry` must stand before the first op and `expect`"},
           Wrong{kHeader + "geometry\ngeometry", 3, 1, "`geometry` is given twice"},
           Wrong{kHeader + "geometry order", 2, 10, keys + "`order`"},
           Wrong{kHeader + "geometry size=3", 2, 10, keys + "`size=3`"},
           Wrong{kHeader + "geometry order=10", 2, 16, "expected order 1..9, found `10`"},
           Wrong{kHeader + "geometry pmds=2 mms=", 2, 21,
                 "expected mms 1..4, found the end of the line"},
           Wrong{kHeader + "geometry order=1 order=1", 2, 18, "order is given twice"},
           Wrong{kHeader + "geometry swap=-1", 2, 15, "expected swap 0..2048, found `-1`"},
           Wrong{kHeader + "geometry swap=9 order=1", 2, 10,
                 "expected at most 4 << order swap slots: 8, found `swap=9`"},
           Wrong{kHeader + "geometry blocks=1", 2, 17, "expected blocks 2..64, found `1`"},
       })
    refuses(wrong);
}

void refuses_wrong_ops() {
  const std::string range =
      "expected a range of pages within 0..8 (end excluded, not empty), found ";
  for (const Wrong& wrong : {
           Wrong{"stor A 0 7", 2, 1, "expected an op (the nearest is `store`), found `stor`"},
           Wrong{"expct page", 2, 1, "expected an op (the nearest is `expect`), found `expct`"},
           Wrong{"exit A\n\x01\xfe", 3, 1,
                 "expected an op (the nearest is `pin`), found `\\x01\\xfe`"},
           Wrong{"expect", 2, 7, "expected a fact, found the end of the line"},
           Wrong{"exit", 2, 5, "expected an address space A..B, found the end of the line"},
           Wrong{"exit C", 2, 6, "expected an address space A..B, found `C`"},
           Wrong{"exit a", 2, 6, "expected an address space A..B, found `a`"},
           Wrong{"exit AB", 2, 6, "expected an address space A..B, found `AB`"},
           Wrong{"exit A A", 2, 8, "expected the end of the line, found `A`"},
           Wrong{"load A 8", 2, 8, "expected a page 0..7, found `8`"},
           Wrong{"load A -1", 2, 8, "expected a page 0..7, found `-1`"},
           Wrong{"load A 99999999999", 2, 8, "expected a page 0..7, found `99999999999`"},
           Wrong{"load A 1x", 2, 8, "expected a page 0..7, found `1x`"},
           Wrong{"load  A ", 2, 9, "expected a page 0..7, found the end of the line"},
           Wrong{"munmap A 4..2", 2, 10, range + "`4..2`"},
           Wrong{"munmap A 2..2", 2, 10, range + "`2..2`"},
           Wrong{"munmap A 0..9", 2, 10, range + "`0..9`"},
           Wrong{"munmap A 8", 2, 10, range + "`8`"},
           Wrong{"munmap A 0...4", 2, 10, range + "`0...4`"},
           Wrong{"munmap A ..4", 2, 10, range + "`..4`"},
           Wrong{"munmap A 2147483647", 2, 10, range + "`2147483647`"},
           Wrong{"store A 0 256", 2, 11, "expected a value 0..255, found `256`"},
           Wrong{"unpin h8", 2, 7, "expected a holder h0..h7, found `h8`"},
           Wrong{"unpin 0", 2, 7, "expected a holder h0..h7, found `0`"},
           Wrong{"mmap A 0..4 w", 2, 13, "expected rw, r or none, found `w`"},
           Wrong{"mmap A 0..4 r r", 2, 15, "expected the end of the line, found `r`"},
           Wrong{"pin h0 A 0 rw", 2, 12, "expected w or r, found `rw`"},
           Wrong{"enabled", 2, 8, "expected always, madvise or never, found the end of the line"},
           Wrong{"use_zero_page yes", 2, 15, "expected on or off, found `yes`"},
       })
    refuses({kHeader + wrong.text, wrong.line, wrong.column, wrong.message});
}

std::string times(std::size_t n, std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) all += text;
  return all;
}

void keeps_its_limits() {
  refuses({std::string(kMaxTraceBytes + 1, '\n'), 1, 1, "a trace has at most 1048576 bytes"});
  refuses(
      {kHeader + "#" + std::string(kMaxLineBytes, 'x'), 2, 257, "a line has at most 256 bytes"});
  refuses(
      {kHeader + times(kMaxTraceOps + 1, "swapon\n"), 10'002, 1, "a trace has at most 10000 ops"});
  const std::string longest = "#" + std::string(kMaxLineBytes - 1, 'x') + "\r\n";
  check(parse_trace(longest + kHeader + times(kMaxTraceOps, "swapon\n")).has_value(),
        "a trace at its limits");
  check(!parse_op(std::string(kMaxLineBytes + 1, ' '), {}), "an op longer than a line");
  check(!parse_op("", {}) && !parse_op("exit A\nexit A", {}), "one op, not none or two");
  const std::string name(100, '\n');
  const auto error = parse_op("exit " + std::string(100, '\x7f'), {});
  check(!error && error.error().message.size() < 250, "messages are short");
}

void any_bytes_are_answered() {
  std::minstd_rand random(1);
  const std::string valid = "thp-trace 1\ngeometry order=2 swap=3\nmmap A 0..4 r\nexpect rss A 0\n";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = valid;
    for (unsigned edits = random() % 4 + 1; edits > 0; --edits)
      text[random() % text.size()] = char(random());
    const auto file = parse_trace(text);
    if (file) check(parse_trace(print(file->trace))->trace == file->trace, escaped(text));
    if (file) continue;
    const ParseError& error = file.error();
    check(error.line >= 1 && error.line <= 10 && error.column >= 1 &&
              error.column <= int(valid.size()) + 1 && escaped(error.message) == error.message,
          escaped(text));
  }
}

void results_round_trip() {
  check(print_result(0) == "0" && print_result(7) == "7", "numbers");
  check(print_result(-22) == "-EINVAL" && print_result(-12) == "-ENOMEM", "errnos");
  check(print_result(kSigsegv) == "SIGSEGV" && print_result(kOom) == "OOM", "faults");
  for (int result = -1001; result < 300; ++result)
    check(parse_result(print_result(result)) == result, print_result(result));
  check(!parse_result("EINVAL") && !parse_result("") && !parse_result("7 "), "no results");
}

// --- Expectations.

Annotation expect(std::string_view text) {
  const auto file = parse_trace(kHeader + "expect " + std::string(text));
  return file->expects.front();
}

void facts_hold(const Machine& m, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts)
    if (const auto failure = check_expect(m, -22, expect(text))) check(false, *failure);
}

// A huge page that A maps by PMD and B by PTEs, B's page 2 unmapped: semantics of PageDoubleMap.
Machine double_mapped() {
  Machine m({.order = 2, .pmds = 2, .mms = 2});
  for (int i = 0; i < 4; ++i) {
    m.page(Pfn(4 + i)).flags = Bits(i == 0 ? PG_head | PG_anon | PG_swapbacked | PG_lru : PG_tail);
    m.page(Pfn(4 + i)).content = std::uint8_t(10 + i);
    m.page(Pfn(4 + i)).mapcount = i == 2 ? 0 : 1;
    if (i != 2) m.set_pte(1, i, {EntryKind::present, kYoung, std::uint16_t(4 + i)});
  }
  m.page(4).refcount = 4;
  m.compound(4) = {.mapcount = 0, .pincount = 0, .double_map = 1, .deferred = 0, .transhuge = 1};
  m.set_pmd(0, 0, {EntryKind::present, kWrite | kDirty, 4});
  m.set_pmd(1, 0, {EntryKind::table, 0, 0});
  m.set_pte(1, 2, {EntryKind::swap, kExclusive, 3});
  m.swap(3) = {.cache = kNoPfn, .count = 2, .content = 99};
  m.mms[0].anon_pages = 4;
  m.mms[1].swap_entries = 1;
  m.holders[2].kind = HolderKind::get;
  m.reason = Reason::SCAN_PAGE_RO;
  count_vm_event(m, Event::thp_split_pmd);
  return m;
}

void facts_are_read() {
  const Machine m = double_mapped();
  facts_hold(m, {"result -EINVAL",
                 "result -22",
                 "reason SCAN_PAGE_RO",
                 "page A 3 huge",
                 "page B 3 pte",
                 "page B 2 swap",
                 "page A 4 none",
                 "value A 3 13",
                 "value B 2 99",
                 "value A 4 0",
                 "refcount B 3 4",
                 "mapcount A 3 2",
                 "mapcount A 2 1",
                 "raw_mapcount A 2 0",
                 "total_mapcount A 0 4",
                 "entire_mapcount B 1 1",
                 "pincount A 0 0",
                 "large A 3 1",
                 "double_map B 0 1",
                 "deferred A 0 0",
                 "lru A 2 1",
                 "exclusive A 0 0",
                 "exclusive B 2 1",
                 "swapbacked A 0 1",
                 "swapcache A 0 0",
                 "writable A 3 1",
                 "writable B 3 0",
                 "young B 3 1",
                 "entry_dirty A 1 1",
                 "swap_count B 2 2",
                 "rss A 4",
                 "swapents B 1",
                 "nr_ptes A 0",
                 "vmas B 0",
                 "event thp_split_pmd 1",
                 "event thp_swpout 0",
                 "anon_mapped 0",
                 "deferred_len 0",
                 "huge_zero_refcount 0",
                 "holder h2 get",
                 "holder h0 none"});
  const auto fails = [&](std::string_view text, std::string_view why) {
    const auto failure = check_expect(m, 0, expect(text));
    check(failure == std::string(why), failure.value_or("it holds: " + std::string(text)));
  };
  fails("result -EINVAL", "expect result -EINVAL: it is 0");
  fails("page A 3 swap", "expect page A 3 swap: it is huge");
  fails("refcount A 4 1", "expect refcount A 4 1: there is none");
  fails("refcount B 2 1", "expect refcount B 2 1: there is none");
  fails("holder h2 pin", "expect holder h2 pin: it is get");
  fails("rss C 1", "expect rss C 1: expected an address space A..B, found `C`");
}

// A huge page of a file that A maps by PMD and B by a PTE, of page 2. A PMD counts in each page.
Machine file_double_mapped() {
  Machine m({.order = 2, .pmds = 2, .mms = 2, .inodes = 2});
  m.inodes[0] = {.nrpages = 4, .alloced = 4, .i_size = 2, .alive = 1, .on_shrinklist = 1};
  for (int i = 0; i < 4; ++i) {
    m.page(Pfn(4 + i)).flags = Bits(i == 0 ? PG_head | PG_swapbacked | PG_lru : PG_tail);
    m.page(Pfn(4 + i)).mapcount = i == 2 ? 1 : 0;
    m.set_cell(0, i, {CellKind::folio, 0, Pfn(4 + i)});
  }
  m.page(4).refcount = 6;
  m.compound(4) = {.mapcount = 0, .pincount = 0, .double_map = 1, .deferred = 0, .transhuge = 1};
  m.set_pmd(0, 0, {EntryKind::present, kWrite | kDirty, 4});
  m.set_pmd(1, 0, {EntryKind::table, 0, 0});
  m.set_pte(1, 2, {EntryKind::present, kYoung, 6});
  m.nr_shmem = 5;
  m.nr_shmem_thps = m.nr_shmem_pmdmapped = 4;
  m.nr_file_mapped = 3;
  return m;
}

void facts_of_files_are_read() {
  const Machine m = file_double_mapped();
  facts_hold(m, {"large f0 3 1",           "double_map f0 3 1",     "double_map B 2 1",
                 "mapcount f0 2 2",        "mapcount f0 3 1",       "mapcount A 2 2",
                 "raw_mapcount f0 3 0",    "total_mapcount f0 0 2", "total_mapcount B 2 2",
                 "entire_mapcount f0 3 1", "refcount f0 1 6",       "cell f0 3 folio",
                 "cell f0 4 none",         "i_size f0 2",           "blocks f0 32",
                 "shrinklist f0 1",        "shrinklist f1 0",       "shmem_pages 5",
                 "shmem_thps 4",           "shmem_pmdmapped 4",     "file_mapped 3"});
  const auto failure = check_expect(m, 0, expect("double_map f0 4 0"));
  check(failure == "expect double_map f0 4 0: there is none", "of a hole there is none");
}

void refuses_wrong_expectations() {
  const auto refuses = [](std::string_view text, int column, std::string_view message) {
    const auto parsed = parse_expect(expect(text), {});
    if (parsed) return check(false, "not refused: " + std::string(text));
    const ParseError& error = parsed.error();
    check(error.line == 2 && error.column == column && error.message == message,
          std::to_string(error.column) + ": " + error.message);
  };
  refuses("refcont A 3 1", 8, "expected a fact (the nearest is `refcount`), found `refcont`");
  refuses(
      "page A 3", 16,
      "expected none, huge, pte, zero, huge-zero, swap or migration, found the end of the line");
  refuses("page A  9 pte", 16, "expected a page 0..7, found `9`");
  refuses("large A 3 2", 18, "expected 0 or 1, found `2`");
  refuses("mapcount A 3 x", 21, "expected a number, found `x`");
  refuses("rss A 3 4", 16, "expected the end of the line, found `4`");
  refuses("event thp_splt 1", 14,
          "expected an event (the nearest is `thp_swpout`), found `thp_splt`");
  refuses("reason SCAN_PAGE_R0", 15,
          "expected a verdict (the nearest is `SCAN_PAGE_RO`), found `SCAN_PAGE_R0`");
  refuses("holder h9 pin", 15, "expected a holder h0..h7, found `h9`");
  refuses("result EINVAL", 15,
          "expected a number, an errno as -EINVAL, SIGSEGV, SIGBUS, OOM, EOF or ELSEWHERE, found "
          "`EINVAL`");
  check(!parse_expect({.after_op = 0, .line = 1, .words = {}, .columns = {}}, {}), "no words");
  check(parse_expect({.after_op = 0, .line = 1, .words = {"rss", "A", "4"}, .columns = {}}, {})
            .has_value(),
        "words without columns");
}

}  // namespace

int text_test(int, char*[]) {
  ops_round_trip();
  traces_round_trip();
  prints_the_short_form();
  reads_odd_forms();
  refuses_wrong_headers();
  refuses_wrong_ops();
  keeps_its_limits();
  any_bytes_are_answered();
  results_round_trip();
  facts_are_read();
  facts_of_files_are_read();
  refuses_wrong_expectations();
  return failures();
}
