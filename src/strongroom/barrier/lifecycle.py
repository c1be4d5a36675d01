"""The life of a vault: it walks the table in ``states``, and holds the barrier exactly while the vault is unsealed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from strongroom import failpoints
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.initialization import Founding, InitConfig, InitResult, found, mark_founded
from strongroom.barrier.key_changes import KeyChanges
from strongroom.barrier.opening import Way, is_migrating, migrated, ways_in
from strongroom.barrier.seal_rows import ROOT_KEY_KEY, SealRows, read_seal_rows
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

_LOST = (
    "a vault was made here, and the store does not hold it any more: a file of its database was removed, cut off or replaced by another one."
    " Put the files back, or restore a backup with 'strongroom operator restore'. To begin a new vault, name an empty data folder"
)


class Lifecycle:
    """The vault's state, and the ways to change it. Thread-safe.

    ``auto_seal`` is the seal that unseals by itself, or None for shares in people's hands; ``leaving`` one that did so until now, and
    is to be left. Raises Unavailable where the stored seal is neither of them, or cannot be read.
    """

    def __init__(self, surroundings: Surroundings, auto_seal: Seal | None = None, leaving: Seal | None = None) -> None:
        self.surroundings = surroundings
        self._auto_seal = auto_seal
        self._leaving = leaving
        self._lock = threading.RLock()
        self._barrier: Barrier | None = None
        self.keys = KeyChanges(surroundings, self._lock, self.unsealed, self.rows_or_refuse, auto_seal)
        self._founding: Founding | None = None
        self._collector: ShareCollector | None = None
        self._at_seal: list[Callable[[], None]] = []
        try:
            rows = self.rows()
        except Damaged:
            raise Unavailable("the seal's rows in the store are damaged; restore them from a backup") from None
        if rows is not None:
            mark_founded(surroundings.store)
        if rows is not None and rows.config.type != shamir_seal.TYPE and auto_seal is None and leaving is None:
            raise Unavailable(
                "the store was initialized with another type of seal than the configuration names;"
                f' to migrate to key shares, keep the block seal "{rows.config.type}" and add disabled = "true" to it'
            )

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

    @property
    def is_migrating(self) -> bool:
        """Whether the vault waits for shares with which it leaves its present seal for the configured one."""
        rows = self.rows()
        return rows is not None and is_migrating(rows, self._auto_seal, self._leaving)

    def rows(self) -> SealRows | None:
        """The seal's rows as they are now. A vault whose shares nobody was told is none.

        Raises Unavailable where a vault was made in this place and is not there any more: nobody may begin another one instead.
        """
        # Before the rows are looked at: who is at it just now marks the place after they are there.
        was_founded = self.surroundings.store.is_founded
        with self.surroundings.store.snapshot() as snapshot:
            rows = read_seal_rows(snapshot)
        if rows is not None and not rows.is_unannounced:
            return rows
        if was_founded:
            raise Unavailable(_LOST)
        return None

    def status(self) -> Status:
        """What ``sys/seal-status`` shows."""
        with self._lock:
            rows, collector = self.rows(), self._collector
            threshold = shares = 0
            if rows is not None:
                rows = self.keys.in_effect(rows)
                counted = rows.recovery or rows.config
                threshold, shares = counted.threshold, counted.shares
                if self._barrier is None:
                    threshold = max([threshold, *(way.threshold for way in self._ways(rows))])
            return Status(
                type=self.type,
                initialized=rows is not None,
                sealed=self._barrier is None,
                t=threshold,
                n=shares,
                progress=collector.progress if collector else 0,
                nonce=collector.nonce if collector else "",
                recovery_seal=self.unseals_by_itself,
                is_migrating=rows is not None and is_migrating(rows, self._auto_seal, self._leaving),
            )

    def initialize(self, config: InitConfig, populate: Callable[[Transaction], None]) -> InitResult:
        """Make the keys and the shares, which the caller has then. The vault is sealed afterwards.

        ``populate`` writes the first records (mounts, policies, a root token); they are stored in the same commit as the seal, so
        that a crash leaves all of it or nothing. Raises InvalidRequest on impossible numbers and if the vault is initialized.
        """
        result = self.found(config, populate)
        self.announce()
        return result

    def found(self, config: InitConfig, populate: Callable[[Transaction], None]) -> InitResult:
        """The first half: the vault counts as not initialized until :meth:`announce`, which must follow, or :meth:`abandon`."""
        with self._lock:
            require(self.state, Event.INITIALIZE)
            if self._founding is not None:
                raise InvalidRequest("another request is initializing the vault; ask in a moment whether it did")
            self._founding = found(self.surroundings, self._auto_seal, config, populate)
            return self._founding.result

    def announce(self) -> None:
        """The second half, once the shares may leave. Raises what the store raises, and then there is no vault."""
        with self._lock:
            founding, self._founding = self._founding, None
            if founding is not None:
                founding.announce()

    def abandon(self) -> None:
        """The other end of :meth:`found`: nobody will be told the shares, and the vault can be initialized again."""
        with self._lock:
            founding, self._founding = self._founding, None
            if founding is not None:
                founding.abandon()

    def submit_unseal_share(self, text: str, *, migrate: bool = False) -> Status:
        """Take one share, and unseal if it was the last one needed; with ``migrate`` under another seal from then on.

        Raises InvalidRequest for a bad text or a wrong key, where ``migrate`` does not fit what the configuration wants, and
        TamperedStore where the store is not what the vault left behind.
        """
        share = decode_share(text)
        with self._lock:
            try:
                require(self.state, Event.UNSEAL)
                if self._barrier is not None:
                    aead.wipe(share)
                    return self.status()
                rows = self.rows_or_refuse()
                self._check_migration(rows, migrate=migrate)
                ways = self._ways(rows)
                if self._collector is None:
                    threshold = max(way.threshold for way in ways)
                    self._collector = ShareCollector(threshold, new_nonce(self.surroundings.entropy))
            except BaseException:
                aead.wipe(share)
                raise
            self._collector.submit(share)
            self._try(self._collector, ways, rows, migrate=migrate)
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
                rows = self.rows_or_refuse()
                if is_migrating(rows, self._auto_seal, self._leaving):
                    raise InvalidRequest("the vault waits for its migration to another seal: unseal it with -migrate")
                barrier = open_barrier(self.surroundings, self._auto_seal.unwrap(rows.root_key))
                self._wrap_with_current_key(barrier, rows)
                self._barrier = barrier
                self.keys.opened_by(self._auto_seal)
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
            for seal in (self._auto_seal, self._leaving):
                if seal is not None:
                    seal.wipe()
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

    def rows_in_effect(self) -> SealRows:
        """The same, as the shares have them that proved themselves, where the store could not be told yet."""
        return self.keys.in_effect(self.rows_or_refuse())

    def _drop_barrier(self) -> None:
        barrier, self._barrier = self._barrier, None
        if barrier is not None:
            barrier.seal()
        self.keys.forget()

    def _tell(self) -> None:
        # Outside the lock: who is told may be waiting for it with a lock of its own.
        for forget in self._at_seal:
            forget()

    def _ways(self, rows: SealRows) -> list[Way]:
        return ways_in(self.surroundings, rows, self._leaving)

    def _check_migration(self, rows: SealRows, *, migrate: bool) -> None:
        pending = is_migrating(rows, self._auto_seal, self._leaving)
        if migrate and not pending:
            raise InvalidRequest("can't perform a seal migration, no migration seal found")
        if pending and not migrate:
            raise InvalidRequest(
                "migrate option not provided and seal migration is pending; unseal with -migrate, or configure the former seal again"
            )
        if not pending and self.unseals_by_itself:
            raise InvalidRequest(f"the {self.type} seal unseals by itself and has no unseal keys")
        if not self._ways(rows):
            raise InvalidRequest("the seal has no shares with which it could be left")
        if pending:
            self._check_leaving(rows)

    def _check_leaving(self, rows: SealRows) -> None:
        """Nobody's share shall be said to be wrong where it is the configuration. Raises InvalidRequest."""
        if self._leaving is None or rows.config.type == shamir_seal.TYPE:
            return
        try:
            aead.wipe(self._leaving.unwrap(rows.root_key))
        except Damaged:
            raise InvalidRequest(
                "the key of the seal that shall be left is not the one that the vault was sealed with: correct the configuration and"
                " start again; the shares were not tried"
            ) from None

    def _try(self, collector: ShareCollector, ways: list[Way], rows: SealRows, *, migrate: bool) -> None:
        """Open with the shares that are there, where they are as many as one of ``ways`` needs."""
        for way in ways:
            if way.threshold != collector.progress:
                continue
            key = bytearray()
            try:
                key = collector.attempt()
                barrier = way.open(key)
                self._enter(barrier, key, way, rows, migrate=migrate)
            except Damaged:
                continue
            except BaseException:
                self.reset_unseal()
                raise
            finally:
                aead.wipe(key)
            self.reset_unseal()
            return
        if collector.is_complete:
            self.reset_unseal()
            raise InvalidRequest("Unseal failed, invalid key")

    def _enter(self, barrier: Barrier, key: bytearray, way: Way, rows: SealRows, *, migrate: bool) -> None:
        """Take over ``barrier``, which ``key`` opened, once the rows are as they shall be from now on."""
        entropy = self.surroundings.entropy
        opener: Seal = ShamirSeal(bytearray(key), entropy)
        try:
            if migrate:
                if self._auto_seal is not None:
                    opener.wipe()
                    opener = self._auto_seal
                failpoints.reach("migration_before_swap")
                root_key = aead.draw_key(entropy)
                try:
                    self.keys.replace(barrier, root_key, migrated(barrier, way, key, self._auto_seal, entropy))
                finally:
                    aead.wipe(root_key)
                failpoints.reach("migration_after_swap")
            elif rows.former is not None:
                self.keys.choose(barrier, by_former=way.is_former)
        except BaseException:
            barrier.seal()
            if opener is not self._auto_seal:
                opener.wipe()
            raise
        self._barrier = barrier
        self.keys.opened_by(opener)

    def _wrap_with_current_key(self, barrier: Barrier, rows: SealRows) -> None:
        """Have the seal's current key wrap the root key, where it was its previous one."""
        seal = self._auto_seal
        if seal is None or seal.is_current(rows.root_key):
            return
        root_key = barrier.copy_root_key()
        try:
            wrapped = seal.wrap(root_key)
            failpoints.reach("rewrap_before_swap")
            # A store that takes no writes must not keep the vault closed: the previous key is needed a little longer then.
            with contextlib.suppress(InvalidRequest, Unavailable):
                self.keys.change_rows(barrier, lambda _rows: {ROOT_KEY_KEY: wrapped})
            failpoints.reach("rewrap_after_swap")
        except BaseException:
            barrier.seal()
            raise
        finally:
            aead.wipe(root_key)
