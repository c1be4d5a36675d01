"""The tree of tokens: a token is good only while everything above it is, so a tree dies with its root at once.

``above`` means the tokens that it descends from, up to the first orphan, and the auth method that made it. All of them are asked for by
name whenever a token is used or has a child. So a revocation removes one entry, whatever hangs below it: nobody has to find the
descendants first, and nobody can keep a tree alive by adding to it, because whoever adds reads what the revocation removes.

Their rows are removed later, a few at a time, from a list of what was cut off. Keys below ``core/token/``:

``doomed/<hash>``          nothing; the token is gone and its children are to be removed
``doomed-mount/<uuid>``    the last key that was looked at; the auth method is gone and its tokens are to be removed
"""

from __future__ import annotations

import msgspec

from strongroom.logical.storage import Storage
from strongroom.mounts.table import is_mounted
from strongroom.tokens.entry import NEVER, TokenEntry

AREA = "core/token/"
ENTRY_PREFIX = f"{AREA}id/"
"""Below this lies one record for each stored token, and nothing else."""
CHILD_PREFIX = f"{AREA}child/"
DOOMED_PREFIX = f"{AREA}doomed/"
DOOMED_MOUNT_PREFIX = f"{AREA}doomed-mount/"
KNOWN_MAX = 4096
"""When so many ancestors are known all are forgotten."""


class _Ancestor(msgspec.Struct):
    """The part of an entry that its descendants depend on."""

    parent: str = ""
    orphan: bool = False
    expire_time_ns: int = NEVER
    auth_mount: str = ""


_decode = msgspec.json.Decoder(_Ancestor).decode


class Lineage:
    """Says whether what a token hangs on is good. Safe to use from several threads; it remembers what it decoded, by the record's version."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, _Ancestor]] = {}

    def is_alive(self, storage: Storage, entry: TokenEntry, now_ns: int) -> bool:
        """Whether the method that made it is there, and every token above it is there and has not expired (INV-13)."""
        if entry.auth_mount and not is_mounted(storage, entry.auth_mount):
            return False
        parent = "" if entry.orphan else entry.parent
        while parent:
            above = self._find(storage, parent)
            if above is None or (above.expire_time_ns != NEVER and now_ns >= above.expire_time_ns):
                return False
            if above.auth_mount and not is_mounted(storage, above.auth_mount):
                return False
            parent = "" if above.orphan else above.parent
        return True

    def _find(self, storage: Storage, token_id: str) -> _Ancestor | None:
        key = ENTRY_PREFIX + token_id
        version = storage.version(key)
        if version is None:
            return None
        known = self._known.get(token_id)
        if known is not None and known[0] == version:
            return known[1]
        stored = storage.get(key)
        if stored is None:
            return None
        found = _decode(stored)
        if version >= 0:  # a negative one is not committed
            if len(self._known) >= KNOWN_MAX:
                self._known = {}
            self._known[token_id] = version, found
        return found


def join(storage: Storage, entry: TokenEntry) -> None:
    """Make a token findable from its parent, if it has one that it dies with."""
    if entry.parent and not entry.orphan:
        storage.put(f"{CHILD_PREFIX}{entry.parent}/{entry.id}", b"")


def children(storage: Storage, token_id: str, limit: int | None = None) -> list[str]:
    """The ids of the tokens that die with this one, or the first ``limit`` of them."""
    return storage.children(f"{CHILD_PREFIX}{token_id}/", limit=limit)


def doom_children(storage: Storage, token_id: str) -> None:
    """The token is gone: have the rows of its descendants removed later. Whether it has any need not be known, and could change."""
    storage.put(DOOMED_PREFIX + token_id, b"")


def doom_mount(storage: Storage, uuid: str) -> None:
    """The auth method is gone: have the rows of its tokens removed later."""
    storage.put(DOOMED_MOUNT_PREFIX + uuid, b"")


def next_doomed_mount(storage: Storage) -> tuple[str, str] | None:
    """The uuid of an auth method that is gone and whose tokens may still have rows, and the last key that was looked at."""
    uuid = next(iter(storage.children(DOOMED_MOUNT_PREFIX, limit=1)), None)
    return None if uuid is None else (uuid, (storage.get(DOOMED_MOUNT_PREFIX + uuid) or b"").decode())
