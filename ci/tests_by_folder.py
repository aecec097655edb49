#!/usr/bin/env python3
# What CTest came to: each failure with its output, then a line for each folder. Usage:
# ci/tests_by_folder.py TESTS RESULTS; TESTS from --show-only=json-v1, RESULTS from --output-junit.
# The folder is that of a test's name, as of corpus/seeds/X.trace, or else its label.
import collections
import json
import os
import sys
import xml.etree.ElementTree

WORDS = {"run": "passed", "fail": "failed"}  # else as CTest says: disabled, notrun


def labels(tests):
    with open(tests, encoding="utf-8") as file:
        for test in json.load(file)["tests"]:
            values = {p["name"]: p["value"] for p in test.get("properties", [])}
            yield test["name"], values.get("LABELS", ["others"])[0]


def outcome(case):
    skipped = case.find("skipped")
    if skipped is not None and skipped.get("message").startswith("SKIP_"):
        return "skipped"
    return WORDS.get(case.get("status"), case.get("status"))


def main(tests, results):
    label = dict(labels(tests))
    folders = collections.defaultdict(collections.Counter)
    for case in xml.etree.ElementTree.parse(results).iter("testcase"):
        name, came_to = case.get("name"), outcome(case)
        folders[os.path.dirname(name) or label[name]][came_to] += 1
        if came_to not in ("passed", "skipped", "disabled"):
            print(f"{came_to}: {name}\n{case.findtext('system-out')}")
    for folder, counts in sorted(folders.items()):
        words = ", ".join(f"{n} {word}" for word, n in sorted(counts.items(), reverse=True))
        print(f"{folder:22} {words}")


if __name__ == "__main__":
    main(*sys.argv[1:])
