"""The sealed filter: what it knows, when it ends, what it holds of values, and what happens to a damaged one."""

from __future__ import annotations

import base64
import itertools
import json
import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.whole_vault import VECTORS
from tests.scanner.known.conftest import Look, held, said
from tests.scanner.known.test_server import canaries

from strongroom.scanner.known.filter import (
    LONGEST_SECONDS,
    MAGIC,
    BadFilter,
    FilterValues,
    build,
    false_positives,
    key_from_text,
    key_to_text,
)
from strongroom.scanner.known.values import digest_of

KEY = bytes(range(32))
NAME = bytes(range(16))
STRONG = b"x7Kp2mQ9vB3nR5tY8w"
FIRST, LAST = 1_800_000_000, 1_800_003_600


class At:
    """A clock that stands still."""

    def __init__(self, second: float) -> None:
        self.second = second

    def now_ns(self) -> int:
        return int(self.second * 1e9)

    def monotonic(self) -> float:
        return self.second


def made(*values: bytes) -> bytes:
    return build(held(*values), KEY, NAME, FIRST, LAST).content


def test_a_value_is_found_without_a_server(scan_for: Look) -> None:
    known = FilterValues(made(STRONG), KEY, At(FIRST))

    assert said(scan_for(known, b"x = '" + STRONG + b"'\n")) == {"it is a secret of ours (by the filter of 2027-01-15)"}
    assert said(scan_for(known, b"x = '" + base64.b64encode(STRONG) + b"'\n"))
    assert not said(scan_for(known, b"x = '" + STRONG[:-1] + b"'\n"))


def test_the_same_values_give_the_same_bytes_in_any_order() -> None:
    values = [b"%d!x7Kp2mQ9vB3nR5tY8w" % number for number in range(500)]

    assert made(*values) == made(*reversed(values))
    assert made(*values) != build(held(*values), KEY, NAME[::-1], FIRST, LAST).content


def test_what_can_be_guessed_is_in_no_filter() -> None:
    built = build(held(b"Summer2026!", STRONG), KEY, NAME, FIRST, LAST)

    assert built.left_out == ("secret/app1: PASSWORD",)
    assert len(FilterValues(built.content, KEY, At(FIRST))) == 1


def test_a_filter_ends() -> None:
    clock = At(LAST - 1)
    known = FilterValues(made(STRONG), KEY, clock)
    assert known.ask([digest_of(STRONG)])
    clock.second = LAST

    with pytest.raises(BadFilter, match="expired on 2027-01-15"):
        known.ask([digest_of(STRONG)])
    with pytest.raises(BadFilter, match="expired"):
        FilterValues(made(STRONG), KEY, clock)
    with pytest.raises(BadFilter, match="is the clock right"):
        FilterValues(made(STRONG), KEY, At(FIRST - 1))


def test_no_filter_is_made_for_ever() -> None:
    for last in (FIRST, FIRST - 1, FIRST + LONGEST_SECONDS + 1):
        with pytest.raises(ValueError, match="at most 90 days"):
            build(held(STRONG), KEY, NAME, FIRST, last)


def test_another_key_is_refused() -> None:
    with pytest.raises(BadFilter, match="another key"):
        FilterValues(made(STRONG), KEY[::-1], At(FIRST))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_filter_is_refused(data: st.DataObject) -> None:
    content = bytearray(made(STRONG, STRONG[::-1]))
    at = data.draw(st.integers(0, len(content) * 8 - 1))
    content[at // 8] ^= 1 << (at % 8)

    with pytest.raises(BadFilter):
        FilterValues(bytes(content), KEY, At(FIRST))


@pytest.mark.parametrize("end", [0, 5, len(MAGIC), len(MAGIC) + 10, 100, -33, -1])
def test_a_filter_that_was_cut_is_refused(end: int) -> None:
    with pytest.raises(BadFilter):
        FilterValues(made(STRONG)[:end], KEY, At(FIRST))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", MAGIC]))
def test_whatever_is_no_filter_is_refused(data: bytes, start: bytes) -> None:
    with pytest.raises(BadFilter):
        FilterValues(start + data, KEY, At(FIRST))


def test_nothing_in_a_filter_tells_a_value() -> None:
    content = made(STRONG, b"an0ther-Valu3-of-ours-9Zk")

    for value in (STRONG, b"an0ther-Valu3-of-ours-9Zk"):
        assert not [name for name, canary in canaries(value).items() if canary in content]


def test_few_are_taken_for_ours_that_are_not() -> None:
    values = [b"%d!x7Kp2mQ9vB3nR5tY8w" % number for number in range(3000)]
    content = made(*values)
    known = FilterValues(content, KEY, At(FIRST))
    bits = 8
    start = len(MAGIC) + 46
    rests = struct.unpack(f">{len(values)}I", content[start + 4 * (2**bits + 1) : -32])
    offsets = struct.unpack(f">{2**bits + 1}I", content[start : start + 4 * (2**bits + 1)])
    taken = sum(len(set(rests[one:other])) for one, other in itertools.pairwise(offsets))

    # All strings are alike to a keyed digest: how many 40-bit beginnings are taken is how often another string meets one.
    assert taken / 2 ** (bits + 32) == pytest.approx(false_positives(len(values)), rel=0.01)
    assert false_positives(len(values)) < false_positives(10**6) < 2**-28
    assert len(known.ask([digest_of(value) for value in values])) == len(values)
    assert not known.ask([os.urandom(32) for _ in range(20_000)])


def test_a_million_values_take_four_megabytes() -> None:
    content = made(*(b"%d!x7Kp2mQ9vB3nR5tY8w" % number for number in range(4096)))

    assert len(content) < 4.3 * 4096 + 200


def test_an_empty_filter_knows_nothing() -> None:
    assert not FilterValues(made(), KEY, At(FIRST)).ask([digest_of(STRONG)])


@pytest.mark.parametrize("text", ["", "srkf_", "srkf_AAAA", "x" + key_to_text(KEY), key_to_text(KEY)[:-2], "srkf_ä"])
def test_what_is_no_key_is_refused(text: str) -> None:
    assert key_from_text(key_to_text(KEY) + "\n") == KEY
    with pytest.raises(BadFilter, match="key of a filter") as refused:
        key_from_text(text)
    assert not text or text not in str(refused.value).replace("srkf_…", "")


def test_the_frozen_filter_says_what_it_said() -> None:
    frozen = json.loads((VECTORS / "known_values.json").read_text())["filter"]
    content = base64.b64decode(frozen["content"])
    key = key_from_text(frozen["key"])
    known = FilterValues(content, key, At(frozen["first"]))

    assert {text for text in frozen["asked"] if known.ask([digest_of(text.encode())])} == set(frozen["known"])
    values = held(*(text.encode() for text in frozen["values"]))
    assert build(values, key, bytes.fromhex(frozen["identifier"]), frozen["first"], frozen["last"]).content == content
