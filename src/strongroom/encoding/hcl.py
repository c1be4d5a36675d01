"""The HCL that policies and the server's configuration are written in, and its JSON form, read with positions.

What is read: attributes, blocks with labels, quoted strings, heredocs, whole and decimal numbers, booleans, lists, objects and
the three kinds of comment. A text that begins with ``{`` is the JSON form of the same thing. There are no expressions, no
functions and no interpolation: ``${`` is text like any other.

Every key and every element keeps its line and column, so that whoever gives the words their meaning can point at a wrong one.
The work is linear in the text, which is bounded in length and in nesting. Texts of errors say what was expected and never
quote the input.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

TEXT_CHARACTERS_MAX = 1 << 20
DEPTH_MAX = 32
NUMBER_CHARACTERS_MAX = 64

# One piece at a time: a possessive group around alternatives steps too far where one fails half-way, up to Python 3.11.4.
_SPACE_OR_COMMENT = re.compile(r"[ \t\r\n]++|#[^\n]*+|//[^\n]*+|/\*(?s:.*?)\*/")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][+-]?[0-9]{1,4})?(?![A-Za-z0-9_.])")
_OCTAL = re.compile(r"0[0-7]++(?![A-Za-z0-9_.])")
_PLAIN = re.compile(r'[^"\\\x00-\x1f\x7f]*+')
_HEREDOC = re.compile(r"<<(-?)([A-Za-z_][A-Za-z0-9_]*+)[ \t\r]*+\n")
_HEX4 = re.compile(r"[0-9A-Fa-f]{4}")
_HEX8 = re.compile(r"[0-9A-Fa-f]{8}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CONSTANTS = {"true": True, "false": False, "null": None}


class HclError(ValueError):
    """The text is not what we read. ``line`` and ``column`` count from 1; ``message`` says what was expected there."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line = line
        self.column = column
        self.message = message


class Table(dict[str, Any]):
    """An object: a plain dict that also knows where each of its keys stands, as (line, column)."""

    def __init__(self) -> None:
        super().__init__()
        self.positions: dict[str, tuple[int, int]] = {}


class Items(list[Any]):
    """A list that also knows where each of its elements stands, as (line, column)."""

    def __init__(self) -> None:
        super().__init__()
        self.positions: list[tuple[int, int]] = []


@dataclass(frozen=True, slots=True)
class Attribute:
    """``name = value``. ``line`` and ``column`` are those of the name.

    ``value`` is a str, bool, int, Decimal, None (JSON's null only), :class:`Items` or :class:`Table`.
    """

    name: str
    value: Any
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Block:
    """``type "label" { ... }``. ``line`` and ``column`` are those of the type; in the JSON form those of the innermost key."""

    type: str
    labels: tuple[str, ...]
    body: Body
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Body:
    """What stands at the top of a text, or between the braces of a block. No two attributes have the same name."""

    attributes: list[Attribute] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def sections(self, block_type: str, label_count: int) -> list[Block]:
        """The blocks of one type with exactly ``label_count`` labels, whichever way they were written.

        Besides ``type "label" { ... }`` these are ``type = { label = { ... } }`` and lists of either, which is how the JSON
        form says it. Raises HclError where something of this name has another shape.
        """
        found = [block for block in self.blocks if block.type == block_type]
        for block in found:
            if len(block.labels) != label_count:
                raise HclError(block.line, block.column, _labels_expected(block_type, label_count))
        for attribute in self.attributes:
            if attribute.name == block_type:
                position = (attribute.line, attribute.column)
                found.extend(_unfold(block_type, (), attribute.value, position, label_count))
        return found

    def table(self) -> Table:
        """The attributes as an object, for a block that was written where an object is meant. Raises HclError on blocks."""
        for block in self.blocks:
            raise HclError(block.line, block.column, "expected key = value here, not a block")
        table = Table()
        for attribute in self.attributes:
            table[attribute.name] = attribute.value
            table.positions[attribute.name] = (attribute.line, attribute.column)
        return table


