from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scanner.decoding.ways import TOKEN, WAYS

from strongroom.scanner.decoding import DECODERS
from strongroom.scanner.expressions import DECODER_SHIFT
from strongroom.scanner.layers import Layer


def layers_of(data: bytes, depth: int = 5) -> list[Layer]:
    """All that is decoded of `data`, layer under layer, with the standard library's idea of the gates."""
    found = [Layer(data)]
    for layer in found:
        for decoder in DECODERS:
            ends = [match.end() for match in re.finditer(decoder.gate, layer.data)]
            if ends and len(layer.names) < depth:
                found += [layer.below(decoder.id, decoded) for decoded in decoder.decode(layer.data, bucketed(ends))]
    return found


def bucketed(ends: list[int]) -> list[int]:
    """The ends as the engine gives them: the first in each bucket."""
    firsts: dict[int, int] = {}
    for end in ends:
        firsts.setdefault((end - 1) >> DECODER_SHIFT, end)
    return list(firsts.values())


def where(data: bytes, value: bytes) -> list[bytes]:
    """The encoded bytes that a decoded layer says `value` stands in."""
    return [
        data[slice(*layer.locate(layer.data.index(value), layer.data.index(value) + len(value)))]
        for layer in layers_of(data)
        if layer.names and value in layer.data
    ]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_is_written_another_way_is_found_where_it_stands(way: str) -> None:
    written = WAYS[way]()
    data = b"first line\n" + written + b"\nlast line\n"
    places = where(data, TOKEN)
    assert places
    assert min(places, key=len) in b"first line\n" + written + b"\n"


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.id)
def test_each_decoder_has_a_way_of_writing_that_it_is_for(decoder: object) -> None:
    used = {name for write in WAYS.values() for layer in layers_of(b"x\n" + write() + b"\n") for name in layer.names}
    assert getattr(decoder, "id", "") in used | {"lines in an array"}


@given(st.binary(max_size=600))
def test_a_decoder_takes_any_bytes_and_locates_within_them(data: bytes) -> None:
    for decoder in DECODERS:
        for decoded in decoder.decode(data, [min(len(data), 30)]):
            start, end = decoded.locate(0, len(decoded.data))
            assert 0 <= start <= end <= len(data)
