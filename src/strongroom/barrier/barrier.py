"""The barrier: it exists only while the vault is unsealed, and everything that is stored passes through it.

Keys lie in the wipeable buffers of ``Keys`` and nowhere else; ``seal`` overwrites them.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from strongroom import failpoints
from strongroom.barrier.assignment import ASSIGNMENT_KEY, Areas, Assignment, decode_assignment
from strongroom.barrier.invocations import BLOCK, Invocations
from strongroom.barrier.keyring import KEYRING_ROOT, counter_key, keyring_key, new_keyring, seal_counter, seal_keyring
from strongroom.barrier.keyrings import Keyrings
from strongroom.barrier.keys import ASSIGNMENT_AT, Keys
from strongroom.barrier.memory import Memory
from strongroom.barrier.record import RecordCipher, keyring_in
from strongroom.barrier.store_root import ROOT_KEY, Root
from strongroom.barrier.tampering import Finding, TamperedStore, Tampering
from strongroom.barrier.transaction import TENANT_PREFIX, Transaction
from strongroom.barrier.witness import StoreWitness, Tools
from strongroom.crypto import kdf
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.errors import Sealed
from strongroom.physical.store import Conflict, Record, Store, Unavailable

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

    def __init__(self, surroundings: Surroundings, keys: Keys, *, may_found: bool = False) -> None:
        self._surroundings = surroundings
        self._store = surroundings.store
        self._keys = keys
        self.witness = StoreWitness(
            Tools.of(keys.keyrings.root, surroundings.entropy), surroundings.clock, may_found=may_found
        )
        """Whoever commits to the store past this class gives it to the commit, or the root record no longer fits."""
        self._invocations = Invocations(
            surroundings.store,
            keys.root_key,
            KEYRING_ROOT,
            surroundings.entropy,
            surroundings.limits.block,
            self.witness,
        )
        self._pending_numbers = itertools.count(1)
        self._memory = Memory()

    @classmethod
    def create(cls, surroundings: Surroundings, root_key: bytearray) -> Barrier:
        """A new barrier of which nothing is stored yet: ``commit`` nothing before ``founding_records`` were stored, with ``witness``."""
        store, clock, entropy = surroundings.store, surroundings.clock, surroundings.entropy
        keyrings = Keyrings({KEYRING_ROOT: new_keyring(clock.now_ns(), 1, entropy)})
        barrier = cls(surroundings, Keys(store, clock, entropy, root_key, keyrings), may_found=True)
        barrier._invocations.start_at(1, 1 + surroundings.limits.block)
        return barrier

    @classmethod
    def load(cls, surroundings: Surroundings, root_key: bytearray, *, is_reader: bool = False) -> Barrier:
        """The barrier in the store. Raises Damaged where ``root_key`` is not its root key or the keyring was changed, and
        TamperedStore where the counter was, or what says which other keyrings there are.

        ``is_reader`` asks for one that only reads, and does without these. Does not look whether the store is what the vault left behind;
        ``unsealing.open_barrier`` does.
        """
        store, clock, entropy = surroundings.store, surroundings.clock, surroundings.entropy
        keys = Keys.load(store, clock, entropy, root_key, needs_assignment=not is_reader)
        barrier = cls(surroundings, keys)
        try:
            if not is_reader:
                barrier._invocations.load()
        except BaseException as error:
            barrier.witness.forget()
            keys.keyrings.wipe()
            if isinstance(error, Damaged):
                raise TamperedStore((Finding(Tampering.COUNTER_SET_BACK, counter_key(KEYRING_ROOT)),)) from None
            raise
        return barrier

    def founding_records(self, transaction: Transaction) -> dict[str, Record]:
        """The records that make a new barrier exist, with the first changes; the caller commits them in one go."""
        first_block = 1 + self._surroundings.limits.block
        puts, _, _ = self._encrypt(transaction)
        keys, entropy = self._keys, self._surroundings.entropy
        with keys.lock:
            puts |= keys.keyrings.sealed(keys.root_key, (KEYRING_ROOT,), entropy)
            puts[counter_key(KEYRING_ROOT)] = seal_counter(keys.root_key, KEYRING_ROOT, first_block, entropy)
        return puts

    def transaction(self) -> Transaction:
        """A new transaction on the store as it is now; close it soon."""
        self._keys.require()
        snapshot = self._store.snapshot()
        return Transaction(snapshot, self._open, self._number_pending, seen=self._memory.of(snapshot.state))

    def commit(self, transaction: Transaction, *, is_urgent: bool = False) -> None:
        """Make the changes durable, all or nothing, and finish the transaction either way; ``is_urgent`` as for the store.

        Where the record of the assignment is among them, keyrings are made and destroyed with it, in the same commit.
        Raises ``physical.store``'s Conflict (run it again on a new transaction), Full, Unavailable or Unknown.
        """
        if transaction.is_nested:
            raise ValueError("a nested transaction is merged, not committed")
        try:
            if not transaction.has_changes:
                return
            assignment = transaction.changes().get(ASSIGNMENT_KEY)
            if assignment is not None:
                self._commit_assignment(transaction, decode_assignment(assignment), is_urgent=is_urgent)
                return
            puts, deletes, areas = self._encrypt(transaction)
            expected = self._resting_on(transaction, areas) if puts else transaction.expectations()
        finally:
            transaction.close()
        try:
            self._store.commit(expected, puts, deletes, self.witness, is_urgent=is_urgent)
        except Conflict as conflict:
            if ASSIGNMENT_AT in conflict.keys:
                self._keys.reload()
            raise

    def rotate(self, keyring: int | None = None) -> int:
        """Install a new term in every keyring, or in the one with this id, and encrypt with it from now on. Older terms go on opening.

        Answers the number of the active term: of that keyring, or of the one of the root environment. Raises LookupError where there is
        no such keyring.
        """
        keys = self._keys
        with keys.lock:
            keys.require()
            if keyring is not None and keyring not in keys.keyrings.by_id:
                raise LookupError("there is no keyring with this id")
            ids = list(keys.keyrings.by_id) if keyring is None else [keyring]
            keys.rotate(ids, self._invocations.next, self.witness)
            return keys.keyrings.by_id[KEYRING_ROOT if keyring is None else keyring].active.number

    def refresh_keyrings(self) -> None:
        """Encrypt from now on with the newest terms that are stored, and as they are assigned, whichever process did that."""
        self._keys.reload()

    def key_status(self, keyring: int = KEYRING_ROOT) -> KeyStatus:
        """What ``sys/key-status`` shows. Raises LookupError where there is no such keyring."""
        statuses = self.key_statuses()
        if keyring not in statuses:
            raise LookupError("there is no keyring with this id")
        return statuses[keyring]

    def key_statuses(self) -> dict[int, KeyStatus]:
        """The same for every keyring, by its id."""
        keys = self._keys
        with keys.lock:
            keys.require()
            terms = {one: keyring.active for one, keyring in keys.keyrings.by_id.items()}
            next_number = self._invocations.next
        return {
            one: KeyStatus(term.number, term.installed_ns, max(0, next_number - term.first_invocation))
            for one, term in terms.items()
        }

    def derive(self, purpose: bytes) -> bytearray:
        """A 32-byte key that depends on the root key and ``purpose`` only, for the verifiers of this room."""
        with self._keys.lock:
            self._keys.require()
            return kdf.derive(self._keys.root_key, purpose)

    def derive_lasting(self, purpose: bytes) -> bytearray:
        """The same, depending on the first term of the root environment's keyring, which stays whatever the root key will be."""
        with self._keys.lock:
            self._keys.require()
            return kdf.derive(self._keys.keyrings.root.terms[0].key, purpose)

    def copy_root_key(self) -> bytearray:
        """The root key, for a seal that wraps it anew. The caller wipes the copy."""
        with self._keys.lock:
            self._keys.require()
            return bytearray(self._keys.root_key)

    def expect_root_key(self, root_key: bytearray) -> None:
        """A root key that may be stored from now on: what does not open under the present one is tried with it. Owns ``root_key``."""
        self._keys.expect_root_key(root_key)

    def settle_root_key(self) -> None:
        """It is stored, or will not be: go on with the one that opens the store, and forget the other. Raises Damaged."""
        with self._keys.lock:
            try:
                self._keys.reload()
            finally:
                self._keys.forget_coming()

    def replace_root_key(
        self,
        root_key: bytearray,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
    ) -> None:
        """Seal keyrings and counter under ``root_key``, in one commit with the rows that wrap it. Does not own ``root_key``.

        Raises Conflict where a key of ``expected`` has another version, or a sibling process was faster; and what the store raises.
        """
        self._keys.replace_root_key(root_key, expected, puts, deletes, self._surroundings.limits.block, self.witness)

    @property
    def keyring_format(self) -> int:
        """The format in which the root environment's keyring is stored; below 2 there is no root record yet."""
        return self._keys.keyrings.root.format

    def newest_keyring(self) -> tuple[int, Record]:
        """The present revision of the root environment's keyring, and the record that stores it anew in the newest format."""
        keys = self._keys
        with keys.lock:
            keys.require()
            renewed = keys.keyrings.root.with_newest_format()
            return keys.keyrings.root.revision, seal_keyring(keys.root_key, renewed, self._surroundings.entropy)

    def open_record(self, key: str, record: Record) -> bytes:
        """What the tenant's record at ``key`` holds. Raises Damaged."""
        return self._open(key, record)

    def is_misplaced(self, key: str, record: Record) -> bool:
        """Whether the tenant's record at ``key`` lies under another keyring than the one that seals what is written there now."""
        return keyring_in(record) != self._keys.areas.keyring_of(key)

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
        with self._keys.lock:
            self._keys.wipe()
            self.witness.forget()
        self._memory.forget()

    def _open(self, key: str, record: Record) -> bytes:
        cipher = self._keys.cipher
        if cipher is None:
            raise Sealed
        try:
            return cipher.open(key, record)
        except Damaged:
            if cipher.knows_term_of(record):
                raise
        # A sibling process may have installed the term; if it did not, the record is damaged all the same.
        return self._keys.reload().open(key, record)

    def _commit_assignment(self, transaction: Transaction, wanted: Assignment, *, is_urgent: bool) -> None:
        """Commit what changes which keyrings there are, and which rows are whose, together with these keyrings."""
        keys, entropy = self._keys, self._surroundings.entropy
        with keys.lock:
            keys.reload()
            expected = self._resting_on(transaction, keys.areas)
            known = keys.areas.assignment
            made, gone = wanted.ids - known.ids, known.ids - wanted.ids
            if wanted.last < known.last or any(one <= known.last for one in made):
                raise ValueError("the id of a keyring is never given twice")
            written, deletes = _split(transaction)
            version = self._take_numbers(len(written))
            created = [keys.new_keyring(one, version) for one in sorted(made)]
            try:
                keyrings = keys.keyrings.putting(created).without(gone)
                puts = _sealed(written, version, keyrings.cipher(entropy), Areas(wanted, None))
                areas = Areas(wanted, puts[ASSIGNMENT_AT].version)
                puts |= keyrings.sealed(keys.root_key, made, entropy)
                expected |= keys.keyrings.revisions(made | (gone & keys.keyrings.by_id.keys()))
                deletes += [keyring_key(one) for one in gone]
                failpoints.reach("keyrings_before_change")
                self._store.commit(expected, puts, deletes, self.witness, is_urgent=is_urgent)
                failpoints.reach("keyrings_after_change")
            except BaseException:
                for keyring in created:
                    keyring.wipe()
                raise
            keys.install(keyrings, areas)

    def _resting_on(self, transaction: Transaction, areas: Areas) -> dict[str, int | None]:
        """What a commit expects that was sealed as ``areas`` say: no row may come to lie under a keyring that it is not assigned to."""
        expected = transaction.expectations()
        if expected.setdefault(ASSIGNMENT_AT, areas.version) != areas.version:
            self._keys.reload()
            raise Conflict(keys=(ASSIGNMENT_AT,))
        return expected

    def _take_numbers(self, count: int) -> int:
        """The first of ``count`` numbers for encryptions, once terms that are worn out are replaced."""
        self._rotate_if_due(count)
        try:
            return self._invocations.take(count)
        except Damaged:
            if not self._keys.is_root_key_coming:
                raise
        self._keys.reload()
        return self._invocations.take(count)

    def _number_pending(self) -> int:
        return -next(self._pending_numbers)

    def _encrypt(self, transaction: Transaction) -> tuple[dict[str, Record], list[str], Areas]:
        """The transaction's changes as the store takes them: encrypted records, and keys to delete; and how it was decided whose they are."""
        keys = self._keys
        written, deletes = _split(transaction)
        with keys.lock:
            keys.require()
            if not written:
                return {}, deletes, keys.areas
            version = self._take_numbers(len(written))
            return _sealed(written, version, keys.require(), keys.areas), deletes, keys.areas

    def _rotate_if_due(self, count: int) -> None:
        keys, limit = self._keys, self._surroundings.limits.term_invocations
        used = self._invocations.next - keys.least_first_invocation
        if used and used + count > limit:
            due = [
                one
                for one, keyring in keys.keyrings.by_id.items()
                if self._invocations.next - keyring.active.first_invocation + count > limit
            ]
            keys.rotate(due, self._invocations.next, self.witness)


def _split(transaction: Transaction) -> tuple[list[tuple[str, bytes]], list[str]]:
    """What is put, and what is deleted, the latter as keys of the store."""
    changes = transaction.changes()
    written = [(key, value) for key, value in changes.items() if value is not None]
    return written, [TENANT_PREFIX + key for key, value in changes.items() if value is None]


def _sealed(written: list[tuple[str, bytes]], version: int, cipher: RecordCipher, areas: Areas) -> dict[str, Record]:
    """The records of what is put, the first of them with the number ``version``. Raises Unavailable where a keyring was lost."""
    keyring_of = areas.keyring_of
    puts: dict[str, Record] = {}
    try:
        for key, value in written:
            puts[TENANT_PREFIX + key] = cipher.seal(key, version, value, keyring_of(key))
            version += 1
    except Damaged:
        raise Unavailable("the keyring of an environment was lost; nothing is written in its mounts") from None
    return puts
