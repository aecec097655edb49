#!/usr/bin/python3
# The table of model/FUNCTIONS.md, for ci/functions.
"""Usage: functions.py PROGRAM FOLDER: prints it, from FOLDER/OP.profdata.

A row for each function of the model's kernel folders: its name, its file, and the ops that come to
it, the most frequent first.
"""
import collections
import glob
import json
import os
import re
import subprocess
import sys

KERNEL = re.compile(r"model/(mm|fs|kernel)/[^/]+$")


def demangled(names):
    text = "\n".join(names)
    out = subprocess.run(["llvm-cxxfilt-19"], input=text, capture_output=True, text=True,
                         check=True)
    return dict(zip(names, out.stdout.split("\n")))


def functions_of(program, profile, root):
    """(mangled name, file, how many ops came to it) of each function that some op came to."""
    export = subprocess.run(
        ["llvm-cov-19", "export", program, "-instr-profile", profile, "-skip-expansions",
         "-ignore-filename-regex", "(oracle|properties|fuzz|ci|usr)/"],
        capture_output=True, text=True, check=True)
    for function in json.loads(export.stdout)["data"][0]["functions"]:
        file = os.path.relpath(function["filenames"][0], root)
        if function["count"] > 0 and KERNEL.match(file):
            yield function["name"].split(":")[-1], file, function["count"]


def plain(name):
    """zap_pte_range of thp::(anonymous namespace)::zap_pte_range(thp::Machine&, int)."""
    name = re.sub(r"\(anonymous namespace\)::", "", name)
    if "$_" in name or "operator" in name or "'lambda" in name:
        return None
    name = re.sub(r"<.*?>", "", name.split("(")[0])
    return name.split()[-1].split("::")[-1]


def main():
    program, folder = sys.argv[1:]
    root = os.getcwd()
    ops = collections.defaultdict(collections.Counter)
    for profile in sorted(glob.glob(folder + "/*.profdata")):
        op = os.path.basename(profile).removesuffix(".profdata")
        found = list(functions_of(program, profile, root))
        names = demangled([name for name, _, _ in found])
        for name, file, count in found:
            if plain(names[name]):
                ops[file, plain(names[name])][op] += count
    print("| function | file | ops |\n|---|---|---|")
    for (file, name), counts in sorted(ops.items()):
        print(f"| `{name}` | {file.removeprefix('model/')} | "
              + ", ".join(op for op, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
              + " |")


main()
