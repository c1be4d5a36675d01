"""Packs and bundles of git, whole and broken."""

from __future__ import annotations

import zlib
from random import Random

import pytest
from tests.scanner.hiding.third_files import bundle, pack

from strongroom.scanner.containers import Limits, expand
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.problem import Problem

TOKEN = b"a-token-of-this-test-0123456789"


def opened(data: bytes, limits: Limits | None = None) -> tuple[list[bytes], list[Problem]]:
    problems: list[Problem] = []
    pieces = expand(Fragment("f", data), limits or Limits(), problems.append)
    return [piece.data for piece in pieces], problems


@pytest.mark.parametrize("write", [bundle, pack])
def test_every_blob_and_message_is_read(write: object) -> None:
    pieces, problems = opened(write(TOKEN))  # type: ignore[operator]  # one of the two
    assert any(TOKEN in piece for piece in pieces)
    assert b"one" in b"".join(pieces)
    assert problems == []


def test_what_is_cut_off_is_told_and_what_came_before_is_read() -> None:
    data = bundle(TOKEN)
    pieces, problems = opened(data[: len(data) - 60])
    assert len(pieces) > 1
    assert problems


def test_no_damage_does_more_than_be_told() -> None:
    data, random = bundle(TOKEN), Random(5)
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(random.randint(1, 4)):
            broken[random.randrange(20, len(broken))] = random.randrange(256)
        opened(bytes(broken))


def test_a_difference_to_itself_is_no_endless_loop() -> None:
    body = bytes([0x60 | 2, 0]) + zlib.compress(b"\x01\x01")
    pieces, problems = opened(b"PACK\0\0\0\2\0\0\0\1" + body)
    assert len(problems) == 1
    assert pieces


def test_a_difference_to_what_is_elsewhere_is_told() -> None:
    body = bytes([0x70 | 2]) + b"\1" * 20 + zlib.compress(b"\x01\x01")
    _, problems = opened(b"PACK\0\0\0\2\0\0\0\1" + body)
    assert ["not in it" in problem.what for problem in problems] == [True]


def test_an_object_that_is_much_larger_than_it_is_stored_is_not_unpacked() -> None:
    size = 64 << 20
    head = bytes(
        [
            0xB0 | (size & 15),
            0x80 | (size >> 4 & 0x7F),
            0x80 | (size >> 11 & 0x7F),
            0x80 | (size >> 18 & 0x7F),
            size >> 25,
        ]
    )
    data = b"PACK\0\0\0\2\0\0\0\1" + head + zlib.compress(bytes(size), 9)
    _, problems = opened(data, Limits(free_bytes=1 << 20))
    assert problems
