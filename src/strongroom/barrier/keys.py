"""The keys of an open barrier: the root key, the keyrings under it, and which keyring seals what. Follows the store, and changes it.

Several processes have the same store open, and each may install terms: whatever is asked for and not known is looked for in the store first.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

from strongroom import failpoints
from strongroom.barrier.assignment import ASSIGNMENT_KEY, Areas, Assignment, decode_assignment
from strongroom.barrier.keyring import (
    KEYRING_ROOT,
    Keyring,
    counter_key,
    keyring_key,
    new_keyring,
    open_counter,
    open_keyring,
    seal_counter,
)
from strongroom.barrier.keyrings import Keyrings, read_others, stored_ids
from strongroom.barrier.record import TENANT, RecordCipher
from strongroom.barrier.tampering import Finding, TamperedStore, Tampering
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.errors import Sealed
from strongroom.physical.store import Conflict, Record, Snapshot, Store, Witness

ASSIGNMENT_AT = f"{TENANT}/{ASSIGNMENT_KEY}"
"""Where the record of the assignment lies in the store."""
_UNASSIGNED = Areas(Assignment(), None)


class Keys:
    """Owns every key from now on; :meth:`wipe` overwrites them. Thread-safe under ``lock``, which callers may hold for longer.

    ``cipher`` and ``areas`` are replaced as wholes: who takes both under the lock has two that belong together.
    """

    def __init__(self, store: Store, clock: Clock, entropy: Entropy, root_key: bytearray, keyrings: Keyrings) -> None:
        self.lock = threading.RLock()
        self.root_key = root_key
        self.keyrings = keyrings
        self.areas = _UNASSIGNED
        self.cipher: RecordCipher | None = keyrings.cipher(entropy)
        self.least_first_invocation = keyrings.least_first_invocation
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._coming_root_key: bytearray | None = None
        self._has_assignment = False

    @classmethod
    def load(
        cls, store: Store, clock: Clock, entropy: Entropy, root_key: bytearray, *, needs_assignment: bool = True
    ) -> Keys:
        """What the store holds. Raises Damaged where the keyring of the root environment does not open, TamperedStore where what says
        which others there are is not what was written. Others that do not open are left out.

        Without ``needs_assignment`` all keyrings are taken of which there is a row: to read with them, and not to write.
        """
        with store.snapshot() as snapshot:
            root = open_keyring(root_key, KEYRING_ROOT, snapshot.get(keyring_key(KEYRING_ROOT)))
            keys = cls(store, clock, entropy, root_key, Keyrings({KEYRING_ROOT: root}))
            keys._has_assignment = needs_assignment
            try:
                keys._take_over(snapshot)
                is_missing = keys.areas.version is None and stored_ids(snapshot) != [KEYRING_ROOT]
            except Damaged:
                kind, is_missing = Tampering.EDITED, True
            else:
                kind = Tampering.DELETED
            if needs_assignment and is_missing:
                keys.keyrings.wipe()
                raise TamperedStore((Finding(kind, ASSIGNMENT_AT),))
        return keys

    def require(self) -> RecordCipher:
        """What opens and seals. Raises Sealed."""
        cipher = self.cipher
        if cipher is None:
            raise Sealed
        return cipher

    def install(self, keyrings: Keyrings, areas: Areas | None = None) -> None:
        """Go on with these, which are stored, and overwrite those that are not among them any more."""
        gone = self.keyrings.by_id.keys() - keyrings.by_id.keys()
        for one in gone:
            self.keyrings.by_id[one].wipe()
        self.keyrings = keyrings
        self.cipher = keyrings.cipher(self._entropy)
        self.least_first_invocation = keyrings.least_first_invocation
        if areas is not None:
            self.areas = areas

    def reload(self) -> RecordCipher:
        """Take over what the store holds now. Raises Sealed, and Damaged where it does not open."""
        with self.lock:
            self.require()
            with self._store.snapshot() as snapshot:
                self._take_over(snapshot)
            return self.require()

    def wipe(self) -> None:
        """Overwrite every key. Doing so twice is fine."""
        with self.lock:
            self.cipher = None
            self.keyrings.wipe()
            self.forget_coming()
            aead.wipe(self.root_key)

    # Terms

    def new_keyring(self, keyring_id: int, first_invocation: int) -> Keyring:
        """A keyring that is not stored yet."""
        return new_keyring(self._clock.now_ns(), first_invocation, self._entropy, keyring_id)

    def rotate(self, ids: Collection[int], first_invocation: int, witness: Witness) -> None:
        """Install a new term in each of the keyrings with ``ids``, in one commit; what a sibling process was faster with counts as well.

        Raises Damaged where rows were changed by somebody else than a sibling, and what the store raises.
        """
        with self.lock:
            self.require()
            before = {one: self.keyrings.by_id[one].active.number for one in ids}
            while due := [one for one in ids if self._has_term(one, before[one])]:
                revisions = self.keyrings.revisions(due)
                keyrings = self.keyrings.with_new_terms(due, self._clock.now_ns(), first_invocation, self._entropy)
                try:
                    rows = keyrings.sealed(self.root_key, due, self._entropy)
                    failpoints.reach("keyring_before_persist")
                    self._store.commit(revisions, rows, (), witness)
                    failpoints.reach("keyring_after_persist")
                except BaseException as error:
                    keyrings.wipe_active(due)
                    if not isinstance(error, Conflict):
                        raise
                    self.reload()
                    if self.keyrings.revisions(due) == revisions:
                        raise Damaged from None  # nobody with the keys did that
                    continue
                self.install(keyrings)

    def _has_term(self, keyring_id: int, number: int) -> bool:
        """Whether the keyring is there, and this term is its active one still."""
        keyring = self.keyrings.by_id.get(keyring_id)
        return keyring is not None and keyring.active.number == number

    # The root key

    def expect_root_key(self, root_key: bytearray) -> None:
        """One that may be stored from now on: what does not open under the present one is tried with it. Owns ``root_key``."""
        with self.lock:
            self.require()
            self.forget_coming()
            self._coming_root_key = root_key

    @property
    def is_root_key_coming(self) -> bool:
        """Whether another one may be stored already."""
        return self._coming_root_key is not None

    def forget_coming(self) -> None:
        """Overwrite the one that was expected, if any."""
        if self._coming_root_key is not None:
            aead.wipe(self._coming_root_key)
        self._coming_root_key = None

    def replace_root_key(
        self,
        root_key: bytearray,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        block: int,
        witness: Witness,
    ) -> None:
        """Seal all keyrings and the counter under ``root_key``, in one commit with the rows that wrap it. ``block`` is how far the counter moves on."""
        with self.lock:
            self.reload()
            entropy, counter_at = self._entropy, counter_key(KEYRING_ROOT)
            ids = self.keyrings.by_id.keys()
            renewed = self.keyrings.with_newest_format()
            with self._store.snapshot() as snapshot:
                found = snapshot.get(counter_at)
            # Behind everything that anybody may use, and with another version, so that no sibling can write over it unseen.
            reserved_to = open_counter(self.root_key, KEYRING_ROOT, found) + block
            records = {
                **renewed.sealed(root_key, ids, entropy),
                counter_at: seal_counter(root_key, KEYRING_ROOT, reserved_to, entropy),
            }
            versions = {**self.keyrings.revisions(ids), counter_at: None if found is None else found.version}
            # A keyring that came or went meanwhile would not be among them. (In a store that has ever had one.)
            versions[ASSIGNMENT_AT] = self.areas.version
            failpoints.reach("root_key_before_swap")
            self._store.commit({**expected, **versions}, {**puts, **records}, deletes, witness)
            self.root_key[:] = root_key
            self.keyrings = renewed
            failpoints.reach("root_key_after_swap")

    # What the store holds

    def _take_over(self, snapshot: Snapshot) -> None:
        """Bring everything up to the store. What did not change stays the same object, with the same buffers."""
        self._renew({KEYRING_ROOT: self._open_root(snapshot)})
        areas = self._read_areas(snapshot) if self._has_assignment else self.areas
        ids = set(areas.assignment.ids if self._has_assignment else stored_ids(snapshot))
        self._renew(read_others(self.root_key, snapshot, ids))
        gone = self.keyrings.by_id.keys() - ids - {KEYRING_ROOT}
        if gone:
            self.install(self.keyrings.without(gone))
        self.areas = areas

    def _open_root(self, snapshot: Snapshot) -> Keyring:
        """The keyring of the root environment, after the change to the coming root key where it is stored already."""
        record = snapshot.get(keyring_key(KEYRING_ROOT))
        try:
            return open_keyring(self.root_key, KEYRING_ROOT, record)
        except Damaged:
            if self._coming_root_key is None:
                raise
        keyring = open_keyring(self._coming_root_key, KEYRING_ROOT, record)
        # In place, for the counter's keeper has the same buffer.
        self.root_key[:] = self._coming_root_key
        return keyring

    def _renew(self, found: Mapping[int, Keyring]) -> None:
        """Take those that are newer than ours; copies that are not needed are overwritten."""
        newer, replaced = [], []
        for one, keyring in found.items():
            present = self.keyrings.by_id.get(one)
            if present is not None and keyring.revision <= present.revision:
                keyring.wipe()
                continue
            newer.append(keyring)
            if present is not None:
                replaced.append(present)
        if newer:
            self.install(self.keyrings.putting(newer))
        for keyring in replaced:
            keyring.wipe()

    def _read_areas(self, snapshot: Snapshot) -> Areas:
        record = snapshot.get(ASSIGNMENT_AT)
        known = self.areas.version
        version = None if record is None else record.version
        if version == known:
            return self.areas
        # It is never deleted, and its versions grow.
        if record is None or record.version < (known or 0):
            raise Damaged
        return Areas(decode_assignment(self.require().open(ASSIGNMENT_KEY, record)), record.version)
