from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scanner.rules.samples import expand

from strongroom.scanner.rules import checksums

Check = Callable[[bytes], bool]
# Each format by a template of its tokens, without anything around them.
FORMATS: dict[str, tuple[str, Check]] = {
    "github": ("ghp_{start}{base62:30}{crc32_base62}", checksums.crc32_base62_of_body),
    "npm": ("npm_{start}{base62:30}{crc32_base62}", checksums.crc32_base62_of_body),
    "strongroom": ("srs.{base62:28}{crc32_base62}", checksums.strongroom_token),
    "gitlab": ("glpat-{base64url:27}.01.0r{crc32_base36}", checksums.gitlab_routable),
    "grafana": ("{glsa}", checksums.grafana_token),
    "nkey": ("{nkey}", checksums.nkey),
    "age": ("AGE-SECRET-KEY-1{BECH32:52}{bech32}", checksums.age_key),
    "wif": ("{wif}", checksums.base58_checked),
    "xprv": ("{xprv}", checksums.base58_checked),
    "cask": ("{cask}", checksums.azure_cask),
    "iot": ("{iot}", checksums.azure_iot_key),
}
each_format = pytest.mark.parametrize("name", FORMATS)


@each_format
@given(seed=st.integers(0, 2**32), place=st.floats(0, 1, exclude_max=True))
def test_a_token_with_two_neighbours_swapped_or_a_letter_changed_was_never_issued(
    name: str, seed: int, place: float
) -> None:
    template, check = FORMATS[name]
    token = expand(template, Random(seed))
    assert check(token.encode())
    at = len(token) - 1 - int(place * 8)  # the end, where the checksum is
    letter = token[at]
    for other in ("2", "Q") if letter not in "2Q=" else ("3", "Z") if letter != "=" else ():
        assert not check((token[:at] + other + token[at + 1 :]).encode())


@pytest.mark.parametrize(
    ("check", "token"),
    [
        # The examples that the formats' own documentation and test vectors show; none opens anything.
        (checksums.crc32_base62_of_body, b"ghp_" + b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + b"0mLq17"),
        (checksums.grafana_token, b"glsa_" + b"yscW25imSKJIuav8zF37RZmnbiDvB05G" + b"_fcaaf58a"),
        (checksums.age_key, b"AGE-SECRET-KEY-1" + b"GFPYYSJZ" * 6 + b"GFPQ4EGAEX"),
        (checksums.base58_checked, b"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1" + b"jvhTVqvbTLvyTJ"),
    ],
)
def test_published_examples_hold(check: Check, token: bytes) -> None:
    assert check(token)


def test_marvin_agrees_with_its_published_vectors() -> None:
    seed = 0x004FB61A001BDBCC
    assert checksums.marvin32(b"", seed) == 0x30ED35C1 ^ 0x00CD3C7D
    assert checksums.marvin32(b"\xaf", seed) == 0x48E73FC7 ^ 0x7D75DDC1


@pytest.mark.parametrize(
    "check", list(dict.fromkeys(check for _, check in FORMATS.values())), ids=lambda check: check.__name__
)
@given(token=st.binary(min_size=40, max_size=120).map(lambda data: data.hex().upper().encode()))
def test_a_check_answers_to_anything_that_a_pattern_can_hand_it(check: Check, token: bytes) -> None:
    assert check(token) in {True, False}


@pytest.mark.parametrize(
    ("token", "holds"),
    [
        (b"eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln", True),
        (b"eyJ0eXAiOiJKV1QifQ.eyJhIjoxfQ.c2ln", False),  # it names no algorithm
        (b"eyJhbGciOiJIUzI1NiJ9.nonsense.c2ln", False),
        (b"nonsense.eyJhIjoxfQ.c2ln", False),
        (b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXY.Yw.dGFn", True),  # encrypted: what is inside cannot be read
    ],
)
def test_a_json_web_token_names_its_algorithm(token: bytes, holds: bool) -> None:  # noqa: FBT001 -- a row of the table
    assert checksums.json_web_token(token) is holds
