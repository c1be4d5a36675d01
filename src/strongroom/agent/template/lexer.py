"""Splits a template into texts and actions, and each action into tokens. Linear in the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from strongroom.agent.template.errors import BadTemplate

TOKENS_MAX = 50_000

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]++)
    |(?P<string>"(?:[^"\\\n]|\\.)*+")
    |(?P<raw>`[^`]*+`)
    |(?P<variable>\$[A-Za-z0-9_]*+(?:\.[A-Za-z_][A-Za-z0-9_]*+)*+)
    |(?P<field>(?:\.[A-Za-z_][A-Za-z0-9_]*+)++|\.(?![0-9A-Za-z_]))
    |(?P<number>[+-]?[0-9][0-9A-Za-z_.]*+)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*+)
    |(?P<sign>:=|=|\||,|\(|\))""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"[ \t\r\n]*+/\*")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}\.[0-9]{1,15}")
_ESCAPES = {"a": "\a", "v": "\v", "'": "'"}


class Token(NamedTuple):
    """One word of an action: its kind (``string number variable field word sign end``), its text or value, its line.

    ``glued`` tells that no space stands before it.
    """

    kind: str
    value: Any
    line: int
    glued: bool


class Piece(NamedTuple):
    """A text (``tokens`` is None) or an action of a template."""

    line: int
    text: str
    tokens: tuple[Token, ...] | None


def pieces(source: str, left: str, right: str) -> Iterator[Piece]:
    """The texts and actions of ``source``, with what the marks for trimming take away taken away. Raises BadTemplate."""
    reader = _Reader(source, left, right)
    while (piece := reader.next_piece()) is not None:
        yield piece


class _Reader:
    def __init__(self, source: str, left: str, right: str) -> None:
        self._source = source
        self._left = left
        self._right = right
        self._at = 0
        self._line = 1
        self._counted_to = 0
        self._trims = False
        self._tokens = 0
        self._pending: Piece | None = None

    def next_piece(self) -> Piece | None:
        if self._pending is not None:
            piece, self._pending = self._pending, None
            return piece
        if self._at >= len(self._source):
            return None
        start = self._source.find(self._left, self._at)
        end = len(self._source) if start < 0 else start
        line, text = self._line_at(self._at), self._source[self._at : end]
        if self._trims:
            text = text.lstrip(" \t\r\n")
        self._trims = False
        self._at = end
        if start >= 0:
            opening = start + len(self._left)
            if self._source[opening : opening + 1] == "-" and self._source[opening + 1 : opening + 2].isspace():
                text = text.rstrip(" \t\r\n")
                opening += 1
            self._pending = self._action(opening)
        return Piece(line, text, None)

    def _line_at(self, at: int) -> int:
        if at > self._counted_to:
            self._line += self._source.count("\n", self._counted_to, at)
            self._counted_to = at
        return self._line

    def _action(self, at: int) -> Piece:
        line = self._line_at(at)
        comment = _COMMENT.match(self._source, at)
        if comment:
            return self._comment(comment.end(), line)
        tokens: list[Token] = []
        glued = False
        while True:
            end = self._closing(at)
            if end is not None:
                self._at = end
                tokens.append(Token("end", "", self._line_at(at), glued=False))
                return Piece(line, "", tuple(tokens))
            token, at = self._token(at, glued=glued)
            glued = token is not None
            if token is not None:
                tokens.append(token)
                self._tokens += 1
                if self._tokens > TOKENS_MAX:
                    raise BadTemplate(token.line, f"the template has more than {TOKENS_MAX:,} words")

    def _closing(self, at: int) -> int | None:
        if self._source.startswith(self._right, at):
            return at + len(self._right)
        if self._source[at : at + 1] == "-" and self._source.startswith(self._right, at + 1):
            if at and self._source[at - 1].isspace():
                self._trims = True
                return at + 1 + len(self._right)
            raise BadTemplate(self._line_at(at), f"expected a space before -{self._right}")
        return None

    def _comment(self, at: int, line: int) -> Piece:
        end = self._source.find("*/", at)
        if end < 0:
            raise BadTemplate(line, "this comment is never closed; expected */")
        after = end + 2
        stripped = after
        while self._source[stripped : stripped + 1].isspace():
            stripped += 1
        closing = self._closing(stripped)
        if closing is None:
            raise BadTemplate(line, f"expected {self._right} right after the comment")
        self._at = closing
        return Piece(line, "", None)

    def _token(self, at: int, *, glued: bool) -> tuple[Token | None, int]:
        match = _TOKEN.match(self._source, at)
        line = self._line_at(at)
        if match is None:
            if at >= len(self._source):
                raise BadTemplate(line, f"an action is never closed; expected {self._right}")
            raise BadTemplate(line, "expected a name, a value or a sign of the language")
        kind = str(match.lastgroup)
        if kind == "space":
            return None, match.end()
        return Token(_KINDS.get(kind, kind), _value(kind, match[0], line), line, glued=glued), match.end()


_KINDS = {"raw": "string"}


def _value(kind: str, text: str, line: int) -> Any:
    if kind == "raw":
        return text[1:-1].replace("\r", "")
    if kind == "string":
        return _string(text, line)
    if kind == "number":
        if _NUMBER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
        raise BadTemplate(line, "expected a number like 8, -1 or 0.5")
    return text


def _string(text: str, line: int) -> str:
    # Go's escapes are JSON's and three more; the others (octal, \x) are refused rather than misread.
    text = re.sub(
        r"\\(.)", lambda match: json.dumps(_ESCAPES[match[1]])[1:-1] if match[1] in _ESCAPES else match[0], text
    )
    try:
        found: str = json.loads(text, strict=False)
    except ValueError:
        raise BadTemplate(line, 'expected one of the escapes \\" \\\\ \\n \\t \\r \\a \\b \\f \\v \\uXXXX') from None
    if any("\ud800" <= letter <= "\udfff" for letter in found):
        raise BadTemplate(line, "half of a surrogate pair stands here; expected Unicode text")
    return found
