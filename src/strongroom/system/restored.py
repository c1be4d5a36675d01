"""The note that a restore leaves in the store, and the record of it in the audit log, made when the vault is opened next.

A restore happens while no server runs, so nothing could be recorded then. The note is removed once the record is kept, and not before.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import msgspec

from strongroom.audit.broker import Broker
from strongroom.audit.facts import Facts
from strongroom.barrier.barrier import Barrier
from strongroom.logical.errors import AuditUnavailable, LogicalError
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request, Response
from strongroom.logical.storage import Storage
from strongroom.physical.store import Conflict, Unavailable

KEY = "core/restored"


class RestoreNote(msgspec.Struct, frozen=True, kw_only=True):
    """What was restored, when and by whom. Times are RFC 3339; ``by`` is the account on the machine that did it."""

    backup: str
    backup_time: str
    restored_time: str
    by: str
    counter_of_backup: int
    counter: int
    tokens: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RestoreNote).decode


def leave(storage: Storage, note: RestoreNote) -> None:
    """Leave a note."""
    storage.put(KEY, _encode(note))


def left(storage: Storage) -> RestoreNote | None:
    """The note, if there is one."""
    stored = storage.get(KEY)
    return None if stored is None else _decode(stored)


def record(barrier: Barrier, broker: Broker, request_id: str) -> bool:
    """Put the note on record and remove it. Whether there is nothing left to record. Raises what the store raises."""
    with barrier.transaction() as transaction:
        note = left(transaction)
        if note is None:
            return True
        told = msgspec.to_builtins(note)
        request = Request(id=request_id, operation=Operation.UPDATE, path="sys/storage/restore", body=told)
        facts = Facts(request=request, policies_allowed=True, public_fields=frozenset(told))
        try:
            broker.write([broker.request_line(facts), broker.response_line(facts, Response())])
        except AuditUnavailable:
            return False
        transaction.delete(KEY)
        barrier.commit(transaction)
    return True


class Recorder:
    """Puts the note on record once, whoever comes first: who unseals, or the keeper of the audit log. ``is_due`` until that is done."""

    def __init__(self) -> None:
        self.is_due = False
        self._lock = threading.Lock()

    def record(self, barrier: Barrier, broker: Broker, new_id: Callable[[], str]) -> None:
        """Record the note if that is due. What cannot be recorded now is recorded the next time, or at the next unseal."""
        with contextlib.suppress(LogicalError, Conflict, Unavailable), self._lock:
            if self.is_due and record(barrier, broker, new_id()):
                self.is_due = False
