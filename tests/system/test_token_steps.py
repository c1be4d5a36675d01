"""Acts on many tokens go in several commits, and what is interrupted is found undone."""

from __future__ import annotations

import pytest
from tests.kit import Vault

from strongroom.physical.store import Conflict
from strongroom.system import token_steps
from strongroom.system.token_steps import revoke_all, tidy
from strongroom.system.unsealed import Unsealed


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def unsealed(vault: Vault) -> Unsealed:
    return vault.node.require()


def made(vault: Vault, count: int, ttl: str = "1h") -> list[str]:
    body = {"policies": ["default"], "ttl": ttl}
    return [str(vault.post("auth/token/create-orphan", body).auth["client_token"]) for _ in range(count)]


def ids(unsealed: Unsealed) -> list[str]:
    with unsealed.barrier.transaction() as transaction:
        return unsealed.tokens.ids_of_leases(transaction, "auth/token/create-orphan")


def good(vault: Vault, tokens: list[str]) -> int:
    return sum(vault.get("auth/token/lookup-self", token=token).status == 200 for token in tokens)


def test_what_was_revoked_before_an_interruption_stays_revoked_and_the_rest_is_found_again(
    vault: Vault, unsealed: Unsealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_steps, "TOKENS_PER_STEP", 4)
    tokens = made(vault, 10)
    commits, commit = 0, unsealed.barrier.commit

    def fails_second(*arguments: object, **options: bool) -> None:
        nonlocal commits
        commits += 1
        if commits == 2:
            raise Conflict
        commit(*arguments, **options)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(unsealed.barrier, "commit", fails_second)
    with pytest.raises(Conflict):
        revoke_all(unsealed, ids(unsealed))
    assert good(vault, tokens) == 6
    revoke_all(unsealed, ids(unsealed))
    assert good(vault, tokens) == 0
    assert ids(unsealed) == []


def test_a_prefix_is_revoked_although_somebody_keeps_changing_what_lies_below(
    vault: Vault, unsealed: Unsealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conflict costs one step, and the request goes on with what is left."""
    monkeypatch.setattr(token_steps, "TOKENS_PER_STEP", 1)
    tokens = made(vault, 12)
    commits, commit = 0, unsealed.barrier.commit

    def fails_mostly(*arguments: object, **options: bool) -> None:
        nonlocal commits
        commits += 1
        if commits % 3:
            raise Conflict
        commit(*arguments, **options)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(unsealed.barrier, "commit", fails_mostly)
    assert vault.post("sys/leases/revoke-prefix/auth/token/create-orphan").status == 204
    monkeypatch.undo()
    assert good(vault, tokens) == 0


def test_tidying_removes_all_that_expired_and_all_that_hung_below_in_several_commits(
    vault: Vault, unsealed: Unsealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_steps, "TOKENS_PER_STEP", 3)
    parents = made(vault, 7)
    for parent in parents:
        vault.post("auth/token/create", {"ttl": "3h"}, token=parent)
    lasting = made(vault, 1, ttl="9h")
    vault.clock.jump(3600)

    tidy(unsealed)

    with unsealed.barrier.transaction() as transaction:
        left = [key for key in transaction.scan("core/token/") if key.startswith("core/token/id/")]
        assert list(transaction.scan("core/token/doomed")) == []
    assert len(left) == 2  # with the root token
    assert good(vault, lasting) == 1
