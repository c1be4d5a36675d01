"""One server's vault: the seal's lifecycle, and while it is unsealed the ``Unsealed`` value.

``node.unsealed`` is None while the vault is sealed; there is no flag to forget. Handlers of ``sys/`` reach the vault through here.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Protocol

from strongroom.audit.broker import Broker
from strongroom.audit.headers import HeaderBook
from strongroom.audit.options import Limits
from strongroom.audit.trail import Evidence
from strongroom.barrier.barrier import Barrier
from strongroom.barrier.initialization import InitConfig, InitResult
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.states import Status
from strongroom.barrier.tampering import TamperedStore
from strongroom.barrier.transaction import Transaction
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.crypto.keyed_hash import KeyedHash
from strongroom.environments.listed import ListedValues
from strongroom.environments.map import EnvironmentBook
from strongroom.evidence.checkpoint import Reason
from strongroom.evidence.signature import PublicKey, SigningKey
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.backend import Backend, BoundTo, Context
from strongroom.logical.errors import LogicalError, Sealed
from strongroom.logical.secret import Secret
from strongroom.logical.storage import Storage
from strongroom.mounts.entry import MountEntry
from strongroom.mounts.table import EPOCH_KEY, MountTable
from strongroom.physical.store import Conflict, Unavailable, Unknown
from strongroom.policy.store import PolicyStore
from strongroom.quotas.book import QuotaBook
from strongroom.quotas.counts import Counts
from strongroom.quotas.guesses import Guesses
from strongroom.system import founding, restored
from strongroom.system.audit_devices import DeviceSync, still_to_enable
from strongroom.system.audit_memory import AuditMemory, remembered
from strongroom.system.backups import Backups
from strongroom.system.integrity import Integrity, OnTamper, statement
from strongroom.system.plugs import Plugs
from strongroom.system.settings import API_VERSION, Settings
from strongroom.system.under_way import Described, InFlight, described
from strongroom.system.unsealed import SYSTEM_TYPE, TOKEN_TYPE, Unsealed
from strongroom.system.wrapped import WrappedAnswers
from strongroom.telemetry.catalog import TAMPERING
from strongroom.telemetry.instruments import Telemetry
from strongroom.tokens import store as token_store
from strongroom.tokens.store import TokenStore


class Siblings(Protocol):
    """The other processes of this server: told when the vault opens or closes. Both calls return once all have followed.

    A process that cannot follow is ended before the call returns, and this server stops.
    """

    def unsealed(self, root_key: bytearray) -> None:
        """The vault is open; this is its root key, which the caller wipes."""
        ...

    def sealed(self) -> None:
        """The vault is closed."""
        ...

    def under_way(self) -> dict[str, Described]:
        """What they are answering right now, by request id. Who does not say so soon is left out."""
        ...

    def root_key_coming(self, root_key: bytearray) -> None:
        """Another root key may be stored from now on; the caller wipes it."""
        ...

    def root_key_settled(self) -> None:
        """The store says which one it is."""
        ...


class Node:
    """The vault of this process. ``system_backend`` and ``token_backend`` are set once, when the server is assembled."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        broker: Broker,
        settings: Settings,
        plugs: Plugs,
        telemetry: Telemetry,
        *,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.lifecycle = lifecycle
        self.broker = broker
        self.settings = settings
        self.plugs = plugs
        self.clock = clock
        self.entropy = entropy
        self.telemetry = telemetry
        self.quota_counts, self.process_number = Counts(), 0
        """Those of all processes of this server, and which of these it is. Set before the first unseal."""
        self.in_flight = InFlight()
        self.unsealed: Unsealed | None = None
        self.unsealed_at_ns = 0
        self._siblings: Siblings | None = None
        self.scrub: Callable[[], None] = lambda: None
        """Overwrites what was freed, once the answer under way is sent; set where a process has such a thing."""
        self.after_answer: Callable[[Callable[[], None]], None] = lambda call: call()
        """Has something done once the answer under way has been sent; at once where nothing is sent."""
        self.wake_sweeper: Callable[[], None] = lambda: None
        """Has the sweeper begin its next round now."""
        self.system_backend: Backend | None = None
        self.token_backend: Backend | None = None
        self.integrity = Integrity(OnTamper(settings.on_tamper), settings.integrity_anchor)
        self.audit_root: Callable[[], Any] = lambda: statement(self.lifecycle.barrier)
        """What audit checkpoints shall say about the state of the store, in types that JSON has. Set before the first unseal."""
        self.integrity.count = lambda findings: telemetry.add(TAMPERING, count=findings)
        self.backups = Backups(clock, settings.backup_spool)
        lifecycle.call_at_seal(self.backups.drop_all)
        self._restore_recorder = restored.Recorder()
        self._audit_memory = AuditMemory()
        self._policies = PolicyStore()
        self._lock = threading.RLock()

    def require(self) -> Unsealed:
        """The unsealed vault. Raises Sealed."""
        unsealed = self.unsealed
        if unsealed is None:
            raise Sealed
        return unsealed

    def epoch(self, storage: Storage) -> int:
        """The version of the epoch record as this transaction sees it. Only the root view of the system's plugs has one."""
        version = storage.version(EPOCH_KEY) if isinstance(storage, Transaction) else None
        if version is None:
            raise LookupError("the epoch record is missing from the store")
        return version

    def under_way(self) -> dict[str, Described]:
        """What this process is answering right now, by request id; nothing while the vault is sealed. From any thread."""
        unsealed = self.unsealed
        if unsealed is None:
            return {}
        return {request.id: described(unsealed, started_ns, request) for started_ns, request in self.in_flight.all()}

    def new_uuid(self) -> str:
        """A random identifier."""
        return founding.new_uuid(self.entropy)

    @property
    def siblings(self) -> Siblings | None:
        """The other processes of this server, where there are any."""
        return self._siblings

    @siblings.setter
    def siblings(self, siblings: Siblings) -> None:
        self._siblings = siblings
        self.lifecycle.keys.followers = siblings

    # The seal

    def exclusively(self) -> contextlib.AbstractContextManager[object]:
        """While it lasts nobody else changes the vault's keys, and nobody seals. Taken before the lock of any operation on keys."""
        return self._lock

    def initialize(self, config: InitConfig) -> tuple[InitResult, Secret[str]]:
        """Make a new vault, and return its shares and its first root token. It unseals where its seal does so by itself."""
        with self._lock:
            made = self.found(config)
            self.announce()
        return made

    def found(self, config: InitConfig) -> tuple[InitResult, Secret[str]]:
        """The first half: nobody may be told the shares before :meth:`announce`; :meth:`abandon` is the other end."""
        root_token: list[Secret[str]] = []

        def populate(transaction: Transaction) -> None:
            root_token.append(
                founding.found(
                    transaction,
                    self.clock,
                    self.entropy,
                    self._policies,
                    version=API_VERSION,
                    cluster_name=self.settings.cluster_name,
                )
            )

        with self._lock:
            result = self.lifecycle.found(config, populate)
        return result, root_token[-1]

    def announce(self) -> None:
        """The shares are on record. Raises what the store raises, and then there is no vault."""
        with self._lock:
            self.lifecycle.announce()
            if self.lifecycle.unseals_by_itself:
                # There is a vault by now, and its shares must reach their keepers: what is wrong shows at the next start.
                with contextlib.suppress(LogicalError, Damaged, Unavailable):
                    self.unseal_automatically()

    def abandon(self) -> None:
        """Nobody will be told the shares: the vault can be initialized again."""
        with self._lock:
            self.lifecycle.abandon()

    def submit_unseal_share(self, text: str, *, migrate: bool = False) -> Status:
        """Take one share; with the last one the vault opens, with ``migrate`` under another seal from then on."""
        with self._lock:
            status = self.lifecycle.submit_unseal_share(text, migrate=migrate)
            self._open_if_unsealed()
            return status

    def expect_root_key(self, root_key: bytearray) -> None:
        """Another process of this server may store this root key from now on. Owns ``root_key``."""
        barrier = self.lifecycle.barrier
        if barrier is None:
            aead.wipe(root_key)
        else:
            barrier.expect_root_key(root_key)

    def settle_root_key(self) -> None:
        """It did, or did not."""
        barrier = self.lifecycle.barrier
        if barrier is not None:
            barrier.settle_root_key()

    def unseal_automatically(self) -> None:
        """Open the vault with the seal that can."""
        with self._lock:
            self.lifecycle.unseal_automatically()
            self._open_if_unsealed()

    def seal(self) -> None:
        """Wipe every key. Requests that are under way end with Sealed."""
        # Whatever goes wrong on the way, all of this happens, the last line first. Siblings are told under the lock, like at the
        # opening: so what they are told comes in the order in which it happened here.
        with self._lock, contextlib.ExitStack() as always:
            if self._siblings is not None:
                always.callback(self._siblings.sealed)
            always.callback(self.broker.seal)
            always.callback(self.lifecycle.seal)
            always.callback(self._forget_unsealed)
            self._end_audit(Reason.SEAL)

    def adopt(self, root_key: bytearray) -> None:
        """Open the vault with the root key that a sibling process unsealed with. Owns ``root_key``."""
        with self._lock:
            self.lifecycle.adopt(root_key)
            self._open_if_unsealed(is_first=False)

    def close(self) -> None:
        """Wipe every key and give back files: the process ends."""
        with self._lock, contextlib.ExitStack() as always:
            always.callback(self.lifecycle.surroundings.store.close)
            always.callback(self.broker.close)
            always.callback(self.lifecycle.close)
            always.callback(self._forget_unsealed)
            self._end_audit(Reason.STOP)

    def _forget_unsealed(self) -> None:
        self.unsealed = None

    def _tell_siblings(self, barrier: Barrier) -> None:
        if self._siblings is None:
            return
        root_key = barrier.copy_root_key()
        try:
            self._siblings.unsealed(root_key)
        finally:
            aead.wipe(root_key)

    def _open_if_unsealed(self, *, is_first: bool = True) -> None:
        barrier = self.lifecycle.barrier
        if barrier is not None and self.unsealed is None:
            try:
                self.unsealed = self._open(barrier, is_first=is_first)
            except TamperedStore:
                self.lifecycle.seal()
                raise
            self.unsealed_at_ns = self.clock.now_ns()
            self._restore_recorder.is_due = is_first
            self._restore_recorder.record(barrier, self.broker, self.new_uuid)
            self._remember_audit(barrier, forget_others=is_first)
            self._tell_siblings(barrier)

    def remember_audit(self) -> None:
        """Have the vault remember how far its audit logs are. Called about once a second. Raises Unknown."""
        barrier = self.lifecycle.barrier
        if barrier is not None:
            self._restore_recorder.record(barrier, self.broker, self.new_uuid)
            self._remember_audit(barrier)

    def _remember_audit(self, barrier: Barrier, *, forget_others: bool = False) -> None:
        # What cannot be stored now is stored the next time: the log itself is whole without it.
        with contextlib.suppress(LogicalError, Conflict, Unavailable):
            self._audit_memory.remember(barrier, self.broker.checkpoints, forget_others=forget_others)

    def _end_audit(self, reason: Reason) -> None:
        """Sign what was recorded, and remember it, while there are keys. A device that hangs is not waited for beyond its deadline."""
        barrier = self.lifecycle.barrier
        if barrier is not None:
            self.broker.checkpoint(reason)
            with contextlib.suppress(Unknown):  # it is the end, whatever became of that
                self._remember_audit(barrier)
            self.move_anchor()

    def move_anchor(self) -> None:
        """Bring the store's anchor up to date, where there is one."""
        barrier, unsealed = self.lifecycle.barrier, self.unsealed
        if barrier is not None and unsealed is not None:
            self.integrity.move_anchor(barrier, unsealed.cluster_id)

    def _open(self, barrier: Barrier, *, is_first: bool) -> Unsealed:
        mounts = MountTable(self.backend_for, (self.settings.default_lease_ttl, self.settings.max_lease_ttl))
        with barrier.transaction() as transaction:
            vault = founding.load(transaction)
            keys = token_store.load_keys(transaction)
            cubbyhole = next(entry for entry in mounts.entries(transaction) if entry.path == "cubbyhole/")
            key = SigningKey(vault.audit_signing_seed)
            limits = self.audit_limits(from_api=True)
            if is_first:
                # Before any log gets a new checkpoint.
                others = still_to_enable(self.broker, transaction, self.plugs.audit_devices, limits)
                self.integrity.check(barrier, PublicKey.read(key.public_pem), self.broker.tails(others))
            barrier.witness.on_alarm = lambda finding: self.integrity.alarm([finding])
            evidence = Evidence(vault.cluster_id, key, remembered(transaction), self.audit_root)
            self.broker.unseal(vault.audit_key, evidence)
            devices = DeviceSync(self.broker, self.plugs.audit_devices, limits, barrier.transaction)
            devices.follow(self.epoch(transaction))
        tokens = TokenStore(keys, self.clock, self.entropy, self._drop_cubbyhole(cubbyhole))
        return Unsealed(
            barrier=barrier,
            broker=self.broker,
            devices=devices,
            audited_headers=HeaderBook(),
            quotas=QuotaBook(self.clock, self.quota_counts),
            tokens=tokens,
            policies=self._policies,
            mounts=mounts,
            environments=EnvironmentBook(),
            listed=ListedValues(self.process_number),
            guesses=Guesses(self.quota_counts, self.clock),
            clock=self.clock,
            entropy=self.entropy,
            settings=self.settings,
            fingerprint_key=KeyedHash(vault.fingerprint_key),
            wrapped=WrappedAnswers(tokens, self.clock, cubbyhole.storage_prefix),
            cluster_id=vault.cluster_id,
            cluster_name=vault.cluster_name,
        )

    def _drop_cubbyhole(self, cubbyhole: MountEntry) -> token_store.Dropped:
        backend: object = self.backend_for(cubbyhole)
        bound = backend if isinstance(backend, BoundTo) else None

        def drop(storage: Storage, token_id: str) -> None:
            if bound is not None:
                bound.drop(storage.view(cubbyhole.storage_prefix), token_id)

        return drop

    # Plugs

    def backend_for(self, entry: MountEntry) -> Backend | None:
        """The plug for a mount, or None where its type is not known (any more)."""
        if entry.type == SYSTEM_TYPE and entry.path == "sys/":
            return self.system_backend
        if entry.type == TOKEN_TYPE and entry.path == "auth/token/":
            return self.token_backend
        if entry.is_auth:
            make = self.plugs.auth_methods.get(entry.type)
        else:
            is_versioned = (entry.options or {}).get("version") == "2"
            make = self.plugs.engines.get(f"{entry.type}/2" if is_versioned and entry.type == "kv" else entry.type)
        return make() if make else None

    def knows_type(self, entry: MountEntry) -> bool:
        """Whether a mount of this type can be made."""
        return self.backend_for(entry) is not None and entry.type not in {SYSTEM_TYPE, TOKEN_TYPE, "cubbyhole"}

    def upgrade_kv(self, context: Context, entry: MountEntry) -> int:
        """Turn the records of a ``kv`` mount into versioned ones; returns how many there were."""
        view = context.storage.view(entry.storage_prefix)
        fingerprints = context.fingerprints.of_mount(entry.uuid, is_known=True)
        return self.plugs.upgrade_kv(view, entry.uuid, self.clock, self.entropy, fingerprints)

    def audit_limits(self, *, from_api: bool) -> Limits:
        """What an audit device may do, by where it comes from."""
        return Limits(from_api=from_api, allowed_folders=self.settings.audit_folders)