def parse(text: str, *, octal: bool = False) -> Body:
    """The content of ``text``, in HCL or in its JSON form. Raises HclError and nothing else.

    With ``octal`` a number with a 0 in front is octal, as Vault reads it; without, it is refused.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise HclError(1, 1, f"the text is longer than {TEXT_CHARACTERS_MAX} characters")
    reader = _Reader(text.removeprefix("\ufeff"), octal=octal)
    reader.refuse_surrogates()
    if reader.next_is("{"):
        body = body_of(reader.table(1))
        if not reader.next_is(""):
            raise reader.error("expected the end of the text after the closing '}'")
        return body
    return reader.body("", 0)


def body_of(table: Table) -> Body:
    """The members of an object as the attributes of a body."""
    return Body([Attribute(name, value, *table.positions[name]) for name, value in table.items()])


def _unfold(
    block_type: str, labels: tuple[str, ...], value: Any, position: tuple[int, int], missing: int
) -> Iterator[Block]:
    if isinstance(value, Items):
        for element, at in zip(value, value.positions, strict=True):
            if isinstance(element, Items):
                raise HclError(*at, "expected an object here, not a list in a list")
            yield from _unfold(block_type, labels, element, at, missing)
    elif not isinstance(value, Table):
        raise HclError(*position, _labels_expected(block_type, missing + len(labels)))
    elif missing == 0:
        yield Block(block_type, labels, body_of(value), *position)
    else:
        for name, member in value.items():
            yield from _unfold(block_type, (*labels, name), member, value.positions[name], missing - 1)


def _labels_expected(block_type: str, count: int) -> str:
    shape = " ".join([block_type, *['"..."'] * count, "{ ... }"])
    return f"expected {shape}"


class _Reader:
    """A cursor over the text. Each method reads one thing from where it stands and leaves the cursor behind it."""

    def __init__(self, text: str, *, octal: bool) -> None:
        self._text = text
        self._octal = octal
        self._at = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, at: int | None = None) -> tuple[int, int]:
        """Line and column of the cursor, or of ``at``."""
        at = self._at if at is None else at
        line = bisect_right(self._line_starts, at)
        return line, at - self._line_starts[line - 1] + 1

    def error(self, message: str, at: int | None = None) -> HclError:
        """What is wrong at the cursor, or at ``at``."""
        return HclError(*self.position(at), message)

    def refuse_surrogates(self) -> None:
        """Fail if the text holds what no UTF-8 can hold: it could be read but never written."""
        match = None if self._text.isascii() else _SURROGATE.search(self._text)
        if match:
            raise self.error("half of a surrogate pair stands here; expected Unicode text", match.start())

    def next_is(self, character: str) -> bool:
        """Skip space and comments; whether ``character`` follows. The empty one is the end of the text."""
        while piece := _SPACE_OR_COMMENT.match(self._text, self._at):
            self._at = piece.end()
        if self._text.startswith("/*", self._at):
            raise self.error("this comment is never closed; expected '*/'")
        return self._text[self._at : self._at + 1] == character

    def take(self, character: str) -> bool:
        """Step over ``character`` if it is what follows."""
        if self.next_is(character):
            self._at += 1
            return True
        return False

    def body(self, closing: str, depth: int) -> Body:
        """Attributes and blocks up to ``closing``, which is consumed."""
        self._check_depth(depth)
        body = Body()
        names: set[str] = set()
        while not self.next_is(closing):
            at = self._at
            line, column = self.position()
            name = self._key(f"expected a key or {_called(closing)}")
            labels = self._labels()
            if self.take("{"):
                body.blocks.append(Block(name, labels, self.body("}", depth + 1), line, column))
            elif labels:
                raise self.error("expected '{' after the block's labels")
            elif self.take("="):
                if name in names:
                    raise self.error("this key stands twice here; keep one of them", at)
                names.add(name)
                body.attributes.append(Attribute(name, self._value(depth + 1), line, column))
            else:
                raise self.error("expected '=' and a value, or '{' and a block")
            self.take(",")
        self._at += len(closing)
        return body

    def table(self, depth: int) -> Table:
        """An object, from its ``{`` on."""
        self._check_depth(depth)
        self._at += 1
        table = Table()
        while not self.take("}"):
            at = self._at
            name = self._key("expected a key or '}'")
            if name in table:
                raise self.error("this key stands twice here; keep one of them", at)
            if not self.take("=") and not self.take(":"):
                raise self.error("expected '=' or ':' after the key")
            table[name] = self._value(depth + 1)
            table.positions[name] = self.position(at)
            self.take(",")
        return table

    def _items(self, depth: int) -> Items:
        self._check_depth(depth)
        self._at += 1
        items = Items()
        while not self.take("]"):
            if items and not self._text.startswith(",", self._at):
                raise self.error("expected ',' or ']' after the list's element")
            if items:
                self._at += 1
                if self.take("]"):
                    break
            items.positions.append(self.position())
            items.append(self._value(depth + 1))
        return items

    def _check_depth(self, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise self.error(f"nested deeper than {DEPTH_MAX} levels")

    def _key(self, expected: str) -> str:
        if self.next_is('"'):
            return self._string()
        match = _NAME.match(self._text, self._at)
        if match is None:
            raise self.error(expected)
        self._at = match.end()
        return match.group()

    def _labels(self) -> tuple[str, ...]:
        labels: list[str] = []
        while self.next_is('"') or _NAME.match(self._text, self._at):
            labels.append(self._key(""))
        return tuple(labels)

    def _value(self, depth: int) -> Any:
        self.next_is("")
        first = self._text[self._at : self._at + 1]
        if first == '"':
            return self._string()
        if first == "[":
            return self._items(depth)
        if first == "{":
            return self.table(depth)
        if first == "<":
            return self._heredoc()
        word = _NAME.match(self._text, self._at)
        if word is None:
            return self._number()
        if word.group() not in _CONSTANTS:
            raise self.error("expected a value: put quotes around text")
        self._at = word.end()
        return _CONSTANTS[word.group()]

    def _number(self) -> int | Decimal:
        if self._octal and (number := _OCTAL.match(self._text, self._at)):
            self._at = number.end()
            return int(number.group()[:NUMBER_CHARACTERS_MAX], 8)
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            raise self.error("expected a value: a quoted text, a number, true, false, a list or an object")
        if len(match.group()) > NUMBER_CHARACTERS_MAX:
            raise self.error(f"expected a number of at most {NUMBER_CHARACTERS_MAX} characters")
        self._at = match.end()
        fraction, exponent = match.groups()
        return Decimal(match.group()) if fraction or exponent else int(match.group())

    def _string(self) -> str:
        start = self._at
        self._at += 1
        pieces: list[str] = []
        while True:
            match = _PLAIN.match(self._text, self._at)
            if match:
                pieces.append(match.group())
                self._at = match.end()
            following = self._text[self._at : self._at + 1]
            if following == '"':
                self._at += 1
                return "".join(pieces)
            if following != "\\":
                raise self._error_in_string(following, start)
            pieces.append(self._escape())

    def _error_in_string(self, following: str, start: int) -> HclError:
        if following in {"", "\n", "\r"}:
            return self.error("this text is never closed; expected '\"' on the same line", start)
        return self.error("a control character stands in the text; write it as an escape like \\n or \\u0009")

    def _escape(self) -> str:
        start = self._at
        letter = self._text[start + 1 : start + 2]
        self._at += 2
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter == "u":
            return self._utf16(start)
        if letter == "U":
            point = self._hexadecimal(_HEX8, start)
            if point <= 0x10FFFF:
                return chr(point)
        raise self.error('expected one of the escapes \\" \\\\ \\/ \\n \\t \\r \\b \\f \\uXXXX \\UXXXXXXXX', start)

    def _utf16(self, start: int) -> str:
        point = self._hexadecimal(_HEX4, start)
        if 0xD800 <= point < 0xDC00 and self._text.startswith("\\u", self._at):
            self._at += 2
            low = self._hexadecimal(_HEX4, start)
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((point - 0xD800) << 10) + low - 0xDC00)
        if 0xD800 <= point < 0xE000:
            raise self.error("half of a surrogate pair stands here; expected Unicode text", start)
        return chr(point)

    def _hexadecimal(self, digits: re.Pattern[str], start: int) -> int:
        match = digits.match(self._text, self._at)
        if match is None:
            raise self.error("expected four hexadecimal digits after \\u, or eight after \\U", start)
        self._at = match.end()
        return int(match.group(), 16)

    def _heredoc(self) -> str:
        start = self._at
        match = _HEREDOC.match(self._text, start)
        if match is None:
            raise self.error("expected << and a word at the end of the line, as in <<EOT")
        indented, word = match.groups()
        lines: list[str] = []
        at = match.end()
        while at < len(self._text):
            end = self._text.find("\n", at)
            line = self._text[at : end if end >= 0 else len(self._text)].removesuffix("\r")
            if line.strip(" \t") == word:
                self._at = at + len(line)
                return "".join(f"{each}\n" for each in (_outdented(lines) if indented else lines))
            lines.append(line)
            at = end + 1 if end >= 0 else len(self._text)
        raise self.error("this heredoc is never closed; expected its word alone on a line", start)


def _called(closing: str) -> str:
    return f"'{closing}'" if closing else "the end of the text"


def _outdented(lines: list[str]) -> list[str]:
    margins = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip(" \t")]
    margin = min(margins, default=0)
    return [line[margin:] for line in lines]
