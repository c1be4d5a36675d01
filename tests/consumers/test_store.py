from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit import Vault

from strongroom.barrier.transaction import Transaction
from strongroom.consumers import consumer as bounds
from strongroom.consumers import store
from strongroom.consumers.consumer import Consumer, Running, check_description, check_name, split_reference
from strongroom.logical.errors import InvalidRequest
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.store import TokenKeys, TokenStore

VECTORS = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "consumers.json").read_text())
SECOND = 1_000_000_000
NAMES = st.sampled_from(["web", "db", "cron"])
IDENTITIES = st.sampled_from(["a" * 32, "b" * 32])
SECRETS = st.lists(
    st.builds(Running, st.sampled_from(["m1", "m2"]), st.sampled_from(["data/a", "data/a/b"]), st.integers(0, 3)),
    max_size=4,
).map(tuple)
REPORTS = st.lists(st.tuples(IDENTITIES, NAMES, SECRETS, st.integers(60, 200), st.integers(0, 120)), max_size=12)


VAULT = Vault()


def made(identity: str, name: str, secrets: tuple[Running, ...], ttl: int, now_ns: int) -> Consumer:
    return Consumer(
        name=name,
        identity=identity,
        kind="agent",
        ttl=ttl,
        first_seen_ns=now_ns,
        last_seen_ns=now_ns,
        secrets=secrets,
    )


@pytest.fixture(scope="module")
def vault() -> Vault:
    return Vault()


def transaction_of(vault: Vault) -> Transaction:
    return vault.node.require().barrier.transaction()


def rows(storage: Transaction) -> set[str]:
    return set(storage.scan("core/consumer/"))


def test_the_frozen_rows_are_written_and_read(vault: Vault) -> None:
    frozen = VECTORS["rows"]
    with transaction_of(vault) as storage:
        for key, value in frozen.items():
            storage.put(key, value.encode())
        (one,) = store.all_consumers(storage, 0)
        store.remove(storage, one)
        assert rows(storage) == {"core/consumer/count"}
        store.put(storage, one)
        assert {key: (storage.get(key) or b"").decode() for key in rows(storage)} == frozen


@pytest.mark.parametrize("case", VECTORS["identities"], ids=["entity", "account", "token"])
def test_who_reports_has_the_frozen_identity(vault: Vault, case: dict[str, str]) -> None:
    keys = TokenKeys(bytes.fromhex(VECTORS["hash_key_hex"]), b"b" * 32)
    tokens = TokenStore(keys, vault.clock, vault.entropy, lambda _storage, _token: None)
    fields: dict[str, Any] = {name: case[name] for name in ("id", "entity_id", "auth_mount", "alias")}
    entry = TokenEntry(accessor="a", policies=(), path="p", display_name="d", creation_time_ns=0, **fields)
    assert tokens.identity_of(entry) == case["identity"]


@given(REPORTS)
def test_what_is_found_by_any_index_is_what_a_plain_list_would_find(
    reports: list[tuple[str, str, tuple[Running, ...], int, int]],
) -> None:
    expected: dict[tuple[str, str], Consumer] = {}
    now = 0
    with transaction_of(VAULT) as storage:
        for identity, name, secrets, ttl, passed in reports:
            now += passed * SECOND
            store.sweep(storage, now, limit=100)
            expected = {key: one for key, one in expected.items() if one.expire_time_ns > now}
            expected[identity, name] = made(identity, name, secrets, ttl, now)
            store.put(storage, expected[identity, name])
        assert {(one.identity, one.name): one for one in store.all_consumers(storage, now)} == expected
        for name in ("web", "db", "cron"):
            assert store.named(storage, name, now) == [expected[key] for key in sorted(expected) if key[1] == name]
        for mount in ("m1", "m2"):
            for path in ("data/a", "data/a/b"):
                running = {(one.identity, one.name) for one in store.running(storage, mount, path, now)}
                assert running == {
                    key for key, one in expected.items() if any((s.mount, s.path) == (mount, path) for s in one.secrets)
                }
        for one in expected.values():
            store.remove(storage, one)
        assert rows(storage) <= {"core/consumer/count"}
        assert storage.get("core/consumer/count") in (None, b"0")


def test_a_renewed_report_is_not_swept_when_the_first_would_have_been(vault: Vault) -> None:
    with transaction_of(vault) as storage:
        store.put(storage, made("a", "web", (), 60, 0))
        store.put(storage, made("a", "web", (), 60, 50 * SECOND))
        assert store.sweep(storage, 100 * SECOND, limit=10) == 0
        assert store.sweep(storage, 110 * SECOND, limit=10) == 1
        assert rows(storage) == {"core/consumer/count"}


def test_a_sweep_takes_no_more_than_it_may(vault: Vault) -> None:
    with transaction_of(vault) as storage:
        for number in range(5):
            store.put(storage, made("a", f"c{number}", (), 60, 0))
        assert store.sweep(storage, 100 * SECOND, limit=2) == 2
        assert len(list(store.all_consumers(storage, 0))) == 3


def test_one_identity_has_a_bound_and_may_go_on_renewing_at_it(vault: Vault) -> None:
    with transaction_of(vault) as storage:
        for number in range(bounds.PER_IDENTITY_MAX):
            store.put(storage, made("a", f"c{number}", (), 60, 0))
        with pytest.raises(InvalidRequest):
            store.put(storage, made("a", "more", (), 60, 0))
        store.put(storage, made("a", "c0", (), 60, SECOND))
        store.put(storage, made("b", "more", (), 60, 0))


def test_all_together_have_a_bound(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CONSUMERS_MAX", 3)
    with transaction_of(vault) as storage:
        for number in range(3):
            store.put(storage, made(f"i{number}", "web", (), 60, 0))
        with pytest.raises(InvalidRequest):
            store.put(storage, made("another", "web", (), 60, 0))


@pytest.mark.parametrize("name", ["", "-web", "a/b", "a b", "ä", "x" * 129, "a\n"])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_name(name)


@pytest.mark.parametrize(
    ("kind", "host", "ttl"),
    [("Agent", "", 60), ("", "", 60), ("agent", "a\n", 60), ("agent", "x" * 256, 60), ("agent", "", 59)],
)
def test_what_cannot_describe_a_consumer_is_refused(kind: str, host: str, ttl: int) -> None:
    with pytest.raises(InvalidRequest):
        check_description(kind, host, ttl)


@pytest.mark.parametrize(
    "text", ["", "secret/app", "@3", "secret/app@", "secret/app@x", "secret/app@-1", "a@" + "9" * 19]
)
def test_what_names_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        split_reference(text)


def test_the_version_comes_after_the_last_at_sign() -> None:
    assert split_reference("secret/data/me@home@12") == ("secret/data/me@home", 12)
