#!/usr/bin/python3
# Compares the fields that `thp --json` prints with those of fuzz/JSON.md.
# Usage: json_test.py THP, at the root of the tree. A model that breaks a rule on the trace of the
# mutant `canary` has to print the fields of a broken rule, too.
import json
import pathlib
import re
import subprocess
import sys
import tempfile

BROKEN_RULE = "a rule is broken"
CANARY = "corpus/mutants/canary.trace"
REGRESSIONS = "corpus/regressions/"
FAILS = "thp-trace 1\nexpect rss A 1\nmmap A 0..4\nexpect result 1\nexpect result 2\n"
NONE = "thp-trace 1\nstoer A 0 7\n"


def documented():
    """{command: {field: when}}"""
    fields = {}
    for line in pathlib.Path("fuzz/JSON.md").read_text().splitlines():
        row = re.fullmatch(r"\| `(\S+)` \| `([^`]+)` \| (.*?) ?\| .*\|", line)
        if row:
            fields.setdefault(row[1], {})[row[2]] = row[3].strip()
    return fields


def paths(value, above=""):
    """The fields of an object; of a list those of all that is in it."""
    if isinstance(value, dict) and value:
        return {path for name, part in value.items() for path in paths(part, f"{above}.{name}")}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {path for part in value for path in paths(part, above)}
    return {above[1:]}


def printed(thp, arguments):
    """The objects that a command prints."""
    run = subprocess.run([thp, *arguments], capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1, 2):
        sys.exit(f"{arguments}: exit status {run.returncode}\n{run.stderr}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def commands(folder):
    """Each way to a field."""
    fails, none, out = folder / "fails.trace", folder / "none.trace", folder / "out.trace"
    fails.write_text(FAILS)
    none.write_text(NONE)
    ends = REGRESSIONS + "stranded_migration_entries.trace"
    strikes = REGRESSIONS + "moved_table_is_soft_clean.trace"
    yield ["judge", "--json", "--all", fails, none, ends, CANARY]
    for trace in (fails, none, ends, strikes, CANARY):
        yield ["explain", "--json", trace]
    for trace in (none, CANARY):
        yield ["shrink", "--json", "--force", "-o", out, trace]
    explore = ["explore", "--json", "--ops", "mmap,store,madvise_dontneed"]
    yield [*explore, "--geometry", "order=1 pmds=1 mms=1"]
    yield [*explore, "--depth", "1", "--twins", folder / "twins"]
    for table in ("ops", "facts", "rules", "scopes", "sometimes"):
        yield [table, "--json"]


def told_by(field, names):
    """The name in the document that stands for the field; or the field itself."""
    wild = field.split(".")[0] + ".*"
    return wild if wild in names else field


def main():
    thp = pathlib.Path(sys.argv[1]).resolve()
    fields = documented()
    seen, wrong = {command: set() for command in fields}, []
    is_broken = False
    with tempfile.TemporaryDirectory() as folder:
        for arguments in commands(pathlib.Path(folder)):
            command, *_ = arguments
            names = fields.get(command, {})
            for printed_object in printed(thp, arguments):
                got = {told_by(field, names) for field in paths(printed_object)}
                # An empty list, or object, of fields that are told one by one.
                got = {f for f in got if not any(n.startswith(f + ".") for n in names)}
                seen.setdefault(command, set()).update(got)
                wrong += [f"{command}: {field} is not told" for field in sorted(got - set(names))]
                always = {name for name, when in names.items() if not when}
                wrong += [f"{command}: {field} is missing" for field in sorted(always - got)]
                is_broken |= command == "shrink" and printed_object["verdict"] == "violation"
    for command, names in fields.items():
        for field, when in names.items():
            if field not in seen[command] and (is_broken or when != BROKEN_RULE):
                wrong.append(f"{command}: {field} is told, and was not printed")
    for line in sorted(set(wrong)):
        print(f"fuzz/JSON.md: {line}")
    if not any(fields.values()) or wrong:
        sys.exit(1)
    print(f"{sum(map(len, fields.values()))} fields of {len(fields)} commands are as they are told"
          f"{', those of a broken rule too' if is_broken else ''}")


main()
