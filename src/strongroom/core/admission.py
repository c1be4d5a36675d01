"""Quotas on the way of a request: which rules hold now, and as which role a login counts.

The rules are looked at before anything of a body is read, so this is not a step of the pipeline: the edge asks, batch by batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.barrier.transaction import Transaction
from strongroom.core.pipeline import STORE_FAILURES
from strongroom.core.steps import current_epoch
from strongroom.logical.backend import NamesRole
from strongroom.logical.errors import InvalidRequest, Sealed
from strongroom.logical.request import Request
from strongroom.mounts.table import MountMap
from strongroom.quotas.gate import Gate, Pending
from strongroom.quotas.ruleset import QuotaExceeded
from strongroom.quotas.window import Grant
from strongroom.system.unsealed import Unsealed


def gate_for(unsealed: Unsealed) -> Gate | None:
    """The gate for the next batch, or None where there are no quotas.

    Rules are read again when any process has changed them, and when the mounts that the last batch saw are not those that they were made
    for. Where they cannot be read the last rules go on.
    """
    book = unsealed.quotas
    if not book.is_current(unsealed.mounts.latest):
        try:
            unsealed.refresh_quotas()
        except (Sealed, *STORE_FAILURES):
            return book.gate()
    return book.gate()


def settle_logins(
    unsealed: Unsealed, gate: Gate, logins: Sequence[tuple[Request, Pending]]
) -> list[Grant | QuotaExceeded | None]:
    """Count each login as that of its role: what the rule said, the refusal, or None where no rule is about it."""
    settled: list[Grant | QuotaExceeded | None] = []
    with unsealed.barrier.transaction() as transaction:
        mounts = unsealed.mounts.at(transaction, current_epoch(transaction))
        for request, pending in logins:
            try:
                settled.append(gate.settle(pending, _role_of(mounts, transaction, request)))
            except QuotaExceeded as exceeded:
                settled.append(exceeded)
    return settled


def _role_of(mounts: MountMap, transaction: Transaction, request: Request) -> str:
    found = mounts.find(request.path)
    if found is None:
        return ""
    live, rest = found
    backend: object = live.router.backend
    if not isinstance(backend, NamesRole):
        return ""
    try:
        return backend.role_of(transaction.view(live.entry.storage_prefix), rest, request.body)
    except InvalidRequest:
        return ""  # the handler will say what is wrong with it
