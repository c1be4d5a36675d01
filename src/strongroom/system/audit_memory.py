"""What the vault remembers of its audit log: the last signed checkpoint of every device and process, behind the barrier.

A log whose end was cut off does not show that by itself. The vault notices at the next unseal, because it knows what there was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from strongroom.audit.trail import Kept
from strongroom.barrier.barrier import Barrier
from strongroom.evidence.chain import Head
from strongroom.logical.storage import Storage

AREA = "core/audit-head/"


class StoredHead(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint as it is stored, under the name of its device and the id of its chain."""

    device: str
    chain: str
    sequence: int
    hash: str
    generation: int
    reason: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(StoredHead).decode


def remembered(storage: Storage) -> dict[str, Sequence[Kept]]:
    """The last checkpoints of each device."""
    found: dict[str, list[Kept]] = {}
    for _, stored in _all(storage):
        head = Head(stored.chain, stored.sequence, stored.hash)
        found.setdefault(stored.device, []).append(Kept(head, stored.generation, stored.reason))
    return dict(found)


class AuditMemory:
    """What one process has the vault remember. A device that failed goes on in a new chain; its older one is forgotten then."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def remember(self, barrier: Barrier, checkpoints: Mapping[str, Kept], *, forget_others: bool = False) -> None:
        """Store what is new in ``checkpoints``.

        ``forget_others`` is for the first process after an unseal: what was before has been looked at, and is in the log.
        """
        news = {device: kept for device, kept in checkpoints.items() if self._kept.get(device) != kept}
        if not news:
            return
        with barrier.transaction() as transaction:
            if forget_others:
                for key, stored in _all(transaction):
                    if stored.device in news:
                        transaction.delete(key)
            for device, kept in news.items():
                before = self._kept.get(device)
                if before is not None and before.head.id != kept.head.id:
                    transaction.delete(_key(device, before))
                transaction.put(_key(device, kept), _encode(_stored(device, kept)))
            barrier.commit(transaction)
        self._kept.update(news)


def _key(device: str, kept: Kept) -> str:
    return f"{AREA}{device}/{kept.head.id}"


def _stored(device: str, kept: Kept) -> StoredHead:
    return StoredHead(
        device=device,
        chain=kept.head.id,
        sequence=kept.head.sequence,
        hash=kept.head.hash,
        generation=kept.generation,
        reason=kept.reason,
    )


def _all(storage: Storage) -> list[tuple[str, StoredHead]]:
    return [(key, _decode(content)) for key in storage.scan(AREA) if (content := storage.get(key)) is not None]
