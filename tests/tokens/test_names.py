from __future__ import annotations

import hmac
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit import SeededEntropy
from tests.tokens.conftest import Scene

from strongroom.logical.secret import Secret
from strongroom.tokens.names import Names
from strongroom.tokens.text import new_accessor, new_root_token, new_service_token

KEY = bytes(range(32))
NOW = 1_790_000_000_000_000_000


def hashed(value: str) -> str:
    return hmac.digest(KEY, value.encode(), "sha256").hex()


def test_a_name_is_the_time_and_a_keyed_hash_of_the_whole_token() -> None:
    token = new_service_token(SeededEntropy(), NOW)
    assert Names(KEY).of_token(token) == token[4:10] + hashed(f"token\0{token}")[:58]


def test_the_name_of_an_accessor_is_made_in_the_same_way_and_is_not_the_token_s() -> None:
    accessor = new_accessor(SeededEntropy(), NOW)
    assert Names(KEY).of_accessor(accessor) == accessor[:6] + hashed(f"accessor\0{accessor}")[:58]
    assert Names(KEY).of_accessor(accessor)[6:] != Names(KEY).of_token(accessor)[6:]


@pytest.mark.parametrize("token", [new_root_token(SeededEntropy()), "srs." + "a" * 34, "chosen", ""])
def test_where_there_is_no_time_a_name_is_the_hash_alone_as_older_servers_made_it(token: str) -> None:
    assert Names(KEY).of_token(token) == hashed(f"token\0{token}")


@given(st.text())
def test_whatever_is_shown_its_name_is_64_letters_and_digits(shown: str) -> None:
    for name in (Names(KEY).of_token(shown), Names(KEY).of_accessor(shown), Names(KEY).of_token(f"srs.{shown}")):
        assert len(name) == 64
        assert name.isascii()
        assert name.isalnum()


def test_the_key_is_never_shown() -> None:
    assert repr(Names(KEY)) == "<names of tokens>"


def test_what_is_stored_of_tokens_made_one_after_the_other_lies_in_that_order(scene: Scene) -> None:
    made = []
    for _ in range(5):
        made.append(scene.made()[1])
        scene.clock.jump(0.07)
    assert all(earlier.id < later.id for earlier, later in pairwise(made))
    assert all(earlier.accessor < later.accessor for earlier, later in pairwise(made))


def test_a_token_of_an_older_server_is_as_good_by_itself_by_its_accessor_and_by_its_lease(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strongroom.tokens.store.text.new_service_token", lambda *_: "srs." + "Ab3" * 11 + "x")
    monkeypatch.setattr("strongroom.tokens.store.text.new_accessor", lambda *_: "Cd5" * 8)
    token, entry = scene.made()
    assert set(entry.id) <= set("0123456789abcdef")
    assert scene.is_good(token)
    assert scene.is_good(Secret("srs." + "Ab3" * 11 + "x"))
    assert scene.tokens.by_accessor(scene.storage, "Cd5" * 8) == entry
    assert scene.tokens.by_lease(scene.storage, entry.lease_id) == entry
    scene.tokens.revoke_tree(scene.storage, entry.id)
    assert not scene.is_good(token)
