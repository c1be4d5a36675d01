"""The life of a vault: it walks the table in ``states``, and holds the barrier exactly while the vault is unsealed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from strongroom import failpoints
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.initialization import InitConfig, InitResult, initialize
from strongroom.barrier.seal_rows import SealRows, read_seal_rows
from strongroom.barrier.seals import shamir as shamir_seal
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.shares import ShareCollector, decode_share, new_nonce
from strongroom.barrier.states import Event, State, Status, require
from strongroom.barrier.transaction import Transaction
from strongroom.barrier.unsealing import open_barrier
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import InvalidRequest, Sealed
from strongroom.physical.store import Unavailable


class Lifecycle:
    """The vault's state, and the ways to change it. Thread-safe.

    ``auto_seal`` is the seal that unseals by itself, or None for shares in people's hands. Raises Unavailable where the store was
    initialized with another kind of seal, or cannot be read.
    """

    def __init__(self, surroundings: Surroundings, auto_seal: Seal | None = None) -> None:
        self.surroundings = surroundings
        self._auto_seal = auto_seal
        self._lock = threading.RLock()
        self._barrier: Barrier | None = None
        self._collector: ShareCollector | None = None
        self._at_seal: list[Callable[[], None]] = []
        try:
            rows = self.rows()
        except Damaged:
            raise Unavailable("the seal's rows in the store are damaged; restore them from a backup") from None
        if rows is not None and rows.config.type != self.type:
            raise Unavailable("the store was initialized with another type of seal than the configuration names")

    @property
    def type(self) -> str:
        """The kind of seal."""
        return shamir_seal.TYPE if self._auto_seal is None else self._auto_seal.type

    @property
    def unseals_by_itself(self) -> bool:
        """Whether there are recovery shares instead of unseal shares."""
        return self._auto_seal is not None

    @property
    def barrier(self) -> Barrier | None:
        """The barrier while the vault is unsealed, else None."""
        return self._barrier

    @property
    def state(self) -> State:
        """Where the vault stands."""
        if self._barrier is not None:
            return State.UNSEALED
        return State.UNINITIALIZED if self.rows() is None else State.SEALED

    def rows(self) -> SealRows | None:
        """The seal's rows as they are now."""
        with self.surroundings.store.snapshot() as snapshot:
            return read_seal_rows(snapshot)

    def status(self) -> Status:
        """What ``sys/seal-status`` shows."""
        with self._lock:
            rows, collector = self.rows(), self._collector
            threshold = shares = 0
            if rows is not None:
                counted = rows.recovery or rows.config
                threshold, shares = counted.threshold, counted.shares
            return Status(
                type=self.type,
                initialized=rows is not None,
                sealed=self._barrier is None,
                t=threshold,
                n=shares,
                progress=collector.progress if collector else 0,
                nonce=collector.nonce if collector else "",
                recovery_seal=self.unseals_by_itself,
            )

    def initialize(self, config: InitConfig, populate: Callable[[Transaction], None]) -> InitResult:
        """Make the keys and the shares. The vault is sealed afterwards.

        ``populate`` writes the first records (mounts, policies, a root token); they are stored in the same commit as the seal, so
        that a crash leaves all of it or nothing. Raises InvalidRequest on impossible numbers and if the vault is initialized.
        """
        with self._lock:
            require(self.state, Event.INITIALIZE)
            return initialize(self.surroundings, self._auto_seal, config, populate)

    def submit_unseal_share(self, text: str) -> Status:
        """Take one share, and unseal if it was the last one needed.

        Raises InvalidRequest for a bad text or a wrong key, and TamperedStore where the store is not what the vault left behind.
        """
        share = decode_share(text)
        with self._lock:
            require(self.state, Event.UNSEAL)
            if self._barrier is not None:
                aead.wipe(share)
                return self.status()
            if self.unseals_by_itself:
                aead.wipe(share)
                raise InvalidRequest(f"the {self.type} seal unseals by itself and has no unseal keys")
            rows = self.rows_or_refuse()
            if self._collector is None:
                self._collector = ShareCollector(rows.config.threshold, new_nonce(self.surroundings.entropy))
            self._collector.submit(share)
            if self._collector.is_complete:
                self._unseal_with(self._collector, rows)
            return self.status()

    def reset_unseal(self) -> Status:
        """Forget the shares that were submitted so far."""
        with self._lock:
            if self._collector is not None:
                self._collector.reset()
                self._collector = None
            return self.status()

    def unseal_automatically(self) -> Status:
        """Unseal with the seal that can. Raises InvalidRequest where shares are needed, Damaged where the key is not the right
        one, TamperedStore where the store is not what the vault left behind.
        """
        with self._lock:
            if self._auto_seal is None:
                raise InvalidRequest("the shamir seal needs unseal keys")
            require(self.state, Event.UNSEAL)
            if self._barrier is None:
                self._barrier = self._load(self._auto_seal, self.rows_or_refuse())
            return self.status()

    def adopt(self, root_key: bytearray) -> None:
        """Unseal with the root key that a sibling process unsealed with. Owns ``root_key``. Raises TamperedStore."""
        with self._lock:
            if self._barrier is not None:
                aead.wipe(root_key)
                return
            self._barrier = open_barrier(self.surroundings, root_key)

    def seal(self) -> None:
        """Wipe every key. Sealing a sealed vault is fine. Raises InvalidRequest where it is not initialized."""
        with self._lock:
            require(self.state, Event.SEAL)
            failpoints.reach("seal_before_wipe")
            self._drop_barrier()
            failpoints.reach("seal_after_wipe")
        self._tell()

    def call_at_seal(self, forget: Callable[[], None]) -> None:
        """Have ``forget`` called after each sealing, by those who keep something that may not outlive the barrier."""
        self._at_seal.append(forget)

    def close(self) -> None:
        """Wipe every key, whatever the state: the process ends."""
        with self._lock:
            if self._collector is not None:
                self._collector.reset()
            self._drop_barrier()
            if self._auto_seal is not None:
                self._auto_seal.wipe()
        self._tell()

    def unsealed(self) -> Barrier:
        """The barrier. Raises Sealed where there is none."""
        barrier = self._barrier
        if barrier is None:
            raise Sealed
        return barrier

    def rows_or_refuse(self) -> SealRows:
        """The seal's rows. Raises InvalidRequest where there are none."""
        rows = self.rows()
        if rows is None:
            raise InvalidRequest("Vault is not initialized")
        return rows

    def _drop_barrier(self) -> None:
        barrier, self._barrier = self._barrier, None
        if barrier is not None:
            barrier.seal()

    def _tell(self) -> None:
        # Outside the lock: who is told may be waiting for it with a lock of its own.
        for forget in self._at_seal:
            forget()

    def _unseal_with(self, collector: ShareCollector, rows: SealRows) -> None:
        self._collector = None
        seal: ShamirSeal | None = None
        try:
            seal = ShamirSeal(collector.combine(), self.surroundings.entropy)
            self._barrier = self._load(seal, rows)
        except Damaged:
            raise InvalidRequest("Unseal failed, invalid key") from None
        finally:
            if seal is not None:
                seal.wipe()

    def _load(self, seal: Seal, rows: SealRows) -> Barrier:
        # What unwraps is the root key: whatever does not open under it was changed.
        return open_barrier(self.surroundings, seal.unwrap(rows.root_key))
