"""A tree dies with its root, at once; what is left of it is removed a few rows at a time."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kit import JumpingClock, SeededEntropy
from tests.tokens.conftest import Scene, Shelf

from strongroom.logical.errors import InvalidRequest, PermissionDenied
from strongroom.logical.secret import Secret
from strongroom.tokens import store
from strongroom.tokens.entry import NEVER
from strongroom.tokens.store import NESTING_MAX, TokenKeys, TokenStore


def test_an_ancestor_that_never_expires_takes_its_tree_with_it_at_once(scene: Scene) -> None:
    _, root = scene.made(expire_time_ns=NEVER)
    _, parent = scene.made(parent=root.id, expire_time_ns=NEVER)
    token, _ = scene.made(parent=parent.id)
    assert scene.is_good(token)
    scene.tokens.revoke_tree(scene.storage, root.id)
    assert not scene.is_good(token)
    with pytest.raises(PermissionDenied):
        scene.made(parent=parent.id)


def test_a_tree_that_an_older_server_made_dies_with_its_root_too(scene: Scene) -> None:
    """It counted only those ancestors that can expire, so below one that cannot the count is zero."""
    _, root = scene.made(expire_time_ns=NEVER)
    token, entry = scene.made(parent=root.id, expire_time_ns=NEVER)
    entry.watched_ancestors = 0
    scene.storage.put(f"core/token/id/{entry.id}", msgspec.json.encode(entry))
    assert scene.is_good(token)
    scene.tokens.revoke_tree(scene.storage, root.id)
    assert not scene.is_good(token)


def test_the_generations_that_must_be_looked_at_are_bounded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "NESTING_MAX", 3)
    _, parent = scene.made()
    for _ in range(3):
        _, parent = scene.made(parent=parent.id)
    with pytest.raises(InvalidRequest, match="orphan"):
        scene.made(parent=parent.id)
    scene.made()


def test_revoking_a_token_takes_every_descendant_however_deep_and_no_stranger(scene: Scene) -> None:
    first, top = scene.made(expire_time_ns=NEVER)
    family = [first]
    parent = top
    for _ in range(NESTING_MAX):
        token, parent = scene.made(parent=parent.id, expire_time_ns=NEVER)
        family.append(token)
    sibling, _ = scene.made()
    assert scene.tokens.revoke_tree(scene.storage, top.id)
    assert not any(scene.is_good(token) for token in (family[0], family[1], family[500], family[-1]))
    assert scene.is_good(sibling)


def test_revoking_leaves_nothing_behind(scene: Scene) -> None:
    before = set(scene.storage.content)
    _, top = scene.made()
    _, child = scene.made(parent=top.id)
    scene.made(parent=child.id)
    scene.tokens.revoke_tree(scene.storage, top.id)
    scene.clear()
    assert set(scene.storage.content) == before
    assert len(scene.dropped) == 3


def test_revoking_what_is_not_there_is_nothing(scene: Scene) -> None:
    before = set(scene.storage.content)
    assert not scene.tokens.revoke_tree(scene.storage, "0" * 64)
    assert scene.dropped == []
    assert set(scene.storage.content) == before


def test_revoke_orphan_lets_the_children_live_on_as_orphans(scene: Scene) -> None:
    token, top = scene.made()
    child, child_entry = scene.made(parent=top.id, expire_time_ns=NEVER)
    grandchild, _ = scene.made(parent=child_entry.id, expire_time_ns=NEVER)
    scene.tokens.revoke_orphaning(scene.storage, top.id)
    assert not scene.is_good(token)
    found = scene.tokens.find(scene.storage, child)
    assert found is not None
    assert (found.orphan, found.parent) == (True, "")
    scene.clock.jump(10**7)
    assert scene.is_good(grandchild)
    scene.clear()
    assert scene.is_good(child)
    assert scene.tokens.revoke_tree(scene.storage, child_entry.id)
    assert not scene.is_good(grandchild)


def test_whoever_joins_a_family_reads_what_a_revocation_above_removes(scene: Scene) -> None:
    """So of a new member and a concurrent revocation, however far above, one is in conflict; and the revocation reads nothing that a member writes."""
    scene.mount("mount-1")
    _, top = scene.made(auth_mount="mount-1")
    _, parent = scene.made(parent=top.id)
    scene.storage.read.clear()
    before = set(scene.storage.content)
    scene.made(parent=parent.id)
    joined = set(scene.storage.content) - before
    assert {f"core/token/id/{top.id}", f"core/token/id/{parent.id}", "core/mounts/mount-1"} <= scene.storage.read
    scene.storage.read.clear()
    scene.tokens.revoke_tree(scene.storage, top.id)
    assert not joined & scene.storage.read


def test_a_revocation_costs_the_same_whatever_hangs_below_the_token(scene: Scene) -> None:
    def changed(children: int) -> int:
        _, top = scene.made()
        for _ in range(children):
            scene.made(parent=top.id)
        before = dict(scene.storage.content)
        scene.tokens.revoke_tree(scene.storage, top.id)
        return len(set(before.items()) ^ set(scene.storage.content.items()))

    assert changed(0) == changed(1) == changed(400) < 10


def test_what_is_left_of_a_tree_is_removed_in_steps_of_few_rows(scene: Scene) -> None:
    before = set(scene.storage.content)
    _, top = scene.made()
    for _ in range(30):
        _, child = scene.made(parent=top.id)
        for _ in range(3):
            scene.made(parent=child.id)
    other, _ = scene.made()
    scene.tokens.revoke_tree(scene.storage, top.id)
    steps = 0
    while True:
        dropped = len(scene.dropped)
        if not scene.tokens.clear(scene.storage, 10):
            break
        steps += 1
        assert len(scene.dropped) - dropped <= 10
    assert steps >= 12
    assert len(scene.dropped) == 121
    assert scene.is_good(other)
    left = {key for key in set(scene.storage.content) - before if "doomed" in key or "child" in key}
    assert left == set()


def test_a_chosen_token_that_comes_again_does_not_bring_its_former_children_back(scene: Scene) -> None:
    chosen = Secret("break-glass")
    scene.tokens.create(scene.storage, scene.entry(), token=chosen)
    former = scene.tokens.find(scene.storage, chosen)
    assert former is not None
    child, entry = scene.made(parent=former.id)
    grandchild, _ = scene.made(parent=entry.id)
    scene.tokens.revoke_tree(scene.storage, former.id)

    scene.tokens.create(scene.storage, scene.entry(), token=chosen)

    new, _ = scene.made(parent=former.id)
    scene.clear()
    assert scene.is_good(chosen)
    assert scene.is_good(new)
    assert not scene.is_good(child)
    assert not scene.is_good(grandchild)


def test_a_chosen_token_waits_until_most_of_its_former_children_are_removed(scene: Scene) -> None:
    chosen = Secret("break-glass")
    scene.tokens.create(scene.storage, scene.entry(), token=chosen)
    former = scene.tokens.find(scene.storage, chosen)
    assert former is not None
    children = [scene.made(parent=former.id)[0] for _ in range(150)]
    scene.tokens.revoke_tree(scene.storage, former.id)
    with pytest.raises(InvalidRequest, match="try again"):
        scene.tokens.create(scene.storage, scene.entry(), token=chosen)
    scene.clear()
    scene.tokens.create(scene.storage, scene.entry(), token=chosen)
    assert not any(scene.is_good(child) for child in children)


def test_tokens_of_a_mount_go_with_it_and_their_children_too(scene: Scene) -> None:
    scene.mount("mount-1")
    scene.mount("mount-2")
    before = set(scene.storage.content)
    logins = [scene.made(auth_mount="mount-1") for _ in range(7)]
    child, _ = scene.made(parent=logins[0][1].id)
    other, entry = scene.made(auth_mount="mount-2")
    scene.unmount("mount-1")
    assert not any(scene.is_good(token) for token, _ in logins)
    assert not scene.is_good(child)
    assert scene.is_good(other)
    assert scene.tokens.accessors(scene.storage) == [entry.accessor]
    assert scene.clear(limit=3) > 3
    assert scene.is_good(other)
    scene.tokens.revoke_tree(scene.storage, entry.id)
    scene.clear()
    assert set(scene.storage.content) == before - {"core/mounts/mount-1"}


def test_no_token_is_made_for_an_auth_method_that_is_gone(scene: Scene) -> None:
    with pytest.raises(PermissionDenied):
        scene.made(auth_mount="mount-1")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 12), min_size=1, max_size=14), st.integers(0, 13))
def test_after_a_revocation_exactly_the_tree_is_gone(parents: list[int], revoked: int) -> None:
    storage = Shelf()
    scene = _fresh(storage)
    made: list[tuple[Secret[str], str]] = []
    above: list[set[int]] = []
    for index, parent in enumerate(parents):
        is_child = 0 <= parent < index
        token, entry = scene.made(parent=made[parent][1]) if is_child else scene.made()
        above.append({index} | (above[parent] if is_child else set()))
        made.append((token, entry.id))
    target = revoked % len(made)
    doomed = {index for index in range(len(made)) if target in above[index]}
    assert scene.tokens.revoke_tree(storage, made[target][1])
    assert {index for index, (token, _) in enumerate(made) if not scene.is_good(token)} == doomed
    scene.clear(limit=2)
    assert {index for index, (token, _) in enumerate(made) if not scene.is_good(token)} == doomed
    left = {key.removeprefix("core/token/id/") for key in storage.scan("core/token/id/")}
    assert left == {token_id for index, (_, token_id) in enumerate(made) if index not in doomed}


def _fresh(storage: Shelf) -> Scene:
    clock = JumpingClock()
    return Scene(TokenStore(TokenKeys(b"h" * 32, b"b" * 32), clock, SeededEntropy(), lambda *_: None), storage, clock)
