r"""Files of ``NAME=value`` lines, in the grammar of python-dotenv.

``export NAME=value``, names in single quotes, values bare (up to a comment after a space), in single quotes (``\\`` and
``\'`` are escapes) or in double quotes (``\n``, ``\t`` and their like too, and line breaks as they are). ``${NAME}`` and
``${NAME:-default}`` stand for values further up in the file. What python-dotenv skips with a warning is an error here: a secret
that is silently left out is worse than a file that must be mended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from strongroom.logical.secret import Secret

_BLANK = re.compile(r"\s*")
_SPACES = re.compile(r"[^\S\r\n]*")
_COMMENT = re.compile(r"#[^\r\n]*")
_EXPORT = re.compile(r"export[^\S\r\n]+")
_QUOTED_NAME = re.compile(r"'([^']+)'")
_NAME = re.compile(r"[^=#\s]+")
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\r\n]*")
_TRAILING_COMMENT = re.compile(r"\s+#.*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")
_DOUBLE_ESCAPES = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_SINGLE_ESCAPES = {"\\": "\\", "'": "'"}


class BadLine(Exception):
    """A line that is none of the grammar. The error names it by its number and never shows it."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line


class Entry(NamedTuple):
    """One variable of a file: on which line it starts, its name and its value."""

    line: int
    name: str
    value: Secret[str]


def parse(text: str) -> list[Entry]:
    """The variables of ``text``, in its order; of a name that stands twice, the last. Raises BadLine."""
    found: dict[str, Entry] = {}
    values: dict[str, str] = {}
    for line, name, raw in _bindings(text):
        if raw is None:
            # A name alone takes its value back.
            found.pop(name, None)
            values.pop(name, None)
            continue
        value = _VARIABLE.sub(lambda match, line=line: _substitute(match, values, line), raw)  # type: ignore[misc]  # bound now
        values[name] = value
        found[name] = Entry(line, name, Secret(value))
    return list(found.values())


def _bindings(text: str) -> Iterator[tuple[int, str, str | None]]:
    text = text.removeprefix("\ufeff")
    at = _skip(_BLANK, text, 0)
    while at < len(text):
        line = len(_LINE_BREAK.findall(text, 0, at)) + 1
        exported = _EXPORT.match(text, at)
        at = exported.end() if exported else at
        name, value, at = _binding(text, at, line)
        if name is not None:
            yield line, name, value
        at = _end_of_line(text, at, line)
        at = _skip(_BLANK, text, at)


def _binding(text: str, at: int, line: int) -> tuple[str | None, str | None, int]:
    if text[at : at + 1] == "#":
        return None, None, at
    quoted = _QUOTED_NAME.match(text, at) if text[at : at + 1] == "'" else None
    bare = None if text[at : at + 1] == "'" else _NAME.match(text, at)
    found = quoted or bare
    if found is None:
        raise BadLine(line, "there is no name before the =")
    name = found[1] if quoted else found[0]
    at = _skip(_SPACES, text, found.end())
    if text[at : at + 1] != "=":
        return name, None, at
    after = _skip(_SPACES, text, at + 1)
    if after > at + 1 and text[after : after + 1] == "#":
        return name, "", after
    value, at = _value(text, after, line)
    return name, value, at


def _value(text: str, at: int, line: int) -> tuple[str, int]:
    quote = text[at : at + 1]
    if quote in {"'", '"'}:
        found = (_SINGLE if quote == "'" else _DOUBLE).match(text, at)
        if found is None:
            raise BadLine(line, f"the value starts with {quote} and has no other {quote} at its end")
        escapes = _SINGLE_ESCAPES if quote == "'" else _DOUBLE_ESCAPES
        return _ESCAPE.sub(lambda match: escapes.get(match[1], match[0]), found[1]), found.end()
    end = _skip(_BARE, text, at)
    return _TRAILING_COMMENT.sub("", text[at:end]).rstrip(), end


def _end_of_line(text: str, at: int, line: int) -> int:
    at = _skip(_SPACES, text, at)
    comment = _COMMENT.match(text, at)
    at = comment.end() if comment else at
    if at < len(text) and text[at] not in "\r\n":
        raise BadLine(line, "something follows the name or the value; put the value in quotes")
    return at


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _substitute(match: re.Match[str], values: Mapping[str, str], line: int) -> str:
    name, default = match[1], match[2]
    if name in values:
        return values[name]
    if default is None:
        raise BadLine(line, "${…} names a variable that does not stand further up in the file; write its value instead")
    return default
