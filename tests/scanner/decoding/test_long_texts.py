"""Long texts in base64, which from other offsets than that of most of them are decoded only where they are readable."""

from __future__ import annotations

import base64
import re

from strongroom.scanner.decoding.radix import BASE64
from strongroom.scanner.expressions import DECODER_SHIFT

SECRET = b"password = 'a secret of the other offset'\n"


def ends_of(data: bytes) -> list[int]:
    """What the wide stage tells: of the matches of the gate that end in one bucket, the first."""
    seen: dict[int, int] = {}
    for start in range(4):
        for found in re.finditer(BASE64.gate, data[start:]):
            end = start + found.end()
            seen[(end - 1) >> DECODER_SHIFT] = min(end, seen.get((end - 1) >> DECODER_SHIFT, end))
    return sorted(seen.values())


def test_what_stands_in_a_long_text_at_another_offset_is_read_at_its_place() -> None:
    many = base64.b64encode(b"some words of a long text that say nothing at all, " * 2000)
    noise = base64.b64encode(bytes([255, 254, 253]) * 600)
    text = many + noise + b"/" + base64.b64encode(SECRET) + noise
    found = list(BASE64.decode(text, ends_of(text)))

    (holding,) = [one for one in found if SECRET[:-1] in one.data]
    at = holding.data.index(b"password")
    start, end = holding.locate(at, at + 8)

    assert len(holding.data) < len(text) // 8
    assert abs(start - (len(many) + len(noise) + 1)) <= 4
    assert end - start <= 16
    assert any(b"that say nothing" in one.data for one in found)


def test_a_short_text_is_decoded_as_a_whole_from_every_offset() -> None:
    text = base64.b64encode(bytes([255, 254, 253]) * 2000 + SECRET) + b"/" + base64.b64encode(SECRET * 3)
    whole = [one for one in BASE64.decode(text, ends_of(text)) if SECRET[:-1] in one.data]

    assert len(whole) == 2
    assert all(len(one.data) > 6000 for one in whole)
