#!/usr/bin/python3
# What ci/mutants/*.edits say: which mutants there are, what each changes, and whether it still can.
"""Usage:
  edit.py check [NAME...]    do these, or all, fit? FILE:LINE: message, and exit status 1 where not
  edit.py list [FIELD...]    a line for each mutant: its name and these fields, tabs between
  edit.py header NAME FIELD  one field
  edit.py apply NAME TREE    makes the mistake in another tree, which holds none
A field is one of the header's, or
  of        the file of edits that it stands in, without .edits
  sentence  what the mistake is
  key       what changes with its edits, and with nothing else
  places    where its edits are, now: FILE:LINE, blanks between
and - where it has none. ci/README.md says how edits are written. Exit status 2: there is no such
name, it does not fit there, or a file of edits cannot be read.
"""
import dataclasses
import glob
import hashlib
import os
import re
import sys

sys.dont_write_bytecode = True
from source import Tree, words

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIELD = re.compile(r"([a-z][a-z-]*): *(.*)")


class Misfit(Exception):
    """What is wrong with an edit, or with how it is written."""


@dataclasses.dataclass
class Edit:
    """What to find, within the definition of what, and what to put there."""
    line: int
    file: str
    within: str = ""
    lines: list = dataclasses.field(default_factory=list)

    def text(self, signs):
        return "\n".join(line[1:] for line in self.lines if line[0] in signs)

    def find(self, tree):
        """The range of tokens that it replaces."""
        old, new = words(self.text(" -")), words(self.text(" +"))
        if not old or old == new:
            raise Misfit("an edit finds something, and puts something else there")
        if "//" in self.text(" +"):
            raise Misfit("no comments: nobody looks for them, and they would hide what follows")
        try:
            source = tree.source(self.file)
        except OSError as error:
            raise Misfit(f"{self.file}: {error.strerror}") from error
        found = source.find(old, self.within)
        if len(found) == 1:
            return found[0], found[0] + len(old)
        where = f"{self.within} of {self.file}" if self.within else self.file
        if self.within and self.within not in source.definitions:
            where = f"{where}, which is not there"
        places = [(self.file, i) for i in found] or tree.places(old)
        places = [f"{path}:{tree.source(path).line(i)}" for path, i in places]
        raise Misfit(f"found {len(found)} times in {where}"
                     + (f"; stands at {' '.join(places)}" if 0 < len(places) < 5 else ""))

    def place(self, tree):
        try:
            return f"{self.file}:{tree.source(self.file).line(self.find(tree)[0])}"
        except Misfit:
            return "-"


@dataclasses.dataclass
class Mutant:
    """A section of a file of edits: one mistake."""
    name: str
    path: str
    line: int
    said: list = dataclasses.field(default_factory=list)
    fields: dict = dataclasses.field(default_factory=dict)
    edits: list = dataclasses.field(default_factory=list)

    def field(self, name, tree):
        if name == "of":
            return os.path.basename(self.path).removesuffix(".edits")
        if name == "sentence":
            return " ".join(self.said)
        if name == "key":
            text = repr([(edit.file, edit.within, edit.lines) for edit in self.edits])
            return hashlib.sha256(text.encode()).hexdigest()[:16]
        if name == "places":
            return " ".join(edit.place(tree) for edit in self.edits)
        return self.fields.get(name, "-")

    def mutated(self, tree):
        """Of each file that it changes: what is in it then."""
        texts = {}
        for file in sorted({edit.file for edit in self.edits}):
            edits = [(*edit.find(tree), edit.text(" +").lstrip()) for edit in self.edits
                     if edit.file == file]
            source = tree.source(file)
            text, behind = source.text, len(source.words)
            for start, end, put in sorted(edits, reverse=True):
                if end > behind:
                    raise Misfit(f"two of its edits change the same of {file}")
                text = text[:source.tokens[start][1]] + put + text[source.tokens[end - 1][2]:]
                behind = start
            texts[file] = text
        return texts

    def complaints(self, tree):
        """(line, message) each."""
        if not self.said or not self.said[-1].endswith("."):
            yield self.line, "a mutant begins with a sentence"
        needed = ["kernel"] + ["killed-by"] * (self.fields.get("equivalent") != "yes")
        yield from ((self.line, f"no {field}:") for field in needed if not self.fields.get(field))
        if not self.edits:
            yield self.line, "a mutant changes something"
        line = self.line
        try:
            for edit in self.edits:
                line = edit.line
                edit.find(tree)
            self.mutated(tree)
        except Misfit as misfit:
            yield line, misfit


