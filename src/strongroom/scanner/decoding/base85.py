"""Base85 in its three alphabets: where its frame or its name stands beside it, and in git's patches of binary files.

Nothing in the letters themselves gives it away: it uses nearly all that there are. Whoever writes it names it, for whoever reads it must know.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator, Sequence

from strongroom.scanner.decoding.decoded import Decoded, Decoder, Whole, near
from strongroom.scanner.decoding.late import late_pattern

_NEAR = 600
"""Bytes before and behind its name in which digits are looked for."""
_SPAN = 64
_READABLE = late_pattern(rb"[\t\n\r -~]+")
_Z85 = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_FROM_Z85 = bytes.maketrans(_Z85, _B85)


def _z85(digits: bytes) -> bytes:
    if digits.translate(None, _Z85):
        raise ValueError
    return base64.b85decode(digits.translate(_FROM_Z85))


def _a85(digits: bytes) -> bytes:
    return base64.a85decode(digits, adobe=digits.startswith(b"<~"))


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], bytes]], ...] = (
    (late_pattern(rb"<~[!-uz\s]{20,}~>"), _a85),
    (late_pattern(rb"[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{20,}"), base64.b85decode),
    (late_pattern(rb"[0-9A-Za-z.:+=^!/*?&<>()\[\]{}@%$#-]{20,}"), _z85),
    (late_pattern(rb"(?<=[\"'])[!-uz]{20,}(?=[\"'])"), _a85),
    (late_pattern(rb"(?<![!-~])[!-uz]{20,}(?![!-~])"), _a85),
)
"""What runs of each alphabet look like, and who reads them."""


def decode_base85(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """What stands in base85 near its name, if it is text."""
    done = 0
    for first, last in near(ends, _SPAN):
        begin, end = max(done, first - _NEAR), min(len(data), last + _NEAR)
        done = max(done, end)
        for runs, reader in _READERS:
            for found in runs.finditer(data, begin, end):
                try:
                    text = reader(found[0])
                except ValueError:
                    continue
                if _READABLE.fullmatch(text):
                    yield Decoded(text, Whole(*found.span()))


BASE85 = Decoder(
    "base85",
    rb"(?:(?i:base_?85|ascii85|[^0-9a-z][abz]85)[^0-9A-Za-z]|<~[!-z]{20}|(?i:[^0-9a-z][abz]85(?:en|de)code))",
    decode_base85,
)

_LITERAL = late_pattern(
    rb"(?:literal|delta) [0-9]{1,10}\r?\n((?:[A-Za-z][0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{5,65}\r?\n){1,200000})"
)
_LARGEST = 16 << 20


def decode_patch(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """The bytes of binary files in a patch of git: both versions, or the differences between them."""
    for end in ends:
        position = end
        for _ in range(2):
            found = _LITERAL.match(data, position)
            if found is None:
                break
            if unpacked := _unpacked(found[1]):
                yield Decoded(unpacked, Whole(*found.span(1)))
            position = found.end() + (1 if data.startswith(b"\n", found.end()) else 2)


def _unpacked(lines: bytes) -> bytes:
    """Lines of base85, of which the first letter says how many bytes each holds, as what was compressed in them."""
    parts = []
    try:
        for line in lines.split():
            size = line[0] - (64 if line[0] <= 90 else 70)
            parts.append(base64.b85decode(line[1:])[:size])
        return zlib.decompressobj().decompress(b"".join(parts), _LARGEST)
    except (ValueError, zlib.error):
        return b""


PATCH = Decoder("binary patch", rb"GIT binary patch\r?\n", decode_patch)
