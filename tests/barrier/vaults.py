"""Vaults of the barrier alone: made, unsealed, asked."""

from __future__ import annotations

from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.initialization import InitConfig, InitResult
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.states import State
from strongroom.barrier.transaction import Transaction

FIVE_THREE = InitConfig(secret_shares=5, secret_threshold=3)


def populate(transaction: Transaction) -> None:
    transaction.put("core/first", b"written at initialization")


def texts(result: InitResult) -> list[str]:
    return [share.reveal().hex() for share in (*result.shares, *result.recovery_shares)]


def initialized(surroundings: Surroundings) -> tuple[Lifecycle, list[str]]:
    lifecycle = Lifecycle(surroundings)
    return lifecycle, texts(lifecycle.initialize(FIVE_THREE, populate))


def unseal(lifecycle: Lifecycle, shares: list[str]) -> None:
    for share in shares[:3]:
        lifecycle.submit_unseal_share(share)


def state_of(lifecycle: Lifecycle) -> State:
    return lifecycle.state


def first_record(lifecycle: Lifecycle) -> bytes | None:
    with lifecycle.unsealed().transaction() as transaction:
        return transaction.get("core/first")
