from __future__ import annotations

import pytest
from tests.kit import SeededEntropy
from tests.tokens.conftest import Scene, Shelf

from strongroom.logical.errors import InvalidRequest, PermissionDenied
from strongroom.logical.secret import Secret
from strongroom.tokens.addresses import is_address_allowed
from strongroom.tokens.entry import NEVER
from strongroom.tokens.store import SPENT, TOKEN_LENGTH_MAX, TokenKeys, TokenStore, load_keys
from strongroom.tokens.text import has_valid_checksum


def test_a_token_is_found_by_what_it_is_and_by_nothing_near_it(scene: Scene) -> None:
    token, entry = scene.made()
    found = scene.tokens.find(scene.storage, token)
    assert found == entry
    shown = token.reveal()
    for near in ("", shown[:-1], shown + "a", shown.upper(), " " + shown, shown + "\0", "x" * (TOKEN_LENGTH_MAX + 1)):
        assert not scene.is_good(Secret(near))


def test_the_store_holds_neither_a_token_nor_its_accessor_as_a_key(scene: Scene) -> None:
    token, entry = scene.made()
    keys = "\n".join(scene.storage.content)
    assert token.reveal() not in keys
    assert entry.accessor not in keys
    assert token.reveal().encode() not in b"".join(scene.storage.content.values())


def test_a_thief_of_the_store_cannot_test_a_guess_without_the_key(scene: Scene) -> None:
    token, _ = scene.made()
    other = TokenStore(TokenKeys(bytes(32), bytes(32)), scene.clock, SeededEntropy(), lambda *_: None)
    assert other.find(scene.storage, token) is None


def test_the_keys_are_never_shown() -> None:
    assert repr(TokenKeys(b"hash-key", b"batch-key")) == "<token keys>"


def test_missing_keys_are_a_damaged_store() -> None:
    with pytest.raises(LookupError):
        load_keys(Shelf())


def test_a_root_token_has_the_length_of_a_root_token_and_others_do_not(scene: Scene) -> None:
    root, _ = scene.made(policies=("root",))
    plain, _ = scene.made()
    assert (len(root.reveal()), len(plain.reveal())) == (28, 44)
    assert has_valid_checksum(root.reveal())
    assert has_valid_checksum(plain.reveal())


def test_an_expired_token_is_dead_at_its_instant_without_any_sweeper(scene: Scene) -> None:
    token, entry = scene.made()
    scene.clock.jump(3599.999)
    assert scene.is_good(token)
    scene.clock.jump(0.001)
    assert not scene.is_good(token)
    assert scene.tokens.by_accessor(scene.storage, entry.accessor) is None
    assert scene.tokens.accessors(scene.storage) == []


def test_a_token_whose_ancestor_expired_is_dead_without_any_sweeper(scene: Scene) -> None:
    _, grandparent = scene.made()
    _, parent = scene.made(parent=grandparent.id, expire_time_ns=NEVER)
    token, _ = scene.made(parent=parent.id, expire_time_ns=scene.clock.now_ns() + 10**15)
    assert scene.is_good(token)
    scene.clock.jump(3600)
    assert not scene.is_good(token)


def test_a_renewed_ancestor_keeps_its_tree_alive(scene: Scene) -> None:
    _, parent = scene.made()
    token, _ = scene.made(parent=parent.id, expire_time_ns=NEVER)
    scene.tokens.set_expiry(scene.storage, parent, scene.clock.now_ns() + 7200 * 10**9)
    scene.clock.jump(3600)
    assert scene.is_good(token)


def test_no_child_is_made_for_a_parent_that_is_gone_or_expired(scene: Scene) -> None:
    _, parent = scene.made()
    scene.clock.jump(3600)
    with pytest.raises(PermissionDenied):
        scene.made(parent=parent.id)
    with pytest.raises(PermissionDenied):
        scene.made(parent="0" * 64)


def test_every_use_is_counted_and_the_last_one_is_said(scene: Scene) -> None:
    token, _ = scene.made(num_uses=2, use_limited=True)
    for left, is_last in ((1, False), (SPENT, True)):
        entry = scene.tokens.find(scene.storage, token)
        assert entry is not None
        assert scene.tokens.spend_use(scene.storage, entry) is is_last
        stored = scene.tokens.find(scene.storage, token)
        assert stored is not None
        assert stored.num_uses == left


