"""Batch tokens lie nowhere: the token is its own entry, sealed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kit import JumpingClock, SeededEntropy
from tests.tokens.conftest import Scene, Shelf

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.request import TokenType
from strongroom.logical.secret import Secret
from strongroom.tokens.entry import NEVER
from strongroom.tokens.store import TokenKeys, TokenStore
from strongroom.tokens.text import BATCH_PREFIX

BATCH = TokenType.BATCH


def test_a_batch_token_is_good_and_nothing_is_stored_for_it(scene: Scene) -> None:
    before = dict(scene.storage.content)
    token, made = scene.made(type=BATCH, policies=("a", "b"))
    assert token.reveal().startswith(BATCH_PREFIX)
    assert scene.storage.content == before
    found = scene.tokens.find(scene.storage, token)
    assert found is not None
    assert found.policies == ("a", "b")
    assert found.accessor == ""
    assert found.id == made.id == scene.tokens.id_of(token)


def test_a_batch_token_dies_at_its_instant(scene: Scene) -> None:
    token, _ = scene.made(type=BATCH)
    scene.clock.jump(3599)
    assert scene.is_good(token)
    scene.clock.jump(1)
    assert not scene.is_good(token)


def test_a_batch_token_dies_with_its_parent(scene: Scene) -> None:
    _, parent = scene.made()
    token, _ = scene.made(type=BATCH, parent=parent.id)
    assert scene.is_good(token)
    scene.tokens.revoke_tree(scene.storage, parent.id)
    assert not scene.is_good(token)


def test_a_batch_token_dies_when_an_ancestor_expires(scene: Scene) -> None:
    _, grandparent = scene.made()
    _, parent = scene.made(parent=grandparent.id, expire_time_ns=NEVER)
    token, _ = scene.made(type=BATCH, parent=parent.id, expire_time_ns=scene.clock.now_ns() + 10**15)
    assert scene.is_good(token)
    scene.clock.jump(3600)
    assert not scene.is_good(token)


def test_a_batch_token_of_a_login_dies_with_the_mount_of_its_method(scene: Scene) -> None:
    scene.storage.put("core/mounts/uuid-of-mount", b"{}")
    token, _ = scene.made(type=BATCH, auth_mount="uuid-of-mount")
    assert scene.is_good(token)
    scene.storage.delete("core/mounts/uuid-of-mount")
    assert not scene.is_good(token)


def test_a_batch_token_is_never_a_root_token(scene: Scene) -> None:
    with pytest.raises(InvalidRequest, match="root"):
        scene.made(type=BATCH, policies=("root",))


SCENE_KEYS = TokenKeys(b"h" * 32, b"b" * 32)


def sealed_token() -> tuple[TokenStore, str]:
    clock = JumpingClock()
    tokens = TokenStore(SCENE_KEYS, clock, SeededEntropy(), lambda *_: None)
    scene = Scene(tokens, Shelf(), clock)
    return tokens, scene.made(type=BATCH)[0].reveal()


@settings(max_examples=200)
@given(st.data())
def test_a_batch_token_with_anything_changed_is_no_token(data: st.DataObject) -> None:
    tokens, shown = sealed_token()
    at = data.draw(st.integers(len(BATCH_PREFIX), len(shown) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ .\0é"))
    changed = shown[:at] + letter + shown[at + 1 :]
    assert (tokens.find(Shelf(), Secret(changed)) is not None) is (changed == shown)


@pytest.mark.parametrize("suffix", ["=", "==", "A", "\n", " ", "."])
def test_one_batch_token_has_one_spelling(suffix: str) -> None:
    tokens, shown = sealed_token()
    assert tokens.find(Shelf(), Secret(shown + suffix)) is None
    assert tokens.find(Shelf(), Secret(shown[:-1])) is None


@pytest.mark.parametrize("shown", [BATCH_PREFIX, BATCH_PREFIX + "AAAA", BATCH_PREFIX + "!" * 40, BATCH_PREFIX + "é"])
def test_what_only_looks_like_a_batch_token_is_refused(shown: str) -> None:
    tokens, _ = sealed_token()
    assert tokens.find(Shelf(), Secret(shown)) is None


def test_a_batch_token_of_another_vault_is_no_token_here() -> None:
    _, shown = sealed_token()
    other = TokenStore(TokenKeys(b"h" * 32, b"c" * 32), JumpingClock(), SeededEntropy(), lambda *_: None)
    assert other.find(Shelf(), Secret(shown)) is None
