#!/usr/bin/python3
# Which rule does each mutant break on its own trace, and is it the one that its header names?
"""Usage: own.py BUILD NAME...: BUILD is that of the preset `own`, with thp_oracle built.

A mutant is a shared object of the one file that it changes, put before the model's own; headers are
read once for all. So a mutant costs a fraction of a second, and a change of the oracle only runs
the traces. ninja knows what is done. A mutant of a header takes with it all files that include it.
Exit status 1: a header is wrong; 2: something does not build.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import edit
from source import Tree

INCLUDE = re.compile(r'^#include ([<"](.*)[>"])', re.MULTILINE)
# system.pch is for mutants of headers, model.pch for all others; what both instantiate stands in an
# object each.
RULES = """
rule headers
  command = $cxx -fpch-codegen -fpch-instantiate-templates $
            -fpch-validate-input-files-content -x c++-header $in -o $out -MD -MF $out.d
  depfile = $out.d
rule object
  command = rm -f $name/said; $cxx -iquote $name -include-pch $pch -c $in -o $out -MD -MF $out.d
  depfile = $out.d
rule instances
  command = $cxx -Qunused-arguments -c $in -o $out
rule shared
  command = ld.lld-19 -shared --eh-frame-hdr --threads=1 $in -o $out
rule program
  command = $cxx $in $oracle $model -Wl,-rpath,$home/model:$home/oracle -o $out -MD -MF $out.d
  depfile = $out.d
rule judge
  command = timeout 20 env LD_PRELOAD=$name/mutant.so:./model.so:./system.so ./judged $in >$out $
            || echo status $$? >>$out
build judged: program $root/ci/mutants/judged.cc | $oracle $model
""" + "".join(f"""
build {headers}.pch: headers {headers}.h
build {headers}.o: instances {headers}.pch
build {headers}.so: shared {headers}.o
""" for headers in ("system", "model"))


def flags(build):
    """How the model is compiled, but for what to what."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        command = next(entry["command"] for entry in json.load(file)
                       if "thp_model.dir/" in entry["command"])
    return shlex.join(shlex.split(re.sub(r" -o \S+ -c \S+", "", command)))


def write(path, text):
    """Only what has changed: ninja looks at times."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Model:
    """What is in it, and what includes what."""

    def __init__(self):
        self.tree = Tree(edit.ROOT)
        self.texts = {path: self.tree.source(path).text for path in self.tree.files()}

    def reaches(self, path, headers):
        names = [name for _, name in INCLUDE.findall(self.texts.get(path, ""))]
        return any(name in headers or self.reaches(name, headers) for name in names)

    def users(self, headers):
        return [path for path in self.texts if headers and path.endswith(".cc")
                and not path.endswith("_test.cc") and self.reaches(path, headers)]

    def write_headers(self, paths):
        found = sorted({name for path in paths for name, _ in INCLUDE.findall(self.texts[path])})
        write("model.h", "".join(f"#include {name}\n" for name in found))
        write("system.h", "".join(f"#include {name}\n" for name in found if name[0] == "<"))


def rules(mutant, model):
    """Writes its sources, too."""
    name, texts = mutant.name, mutant.mutated(model.tree)
    for path, text in texts.items():
        write(f"{name}/{path}", text)
    headers = {path for path in texts if path.endswith(".h")}
    pch = "system.pch" if headers else "model.pch"
    sources = {path: f"{name}/{path}" for path in texts.keys() - headers}
    sources = {path: f"$root/{path}" for path in model.users(headers)} | sources
    for path, source in sources.items():
        yield (f"build {name}/{path}.o: object {source} | {pch}\n"
               f"  name = {name}\n  pch = {pch}\n")
    yield (f"build {name}/mutant.so: shared {' '.join(f'{name}/{path}.o' for path in sources)}\n"
           f"build {name}/said: judge $root/corpus/mutants/{name}.trace | {name}/mutant.so "
           f"model.so system.so judged $oracle $model\n  name = {name}\n")


def has_trace(mutant):
    return os.path.isfile(f"{edit.ROOT}/corpus/mutants/{mutant.name}.trace")


def write_rules(build, mutants, files):
    model = Model()
    model.write_headers(files)
    parts = [f"cxx = {flags(build)}\nhome = {build}\nroot = {edit.ROOT}\n"
             "oracle = $home/oracle/libthp_oracle.so\nmodel = $home/model/libthp_model.so\n", RULES]
    for mutant in filter(has_trace, mutants):
        parts += rules(mutant, model)
    write("build.ninja", "".join(parts))


def wrong(mutant):
    """How what is said of its trace differs from its header."""
    if not has_trace(mutant):
        return f"has no trace: ci/mutate --write {mutant.name}"
    try:
        with open(f"{mutant.name}/said", encoding="utf-8") as file:
            said = file.readline().rstrip("\n")
    except FileNotFoundError:
        return "does not build"
    rule, _, detail = said.partition("\t")
    if rule == mutant.fields["killed-by"]:
        return ""
    return (f"killed by {rule or 'nobody'}{detail and ': ' + detail}\n"
            f"  and its header says {mutant.fields['killed-by']}")


def main(build, *names):
    start, build = time.monotonic(), os.path.abspath(build)
    everything = edit.mutants()
    mutants = [m for m in everything if m.name in names and "killed-by" in m.fields]
    os.makedirs(os.path.join(build, "mutants"), exist_ok=True)
    os.chdir(os.path.join(build, "mutants"))
    write_rules(build, mutants, {e.file for mutant in everything for e in mutant.edits})
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    built = subprocess.run(["ninja", "-k", "0", *quiet], check=False)
    messages = [f"{m.path}:{m.line}: {m.name}: {text}" for m in mutants if (text := wrong(m))]
    print(*messages, f"{len(mutants)} mutants, {len(messages)} of them otherwise, in "
          f"{time.monotonic() - start:.0f} s", sep="\n")
    return 2 if built.returncode else len(messages) > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
