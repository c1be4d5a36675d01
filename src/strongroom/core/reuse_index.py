"""Lists the values of mounts that were there before they joined an environment, or before it had something below it.

``core/reuse-pending/<uuid>`` names a mount that is to be gone through, from the moment on at which its writes are listed; its value is the
path up to which that is done. Each step is one commit, so that it goes on wherever it was cut off.
"""

from __future__ import annotations

from itertools import islice

from strongroom.barrier.transaction import Transaction
from strongroom.core.fingerprints import FingerprintIndex
from strongroom.core.reuse import Guards
from strongroom.core.steps import current_epoch
from strongroom.environments.pending import PENDING_AREA
from strongroom.logical.backend import KeepsValues
from strongroom.system.unsealed import Unsealed

SECRETS_PER_STEP = 200
ROWS_PER_STEP = 2000

_OLD_MARKS = ("core/reuse-turn/all", "core/reuse-listed/all")
"""What stands in a vault that lists in format 1 or 2."""
_OLD_AREAS = ("core/reuse/", "core/reuse-listed/", "core/reuse-turn/")
"""All that those formats stored. What stands in ``_OLD_MARKS`` goes last: till then there is more to remove."""
_FORMS_MARK = "core/reuse-forms"
_FORMS = b"2"
"""Which forms of a value are listed. Where the mark says another, or is not there, those that came since are missing."""


def list_pending(unsealed: Unsealed, secrets: int = SECRETS_PER_STEP) -> bool:
    """Go through the next ``secrets`` secrets of a mount that waits; whether there may be more to do. Raises what the store raises."""
    with unsealed.barrier.transaction() as transaction:
        if any(transaction.version(mark) is not None for mark in _OLD_MARKS):
            _leave_old_formats(unsealed, transaction)
            unsealed.barrier.commit(transaction)
            return True
        if transaction.get(_FORMS_MARK) != _FORMS and _list_all(unsealed, transaction):
            transaction.put(_FORMS_MARK, _FORMS)
            unsealed.barrier.commit(transaction)
            return True
        name = next(iter(transaction.scan(PENDING_AREA)), None)
        if name is None:
            return False
        _step(unsealed, transaction, name, secrets)
        unsealed.barrier.commit(transaction)
    return True


def _leave_old_formats(unsealed: Unsealed, transaction: Transaction) -> None:
    """Have everything listed anew that older formats had rows for, and remove these, so many at a time."""
    _list_all(unsealed, transaction)
    found = (row for area in _OLD_AREAS for row in transaction.scan(area) if row not in _OLD_MARKS)
    rows = list(islice(found, ROWS_PER_STEP))
    for row in rows if len(rows) == ROWS_PER_STEP else (*rows, *_OLD_MARKS):
        transaction.delete(row)


def _list_all(unsealed: Unsealed, transaction: Transaction) -> bool:
    """Have all that is to be listed be gone through; whether there is anything."""
    mounts = unsealed.environments.at(transaction, current_epoch(transaction)).listed_mounts
    for uuid in mounts:
        transaction.put(PENDING_AREA + uuid, b"")
    return bool(mounts)


def _step(unsealed: Unsealed, transaction: Transaction, name: str, secrets: int) -> None:
    epoch = current_epoch(transaction)
    uuid = name.removeprefix(PENDING_AREA)
    live = unsealed.mounts.at(transaction, epoch).by_uuid(uuid)
    environments = unsealed.environments.at(transaction, epoch)
    backend: object = live.router.backend if live is not None else None
    if live is None or uuid not in environments.listed_mounts or not isinstance(backend, KeepsValues):
        transaction.delete(name)
        return
    guards = Guards(unsealed, transaction, environments, warnings=[], token=None)
    index = FingerprintIndex(unsealed.fingerprint_key, transaction, uuid, guards, is_known=True)
    view = transaction.view(live.entry.storage_prefix)
    after = (transaction.get(name) or b"").decode()
    found = list(islice(backend.values_in(view, uuid, after), secrets))
    for path, versions in found:
        for values in versions:
            index.list_known(path, values)
    if len(found) < secrets:
        transaction.delete(name)
    else:
        transaction.put(name, found[-1][0].encode())
