from __future__ import annotations

import itertools
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.crypto.shamir import combine, split

OPENBAO = json.loads((Path(__file__).parents[1] / "vectors" / "shamir_openbao.json").read_text())["vectors"]


class Seeded:
    def __init__(self, seed: int = 5) -> None:
        self.bytes = Random(seed).randbytes

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


class Fixed:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def bytes(self, count: int) -> bytes:
        return (self._content * count)[:count]

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


@pytest.mark.parametrize("vector", OPENBAO, ids=lambda vector: f"{vector['threshold']} of {len(vector['shares'])}")
def test_any_threshold_of_openbaos_shares_gives_its_secret_and_fewer_do_not(vector: dict[str, object]) -> None:
    shares = [bytes.fromhex(share) for share in vector["shares"]]  # type: ignore[attr-defined] # JSON
    threshold = int(str(vector["threshold"]))
    for count in range(2, len(shares) + 1):
        for chosen in itertools.permutations(shares, count) if count < 4 else itertools.combinations(shares, count):
            assert (combine(chosen).hex() == vector["secret"]) == (count >= threshold)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_threshold_of_the_shares_gives_the_secret_in_any_order(data: st.DataObject) -> None:
    secret = data.draw(st.binary(min_size=1, max_size=12))
    count = data.draw(st.integers(2, 9))
    threshold = data.draw(st.integers(2, count))
    shares = split(secret, count, threshold, Seeded(data.draw(st.integers(0, 999))))
    chosen = data.draw(st.permutations(shares))[: data.draw(st.integers(threshold, count))]
    assert combine(chosen) == secret


def test_every_subset_of_the_threshold_gives_the_secret_and_every_smaller_one_something_else() -> None:
    secret = bytes(range(32))
    shares = split(secret, 5, 3, Seeded())
    assert all(combine(chosen) == secret for chosen in itertools.combinations(shares, 3))
    assert all(combine(chosen) != secret for chosen in itertools.combinations(shares, 2))


def test_a_share_is_the_secrets_length_and_a_point_that_no_other_share_has() -> None:
    shares = split(b"secret", 255, 2, Seeded())
    assert {len(share) for share in shares} == {7}
    assert sorted(share[-1] for share in shares) == list(range(1, 256))


def test_a_single_share_tells_nothing_for_every_secret_has_it_equally_often() -> None:
    """With threshold 2, each value of a share's byte occurs exactly once over all coefficients, whatever the secret."""
    for secret in (b"\x00", b"\x7f", b"\xff"):
        seen = set()
        for coefficient in range(256):
            drawn = iter([bytes([coefficient]), bytes(range(1, 33))])

            class Listed:
                def __init__(self, parts: object) -> None:
                    self._parts = parts

                def bytes(self, _: int) -> bytes:
                    return next(self._parts)  # type: ignore[call-overload, no-any-return] # the iterator above

                def fill(self, buffer: bytearray) -> None:
                    buffer[:] = self.bytes(len(buffer))

            share = split(secret, 2, 2, Listed(drawn))[0]
            seen.add(share[0])
        assert len(seen) == 256


def test_a_published_product_in_the_field_is_met() -> None:
    """FIPS 197, section 4.2: {57} times {13} is {fe}. With threshold 2 the share at point x is secret + coefficient * x."""

    class Listed:
        def __init__(self) -> None:
            self._parts = [b"\x57", b"\x13\x01" + bytes(30)]

        def bytes(self, _: int) -> bytes:
            return self._parts.pop(0)

        def fill(self, buffer: bytearray) -> None:
            buffer[:] = self.bytes(len(buffer))

    share = split(b"\x00", 2, 2, Listed())[0]
    assert bytes(share) == b"\xfe\x13"


@pytest.mark.parametrize(
    ("secret", "shares", "threshold"), [(b"", 3, 2), (b"s", 3, 1), (b"s", 2, 3), (b"s", 256, 2), (b"s", 0, 0)]
)
def test_impossible_numbers_are_refused(secret: bytes, shares: int, threshold: int) -> None:
    with pytest.raises(ValueError, match=r"secret|threshold"):
        split(secret, shares, threshold, Seeded())


@pytest.mark.parametrize(
    "shares",
    [[], [b"ab"], [b"ab", b"abc"], [b"a", b"b"], [b"a\x01", b"b\x01"], [b"a\x00", b"b\x01"], [b"", b""]],
    ids=["none", "one", "lengths", "short", "same point", "point zero", "empty"],
)
def test_shares_that_cannot_belong_together_are_refused(shares: list[bytes]) -> None:
    with pytest.raises(ValueError, match="share"):
        combine(shares)


@pytest.mark.parametrize("content", [b"\x00", b"\x01"])
def test_a_random_source_that_repeats_itself_is_noticed(content: bytes) -> None:
    with pytest.raises(OSError, match="repeats"):
        split(b"secret", 3, 2, Fixed(content))
