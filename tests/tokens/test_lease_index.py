"""The index of leases says the same as the entries, whatever happened to the tokens."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.harness import MemoryStorage
from tests.kit import JumpingClock, SeededEntropy

from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.request import TokenType
from strongroom.logical.storage import Storage
from strongroom.tokens import lease_index
from strongroom.tokens.entry import NEVER, TokenEntry
from strongroom.tokens.store import TokenKeys, TokenStore

PATHS = ("auth/token/create", "auth/userpass/login/bob", "auth/userpass/login/bo", "secret/data/häns", "auth/x")
HEX = "0" * 64

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from(PATHS), st.sampled_from([0, 5, 60, 3600])),
        st.tuples(st.just("child"), st.integers(0, 20), st.sampled_from([0, 5, 60])),
        st.tuples(st.just("batch"), st.sampled_from(PATHS), st.just(60)),
        st.tuples(st.just("renew"), st.integers(0, 20), st.sampled_from([1, 100, 9999])),
        st.tuples(st.just("use"), st.integers(0, 20), st.just(0)),
        st.tuples(st.just("revoke"), st.integers(0, 20), st.just(0)),
        st.tuples(st.just("orphan"), st.integers(0, 20), st.just(0)),
        st.tuples(st.just("prefix"), st.sampled_from([*PATHS, "auth", "auth/userpass", "auth/user"]), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from([1, 30, 5000]), st.just(0)),
        st.tuples(st.just("sweep"), st.sampled_from([1, 100]), st.just(0)),
    ),
    max_size=30,
)


class Scene:
    """A token store in memory, driven by the actions above."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.clock = JumpingClock()
        self.tokens = TokenStore(
            TokenKeys(b"h" * 32, b"b" * 32), self.clock, SeededEntropy(), on_dropped=lambda _storage, _token_id: None
        )
        self.made: list[str] = []

    def create(self, path: str, ttl: int, **more: Any) -> TokenEntry:
        now = self.clock.now_ns()
        entry = TokenEntry(
            id="",
            accessor="",
            policies=("p",),
            path=path,
            display_name="d",
            creation_time_ns=now,
            expire_time_ns=now + ttl * NANOSECONDS if ttl else NEVER,
            **more,
        )
        self.tokens.create(self.storage, entry)
        if entry.type is TokenType.SERVICE:
            self.made.append(entry.id)
        return entry

    def act(self, name: str, what: Any, amount: int) -> None:
        if name == "create":
            self.create(what, amount, use_limited=amount == 5, num_uses=2)
        elif name == "batch":
            self.create(what, amount, type=TokenType.BATCH)
        elif name == "prefix":
            self.revoke_below(what)
        elif name == "wait":
            self.clock.jump(what)
        elif name == "sweep":
            self.tokens.sweep(self.storage, what)
        elif self.made:
            self.act_on(name, self.made[what % len(self.made)], amount)

    def revoke_below(self, prefix: str) -> int:
        """Revoke what has a lease there; returns how many there were."""
        return sum(
            self.tokens.revoke_tree(self.storage, one) for one in self.tokens.ids_of_leases(self.storage, prefix)
        )

    def act_on(self, name: str, token_id: str, amount: int) -> None:
        entry = self.tokens.by_id(self.storage, token_id)
        if entry is None:
            return
        if name == "child":
            self.create("auth/token/create", amount, parent=token_id)
        elif name == "renew":
            self.tokens.set_expiry(self.storage, entry, self.clock.now_ns() + amount * NANOSECONDS)
        elif name == "revoke" or (name == "use" and self.tokens.spend_use(self.storage, entry)):
            self.tokens.revoke_tree(self.storage, token_id)
        elif name == "orphan":
            self.tokens.revoke_orphaning(self.storage, token_id)

    def stored(self) -> list[TokenEntry]:
        """The entries as they lie in the store, the expired ones too."""
        values = [self.storage.get(key) for key in self.storage.scan("core/token/id/")]
        return [msgspec.json.decode(value, type=TokenEntry) for value in values if value is not None]

    def indexed(self) -> set[str]:
        return {key.removeprefix("core/token/lease/") for key in self.storage.scan("core/token/lease/")}


@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_after_any_operations_the_index_holds_exactly_the_service_tokens_that_expire(actions: list[Any]) -> None:
    scene = Scene(MemoryStorage())

    for name, what, amount in actions:
        scene.act(name, what, amount)

    expiring = {f"{entry.path}/h{entry.id}" for entry in scene.stored() if entry.expire_time_ns != NEVER}
    assert scene.indexed() == expiring


def test_a_token_is_found_by_its_lease_and_by_no_other_name() -> None:
    scene = Scene(MemoryStorage())
    entry = scene.create("auth/x/login", 60)
    good = f"auth/x/login/h{entry.id}"

    found = scene.tokens.by_lease(scene.storage, good)

    assert found is not None
    assert found.id == entry.id
    for bad in (
        f"auth/y/login/h{entry.id}",
        f"h{entry.id}",
        f"/{good}",
        f"{good}/",
        good.upper(),
        good[:-1],
        entry.id,
        "",
    ):
        assert scene.tokens.by_lease(scene.storage, bad) is None


def test_an_expired_token_has_no_lease_even_before_it_is_swept() -> None:
    scene = Scene(MemoryStorage())
    entry = scene.create("auth/x/login", 60)
    scene.clock.jump(60)

    assert scene.tokens.by_lease(scene.storage, f"auth/x/login/h{entry.id}") is None
    assert scene.tokens.lease_names(scene.storage, "auth/x/login") == []
    assert scene.indexed() == {f"auth/x/login/h{entry.id}"}


def test_a_prefix_ends_at_a_slash() -> None:
    scene = Scene(MemoryStorage())
    short, long = scene.create("auth/user/login", 60), scene.create("auth/userpass/login", 60)

    assert list(lease_index.token_ids(scene.storage, "auth/user")) == [short.id]
    assert list(lease_index.token_ids(scene.storage, "auth/userpass/")) == [long.id]
    assert scene.revoke_below("auth/use") == 0


def test_revoking_a_prefix_takes_children_elsewhere_and_each_token_once() -> None:
    scene = Scene(MemoryStorage())
    parent = scene.create("auth/x/login", 60)
    scene.create("auth/x/login", 60, parent=parent.id)
    elsewhere = scene.create("auth/token/create", 60, parent=parent.id)
    other = scene.create("auth/token/create", 60)

    assert scene.revoke_below("auth/x") == 2
    assert scene.tokens.by_id(scene.storage, elsewhere.id) is None
    while scene.tokens.clear(scene.storage, 10):
        pass
    assert [entry.id for entry in scene.stored()] == [other.id]


@pytest.mark.parametrize("text", ["", "h", HEX, f"h{HEX}0", f"h{HEX[1:]}", f"h{HEX[1:]}G", f"x/h{HEX}\n", f"H{HEX}"])
def test_what_is_not_the_name_of_a_lease_leads_to_no_token(text: str) -> None:
    assert lease_index.token_id_of(text) is None


def test_the_name_of_a_lease_leads_to_the_id_of_its_token() -> None:
    assert lease_index.token_id_of(f"a/b/h{HEX}") == HEX