class Reader:
    """Of one file of edits."""

    def __init__(self, path):
        self.path = path
        self.file = ""
        self.mutants = []
        self.edit = None  # the one that the next line belongs to

    def read(self):
        with open(os.path.join(ROOT, self.path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    self.take(number, line.rstrip())
                except Misfit as misfit:
                    fail(f"{self.path}:{number}: {misfit}")
        return self.mutants

    def take(self, number, line):
        section, field = re.fullmatch(r"\[([a-z0-9_]+)\]", line), FIELD.fullmatch(line)
        if not line or line.startswith("#"):
            return
        if section:
            self.mutants.append(Mutant(section[1], self.path, number))
            self.edit = None
        elif field and field[1] == "file" and not self.mutants:
            self.file = field[2]
        elif not self.mutants or not self.file:
            raise Misfit("a file of edits begins with file: and then the [name] of a mutant")
        else:
            self.take_of_mutant(number, line, field)

    def take_of_mutant(self, number, line, field):
        mutant = self.mutants[-1]
        begins = field and field[1] in ("in", "file")
        if begins or not self.edit and line[0] in " -+":
            if not self.edit or self.edit.lines:
                self.edit = Edit(number, self.file)
                mutant.edits.append(self.edit)
        if begins:
            setattr(self.edit, "within" if field[1] == "in" else "file", field[2])
        elif line[0] in " -+":
            self.edit.lines.append(line)
        elif self.edit:
            raise Misfit("of what is found a line begins with - or a blank, of what is put with +")
        elif field:
            mutant.fields[field[1]] = field[2]
        else:
            mutant.said.append(line)


def mutants():
    return [mutant for path in sorted(glob.glob("ci/mutants/*.edits", root_dir=ROOT))
            for mutant in Reader(path).read()]


def named(name):
    return next((m for m in mutants() if m.name == name), None) or fail(f"there is no {name}")


def fail(message):
    print(f"edit.py: {message}", file=sys.stderr)
    sys.exit(2)


def check(tree, names):
    everything, complaints = mutants(), []
    taken = {mutant.field("of", tree) for mutant in everything}
    for mutant in everything:
        if mutant.name in taken:
            complaints.append((mutant, mutant.line, "a mutant, or file of edits, has this name"))
        taken.add(mutant.name)
        if not names or mutant.name in names:
            complaints += ((mutant, *complaint) for complaint in mutant.complaints(tree))
    for mutant, line, message in complaints:
        print(f"{mutant.path}:{line}: {mutant.name}: {message}")
    return len(complaints) > 0


def apply(name, root):
    try:
        for file, text in named(name).mutated(Tree(root)).items():
            with open(os.path.join(root, file), "w", encoding="utf-8") as out:
                out.write(text)
    except Misfit as misfit:
        fail(f"{name}: {misfit}")


def main(command, *args):
    tree = Tree(ROOT)
    if command == "check":
        return check(tree, args)
    if command == "list":
        for mutant in mutants():
            print(mutant.name, *(mutant.field(field, tree) for field in args), sep="\t")
    elif command == "header" and len(args) == 2:
        print(named(args[0]).field(args[1], tree))
    elif command == "apply" and len(args) == 2:
        apply(*args)
    else:
        fail(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or [""])))
