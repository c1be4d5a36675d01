"""Ends terms of encryption keys that are as old, or were used as often, as the operator's rules allow."""

from __future__ import annotations

from strongroom.logical.instant import NANOSECONDS
from strongroom.mounts.table import touch_epoch
from strongroom.system.rotation_rules import rotation_rules
from strongroom.system.unsealed import Unsealed


def rotate_due_terms(unsealed: Unsealed) -> int:
    """Rotate every keyring whose term is due, and return how many there were. Raises Sealed and what the store raises.

    Each rotation is durable by itself. Only then the other processes of the server are told, which until then encrypt with the term of before:
    what they write meanwhile opens like everything that it sealed.
    """
    barrier, now_ns = unsealed.barrier, unsealed.clock.now_ns()
    with barrier.transaction() as transaction:
        rules = rotation_rules(transaction)
    due = [
        keyring
        for keyring, status in barrier.key_statuses().items()
        if rules.is_due(age_seconds=(now_ns - status.install_time_ns) / NANOSECONDS, encryptions=status.encryptions)
    ]
    for keyring in due:
        barrier.rotate(keyring)
    if due:
        with barrier.transaction() as transaction:
            touch_epoch(transaction)
            barrier.commit(transaction)
    return len(due)
