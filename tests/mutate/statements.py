"""The statements of C sources and the changes that can be made to each. libclang says where
statements begin and end; operators and constants are changed token by token, as they are spelled,
so that the arguments of macros are reached too.

A statement is what the C grammar calls one (an expression, return, break, continue; of if, while,
do, for and switch the part up to the body) or a local declaration with a value. Tables at file
scope are data and are left out.
"""
import bisect
import re
from dataclasses import dataclass, field

from clang import cindex
from clang.cindex import CursorKind as Kind, TokenKind, TypeKind

FLIPS = {
    "==": ["!="], "!=": ["=="],
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"],
    "&&": ["||"], "||": ["&&"],
    "+": ["-"], "-": ["+"], "+=": ["-="], "-=": ["+="], "++": ["--"], "--": ["++"],
    "|": ["&"], "&": ["|"], "|=": ["&="], "&=": ["|="], "<<": [">>"], ">>": ["<<"],
    "true": ["false"], "false": ["true"],
}
# These have another meaning as a prefix, where they are left alone.
NEEDS_LEFT_SIDE = {"+", "-", "&"}
INTEGERS = {TypeKind.INT, TypeKind.UINT, TypeKind.LONG, TypeKind.ULONG, TypeKind.LONGLONG,
            TypeKind.ULONGLONG, TypeKind.SHORT, TypeKind.USHORT, TypeKind.CHAR_S, TypeKind.SCHAR,
            TypeKind.UCHAR, TypeKind.ENUM}
NUMBER = re.compile(r"^(0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*$")
CONSTANT = re.compile(r"^[A-Z][A-Z0-9_]+$")


@dataclass
class Change:
    """Bytes [start, end) of the file become `text`."""
    name: str
    start: int
    end: int
    text: str


@dataclass
class Statement:
    file: str  # from the root of the tree
    function: str
    line: int
    text: str  # spaces and line ends made one space
    changes: list = field(default_factory=list)

    def key(self, change):
        return self.file, self.function, self.text, change.name


