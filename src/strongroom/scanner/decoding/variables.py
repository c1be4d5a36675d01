"""Values that are put together of variables: `set B=%A%…` of batch files, `B="${A}…"` of shells, `$b = $a + "…"` of PowerShell, `f"{a}…"`.

Each assignment is read once, with what the variables before it hold: chains come out whole, and nothing is ever run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strongroom.scanner.decoding.decoded import Decoded, Decoder, Whole, near
from strongroom.scanner.decoding.late import late_pattern

_BEFORE = 8192
"""Bytes before what the gate saw in which variables are remembered."""
_BEHIND = 1024
_LONGEST = 512
"""Bytes of a value, at most: what doubles itself line by line ends there."""
_SPAN = 160

_ASSIGNED = late_pattern(
    rb"(?im:^|;|&)[ \t]{0,40}(?:"
    rb"(?i:@?set)[ \t]{1,4}\"?(?P<batch>\w{1,40})=(?P<batch_value>[^\"\r\n&]{1,400})"
    rb"|(?:(?:export|readonly|local|const|let|var|ENV|ARG)[ \t]{1,4})?(?P<shell>[A-Za-z_]\w{0,40})(?:=|[ ]?:?=[ ])"
    rb"(?P<shell_value>(?:[^\s;&#]|#\{){1,400})"
    rb"|\$(?:env:|script:|global:)?(?P<power>\w{1,40})[ \t]{0,8}=[ \t]{0,8}(?P<power_value>[^\r\n;#]{1,400}))"
)
_SHELL = late_pattern(rb"\$(?:\((\w{1,40})\)|(\w{1,40}))|[$#]?\{(\w{1,40})\}")
_REFERENCE = {"batch": late_pattern(rb"%(\w{1,40})%"), "shell": _SHELL, "power": _SHELL}
_AROUND = late_pattern(rb"\A[fF](?=[\"'])|[ \t]+\+[ \t]+|\+(?=\$)|[\"'`]")
"""What programs write around the pieces of a value."""


def _value(kind: str, text: bytes, known: dict[bytes, bytes]) -> tuple[bytes, bool]:
    """What an assignment gives its variable (nothing where a piece of it is not known), and whether a variable is among the pieces."""
    parts: list[bytes] = []
    position, text = 0, text.strip()
    for found in _REFERENCE[kind].finditer(text):
        value = known.get(next(filter(None, found.groups())).lower())
        if value is None:
            return b"", True
        parts += (_plain(kind, text[position : found.start()]), value)
        position = found.end()
    parts.append(_plain(kind, text[position:]))
    return b"".join(parts)[:_LONGEST], len(parts) > 1


def _plain(kind: str, piece: bytes) -> bytes:
    return piece if kind == "batch" else _AROUND.sub(b"", piece)


def _decode(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """Each assignment nearby that refers to a variable whose value is known, as the name and the whole value."""
    done = 0
    known: dict[bytes, bytes] = {}
    for first, last in near(ends, _SPAN):
        begin, end = max(done, first - _BEFORE), min(len(data), last + _BEHIND)
        done = max(done, end)
        for found in _ASSIGNED.finditer(data, begin, end):
            kind = next(kind for kind in _REFERENCE if found[kind])
            value, referred = _value(kind, found[f"{kind}_value"], known)
            if value:
                known[found[kind].lower()] = value
            if referred and value:
                yield Decoded(found[kind] + b"=" + value + b"\n", Whole(*found.span(f"{kind}_value")))


VARIABLES = Decoder(
    "variables",
    rb"(?:(?i:\bset)[ \t]{1,4}\"?\w{1,40}=\w{0,40}%\w{1,40}%[\w%]"
    rb"|=[ \t]{0,4}[\"'`]?(?:\$\{\w{1,40}\}[\"']{0,2}|\$\(\w{1,40}\)|\$\w{1,40}(?:[\"'][\"']?|[ \t]{0,4}\+[ \t]{0,4}[\"']?))"
    rb"(?:\w{3}|\$\w)"
    rb"|=[ \t]{0,4}[\"'`]?\$\{?\w{1,40}\}?\$\{?\w|=[ \t]{0,4}(?:[fF][\"']|[\"']#)\{\w{1,40}\}\w{6})",
    _decode,
)
