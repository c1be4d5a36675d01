"""New shares for old: of the unseal key, or of the recovery key where the seal unseals by itself.

Enough holders of the present shares must agree. The new shares take effect in one commit, so a crash leaves either the old or the
new ones, never neither. With verification they take effect only after enough of them came back, as proof that they arrived.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from strongroom import failpoints
from strongroom.barrier.authorisation import Authorisation, check_nonce
from strongroom.barrier.initialization import hand_out, recovery_verifier
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.seal_rows import CONFIG_KEY, RECOVERY_KEY, ROOT_KEY_KEY, RecoveryConfig, SealConfig, encode_row
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.shares import ShareCollector, check_numbers, decode_share, new_nonce, split
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.secret import Secret
from strongroom.physical.store import Conflict, Record, Unknown


class Target(Enum):
    """Whose shares are renewed."""

    UNSEAL = "unseal"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyConfig:
    """``threshold`` of ``shares`` new shares; whether they must be shown to have arrived first."""

    shares: int
    threshold: int
    require_verification: bool = False
    backup: bool = False
    pgp_keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyStatus:
    """What ``sys/rekey/init`` shows: new ``t`` of ``n``; ``progress`` of ``required`` present shares. Zeros where none is in progress."""

    nonce: str = ""
    started: bool = False
    t: int = 0
    n: int = 0
    progress: int = 0
    required: int = 0
    verification_required: bool = False
    verification_nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationStatus:
    """What ``sys/rekey/verify`` shows: ``progress`` of the new shares came back, ``t`` of ``n`` are needed."""

    nonce: str
    started: bool
    t: int
    n: int
    progress: int
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyResult:
    """The new shares, of which there is no other copy. They are in effect unless ``verification_required``.

    With ``outcome_unknown`` the store failed while installing them: keep the old and the new ones, for either may be in effect.
    ``take_back`` puts the old ones into effect again, where the new ones cannot be handed out. It raises what the store raises.
    """

    nonce: str
    shares: tuple[Secret[bytes], ...] = field(repr=False)
    outcome_unknown: bool = False
    take_back: Callable[[], None] | None = field(default=None, repr=False)
    verification_required: bool = False
    verification_nonce: str = ""


class _Pending:
    """New shares that were handed out and must come back before they take effect."""

    def __init__(self, key: bytearray, threshold: int, nonce: str) -> None:
        self.key = key
        self.collector = ShareCollector(threshold, nonce)

    def wipe(self) -> None:
        aead.wipe(self.key)
        self.collector.reset()


class Rekey:
    """At most one rekey of ``target`` at a time. Thread-safe. Every method raises Sealed while the vault is sealed."""

    def __init__(self, lifecycle: Lifecycle, target: Target) -> None:
        self._lifecycle = lifecycle
        self._target = target
        self._lock = threading.RLock()
        self._config: RekeyConfig | None = None
        self._authorisation: Authorisation | None = None
        self._pending: _Pending | None = None
        lifecycle.call_at_seal(self.forget)

    def start(self, config: RekeyConfig) -> RekeyStatus:
        """Begin. Raises InvalidRequest on impossible numbers, where one is in progress, or where the seal has no such shares."""
        self._check_config(config)
        with self._lock:
            if self._config is not None:
                raise InvalidRequest("rekey already in progress; cancel it first")
            self._authorisation = Authorisation(self._lifecycle)
            self._config = config
            return self.status()

    def status(self) -> RekeyStatus:
        """How far the rekey is."""
        self._lifecycle.unsealed()
        with self._lock:
            config, authorisation, pending = self._config, self._authorisation, self._pending
            if config is None or authorisation is None:
                rows = self._lifecycle.rows_or_refuse()
                counted = rows.recovery or rows.config
                return RekeyStatus(required=counted.threshold)
            return RekeyStatus(
                nonce=authorisation.nonce,
                started=True,
                t=config.threshold,
                n=config.shares,
                progress=authorisation.progress,
                required=authorisation.required,
                verification_required=config.require_verification,
                verification_nonce=pending.collector.nonce if pending else "",
            )

    def cancel(self) -> None:
        """Forget everything about it; the present shares stay in effect. Fine where none is in progress."""
        self._lifecycle.unsealed()
        self.forget()

    def forget(self) -> None:
        """What ``cancel`` does, also while the vault is sealed. Sealing does it by itself."""
        with self._lock:
            if self._authorisation is not None:
                self._authorisation.cancel()
            if self._pending is not None:
                self._pending.wipe()
            self._config = self._authorisation = self._pending = None

    def update(self, share: str, nonce: str) -> RekeyStatus | RekeyResult:
        """Take one of the present shares; with the last one needed, answers the new shares. Raises InvalidRequest."""
        with self._lock:
            config, authorisation = self._in_progress()
            if self._pending is not None:
                raise InvalidRequest("the present keys were given already; verify the new ones")
            if not authorisation.submit(share, nonce):
                return self.status()
            key = aead.draw_key(self._lifecycle.surroundings.entropy)
            shares = split(key, config.shares, config.threshold, self._lifecycle.surroundings.entropy)
            if config.require_verification:
                verification_nonce = new_nonce(self._lifecycle.surroundings.entropy)
                self._pending = _Pending(key, config.threshold, verification_nonce)
                return RekeyResult(
                    nonce=authorisation.nonce,
                    shares=hand_out(shares),
                    verification_required=True,
                    verification_nonce=verification_nonce,
                )
            outcome_unknown, take_back = False, None
            try:
                take_back = self._install(key, config)
            except Unknown:
                # Raising would throw away shares that may be the only ones from now on.
                outcome_unknown = True
            finally:
                aead.wipe(key)
                self.forget()
            return RekeyResult(
                nonce=nonce, shares=hand_out(shares), outcome_unknown=outcome_unknown, take_back=take_back
            )

    def verification_status(self) -> VerificationStatus:
        """How many of the new shares came back. Raises InvalidRequest where none are out."""
        with self._lock:
            config, pending = self._out()
            return VerificationStatus(
                nonce=pending.collector.nonce,
                started=True,
                t=config.threshold,
                n=config.shares,
                progress=pending.collector.progress,
            )

    def verify(self, share: str, nonce: str) -> VerificationStatus:
        """Take one of the new shares; with the last one needed, they take effect. Raises InvalidRequest."""
        content = decode_share(share)
        with self._lock:
            try:
                config, pending = self._out()
                check_nonce(nonce, pending.collector.nonce)
            except BaseException:
                aead.wipe(content)
                raise
            pending.collector.submit(content)
            if not pending.collector.is_complete:
                return self.verification_status()
            self._check_returned(pending)
            self._install(pending.key, config)
            self.forget()
            return VerificationStatus(
                nonce=nonce, started=False, t=config.threshold, n=config.shares, progress=0, complete=True
            )

    def restart_verification(self) -> VerificationStatus:
        """Forget which new shares came back, and go on under a new nonce. The new shares themselves stay as they are."""
        with self._lock:
            config, pending = self._out()
            pending.collector.reset()
            fresh = new_nonce(self._lifecycle.surroundings.entropy)
            self._pending = _Pending(pending.key, config.threshold, fresh)
            return self.verification_status()

    def _check_config(self, config: RekeyConfig) -> None:
        self._lifecycle.unsealed()
        if config.pgp_keys:
            raise InvalidRequest("PGP-encrypted shares are not supported yet; leave pgp_keys empty")
        if config.backup:
            raise InvalidRequest("a backup holds PGP-encrypted shares, which are not supported yet; leave backup false")
        if (self._target is Target.RECOVERY) is not self._lifecycle.unseals_by_itself:
            raise InvalidRequest(f"the {self._lifecycle.type} seal has no {self._target.value} keys")
        check_numbers(config.shares, config.threshold)

    def _in_progress(self) -> tuple[RekeyConfig, Authorisation]:
        self._lifecycle.unsealed()
        if self._config is None or self._authorisation is None:
            raise InvalidRequest("no rekey in progress")
        return self._config, self._authorisation

    def _out(self) -> tuple[RekeyConfig, _Pending]:
        config, _ = self._in_progress()
        if self._pending is None:
            raise InvalidRequest("no rekey verification in progress")
        return config, self._pending

    @staticmethod
    def _check_returned(pending: _Pending) -> None:
        try:
            returned = pending.collector.combine()
        except Damaged:
            returned = bytearray()
        is_right = hmac.compare_digest(returned, pending.key)
        aead.wipe(returned)
        if not is_right:
            raise InvalidRequest(
                "rekey verification failed: these are not the new keys; begin again with the first one"
            )

    def _install(self, key: bytearray, config: RekeyConfig) -> Callable[[], None]:
        """Put ``key`` in the place of the present unseal or recovery key, in one commit. Returns what undoes that."""
        barrier, rows = self._lifecycle.unsealed(), self._lifecycle.rows_or_refuse()
        if self._target is Target.RECOVERY:
            verifier = recovery_verifier(barrier, key)
            changed = {RECOVERY_KEY: encode_row(RecoveryConfig(config.shares, config.threshold, verifier))}
        else:
            root_key = barrier.copy_root_key()
            try:
                wrapped = ShamirSeal(key, self._lifecycle.surroundings.entropy).wrap(root_key)
            finally:
                aead.wipe(root_key)
            row = SealConfig(rows.config.type, config.shares, config.threshold)
            changed = {CONFIG_KEY: encode_row(row), ROOT_KEY_KEY: wrapped}
        store, installed, before = self._lifecycle.surroundings.store, rows.put(changed), rows.encoded()
        try:
            failpoints.reach("rekey_before_swap")
            store.commit(rows.versions, installed, (), barrier.witness)
            failpoints.reach("rekey_after_swap")
        except Conflict:
            raise InvalidRequest("the keys were changed meanwhile by another rekey; begin again") from None

        def take_back() -> None:
            versions: dict[str, int | None] = {name: record.version for name, record in installed.items()}
            restored = {name: Record(record.version + 1, before[name]) for name, record in installed.items()}
            store.commit(versions, restored, (), barrier.witness)

        return take_back
