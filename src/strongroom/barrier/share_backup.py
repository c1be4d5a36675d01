"""The backup of new shares, in the store: only what their keepers' PGP keys can read, and never a share itself."""

from __future__ import annotations

from typing import Literal

import msgspec

from strongroom.barrier.barrier import Barrier
from strongroom.barrier.hand_out import HandedOut
from strongroom.logical.storage import Storage
from strongroom.physical.store import Conflict

_PREFIX = "core/share-backup/"
_ATTEMPTS = 16

Kind = Literal["unseal", "recovery"]


class ShareBackup(msgspec.Struct, frozen=True):
    """What the operation ``nonce`` handed out: by fingerprint, the messages to that key, in the order of the shares."""

    nonce: str
    messages: dict[str, list[bytes]]


def store(barrier: Barrier, kind: Kind, nonce: str, handed: HandedOut) -> None:
    """Keep a copy, in the place of an older one, before the shares are in effect. Raises what the store raises."""
    messages: dict[str, list[bytes]] = {}
    for fingerprint, message in zip(handed.fingerprints, handed.shares, strict=True):
        messages.setdefault(fingerprint, []).append(bytes(message.reveal()))
    encoded = msgspec.msgpack.encode(ShareBackup(nonce, messages))
    for attempt in range(_ATTEMPTS):
        with barrier.transaction() as transaction:
            transaction.put(_PREFIX + kind, encoded)
            try:
                barrier.commit(transaction)
            except Conflict:
                if attempt + 1 < _ATTEMPTS:
                    continue
                raise
        return


def read(storage: Storage, kind: Kind) -> ShareBackup | None:
    """The copy, where there is one."""
    stored = storage.get(_PREFIX + kind)
    return None if stored is None else msgspec.msgpack.decode(stored, type=ShareBackup)


def delete(storage: Storage, kind: Kind) -> None:
    """Forget it."""
    storage.delete(_PREFIX + kind)
