#!/usr/bin/python3
# Edits of a small file: which still fit when it has changed, and what is said of those that don't.
import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import edit

MODEL = """#include "model/a.h"
namespace thp {
constexpr int kMost = 3, kLeast = 1;
// Counts what is there.
int count(const Machine& m) {
  return m.pages + (m.small ? m.tables  // of both kinds
                            : 0);
}
void Page::put(Machine& m) {
  --refcount;
  --m.pages;
}
}  // namespace thp
"""
HEADER = "file: model/a.cc\n\n[slip]\nA slip.\nkernel: -\nkilled-by: rss\n"


class Edits(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        edit.ROOT = directory.name
        for folder in ("model", "ci/mutants"):
            os.makedirs(os.path.join(edit.ROOT, folder))
        self.write("model/a.cc", MODEL)

    def write(self, path, text):
        with open(os.path.join(edit.ROOT, path), "w", encoding="utf-8") as file:
            file.write(text)

    def run_tool(self, edits, *args):
        """What it says, and with which status."""
        self.write("ci/mutants/a.edits", HEADER + edits)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                status = edit.main(*args)
            except SystemExit as end:
                status = end.code
        return said.getvalue(), status

    def changed(self, edits):
        said, status = self.run_tool(edits, "apply", "slip", edit.ROOT)
        self.assertEqual((said, status), ("", 0))
        with open(os.path.join(edit.ROOT, "model/a.cc"), encoding="utf-8") as file:
            return file.read()

    def assert_complains(self, edits, *words):
        said, status = self.run_tool(edits, "check")
        self.assertEqual(status, 1, said)
        for word in words:
            self.assertIn(word, said)

    def test_changes_what_it_finds_and_nothing_else(self):
        for edits, old, new in (
                ("in: Page::put\n-  --refcount;\n", "--refcount;", ""),
                ("in: Page::put\n   --refcount;\n+  --refcount;\n", "--refcount;",
                 "--refcount;\n  --refcount;"),
                ("in: kMost\n-3\n+4\n", "3", "4"),
                ('-#include "model/a.h"\n+#include "model/b.h"\n', "a.h", "b.h"),
                ("in: Page::put\n---refcount\nin: count\n-m.small\n+m.large\n", "small", "large")):
            with self.subTest(edits):
                self.write("model/a.cc", MODEL)
                expected = MODEL.replace(old, new)
                if "m.large" in edits:
                    expected = expected.replace("--refcount", "")
                self.assertEqual(self.changed(edits), expected)

    def test_line_breaks_and_comments_make_no_difference(self):
        text = self.changed("in: count\n-  return m.pages + (m.small ? m.tables : 0);\n"
                            "+  return 0;\n")
        self.assertIn("{\n  return 0;\n}", text)

    def test_tells_what_does_not_fit(self):
        self.assert_complains("in: count\n---m.pages;\n", "a.edits:7: slip: found 0 times in count",
                              "stands at model/a.cc:11")
        self.assert_complains("in: count\n-m.\n+n.\n", "found 3 times", "model/a.cc:6")
        self.assert_complains("in: put\n---refcount;\n", "put of model/a.cc, which is not there")
        self.assert_complains("file: model/b.cc\nin: count\n-0\n+1\n", "model/b.cc: No such file")
        self.assert_complains("in: count\n-m.pages + (\n+(\nin: count\n-+ (m\n+- (m\n",
                              "two of its edits")

    def test_tells_what_is_no_edit(self):
        self.assert_complains("", "changes something")
        self.assert_complains("in: count\n 0\n", "puts something else there")
        self.assert_complains("in: count\n-0\n+1  // one\n", "no comments")
        self.assert_complains("in: count\n-0\n+1\n[slip]\nsecond\n", "has this name", "a sentence",
                              "no kernel:", "no killed-by:")
        said, status = self.run_tool("in: count\nnot so\n", "check")
        self.assertIn("a.edits:8:", said)
        self.assertEqual(status, 2)

    def test_lists_any_field(self):
        edits = "rule: one thing\nin: count\n-0\n+1\n[other]\nIt is\nthe same.\nequivalent: yes\n"
        said, _ = self.run_tool(edits, "list", "of", "rule", "equivalent", "sentence", "places")
        self.assertEqual(said, "slip\ta\tone thing\t-\tA slip.\tmodel/a.cc:7\n"
                               "other\ta\t-\tyes\tIt is the same.\t\n")

    def test_the_key_is_that_of_the_edits(self):
        def key(edits):
            return self.run_tool(edits, "header", "slip", "key")[0]
        self.assertEqual(key("in: count\n-0\n+1\n"), key("rule: one\nin: count\n-0\n+1\n"))
        self.assertNotEqual(key("in: count\n-0\n+1\n"), key("in: count\n-0\n+2\n"))


if __name__ == "__main__":
    unittest.main()
