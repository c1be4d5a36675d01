"""The barrier: it exists only while the vault is unsealed, and everything that is stored passes through it.

Keys lie in the wipeable buffers of ``Keys`` and nowhere else; ``seal`` overwrites them.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from strongroom import failpoints
from strongroom.barrier.invocations import BLOCK, Invocations
from strongroom.barrier.keyring import (
    KEYRING_ROOT,
    Keyring,
    counter_key,
    keyring_key,
    new_keyring,
    open_counter,
    open_keyring,
    seal_counter,
    seal_keyring,
)
from strongroom.barrier.record import RecordCipher
from strongroom.barrier.store_root import ROOT_KEY, Root
from strongroom.barrier.tampering import Finding, TamperedStore, Tampering
from strongroom.barrier.transaction import TENANT_PREFIX, Transaction
from strongroom.barrier.witness import StoreWitness, Tools
from strongroom.crypto import aead, kdf
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.errors import Sealed
from strongroom.physical.store import Conflict, Record, Store

TERM_INVOCATIONS_MAX = 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """``block`` encryption numbers are reserved at a time; a term is rotated before it did more than ``term_invocations``."""

    block: int = BLOCK
    term_invocations: int = TERM_INVOCATIONS_MAX


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a barrier works with and does not own."""

    store: Store
    clock: Clock
    entropy: Entropy
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """The active term: its number, when it was installed (ns since the epoch), and at most how often it encrypted."""

    term: int
    install_time_ns: int
    encryptions: int


