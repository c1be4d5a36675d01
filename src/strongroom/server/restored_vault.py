"""What a restored vault must know of the time after its backup: how far its counters went, and which tokens were revoked.

Most of that nobody knows any more. So the counters jump, every token is made worthless unless the operator wants otherwise, and what can be
known, of the data that was there, the anchor and the audit log, is taken from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from strongroom.barrier.anchor import AnchorFile, BadAnchor
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.keyring import KEYRING_ROOT, counter_key, open_counter
from strongroom.barrier.seal_rows import SealRows, read_seal_rows
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.tampering import TamperedStore
from strongroom.barrier.transaction import TENANT_PREFIX
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.evidence.signature import PublicKey, SigningKey
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.storage import Storage, delete_tree
from strongroom.mounts.table import MountTable
from strongroom.physical.store import Store, StoreError
from strongroom.server.verify import tail_of
from strongroom.system import audit_memory, founding, restored
from strongroom.system.integrity import last_root
from strongroom.system.restored import RestoreNote
from strongroom.tokens import invalidation
from strongroom.tokens import store as token_store
from strongroom.tokens.store import TokenStore

_STEP = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """What the data that was there tells: its counters, and its store where it is of the same vault and can be read.

    ``is_unreadable`` says that there was something, and that it told nothing.
    """

    transactions: int = 0
    encryptions: int = 0
    store: Store | None = None
    is_unreadable: bool = False


def known_from(old: Store | None, root_key: bytearray, seal: Seal, vault: str, surroundings: Surroundings) -> Known:
    """What ``old`` tells. It is believed only where it opens under the same keys, or under a root key that the same seal wrapped, and is of
    the same vault. ``root_key`` and ``seal`` are only used.
    """
    if old is None:
        return Known()
    there = replace(surroundings, store=old)
    try:
        with old.snapshot() as snapshot:
            if not snapshot.keys("", limit=1):
                return Known()
            rows = read_seal_rows(snapshot)
        for key in _root_keys(root_key, seal, rows):
            try:
                return _told_by(there, key, vault)
            except Damaged:
                continue
            finally:
                aead.wipe(key)
    except (Damaged, TamperedStore, StoreError, LookupError, ValueError):
        pass
    return Known(is_unreadable=True)


def _root_keys(root_key: bytearray, seal: Seal, rows: SealRows | None) -> Iterator[bytearray]:
    """The one of the backup, and those that its seal opens in the data that is there: the root key may have been exchanged since."""
    yield bytearray(root_key)
    former = rows.former_unseal if rows is not None else None
    for blob in (rows.root_key if rows is not None else b"", former.root_key if former is not None else b""):
        with contextlib.suppress(Damaged):
            yield seal.unwrap(blob)


def _told_by(there: Surroundings, root_key: bytearray, vault: str) -> Known:
    with there.store.snapshot() as snapshot:
        encryptions = open_counter(root_key, KEYRING_ROOT, snapshot.get(counter_key(KEYRING_ROOT)))
    barrier = Barrier.load(there, bytearray(root_key), is_reader=True)
    try:
        with barrier.transaction() as transaction:
            if founding.load(transaction).cluster_id != vault:
                raise Damaged
        return Known(barrier.root_counter(), encryptions, there.store)
    finally:
        barrier.seal()


def counters_outside(surroundings: Surroundings, root_key: bytearray, anchor: str, audit_logs: Iterable[str]) -> int:
    """The highest counter of transactions that the anchor and the audit logs know. ``root_key`` is only read."""
    barrier = Barrier.load(surroundings, bytearray(root_key), is_reader=True)
    try:
        counters = [0]
        if anchor:
            with contextlib.suppress(BadAnchor, OSError):
                found = AnchorFile(Path(anchor)).read(barrier.witness.tools)
                counters.append(found.counter if found is not None else 0)
        with barrier.transaction() as transaction:
            key = PublicKey.read(SigningKey(founding.load(transaction).audit_signing_seed).public_pem)
        for path in audit_logs:
            recorded = last_root(tail_of(Path(path)), key)
            counters.append(recorded[0] if recorded is not None else 0)
        return max(counters)
    except (LookupError, ValueError):
        raise Damaged from None
    finally:
        barrier.seal()


class Settlement:
    """Brings what a restored vault holds to what may hold from now on. Nobody else has the store meanwhile."""

    def __init__(self, barrier: Barrier, clock: Clock, entropy: Entropy) -> None:
        self._barrier = barrier
        self._clock = clock
        self._entropy = entropy

    def settle(self, note: RestoreNote, known: Known, *, keep_tokens: bool) -> str:
        """Do it, and say what became of the tokens."""
        with self._barrier.transaction() as transaction:
            restored.leave(transaction, note)
            # How far the audit logs were is of another time: the backup's manifest says it, and the log itself.
            delete_tree(transaction, audit_memory.AREA)
            if not keep_tokens:
                invalidation.invalidate_all(transaction, self._entropy)
            drawers = _drawers(transaction)
            self._barrier.commit(transaction)
        return self._prune(known, drawers) if keep_tokens else self._erase(drawers)

    def _erase(self, drawers: str) -> str:
        """Remove what was kept of tokens that are worthless now, and what lay in their drawers."""
        while True:
            with self._barrier.transaction() as transaction:
                erased = invalidation.erase(transaction, _STEP)
                for key in list(islice(transaction.scan(drawers), _STEP)):
                    transaction.delete(key)
                    erased += 1
                if not erased:
                    return "every token is invalid now; make a new root token with 'operator generate-root', or log in"
                self._barrier.commit(transaction)

    def _prune(self, known: Known, drawers: str) -> str:
        """Revoke those that are not in the store that was there, which is all that is known about revocations."""
        if known.store is None:
            return "tokens were kept: those that were revoked since the backup are valid again"
        doomed: list[str] = []
        with self._barrier.transaction() as transaction, known.store.snapshot() as old:
            doomed = invalidation.missing_from(transaction, lambda key: old.get(TENANT_PREFIX + key) is not None)
        for token_id in doomed:
            with self._barrier.transaction() as transaction:
                tokens = TokenStore(
                    token_store.load_keys(transaction),
                    self._clock,
                    self._entropy,
                    lambda storage, dropped: _empty(storage, f"{drawers}{dropped}/"),
                )
                tokens.revoke_tree(transaction, token_id)
                self._barrier.commit(transaction)
        return f"tokens were kept, but for {len(doomed)} that the data that was there does not hold any more"


def _drawers(storage: Storage) -> str:
    """Where the drawers of tokens lie."""
    mounts = MountTable(lambda _entry: None, (1, 1)).entries(storage)
    return next(entry.storage_prefix for entry in mounts if entry.path == "cubbyhole/")


def _empty(storage: Storage, drawer: str) -> None:
    delete_tree(storage, drawer)