def test_a_token_without_a_limit_is_never_spent(scene: Scene) -> None:
    _, entry = scene.made()
    assert not any(scene.tokens.spend_use(scene.storage, entry) for _ in range(100))


def test_accessors_name_tokens_and_die_with_them(scene: Scene) -> None:
    _, one = scene.made()
    _, other = scene.made()
    assert scene.tokens.accessors(scene.storage) == sorted([one.accessor, other.accessor])
    found = scene.tokens.by_accessor(scene.storage, one.accessor)
    assert found is not None
    assert found.id == one.id
    scene.tokens.revoke_tree(scene.storage, one.id)
    assert scene.tokens.by_accessor(scene.storage, one.accessor) is None
    assert scene.tokens.by_accessor(scene.storage, "") is None


def test_an_accessor_is_no_token(scene: Scene) -> None:
    _, entry = scene.made()
    assert not scene.is_good(Secret(entry.accessor))
    assert not scene.is_good(Secret(entry.id))


def test_a_chosen_token_is_stored_like_any_other_and_once(scene: Scene) -> None:
    chosen = Secret("my-own-token")
    assert scene.tokens.create(scene.storage, scene.entry(), token=chosen) == chosen
    assert scene.is_good(chosen)
    with pytest.raises(InvalidRequest, match="duplicate"):
        scene.tokens.create(scene.storage, scene.entry(), token=chosen)


def test_the_sweeper_removes_what_expired_with_its_tree_and_nothing_else(scene: Scene) -> None:
    before = set(scene.storage.content)
    _, short = scene.made()
    scene.made(parent=short.id, expire_time_ns=NEVER)
    long, _ = scene.made(expire_time_ns=scene.clock.now_ns() + 10**15)
    forever, _ = scene.made(expire_time_ns=NEVER)
    assert scene.tokens.sweep(scene.storage, limit=100) == 0
    scene.clock.jump(3600)
    assert scene.tokens.sweep(scene.storage, limit=100) == 1
    scene.clear()
    assert scene.is_good(long)
    assert scene.is_good(forever)
    assert len(scene.dropped) == 2
    scene.clock.jump(10**9)
    scene.tokens.sweep(scene.storage, limit=100)
    scene.clear()
    left = set(scene.storage.content) - before
    assert {key.split("/")[2] for key in left} == {"id", "accessor"}


def test_a_round_of_the_sweeper_is_bounded(scene: Scene) -> None:
    for _ in range(10):
        scene.made()
    scene.clock.jump(3600)
    assert [scene.tokens.sweep(scene.storage, limit=4) for _ in range(4)] == [4, 4, 2, 0]


def test_a_renewed_token_is_not_swept_at_its_first_expiry(scene: Scene) -> None:
    token, entry = scene.made()
    scene.tokens.set_expiry(scene.storage, entry, scene.clock.now_ns() + 7200 * 10**9)
    scene.clock.jump(3600)
    assert scene.tokens.sweep(scene.storage, limit=10) == 0
    assert scene.is_good(token)
    scene.clock.jump(3600)
    assert scene.tokens.sweep(scene.storage, limit=10) == 1


@pytest.mark.parametrize(
    ("cidrs", "address", "allowed"),
    [
        ((), "203.0.113.9", True),
        ((), "", True),
        (("127.0.0.2",), "127.0.0.2", True),
        (("127.0.0.2",), "127.0.0.1", False),
        (("10.0.0.0/8", "192.0.2.0/24"), "192.0.2.255", True),
        (("10.0.0.0/8",), "11.0.0.0", False),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", True),
        (("10.0.0.0/8",), "::10.1.2.3", False),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("2001:db8::/32",), "10.0.0.1", False),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("10.0.0.0/8",), "", False),
        (("10.0.0.0/8",), "not an address", False),
    ],
    ids=str,
)
def test_a_bound_token_is_used_from_its_networks_alone(
    scene: Scene,
    cidrs: tuple[str, ...],
    address: str,
    allowed: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    assert is_address_allowed(scene.entry(bound_cidrs=cidrs), address) is allowed
