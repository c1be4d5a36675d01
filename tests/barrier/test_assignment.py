from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.barrier.assignment import Areas, Assignment, decode_assignment, encode_assignment, prefixes_of
from strongroom.crypto.aead import Damaged

AREAS = Areas(Assignment(7, {1: ("a-1", "b-2"), 7: ("c-3",), 3: ()}), 12)


@pytest.mark.parametrize(
    ("key", "keyring"),
    [
        ("logical/a-1/secret", 1),
        ("logical/b-2/deep/down/x", 1),
        ("auth/c-3/role/web", 7),
        ("logical/c-3/x", 7),
        ("core/override/0123abcd/c-3/app", 7),
        ("core/override/0123abcd/unknown/app", 0),
        ("core/override/0123abcd", 0),
        ("core/override/", 0),
        ("logical/unknown/secret", 0),
        ("logical/a-1x/secret", 0),
        ("logical/a-1", 1),
        ("logical", 0),
        ("core/mounts/a-1", 0),
        ("core/fingerprint/x/a-1/y", 0),
        ("other/a-1/x", 0),
        ("", 0),
    ],
)
def test_the_mount_in_a_key_says_which_keyring_seals_it(key: str, keyring: int) -> None:
    assert AREAS.keyring_of(key) == keyring


def test_without_an_assignment_everything_belongs_to_the_root_environment() -> None:
    assert Areas(Assignment(), None).keyring_of("logical/a-1/secret") == 0


def test_all_rows_of_a_mount_are_below_its_prefixes() -> None:
    keys = ["logical/a-1/x", "auth/a-1/x", "core/override/o/a-1/x"]
    assert all(any(key.startswith(prefix) for prefix in prefixes_of("a-1")) for key in keys)
    assert list(prefixes_of("a-1")) == sorted(prefixes_of("a-1"))


@given(st.dictionaries(st.integers(1, 65535), st.lists(st.text(max_size=5), max_size=3).map(tuple), max_size=5))
def test_an_assignment_reads_back(keyrings: dict[int, tuple[str, ...]]) -> None:
    assignment = Assignment(max(keyrings, default=0), keyrings)
    assert decode_assignment(encode_assignment(assignment)) == assignment


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"last":"1"}',
        b'{"last":1,"keyrings":{"2":[]}}',
        b'{"last":1,"keyrings":{"0":[]}}',
        b'{"last":1,"keyrings":{"-1":[]}}',
        b'{"last":65536,"keyrings":{}}',
        b'{"last":1,"keyrings":{"x":[]}}',
    ],
)
def test_what_is_no_assignment_is_refused(content: bytes) -> None:
    with pytest.raises(Damaged):
        decode_assignment(content)
