"""Whoever is recognised is recognised as the store has it now: what is remembered saves work and decides nothing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.declarations.world import expect
from tests.kit import Vault

from strongroom.logical.secret import Secret
from strongroom.tokens import known
from strongroom.tokens.entry import TokenEntry


@pytest.fixture
def vault() -> Vault:
    return Vault()


def made(vault: Vault, **fields: Any) -> Secret[str]:
    auth = (expect(vault.post("auth/token/create", fields)).body or {})["auth"]
    return Secret(auth["client_token"])


def recognised(vault: Vault, token: Secret[str]) -> TokenEntry | None:
    """What the pipeline would see, which is what the store has."""
    unsealed = vault.node.require()
    with unsealed.barrier.transaction() as transaction:
        found = unsealed.tokens.find(transaction, token)
        entry = unsealed.tokens.recognise(transaction, token)
        assert entry == found
        if entry is not None:
            assert unsealed.tokens.caller_of(entry) == entry.caller()
        return entry


def test_whoever_asks_again_is_not_decoded_again(vault: Vault) -> None:
    token = made(vault, ttl="1h")
    first, second = recognised(vault, token), recognised(vault, token)
    assert first is second is not None


def test_a_renewed_token_is_seen_as_renewed_and_what_was_given_before_stays(vault: Vault) -> None:
    token = made(vault, ttl="1h")
    before = recognised(vault, token)
    assert before is not None
    expiry = before.expire_time_ns
    vault.clock.jump(60)
    expect(vault.post("auth/token/renew-self", {"increment": "2h"}, token=token.reveal()))
    after = recognised(vault, token)
    assert after is not None
    assert after.expire_time_ns > expiry == before.expire_time_ns


def test_revoked_expired_and_orphaned_tokens_are_forgotten_at_once(vault: Vault) -> None:
    revoked, expiring = made(vault, ttl="1h"), made(vault, ttl="1m")
    parent = made(vault, ttl="1m", policies=["root"])
    child = Secret(
        (expect(vault.post("auth/token/create", {"ttl": "1h"}, token=parent.reveal())).body or {})["auth"][
            "client_token"
        ]
    )
    assert all(recognised(vault, token) for token in (revoked, expiring, child))
    expect(vault.post("auth/token/revoke", {"token": revoked.reveal()}))
    vault.clock.jump(61)
    assert not any(recognised(vault, token) for token in (revoked, expiring, child))


def test_what_a_use_changes_is_never_remembered(vault: Vault) -> None:
    token = made(vault, num_uses=3)
    assert recognised(vault, token) is not recognised(vault, token)
    for _ in range(3):
        expect(vault.get("auth/token/lookup-self", token=token.reveal()))
    assert recognised(vault, token) is None
    assert vault.get("auth/token/lookup-self", token=token.reveal()).status == 403


def test_a_token_that_was_not_committed_is_not_remembered(vault: Vault) -> None:
    unsealed = vault.node.require()
    token = made(vault, ttl="1h")
    with unsealed.barrier.transaction() as transaction:
        entry = unsealed.tokens.find(transaction, token)
        assert entry is not None
        unsealed.tokens.set_expiry(transaction, entry, entry.expire_time_ns + 1)
        pending = unsealed.tokens.recognise(transaction, token)
        assert pending is not None
        assert pending.expire_time_ns == entry.expire_time_ns
    found = recognised(vault, token)
    assert found is not None
    assert found.expire_time_ns == entry.expire_time_ns - 1


def test_so_many_are_remembered_and_no_more(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "ENTRIES_MAX", 4)
    tokens = [made(vault, ttl="1h") for _ in range(10)]
    assert all(recognised(vault, token) for token in [*tokens, *tokens])
    assert len(vault.node.require().tokens._known._by_id) <= 4