class Source:
    """One parsed file. `unit` may be of another file that includes it."""

    def __init__(self, root, file, unit):
        self.path = root / file
        self.file = file
        self.bytes = self.path.read_bytes()
        self.unit = unit
        whole = cindex.SourceRange.from_locations(
            cindex.SourceLocation.from_offset(unit, unit.get_file(str(self.path)), 0),
            cindex.SourceLocation.from_offset(unit, unit.get_file(str(self.path)), len(self.bytes)))
        self.tokens = [token for token in unit.get_tokens(extent=whole)
                       if token.kind != TokenKind.COMMENT]
        self.starts = [token.extent.start.offset for token in self.tokens]
        self.statements = []
        for cursor in unit.cursor.get_children():
            if cursor.kind == Kind.FUNCTION_DECL and cursor.is_definition() and \
                    cursor.extent.start.file and cursor.extent.start.file.name == str(self.path):
                self.function(cursor)
        self.number_repeated()

    # -- tokens --

    def index_at(self, offset):
        return bisect.bisect_left(self.starts, offset)

    def spelled(self, index):
        return self.tokens[index].spelling if 0 <= index < len(self.tokens) else ""

    def text(self, start, end):
        return " ".join(self.bytes[start:end].decode().split())

    def end_of_leaf(self, cursor):
        """Behind the semicolon."""
        index = self.index_at(cursor.extent.start.offset)
        depth = 0
        while index < len(self.tokens):
            word = self.spelled(index)
            depth += (word in "({[") - (word in ")}]")
            if word == ";" and depth == 0:
                return self.tokens[index].extent.end.offset
            index += 1
        raise ValueError(f"{self.file}: no end of the statement at {cursor.extent.start.line}")

    def parenthesis(self, offset):
        """(start, end) within the first pair of parentheses from `offset` on."""
        index = self.index_at(offset)
        while self.spelled(index) != "(":
            index += 1
        start, depth = self.tokens[index].extent.end.offset, 0
        while True:
            depth += (self.spelled(index) == "(") - (self.spelled(index) == ")")
            if depth == 0:
                return start, self.tokens[index].extent.start.offset
            index += 1

    def inside(self, start, end):
        return range(self.index_at(start), self.index_at(end))

    # -- statements --

    def function(self, cursor):
        self.name = cursor.spelling
        self.result = cursor.result_type.get_canonical().kind
        for child in cursor.get_children():
            if child.kind == Kind.COMPOUND_STMT:
                self.statement(child)

    def is_spelled(self, cursor, word):
        return self.spelled(self.index_at(cursor.extent.start.offset)) == word

    def statement(self, cursor):
        kind = cursor.kind
        children = list(cursor.get_children())
        if kind == Kind.COMPOUND_STMT:
            for child in children:
                self.statement(child)
        elif kind in (Kind.CASE_STMT, Kind.DEFAULT_STMT, Kind.LABEL_STMT):
            self.statement(children[-1])
        elif kind == Kind.NULL_STMT:
            pass
        elif kind == Kind.IF_STMT and self.is_spelled(cursor, "if"):
            self.conditional(cursor, children[1].extent.start.offset, is_loop=False)
            for child in children[1:]:
                self.statement(child)
        elif kind == Kind.WHILE_STMT and self.is_spelled(cursor, "while"):
            self.conditional(cursor, children[-1].extent.start.offset, is_loop=True)
            self.statement(children[-1])
        elif kind == Kind.DO_STMT and self.is_spelled(cursor, "do"):
            self.statement(children[0])
            self.loop_end(cursor, children[0])
        elif kind == Kind.FOR_STMT and self.body_is_apart(cursor, children):
            self.loop_head(cursor, children[-1].extent.start.offset)
            self.statement(children[-1])
        elif kind == Kind.SWITCH_STMT and self.is_spelled(cursor, "switch"):
            self.add(cursor, cursor.extent.start.offset, children[-1].extent.start.offset, [])
            self.statement(children[-1])
        elif kind == Kind.DECL_STMT:
            self.declaration(cursor, children)
        elif kind == Kind.RETURN_STMT:
            self.returns(cursor, children)
        else:
            end = self.end_of_leaf(cursor)
            start = cursor.extent.start.offset
            self.add(cursor, start, end, [Change("delete", start, end, "(void) 0;")])

    def body_is_apart(self, cursor, children):
        """Else the whole loop comes out of a macro."""
        return bool(children) and children[-1].extent.start.offset > cursor.extent.start.offset

    def add(self, cursor, start, end, changes, among=None):
        statement = Statement(self.file, self.name, cursor.extent.start.line, self.text(start, end))
        statement.changes = changes + self.token_changes(*(among or (start, end)))
        self.statements.append(statement)
        return statement

    def condition_changes(self, start, end, is_loop):
        condition = self.bytes[start:end].decode()
        changes = [Change("negate", start, end, f"!({condition})")]
        if not is_loop:
            changes.append(Change("always", start, end, "1"))
        changes.append(Change("never", start, end, "0"))
        return changes

    def conditional(self, cursor, body, is_loop):
        start, end = self.parenthesis(cursor.extent.start.offset)
        self.add(cursor, cursor.extent.start.offset, body,
                 self.condition_changes(start, end, is_loop), (start, end))

    def loop_end(self, cursor, body):
        start, end = self.parenthesis(body.extent.end.offset)
        self.add(cursor, body.extent.end.offset, self.end_of_leaf_at(end),
                 self.condition_changes(start, end, True), (start, end))

    def end_of_leaf_at(self, offset):
        index = self.index_at(offset)
        while self.spelled(index) != ";":
            index += 1
        return self.tokens[index].extent.end.offset

    def loop_head(self, cursor, body):
        start, end = self.parenthesis(cursor.extent.start.offset)
        changes, parts = [], [start]
        if self.is_spelled(cursor, "for"):
            depth = 0
            for index in self.inside(start, end):
                depth += (self.spelled(index) in "([{") - (self.spelled(index) in ")]}")
                if self.spelled(index) == ";" and depth == 0:
                    parts.append(self.tokens[index].extent.end.offset)
            if len(parts) == 3 and self.text(parts[1], parts[2]) != ";":
                changes = self.condition_changes(parts[1], parts[2] - 1, True)
        self.add(cursor, cursor.extent.start.offset, body, changes, (start, end))

    def declaration(self, cursor, children):
        end = self.end_of_leaf(cursor)
        values = [child for child in children if child.kind == Kind.VAR_DECL]
        index = self.index_at(cursor.extent.start.offset)
        last = self.index_at(end)
        while index < last and self.spelled(index) != "=":
            index += 1
        if index == last or self.spelled(self.index_at(cursor.extent.start.offset)) == "static":
            return
        start = self.tokens[index].extent.end.offset
        changes = []
        if len(values) == 1:
            changes = self.value_changes(start, end - 1, values[0].type)
        changes += self.dropped_members(start, end)
        self.add(cursor, cursor.extent.start.offset, end, changes, (start, end))

    def returns(self, cursor, children):
        start, end = cursor.extent.start.offset, self.end_of_leaf(cursor)
        if not children:
            self.add(cursor, start, end, [Change("delete", start, end, "(void) 0;")])
            return
        value = self.tokens[self.index_at(start)].extent.end.offset
        self.add(cursor, start, end, self.value_changes(value, end - 1, None), (value, end))

    def value_changes(self, start, end, kind):
        """Another value for what stands there."""
        kind = self.result if kind is None else kind.get_canonical().kind
        text = self.text(start, end)
        if text.startswith("{"):
            return []
        if kind == TypeKind.BOOL:
            return [] if text in ("true", "false") else [
                Change("value negated", start, end, f" !({text})")]
        if kind == TypeKind.POINTER:
            return [] if text == "NULL" else [Change("value 0", start, end, " 0")]
        if kind in INTEGERS:
            changes = [] if text == "0" else [Change("value 0", start, end, " 0")]
            return changes + [Change("value + 1", start, end, f" ({text}) + 1")]
        return []

    def dropped_members(self, start, end):
        """{.a = 1, .b = 2} without one of them."""
        changes = []
        for index in self.inside(start, end):
            if not (self.spelled(index) == "." and self.spelled(index - 1) in "{," and
                    self.spelled(index + 2) == "="):
                continue
            depth, at = 0, index
            while depth > 0 or self.spelled(at) not in (",", "}"):
                depth += (self.spelled(at) in "([{") - (self.spelled(at) in ")]}")
                at += 1
            until = self.tokens[at].extent
            changes.append(Change(f"drop .{self.spelled(index + 1)}", self.starts[index],
                                  until.end.offset if self.spelled(at) == ","
                                  else until.start.offset, ""))
        return changes

    # -- operators and constants --

    def token_changes(self, start, end):
        changes = []
        for index in self.inside(start, end):
            token = self.tokens[index]
            begin, finish = token.extent.start.offset, token.extent.end.offset
            for text in self.replacements(index, token):
                name = f"{token.spelling} to {text}" if text else f"drop {token.spelling}"
                changes.append(Change(name, begin, finish, text))
        seen = {}
        for change in changes:
            seen[change.name] = seen.get(change.name, 0) + 1
            if seen[change.name] > 1:
                change.name += f" ({seen[change.name]})"
        return changes

    def replacements(self, index, token):
        word = token.spelling
        before, after = self.spelled(index - 1), self.spelled(index + 1)
        if word in ("!", "~") and token.kind == TokenKind.PUNCTUATION:
            return [""]
        if word in FLIPS:
            has_left_side = before in (")", "]") or \
                self.tokens[index - 1].kind in (TokenKind.IDENTIFIER, TokenKind.LITERAL)
            return FLIPS[word] if has_left_side or word not in NEEDS_LEFT_SIDE else []
        if token.kind == TokenKind.LITERAL and NUMBER.match(word):
            digits = re.sub("[uUlL]+$", "", word)
            is_octal = len(digits) > 1 and digits[0] == "0" and digits.isdigit()
            value = int(digits, 8 if is_octal else 0)
            suffix = re.search("[uUlL]*$", word).group()
            return [f"{value + 1}{suffix}"] + ([f"{value - 1}{suffix}"] if value > 0 else [])
        if token.kind == TokenKind.IDENTIFIER and CONSTANT.match(word) and word != "NULL" and \
                after != "(" and before not in (".", "->", "sizeof", "case"):
            return [f"({word} + 1)", f"({word} - 1)"]
        return []

    def number_repeated(self):
        """Statements that read alike within one function are told apart."""
        seen = {}
        for statement in self.statements:
            key = statement.function, statement.text
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > 1:
                statement.text += f" ({seen[key]})"


def read(root, files, flags):
    """All statements of these files that can be changed. A header is read by way of a source that
    includes it."""
    index = cindex.Index.create()
    sources, headers = [], [file for file in files if file.endswith(".h")]
    for file in files:
        if file.endswith(".h"):
            continue
        unit = index.parse(str(root / file), args=flags)
        errors = [d for d in unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
        if errors:
            raise SystemExit(f"mutate: {errors[0]}")
        sources.append(Source(root, file, unit))
        included = {str(entry.include.name) for entry in unit.get_includes()}
        for header in [header for header in headers if str(root / header) in included]:
            headers.remove(header)
            sources.append(Source(root, header, unit))
    return [statement for source in sources for statement in source.statements
            if statement.changes]