class Barrier:
    """Transactions over encrypted storage. Thread-safe. Owns ``root_key`` from now on and wipes it at ``seal``.

    Every method raises ``logical.errors.Sealed`` once ``seal`` was called.
    """

    def __init__(
        self, surroundings: Surroundings, root_key: bytearray, keyring: Keyring, *, may_found: bool = False
    ) -> None:
        self._surroundings = surroundings
        self._store = surroundings.store
        self._root_key = root_key
        self._coming_root_key: bytearray | None = None
        self._keyring = keyring
        self._cipher: RecordCipher | None = RecordCipher(keyring.id, keyring.terms, surroundings.entropy)
        self._lock = threading.RLock()
        self.witness = StoreWitness(Tools.of(keyring, surroundings.entropy), surroundings.clock, may_found=may_found)
        """Whoever commits to the store past this class gives it to the commit, or the root record no longer fits."""
        self._invocations = Invocations(
            surroundings.store, root_key, keyring.id, surroundings.entropy, surroundings.limits.block, self.witness
        )
        self._pending_numbers = itertools.count(1)

    @classmethod
    def create(cls, surroundings: Surroundings, root_key: bytearray) -> Barrier:
        """A new barrier of which nothing is stored yet: ``commit`` nothing before ``founding_records`` were stored, with ``witness``."""
        keyring = new_keyring(surroundings.clock.now_ns(), 1, surroundings.entropy)
        barrier = cls(surroundings, root_key, keyring, may_found=True)
        barrier._invocations.start_at(1, 1 + surroundings.limits.block)
        return barrier

    @classmethod
    def load(cls, surroundings: Surroundings, root_key: bytearray, *, is_reader: bool = False) -> Barrier:
        """The barrier in the store. Raises Damaged where ``root_key`` is not its root key or the keyring was changed, and
        TamperedStore where the counter was.

        ``is_reader`` asks for one that only reads, and does without the counter. Does not look whether the store is what the vault left behind; ``unsealing.open_barrier`` does.
        """
        with surroundings.store.snapshot() as snapshot:
            record = snapshot.get(keyring_key(KEYRING_ROOT))
        barrier = cls(surroundings, root_key, open_keyring(root_key, KEYRING_ROOT, record))
        try:
            if not is_reader:
                barrier._invocations.load()
        except Damaged:
            barrier.witness.forget()
            raise TamperedStore((Finding(Tampering.COUNTER_SET_BACK),)) from None
        except BaseException:
            barrier.witness.forget()
            raise
        return barrier

    def founding_records(self, transaction: Transaction) -> dict[str, Record]:
        """The records that make a new barrier exist, with the first changes; the caller commits them in one go."""
        first_block = 1 + self._surroundings.limits.block
        puts, _ = self._encrypt(transaction)
        with self._lock:
            keyring = self._keyring
            puts[keyring_key(keyring.id)] = seal_keyring(self._root_key, keyring, self._surroundings.entropy)
            puts[counter_key(keyring.id)] = seal_counter(
                self._root_key, keyring.id, first_block, self._surroundings.entropy
            )
        return puts

    def transaction(self) -> Transaction:
        """A new transaction on the store as it is now; close it soon."""
        self._refuse_if_sealed()
        return Transaction(self._store.snapshot(), self._open, self._number_pending)

    def commit(self, transaction: Transaction, *, is_urgent: bool = False) -> None:
        """Make the changes durable, all or nothing, and finish the transaction either way; ``is_urgent`` as for the store.

        Raises ``physical.store``'s Conflict (run it again on a new transaction), Full, Unavailable or Unknown.
        """
        if transaction.is_nested:
            raise ValueError("a nested transaction is merged, not committed")
        try:
            if not transaction.has_changes:
                return
            puts, deletes = self._encrypt(transaction)
            expected = transaction.expectations()
        finally:
            transaction.close()
        self._store.commit(expected, puts, deletes, self.witness, is_urgent=is_urgent)

    def rotate(self) -> int:
        """Install a new term and encrypt with it from now on; answers its number. Older terms go on opening old records."""
        with self._lock:
            self._refuse_if_sealed()
            now_ns, entropy = self._surroundings.clock.now_ns(), self._surroundings.entropy
            keyring = self._keyring.with_new_term(now_ns, self._invocations.next, entropy)
            key = keyring_key(keyring.id)
            try:
                record = seal_keyring(self._root_key, keyring, entropy)
                failpoints.reach("keyring_before_persist")
                self._store.commit({key: self._keyring.revision}, {key: record}, (), self.witness)
                failpoints.reach("keyring_after_persist")
            except BaseException as error:
                aead.wipe(keyring.active.key)
                if isinstance(error, Conflict):
                    return self._term_of_sibling()
                raise
            self._keyring = keyring
            self._cipher = RecordCipher(keyring.id, keyring.terms, entropy)
            return keyring.active.number

    def refresh_keyring(self) -> None:
        """Encrypt from now on with the newest term that is stored, whichever process installed it."""
        self._reload_keyring()

    def key_status(self) -> KeyStatus:
        """What ``sys/key-status`` shows."""
        with self._lock:
            self._refuse_if_sealed()
            term = self._keyring.active
            return KeyStatus(term.number, term.installed_ns, max(0, self._invocations.next - term.first_invocation))

    def derive(self, purpose: bytes) -> bytearray:
        """A 32-byte key that depends on the root key and ``purpose`` only, for the verifiers of this room."""
        with self._lock:
            self._refuse_if_sealed()
            return kdf.derive(self._root_key, purpose)

    def derive_lasting(self, purpose: bytes) -> bytearray:
        """The same, depending on the keyring's first term, which stays whatever the root key will be."""
        with self._lock:
            self._refuse_if_sealed()
            return kdf.derive(self._keyring.terms[0].key, purpose)

    def copy_root_key(self) -> bytearray:
        """The root key, for a seal that wraps it anew. The caller wipes the copy."""
        with self._lock:
            self._refuse_if_sealed()
            return bytearray(self._root_key)

    def expect_root_key(self, root_key: bytearray) -> None:
        """A root key that may be stored from now on: what does not open under the present one is tried with it. Owns ``root_key``."""
        with self._lock:
            self._refuse_if_sealed()
            self._forget_coming()
            self._coming_root_key = root_key

    def settle_root_key(self) -> None:
        """It is stored, or will not be: go on with the one that opens the store, and forget the other. Raises Damaged."""
        with self._lock:
            try:
                self._reload_keyring()
            finally:
                self._forget_coming()

    def replace_root_key(
        self,
        root_key: bytearray,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
    ) -> None:
        """Seal keyring and counter under ``root_key``, in one commit with the rows that wrap it. Does not own ``root_key``.

        Raises Conflict where a key of ``expected`` has another version, or a sibling process was faster; and what the store raises.
        """
        with self._lock:
            self._refuse_if_sealed()
            self._reload_keyring()
            entropy, keyring = self._surroundings.entropy, self._keyring.with_newest_format()
            ring_at, counter_at = keyring_key(keyring.id), counter_key(keyring.id)
            with self._store.snapshot() as snapshot:
                found = snapshot.get(counter_at)
            # Behind everything that anybody may use, and with another version, so that no sibling can write over it unseen.
            reserved_to = open_counter(self._root_key, keyring.id, found) + self._surroundings.limits.block
            records = {
                ring_at: seal_keyring(root_key, keyring, entropy),
                counter_at: seal_counter(root_key, keyring.id, reserved_to, entropy),
            }
            versions = {ring_at: self._keyring.revision, counter_at: None if found is None else found.version}
            failpoints.reach("root_key_before_swap")
            self._store.commit({**expected, **versions}, {**puts, **records}, deletes, self.witness)
            # In place, for the counter's keeper has the same buffer.
            self._root_key[:] = root_key
            self._keyring = keyring
            failpoints.reach("root_key_after_swap")

    @property
    def keyring_format(self) -> int:
        """The format in which the keyring is stored; below 2 there is no root record yet."""
        return self._keyring.format

    def newest_keyring(self) -> tuple[int, Record]:
        """The present revision of the keyring, and the record that stores it anew in the newest format."""
        with self._lock:
            self._refuse_if_sealed()
            renewed = self._keyring.with_newest_format()
            return self._keyring.revision, seal_keyring(self._root_key, renewed, self._surroundings.entropy)

    def reload(self) -> None:
        """Take over the keyring that is stored now. Raises Damaged."""
        self._reload_keyring()

    def open_record(self, key: str, record: Record) -> bytes:
        """What the tenant's record at ``key`` holds. Raises Damaged."""
        return self._open(key, record)

    def root(self) -> Root:
        """What the root record says now. Raises Damaged where it is missing or not ours, and Unavailable."""
        with self._store.snapshot() as snapshot:
            record = snapshot.get(ROOT_KEY)
        if record is None:
            raise Damaged
        return self.witness.tools.cipher.open(record)

    def root_counter(self) -> int:
        """How many transactions the store has seen. Raises Damaged and Unavailable."""
        return self.root().counter

    def seal(self) -> None:
        """Overwrite every key. What is not committed by now never will be. Sealing twice is fine."""
        with self._lock:
            self._cipher = None
            self.witness.forget()
            self._keyring.wipe()
            self._forget_coming()
            aead.wipe(self._root_key)

    def _forget_coming(self) -> None:
        if self._coming_root_key is not None:
            aead.wipe(self._coming_root_key)
        self._coming_root_key = None

    def _refuse_if_sealed(self) -> RecordCipher:
        cipher = self._cipher
        if cipher is None:
            raise Sealed
        return cipher

    def _open(self, key: str, record: Record) -> bytes:
        cipher = self._cipher
        if cipher is None:
            raise Sealed
        try:
            return cipher.open(key, record)
        except Damaged:
            if cipher.knows_term_of(record):
                raise
        # A sibling process may have installed the term; if it did not, the record is damaged all the same.
        return self._reload_keyring().open(key, record)

    def _term_of_sibling(self) -> int:
        """The term that a sibling process installed while we wanted to. Raises Damaged where there is none: tampering."""
        before = self._keyring.revision
        self._reload_keyring()
        if self._keyring.revision <= before:
            raise Damaged
        return self._keyring.active.number

    def _reload_keyring(self) -> RecordCipher:
        with self._lock:
            self._refuse_if_sealed()
            keyring = self._stored_keyring()
            if keyring.revision <= self._keyring.revision:
                keyring.wipe()
                return self._refuse_if_sealed()
            old, self._keyring = self._keyring, keyring
            self._cipher = RecordCipher(keyring.id, keyring.terms, self._surroundings.entropy)
            old.wipe()
            return self._cipher

    def _stored_keyring(self) -> Keyring:
        """The keyring in the store, after the change to the coming root key where it is stored already."""
        with self._store.snapshot() as snapshot:
            record = snapshot.get(keyring_key(self._keyring.id))
        try:
            return open_keyring(self._root_key, self._keyring.id, record)
        except Damaged:
            if self._coming_root_key is None:
                raise
        keyring = open_keyring(self._coming_root_key, self._keyring.id, record)
        self._root_key[:] = self._coming_root_key
        return keyring

    def _take_numbers(self, count: int) -> int:
        try:
            return self._invocations.take(count)
        except Damaged:
            if self._coming_root_key is None:
                raise
        self._reload_keyring()
        return self._invocations.take(count)

    def _number_pending(self) -> int:
        return -next(self._pending_numbers)

    def _encrypt(self, transaction: Transaction) -> tuple[dict[str, Record], list[str]]:
        """The transaction's changes as the store takes them: encrypted records, and keys to delete."""
        self._refuse_if_sealed()
        written = [(key, value) for key, value in transaction.changes().items() if value is not None]
        deletes = [TENANT_PREFIX + key for key, value in transaction.changes().items() if value is None]
        puts: dict[str, Record] = {}
        if written:
            with self._lock:
                self._refuse_if_sealed()
                self._rotate_if_due(len(written))
                version = self._take_numbers(len(written))
                cipher = self._refuse_if_sealed()
                for key, value in written:
                    puts[TENANT_PREFIX + key] = cipher.seal(key, version, value)
                    version += 1
        return puts, deletes

    def _rotate_if_due(self, count: int) -> None:
        used = self._invocations.next - self._keyring.active.first_invocation
        if used and used + count > self._surroundings.limits.term_invocations:
            self.rotate()
