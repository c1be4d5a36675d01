from __future__ import annotations

from tests.kit import Vault

from strongroom.tokens import invalidation


def test_no_token_survives_and_nothing_of_them_stays() -> None:
    vault = Vault()
    vault.write_policy("reader", 'path "sys/*" { capabilities = ["read"] }')
    tokens = [vault.root, vault.token_for("reader"), vault.token_for("reader", type="batch")]
    with vault.node.require().barrier.transaction() as transaction:
        invalidation.invalidate_all(transaction, vault.entropy)
        erased = 0
        while step := invalidation.erase(transaction, 3):
            assert step <= 3
            erased += step
        vault.node.require().barrier.commit(transaction)
        assert erased > 5
    vault.node.seal()
    vault.unseal()
    for token in tokens:
        assert vault.get("auth/token/lookup-self", token=token).status == 403
    with vault.node.require().barrier.transaction() as transaction:
        assert list(transaction.scan("core/token/")) == ["core/token/keys"]


def test_the_keys_alone_make_tokens_worthless() -> None:
    vault = Vault()
    batch = vault.token_for("default", type="batch")
    with vault.node.require().barrier.transaction() as transaction:
        invalidation.invalidate_all(transaction, vault.entropy)
        vault.node.require().barrier.commit(transaction)
    vault.node.seal()
    vault.unseal()
    assert vault.get("auth/token/lookup-self").status == 403
    assert vault.get("auth/token/lookup-self", token=batch).status == 403


def test_tokens_that_somebody_else_does_not_know_are_named() -> None:
    vault = Vault()
    vault.token_for("default")
    with vault.node.require().barrier.transaction() as transaction:
        assert len(invalidation.missing_from(transaction, lambda _key: False)) == 2
        assert invalidation.missing_from(transaction, lambda _key: True) == []
