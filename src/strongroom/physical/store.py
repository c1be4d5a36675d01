"""The contract of a physical store (DESIGN 6), and the ways in which one can say no.

Keys are text, ordered by code point (which is the order of their UTF-8 bytes). Versions are chosen by the caller and only
compared for equality. A store never interprets a value.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

VERSION_MAX = 2**63 - 1
DATA_FORMAT = 3
"""What the records of a store mean together. From 2 on there is a root record, which older servers would not keep in step. From 3 on there may be
several keyrings, of which older servers would leave all but one under a root key that is gone."""


class Record(NamedTuple):
    """What lies at a key: opaque bytes, and the number that the writer gave to this writing of them (0 to 2**63-1).

    A named tuple and not a dataclass, because one is made for each read of the hot path.
    """

    version: int
    value: bytes


class Change(NamedTuple):
    """What one commit did to one key: the version before and after it (None: absent), and the bytes that were put (None: deleted)."""

    key: str
    before: int | None
    after: int | None
    value: bytes | None


class Witness(Protocol):
    """Keeps a record about the whole store in step with every change, for the store has no keys and cannot do so itself.

    A commit that comes with a witness calls it before it becomes durable, inside of the transaction and while nobody else can write.
    """

    @property
    def key(self) -> str:
        """Where its record lies."""
        ...

    def __call__(self, changes: Sequence[Change], found: Record | None) -> Record:
        """The record to put in the place of ``found``, after ``changes``. What it raises is what the commit raises; nothing changed then."""
        ...


class StoreError(Exception):
    """Root of the store's refusals. Never raised itself. Texts are for the operator and never hold keys or values."""


class Conflict(StoreError):
    """An expectation of the commit did not hold. Nothing was changed; read again and decide again.

    ``keys`` are those that are not as expected; empty where that is not known.
    """

    def __init__(self, message: str = "a record changed since it was read", keys: Collection[str] = ()) -> None:
        super().__init__(message)
        self.keys = frozenset(keys)


class Unknown(StoreError):
    """The store failed while committing: the change may or may not be durable. The store refuses everything from now on."""


class Unavailable(StoreError):
    """The store cannot be opened, or refused before anything was changed. The text says what to do."""


class Full(Unavailable):
    """No space is left. Nothing was changed, reads go on, and writes work again as soon as there is space."""


class Snapshot(Protocol):
    """The whole store as it was at one moment; later commits are not visible in it.

    Cheap to open, used by one thread at a time, and closed soon: an open one keeps old bytes from being reclaimed.
    """

    @property
    def state(self) -> Hashable:
        """Which state of the store this is. Two snapshots of one store with equal ones show the very same records; others may do so, too."""
        ...

    def get(self, key: str) -> Record | None:
        """The record at ``key``, or None."""
        ...

    def keys(self, prefix: str, after: str = "", limit: int | None = None, *, start: str = "") -> list[str]:
        """The keys that begin with ``prefix``, are greater than ``after`` and not less than ``start``, in order.

        ``limit`` of them at most.
        """
        ...

    def keys_in(self, folders: Sequence[str], limit: int) -> list[str] | None:
        """All keys in any of ``folders``, which are named without the slash at their end; None where there are more than ``limit``.

        In no order. For many folders that mostly hold nothing, cheaper than to list each.
        """
        ...

    def entries(self) -> Iterator[tuple[str, Record]]:
        """Every key with its record, in order, one at a time: what is held in memory does not grow with the store.

        The iterator ends before the snapshot is closed, or is closed itself.
        """
        ...

    def close(self) -> None:
        """Give the snapshot back. Closing twice is fine."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Survey(Protocol):
    """Every key of the store with its version, as they were at one moment, and one record of that moment.

    Made in one go and held as long as one likes: unlike a snapshot, it keeps nothing from being reclaimed. For one thread at a time.
    """

    @property
    def record(self) -> Record | None:
        """The record at the key that the survey was asked for."""
        ...

    def page(self, after: str, limit: int) -> list[tuple[str, int]]:
        """The next ``limit`` keys that are greater than ``after``, in order, with their versions."""
        ...

    def close(self) -> None:
        """Give the survey back. Closing twice is fine."""
        ...


class Store(Protocol):
    """An ordered map from keys to records. Every method may be called from any thread."""

    @property
    def name(self) -> str:
        """What the configuration calls this kind of store; clients see it as ``storage_type``."""
        ...

    @property
    def is_founded(self) -> bool:
        """Whether a vault was made in this place, as something beside the records remembers: if they hold none, it was lost."""
        ...

    def mark_founded(self) -> None:
        """Have that remembered from now on. Durable on return. Raises Unavailable."""
        ...

    def snapshot(self) -> Snapshot:
        """The store as it is now. Raises Unavailable where the store is closed or failed."""
        ...

    def survey(self, key: str) -> Survey:
        """Every key and version as they are now, and the record at ``key``. Raises Unavailable."""
        ...

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        """Apply ``puts`` and ``deletes``, all or nothing, if each key of ``expected`` has that version (None: is absent).

        What ``is_urgent`` (it takes access away) may use the space that a store keeps back from everything else.
        Durable on return. A key in both ``puts`` and ``deletes`` is put. Deleting what is absent is fine. Where anything changes,
        the record of ``witness`` changes in the same transaction, once for all commits that share it. Raises Conflict, Full,
        Unavailable or what the witness raises, after which nothing has changed, or Unknown, after which the store is of no more use.
        """
        ...

    def close(self) -> None:
        """Release everything. Closing twice is fine."""
        ...


def prefix_end(prefix: str) -> str | None:
    """The least text that is greater than everything that begins with ``prefix``; None where there is none."""
    if prefix[-1:] == "/":  # nearly always
        return f"{prefix[:-1]}0"
    while prefix:
        last = ord(prefix[-1])
        if last == 0x10FFFF:
            prefix = prefix[:-1]
            continue
        # Surrogates are no characters, so the one after U+D7FF is U+E000.
        following = 0xE000 if last == 0xD7FF else last + 1
        return prefix[:-1] + chr(following)
    return None


def change_of(key: str, before: int | None, put: Record | None) -> Change | None:
    """What putting ``put`` at ``key`` (None: deleting it) changes; None where nothing was there to delete."""
    if put is not None:
        return Change(key, before, put.version, put.value)
    return None if before is None else Change(key, before, None, None)


def check_keys(expected: Mapping[str, int | None], puts: Mapping[str, Record], deletes: Collection[str]) -> None:
    """Raise ValueError where a key is not text that can be stored or a version is out of range: a mistake of the caller."""
    for keys in (expected, puts, deletes):
        for key in keys:
            if not key.isascii():
                _check_encodable(key)
    for record in puts.values():
        if not 0 <= record.version <= VERSION_MAX:
            raise ValueError("a record's version must be between 0 and 2**63-1")


def _check_encodable(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        raise ValueError("a key must be text without lone surrogates") from None
