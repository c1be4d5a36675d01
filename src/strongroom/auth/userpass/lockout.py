"""Lockout: how many wrong passwords a user may be tried with before nobody is let in for a while.

The count is stored, in the commit of the login that failed. But a commit comes after the password was checked, and many logins can
be under way at once, each over its own snapshot; they must not all see the same small number. So every attempt first takes a place
in this process's ledger, and there are only as many places as wrong passwords are allowed (SECURITY INV-12, rows 19 and 28). Who
finds all places taken waits until an attempt under way has come to its end; so many right passwords at once are all let in. An
attempt is known by its request, so a request that is run again after a conflict neither counts twice nor is checked twice.

The ledger is the one piece of state that this auth method keeps outside the storage. It forgets nothing that is not stored, and
losing it (a restart) loses only the attempts of that moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from threading import Condition
from zlib import crc32

import msgspec

from strongroom.logical.backend import Context
from strongroom.logical.instant import NANOSECONDS

_FAILURES = "failures/"
# Failures that count for nobody are written here, over and over to the same few keys: the same commit as one that counts.
_DECOYS = "decoy/"
_DECOY_KEYS = 256


@dataclass(frozen=True, slots=True)
class LockoutRule:
    """After ``threshold`` wrong passwords the user is locked for ``duration_seconds``, counted from the last of them.

    Wrong passwords are forgotten after ``reset_seconds`` without another one, and at a successful login.
    """

    threshold: int = 5
    duration_seconds: int = 15 * 60
    reset_seconds: int = 15 * 60


class Attempt(Enum):
    """What the ledger says to a login that wants its password checked."""

    ADMITTED = "check it"
    KNOWN_WRONG = "this very attempt was checked already, and was wrong"
    LOCKED = "check nothing"


class _Stored(msgspec.Struct, frozen=True):
    """The record of a user's failures. ``uid`` is the credential they were about: a new password starts at nothing."""

    uid: str
    failures: int
    last_ns: int


_NO_UID = "00000000-0000-0000-0000-000000000000"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Stored).decode


@dataclass(slots=True)
class _Entry:
    """A user in the ledger: failures from before the ledger began, and attempts by request, True once found wrong."""

    uid: str
    before: int = 0
    last_ns: int = 0
    attempts: dict[str, bool] = field(default_factory=dict)

    def failures(self) -> int:
        return self.before + sum(self.attempts.values())

    def forget_failures(self) -> None:
        self.before = 0
        self.attempts = {request_id: False for request_id, is_wrong in self.attempts.items() if not is_wrong}


class Lockout:
    """The ledger of one ``UserPass``, for all mounts that it answers for. Safe for threads."""

    def __init__(self, rule: LockoutRule) -> None:
        self._rule = rule
        self._changed = Condition()
        self._entries: dict[tuple[str, str], _Entry] = {}

    def admit(self, context: Context, name: str, uid: str) -> Attempt:
        """Take a place for this request, waiting for one if need be.

        Whatever is admitted must end in ``count_failure`` or ``forgive``, or others wait for ever.
        """
        key, now, request_id = (context.mount.uuid, name), context.now_ns(), context.request.id
        stored = self._stored_unless_known(context, key, uid)
        with self._changed:
            while True:
                entry = self._entries[key] = self._current(key, uid, stored, now)
                if request_id in entry.attempts:
                    return Attempt.KNOWN_WRONG if entry.attempts[request_id] else Attempt.ADMITTED
                if entry.failures() >= self._rule.threshold:
                    return Attempt.LOCKED
                if entry.before + len(entry.attempts) < self._rule.threshold:
                    entry.attempts[request_id] = False
                    return Attempt.ADMITTED
                self._changed.wait()

    def count_failure(self, context: Context, name: str, uid: str) -> None:
        """The attempt's password was wrong: count it here and in the storage."""
        key, now = (context.mount.uuid, name), context.now_ns()
        with self._changed:
            entry = self._entries.setdefault(key, _Entry(uid))
            if not entry.attempts.get(context.request.id):
                entry.attempts[context.request.id] = True
                entry.last_ns = max(entry.last_ns, now)
            stored = _Stored(uid, entry.failures(), entry.last_ns)
            self._changed.notify_all()
        context.storage.put(_FAILURES + name, _encode(stored))

    def count_for_nobody(self, context: Context) -> None:
        """A login failed that was not about any user's password: leave the same traces as one that was."""
        slot = crc32(context.request.id.encode()) % _DECOY_KEYS
        context.storage.put(f"{_DECOYS}{slot}", _encode(_Stored(_NO_UID, 1, context.now_ns())))

    def forgive(self, context: Context, name: str) -> None:
        """The attempt's password was right: the failures before it are forgotten; attempts under way keep their places."""
        key = (context.mount.uuid, name)
        with self._changed:
            entry = self._entries.get(key)
            if entry is not None:
                entry.attempts.pop(context.request.id, None)
                entry.forget_failures()
                if not entry.attempts:
                    del self._entries[key]
            self._changed.notify_all()
        if context.storage.get(_FAILURES + name) is not None:
            context.storage.delete(_FAILURES + name)

    def is_locked(self, context: Context, name: str, uid: str) -> bool:
        """Whether nobody is let in as this user now."""
        key, now = (context.mount.uuid, name), context.now_ns()
        stored = self._stored_unless_known(context, key, uid)
        with self._changed:
            return self._current(key, uid, stored, now).failures() >= self._rule.threshold

    def forget_user(self, context: Context, name: str) -> None:
        """The user is gone."""
        with self._changed:
            self._entries.pop((context.mount.uuid, name), None)
            self._changed.notify_all()
        context.storage.delete(_FAILURES + name)

    def _stored_unless_known(self, context: Context, key: tuple[str, str], uid: str) -> _Stored | None:
        # A user in the ledger is not read: the record changes with each failure, and whoever read it is in conflict with that.
        with self._changed:
            entry = self._entries.get(key)
            if entry is not None and entry.uid == uid:
                return None
        stored = context.storage.get(_FAILURES + key[1])
        record = None if stored is None else _decode(stored)
        return record if record is not None and record.uid == uid else None

    def _current(self, key: tuple[str, str], uid: str, stored: _Stored | None, now_ns: int) -> _Entry:
        """The user's entry without what is too long ago; a new one, not in the ledger yet, where there is none."""
        entry = self._entries.get(key)
        if entry is None or entry.uid != uid:
            entry = _Entry(uid) if stored is None else _Entry(uid, stored.failures, stored.last_ns)
        # A clock that was ahead and was set right must not keep somebody out until it gets there again.
        entry.last_ns = min(entry.last_ns, now_ns)
        failures = entry.failures()
        wait = self._rule.duration_seconds if failures >= self._rule.threshold else self._rule.reset_seconds
        if failures and now_ns >= entry.last_ns + wait * NANOSECONDS:
            entry.forget_failures()
        return entry
