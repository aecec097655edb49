#!/usr/bin/python3
# Writes C++ files with every small mistake built in, each behind a switch.
"""Usage: switches.py ROOT OUT FILE... writes OUT/FILE for each ROOT/FILE, and to standard output a
line for each mistake: number, file, line, function, what, of which text; tabs between them.

In functions, and in the tests of rules: a statement is left out; a condition, or an operand of &&
and ||, is what it would be without it; a comparison includes its bound or not; of two operands of
+ - | & one is left out. SWITCH(n) is true for the mistake that is made: ci/sweep says how.
Assertions, stamps and constants stay as they are.
"""
import os
import sys

from clang.cindex import CursorKind as Kind, Index, TypeKind

OPTIONS = ["-x", "c++", "-std=c++23"]
INTEGERS = {TypeKind.BOOL, TypeKind.UCHAR, TypeKind.SCHAR, TypeKind.SHORT, TypeKind.USHORT,
            TypeKind.INT, TypeKind.UINT, TypeKind.LONG, TypeKind.ULONG}
FUNCTIONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "+": "add", "-": "sub",
             "|": "either", "&": "both"}
LEFT_ALONE = ("vm_bug_on", "m.stamps.", "count_vm_event")


class Switches:
    """One file: what is to be inserted where, and the log of it."""

    def __init__(self, name, source, first):
        self.name, self.source, self.number = name, source, first
        self.before, self.after, self.instead = {}, {}, {}
        self.function, self.done, self.lines = "", set(), []

    def text(self, cursor):
        start, end = cursor.extent.start.offset, cursor.extent.end.offset
        return self.source[start:end].decode()

    def new(self, cursor, what):
        self.number += 1
        text = " ".join(self.text(cursor).split())
        self.lines.append(f"{self.number}\t{self.name}\t{cursor.extent.start.line}\t"
                          f"{self.function}\t{what}\t{text}")
        return self.number

    def wrap(self, cursor, before, after=""):
        """Outer ones first: the longer of two that begin, or end, at one place."""
        start, end = cursor.extent.start.offset, cursor.extent.end.offset
        self.before.setdefault(start, []).append((start - end, before))
        self.after.setdefault(end, []).append((end - start, after))

    def once(self, cursor, what):
        key = (what, cursor.extent.start.offset, cursor.extent.end.offset)
        fresh = key not in self.done and not self.text(cursor).startswith(LEFT_ALONE)
        self.done.add(key)
        return fresh

    def condition(self, cursor, values=("true", "false")):
        if self.text(cursor) in ("true", "false") or not self.once(cursor, "condition"):
            return
        chain = "".join(f"SWITCH({self.new(cursor, v)}) ? {v} : " for v in values)
        self.wrap(cursor, f"({chain}bool(", "))")

    def statement(self, cursor):
        whole = cursor.kind in (Kind.BREAK_STMT, Kind.CONTINUE_STMT) or cursor.kind.is_expression()
        returns = cursor.kind == Kind.RETURN_STMT and not list(cursor.get_children())
        if (whole or returns) and self.once(cursor, "statement"):
            self.wrap(cursor, f"if (SWITCH({self.new(cursor, 'left out')})) {{}} else ")

    def operator(self, cursor):
        """`a < b`, `a + b` and so on become calls, so that the operator itself has a switch."""
        left, right = cursor.get_children()
        between = [t for t in cursor.get_tokens() if left.extent.end.offset
                   <= t.extent.start.offset < right.extent.start.offset and t.spelling not in "()"]
        sign = between[0].spelling if between else ""
        if sign in ("&&", "||"):
            for operand in (left, right):
                self.condition(operand, ("true",) if sign == "&&" else ("false",))
        kinds = {c.type.get_canonical().kind for c in (cursor, left, right)}
        integers = kinds <= INTEGERS | {TypeKind.ENUM}
        if sign not in FUNCTIONS or not integers or not self.once(cursor, "operator"):
            return
        number = self.new(cursor, "with its bound, or without" if sign[0] in "<>" else "left only")
        if sign in "|&":
            self.new(cursor, "right only")
        self.wrap(cursor, f"{FUNCTIONS[sign]}_({number}, ", ")")
        token = between[0].extent
        self.instead[token.start.offset] = token.end.offset

    def visit(self, cursor):
        children = list(cursor.get_children())
        if cursor.kind in (Kind.CXX_METHOD, Kind.FUNCTION_DECL, Kind.CONSTRUCTOR):
            text = self.text(cursor)
            constant = "constexpr" in text.split("(")[0] or "= default" in text
            if constant or not cursor.is_definition():
                return
            self.function = cursor.spelling
        elif cursor.kind in (Kind.FUNCTION_TEMPLATE, Kind.STATIC_ASSERT) or (
                cursor.kind in (Kind.VAR_DECL, Kind.DECL_STMT)
                and self.text(cursor).startswith("constexpr")):
            return
        elif cursor.kind == Kind.INIT_LIST_EXPR and children and \
                children[0].kind == Kind.STRING_LITERAL:
            self.function = children[0].spelling.strip('"')  # a rule: its lambdas are functions
        if self.function:
            self.mutate(cursor, children)
        for child in children:
            self.visit(child)

    def mutate(self, cursor, children):
        kind = cursor.kind
        if kind == Kind.COMPOUND_STMT:
            for child in children:
                self.statement(child)
        elif kind == Kind.IF_STMT and children[0].kind.is_expression():
            if not self.text(cursor).startswith("if constexpr"):
                self.condition(children[0])
        elif kind == Kind.WHILE_STMT:
            self.condition(children[0], ("false",))
        elif kind == Kind.CONDITIONAL_OPERATOR:
            self.condition(children[0])
        elif kind == Kind.RETURN_STMT and children:
            if children[0].type.get_canonical().kind == TypeKind.BOOL:
                self.condition(children[0])
        elif kind == Kind.BINARY_OPERATOR:
            self.operator(cursor)
        if kind in (Kind.IF_STMT, Kind.FOR_STMT, Kind.CXX_FOR_RANGE_STMT, Kind.WHILE_STMT):
            for child in children[1:]:
                if not child.kind.is_expression() or child.extent.start.offset > \
                        children[0].extent.end.offset and child == children[-1]:
                    self.statement(child)
        if kind in (Kind.CASE_STMT, Kind.DEFAULT_STMT):
            self.statement(children[-1])

    def written(self):
        parts, position = [], 0
        for place in sorted(set(self.before) | set(self.after) | set(self.instead)):
            parts.append(self.source[position:place].decode())
            position = self.instead.get(place, place)
            parts += [text for _, text in sorted(self.after.get(place, []), key=lambda x: x[0])]
            parts += [text for _, text in sorted(self.before.get(place, []), key=lambda x: x[0])]
            parts += "," if place in self.instead else ""
        return "".join(parts) + self.source[position:].decode()


def is_table(cursor):
    """Of rules: rows of names, sentences, sources and lambdas."""
    return cursor.kind == Kind.VAR_DECL and "Rule" in cursor.type.spelling


def main(root, out, *names):
    number = 0
    for name in names:
        path = os.path.join(root, name)
        with open(path, "rb") as file:
            switches = Switches(name, file.read(), number)
        unit = Index.create().parse(path, args=OPTIONS + ["-I" + root])
        for cursor in unit.cursor.get_children():
            if cursor.location.file and cursor.location.file.name == path:
                for child in cursor.walk_preorder() if cursor.kind == Kind.NAMESPACE else [cursor]:
                    functions = (Kind.FUNCTION_DECL, Kind.CXX_METHOD, Kind.CONSTRUCTOR)
                    if child.kind in functions or is_table(child):
                        switches.function = ""
                        switches.visit(child)
        os.makedirs(os.path.dirname(os.path.join(out, name)), exist_ok=True)
        with open(os.path.join(out, name), "w", encoding="ascii") as file:
            file.write(switches.written())
        print(*switches.lines, sep="\n")
        number = switches.number


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
