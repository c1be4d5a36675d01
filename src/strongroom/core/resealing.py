"""Seals rows anew that lie under another keyring than the one that they belong to, a little at a time; and destroys keyrings that nothing is under.

Nothing waits for it: a row names its keyring, and opens wherever it lies. Each step is one commit together with the place up to which it went, so
that it goes on wherever it was cut off. A row that somebody writes meanwhile lies under the right keyring by that; who was faster is no matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from strongroom import failpoints
from strongroom.barrier.assignment import OVERRIDE_AREA, prefixes_of
from strongroom.barrier.barrier import Barrier
from strongroom.barrier.transaction import Transaction
from strongroom.environments.keyrings import (
    RESEALING_AREA,
    WHOLE_STORE,
    Retiring,
    assign_keyrings,
    drop_retired,
    retiring,
)
from strongroom.mounts.table import EPOCH_KEY, is_being_removed, is_mounted, touch_epoch
from strongroom.physical.store import Conflict
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed

ROWS_MAX = 64
"""So many rows are sealed anew in one commit at most; fewer where others write the same ones."""
LOOKS_MAX = 512
"""So many rows are looked at in one step at most."""
BYTES_MAX = 1 << 20
"""The rows of a step have together hardly more than this, in bytes."""


class Resealing:
    """The work of one process that has the vault open."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rows = ROWS_MAX

    def step(self, unsealed: Unsealed) -> bool:
        """Do a little; whether there may be more to do. Raises Sealed and what the store raises, but for Conflict."""
        try:
            with unsealed.barrier.transaction() as transaction:
                has_more, has_destroyed = self._prepare(unsealed, transaction)
                if transaction.has_changes:
                    failpoints.reach("reseal_before_step")
                    unsealed.barrier.commit(transaction)
                    failpoints.reach("reseal_after_step")
        except Conflict:
            self._rows = max(1, self._rows // 2)
            return True
        self._rows = min(ROWS_MAX, 2 * self._rows)
        if has_destroyed:
            self._tell_siblings()
        return has_more

    def _tell_siblings(self) -> None:
        """Have no process of this server keep keys that were destroyed."""
        node = self._node
        with node.exclusively():
            if node.siblings is not None and node.unsealed is not None:
                # They go on with what is stored, and so without these.
                node.siblings.root_key_settled()
            node.scrub()

    def _prepare(self, unsealed: Unsealed, transaction: Transaction) -> tuple[bool, bool]:
        """Make the changes of one step. Whether there may be more, and whether keyrings are destroyed by them."""
        epoch = transaction.version(EPOCH_KEY)
        if epoch is None:
            raise LookupError("the epoch record is missing from the store")
        if any(not one.keyring for one in unsealed.environments.at(transaction, epoch)):
            # Made by an older server, when all environments had one keyring.
            assign_keyrings(transaction)
            touch_epoch(transaction)
            return True, False
        name = next(iter(transaction.scan(RESEALING_AREA)), None)
        if name is None:
            return False, False
        if name == WHOLE_STORE:
            return True, self._go_through_store(unsealed.barrier, transaction)
        self._go_through_mount(unsealed.barrier, transaction, name)
        return True, False

    def _go_through_mount(self, barrier: Barrier, transaction: Transaction, name: str) -> None:
        uuid, after = name.removeprefix(RESEALING_AREA), (transaction.get(name) or b"").decode()
        reached = self._reseal(barrier, transaction, prefixes_of(uuid), after)
        if reached is None:
            transaction.delete(name)
        else:
            transaction.put(name, reached.encode())

    def _go_through_store(self, barrier: Barrier, transaction: Transaction) -> bool:
        retired = retiring(transaction)
        reached = self._reseal(barrier, transaction, ("",), retired.after)
        if reached is not None:
            transaction.put(WHOLE_STORE, Retiring(retired.ids, reached).encoded())
            return False
        drop_retired(transaction, retired)
        touch_epoch(transaction)
        return True

    def _reseal(self, barrier: Barrier, transaction: Transaction, prefixes: Iterable[str], after: str) -> str | None:
        """Put rows anew that are misplaced, beyond ``after``; the key of the last one that was looked at, None where that was all.

        What is left of a mount that is gone goes: nothing of it shall come to lie under a keyring that stays.
        """
        looks = rows = size = 0
        for key in chain.from_iterable(transaction.scan(prefix, after) for prefix in prefixes):
            if key.startswith(RESEALING_AREA):
                continue
            record = transaction.stored(key)
            if record is None:
                continue
            looks += 1
            size += len(record.value)
            if _is_left_behind(transaction, key):
                transaction.delete(key)
                rows += 1
            elif barrier.is_misplaced(key, record) and (value := transaction.get(key)) is not None:
                transaction.put(key, value)
                rows += 1
            if rows >= self._rows or looks >= LOOKS_MAX or size >= BYTES_MAX:
                return key
        return None


def _is_left_behind(transaction: Transaction, key: str) -> bool:
    """Whether the row at ``key`` belonged to a mount that is gone."""
    if key.startswith(OVERRIDE_AREA):
        return not is_mounted(transaction, key.split("/", 4)[3])
    return is_being_removed(transaction, key.partition("/")[2].partition("/")[0])
