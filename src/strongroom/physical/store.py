"""The contract of a physical store (DESIGN 6), and the ways in which one can say no.

Keys are text, ordered by code point (which is the order of their UTF-8 bytes). Versions are chosen by the caller and only
compared for equality. A store never interprets a value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import NamedTuple, Protocol, Self

VERSION_MAX = 2**63 - 1


class Record(NamedTuple):
    """What lies at a key: opaque bytes, and the number that the writer gave to this writing of them (0 to 2**63-1).

    A named tuple and not a dataclass, because one is made for each read of the hot path.
    """

    version: int
    value: bytes


class StoreError(Exception):
    """Root of the store's refusals. Never raised itself. Texts are for the operator and never hold keys or values."""


class Conflict(StoreError):
    """An expectation of the commit did not hold. Nothing was changed; read again and decide again."""


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

    def get(self, key: str) -> Record | None:
        """The record at ``key``, or None."""
        ...

    def keys(self, prefix: str, after: str = "", limit: int | None = None, *, start: str = "") -> list[str]:
        """The keys that begin with ``prefix``, are greater than ``after`` and not less than ``start``, in order.

        ``limit`` of them at most.
        """
        ...

    def close(self) -> None:
        """Give the snapshot back. Closing twice is fine."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Store(Protocol):
    """An ordered map from keys to records. Every method may be called from any thread."""

    @property
    def name(self) -> str:
        """What the configuration calls this kind of store; clients see it as ``storage_type``."""
        ...

    def snapshot(self) -> Snapshot:
        """The store as it is now. Raises Unavailable where the store is closed or failed."""
        ...

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        *,
        is_urgent: bool = False,
    ) -> None:
        """Apply ``puts`` and ``deletes``, all or nothing, if each key of ``expected`` has that version (None: is absent).

        What ``is_urgent`` (it takes access away) may use the space that a store keeps back from everything else.

        Durable on return. A key in both ``puts`` and ``deletes`` is put. Deleting what is absent is fine. Raises Conflict,
        Full or Unavailable, after which nothing has changed, or Unknown, after which the store is of no more use.
        """
        ...

    def close(self) -> None:
        """Release everything. Closing twice is fine."""
        ...


def prefix_end(prefix: str) -> str | None:
    """The least text that is greater than everything that begins with ``prefix``; None where there is none."""
    while prefix:
        last = ord(prefix[-1])
        if last == 0x10FFFF:
            prefix = prefix[:-1]
            continue
        # Surrogates are no characters, so the one after U+D7FF is U+E000.
        following = 0xE000 if last == 0xD7FF else last + 1
        return prefix[:-1] + chr(following)
    return None


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
