# C++ as tokens, and which of them define what: so edit.py finds a place again when all around it
# has changed.
import bisect
import functools
import glob
import os
import re

SOURCES = "model/**/*.cc", "model/**/*.h"
TOKEN = re.compile(r"""
    //[^\n]* | /\*.*?\*/
    | [A-Za-z_]\w* | \d[\w.']*
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    | :: | -> | \+\+ | -- | && | \|\| | << | <= | [-+*/%&|^!=]=
    | \S""", re.VERBOSE | re.DOTALL)


def tokens(text):
    """(word, start, end) of each; comments, like white space, only keep others apart."""
    return [(m[0], *m.span()) for m in TOKEN.finditer(text) if not m[0].startswith(("//", "/*"))]


def words(text):
    return [word for word, _, _ in tokens(text)]


def name_of(definition):
    """What stands before the first parenthesis, brace, colon or sign of equality."""
    end = next(i for i, word in enumerate(definition) if word in "({:=;")
    start = max(end - 1, 0)
    while start >= 2 and definition[start - 1] == "::":
        start -= 2
    return "".join(definition[start:end])


class Source:
    """A file."""

    def __init__(self, text):
        self.text = text
        self.tokens = tokens(text)
        self.words = [word for word, _, _ in self.tokens]
        self.newlines = [m.start() for m in re.finditer("\n", text)]

    def line(self, i):
        return bisect.bisect(self.newlines, self.tokens[i][1]) + 1

    def behind_line(self, i):
        line = self.line(i)
        while i < len(self.tokens) and self.line(i) == line:
            i += 1
        return i

    @functools.cached_property
    def definitions(self):
        """For each name the ranges of tokens that define it: a function, a type, a constant."""
        found, start, depth, i = {}, 0, 0, 0
        while i < len(self.words):
            word = self.words[i]
            if depth == 0 and word == "#":
                i = start = self.behind_line(i)
            elif depth == 0 and (word == "}" or word == "{" and "namespace" in self.words[start:i]):
                i = start = i + 1
            else:
                depth += (word in "({") - (word in ")}")
                i += 1
                if depth == 0 and (word == ";" or word == "}" and self.words[i:i + 1] != [";"]):
                    found.setdefault(name_of(self.words[start:i]), []).append((start, i))
                    start = i
        return found

    def defined_at(self, i):
        return next((name for name, ranges in self.definitions.items()
                     if any(start <= i < end for start, end in ranges)), "")

    def find(self, wanted, name=""):
        """Where these words stand in the definition of `name`, or anywhere if it is empty."""
        ranges = self.definitions.get(name, []) if name else [(0, len(self.words))]
        return [i for start, end in ranges for i in range(start, end - len(wanted) + 1)
                if self.words[i] == wanted[0] and self.words[i:i + len(wanted)] == wanted]


class Tree:
    """The sources of the model below a directory, each read once."""

    def __init__(self, root):
        self.root = root

    @functools.cache
    def source(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            return Source(file.read())

    def files(self):
        return sorted(path for pattern in SOURCES
                      for path in glob.glob(pattern, root_dir=self.root, recursive=True))

    def places(self, wanted):
        """(file, token) of each."""
        return [(path, i) for path in self.files() for i in self.source(path).find(wanted)]
