"""A chroot over a transaction: the holder cannot even name a key outside its prefix."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.logical.storage import Storage


class View:
    """The keys of a transaction that begin with ``prefix``, seen without it. As light as a pair; make one per request."""

    __slots__ = ("_prefix", "_transaction")

    def __init__(self, transaction: Storage, prefix: str) -> None:
        if prefix and prefix[-1] != "/":
            raise ValueError("the prefix of a view ends in '/'")
        self._transaction = transaction
        self._prefix = prefix

    def get(self, key: str) -> bytes | None:
        """The value at ``key``, or None."""
        return self._transaction.get(self._prefix + key)

    def version(self, key: str) -> int | None:
        """The number of this writing of ``key``; see ``Transaction.version``."""
        return self._transaction.version(self._prefix + key)

    def put(self, key: str, value: bytes) -> None:
        """Set ``key`` to ``value``."""
        self._transaction.put(self._prefix + key, value)

    def delete(self, key: str) -> None:
        """Remove ``key``; nothing happens if it is not there."""
        self._transaction.delete(self._prefix + key)

    def children(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """The names directly below ``prefix``, in order."""
        return self._transaction.children(self._prefix + prefix, after, limit)

    def scan(self, prefix: str, after: str = "") -> Iterator[str]:
        """Every key that starts with ``prefix`` and is greater than ``after``, in order, relative to this view."""
        cut = len(self._prefix)
        found = self._transaction.scan(self._prefix + prefix, self._prefix + after if after else "")
        return (key[cut:] for key in found)

    def view(self, prefix: str) -> View:
        """The part of this view below ``prefix``."""
        return View(self._transaction, self._prefix + prefix)
