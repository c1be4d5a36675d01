"""RTF: its text without the control words that cut it, and with its escaped characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

from strongroom.scanner.containers.member import Member, Opening, Stream

_TOKEN = re.compile(
    rb"\\'(?P<byte>[0-9A-Fa-f]{2})|\\u(?P<code>-?[0-9]{1,6})[ ]?\??|\\(?P<word>[A-Za-z]{1,32})(?:-?[0-9]{1,10})?[ ]?"
    rb"|\\(?P<symbol>[^A-Za-z0-9])|(?P<text>[^\\{}\r\n]+)|[{}\r\n\\]"
)
_BREAKS = {b"par": b"\n", b"line": b"\n", b"row": b"\n", b"sect": b"\n", b"page": b"\n", b"tab": b"\t", b"cell": b"\t"}
_SYMBOLS = {b"~": b" ", b"_": b"-", b"-": b"", b"*": b""}


def is_rich_text(head: bytes) -> bool:
    """Whether a file that begins so is in RTF."""
    return head.startswith(b"{\\rtf")


def open_rich_text(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The text: a line for each paragraph."""
    data = stream.read(opening.limits.whole_bytes)
    yield Member("<text>", BytesIO(b"".join(_text_of(token) for token in _TOKEN.finditer(data))), is_text=True)


def _text_of(token: re.Match[bytes]) -> bytes:
    if token["text"] is not None:
        return token["text"]
    if token["byte"] is not None:
        return bytes.fromhex(token["byte"].decode())
    if token["code"] is not None:
        return chr(int(token["code"]) % 0x10000).encode(errors="replace")
    if token["word"] is not None:
        return _BREAKS.get(token["word"], b"")
    symbol = token["symbol"] or b""
    return _SYMBOLS.get(symbol, symbol)
