"""Removes what mounts held that were unmounted, a little at a time: ``core/removing/<uuid>`` names each until its last row is gone; and what
plugs of other mounts left to be removed.

No request finds these rows: a mount is found in the table, where it is no more, and its rows lie under its uuid, which is given to no other.
Each step is one commit, so that it goes on wherever it was cut off. No row is opened, so neither damage nor a lost keyring keeps one here.
"""

from __future__ import annotations

from itertools import chain

from strongroom import failpoints
from strongroom.barrier.transaction import Transaction
from strongroom.core.steps import current_epoch
from strongroom.logical.backend import LeavesRows
from strongroom.mounts.table import REMOVING_AREA, is_mounted
from strongroom.system.unsealed import Unsealed

ROWS_MAX = 256
"""So many rows are removed in one commit at most: some milliseconds."""
BYTES_MAX = 1 << 20
"""They have together hardly more than this, in bytes: what is removed is overwritten."""


def remove_unmounted(unsealed: Unsealed) -> bool:
    """Remove some rows of a mount that is gone; whether there may be more to do. Raises Sealed and what the store raises."""
    with unsealed.barrier.transaction() as transaction:
        name = next(iter(transaction.scan(REMOVING_AREA)), None)
        if name is None:
            return False
        _remove_some(transaction, name)
        failpoints.reach("removal_before_step")
        unsealed.barrier.commit(transaction)
        failpoints.reach("removal_after_step")
    return True


def remove_left_in_mounts(unsealed: Unsealed) -> bool:
    """Have a plug remove some of what it left to be removed; whether there may be more to do. Raises Sealed and what the store raises."""
    with unsealed.barrier.transaction() as transaction:
        for live in unsealed.mounts.at(transaction, current_epoch(transaction)):
            backend: object = live.router.backend
            if isinstance(backend, LeavesRows) and backend.remove_left(transaction.view(live.storage_prefix), ROWS_MAX):
                unsealed.barrier.commit(transaction)
                return True
    return False


def _remove_some(transaction: Transaction, name: str) -> None:
    uuid = name.removeprefix(REMOVING_AREA)
    # It cannot be mounted. If something were wrong with that, nothing that is in use may go.
    areas = () if is_mounted(transaction, uuid) else (f"auth/{uuid}/", f"logical/{uuid}/")
    size = 0
    for number, key in enumerate(chain.from_iterable(transaction.scan(area) for area in areas)):
        if number >= ROWS_MAX or size >= BYTES_MAX:
            return
        record = transaction.stored(key)
        size += len(record.value) if record is not None else 0
        transaction.delete(key)
    transaction.delete(name)
