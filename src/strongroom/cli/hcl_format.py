"""Lays out a policy: two spaces a level, one statement a line, one space around ``=``; comments and their places are kept."""

from __future__ import annotations

import re

from strongroom.encoding.hcl import parse

_PIECE = re.compile(
    r"(?P<heredoc><<-?(?P<mark>[A-Za-z_]\w*)[ \t\r]*\n(?s:.*?)\n[ \t]*(?P=mark)(?=\s|$))"
    r'|(?P<comment>(?:#|//)[^\n]*|/\*(?s:.*?)\*/)|(?P<line>\n)|(?P<space>[ \t\r]+)|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<sign>[{}\[\]=,])|(?P<word>[^\s{}\[\]=,\"#]+)"
)


def formatted(text: str) -> str:
    """``text`` laid out. Raises ValueError with line and column where it is not HCL."""
    parse(text)
    if text.lstrip().startswith("{"):
        return text.strip() + "\n"
    writer = _Writer()
    for match in _PIECE.finditer(text):
        writer.take(str(match.lastgroup if match.lastgroup != "mark" else "heredoc"), match.group())
    return writer.finish()


class _Writer:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line = ""
        self._closers: list[str] = []
        self._blank = False

    def take(self, kind: str, piece: str) -> None:
        if kind == "space":
            return
        if kind == "line":
            self._blank = self._blank or not self._line
            self._end()
        elif kind == "comment" or piece not in "{}[],=":
            self._word(piece)
        else:
            self._sign(piece)

    def finish(self) -> str:
        self._end()
        return "\n".join(self._lines) + "\n"

    def _sign(self, piece: str) -> None:
        if piece == "{":
            self._word(piece)
            self._closers.append("}")
            self._end()
        elif piece == "[":
            self._word(piece)
            self._closers.append("]")
        elif piece == "}":
            self._end()
            self._closers.pop()
            self._word(piece)
        elif piece == "]":
            self._closers.pop()
            self._blank = False
            if self._line:
                self._line = self._line.removesuffix(",") + piece
            else:
                self._word(piece)
        elif piece == ",":
            self._line += piece
        else:
            self._word(piece)

    def _word(self, piece: str) -> None:
        if not self._line:
            if self._blank and self._lines and not self._lines[-1].endswith("{"):
                self._lines.append("")
            self._blank = False
            self._line = "  " * len(self._closers) + piece
        elif self._line.endswith("[") and piece != "{":
            self._line += piece
        else:
            self._line += " " + piece

    def _end(self) -> None:
        if self._line:
            self._lines.append(self._line.rstrip())
        self._line = ""
