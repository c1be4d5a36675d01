"""New shares for old: of the unseal key, or of the recovery key where the seal unseals by itself.

Enough holders of the present shares must agree. The new shares take effect in one commit, with a new root key where they are unseal shares.
A crash must not leave shares in effect that nobody was told: so the present ones go on counting beside them until the answer with the new ones
was sent, or until one of the two sets was used. With verification the new ones take effect only after enough of them came back, and then
alone.
"""

from __future__ import annotations

import contextlib
import functools
import hmac
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from strongroom import failpoints
from strongroom.barrier import share_backup
from strongroom.barrier.authorisation import Authorisation, check_nonce, is_nonce
from strongroom.barrier.hand_out import HandedOut, check_recipients, hand_out
from strongroom.barrier.key_changes import Handover
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.recovery import carried_over, recovery_config
from strongroom.barrier.seal_rows import (
    CONFIG_KEY,
    FORMER_KEY,
    RECOVERY_KEY,
    ROOT_KEY_KEY,
    FormerShares,
    RowChanges,
    SealConfig,
    SealRows,
    encode_row,
)
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.shares import ShareCollector, check_numbers, decode_share, new_nonce, split
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.crypto.openpgp import Recipient, read_recipients
from strongroom.logical.errors import InvalidRequest, LogicalError
from strongroom.logical.secret import Secret
from strongroom.physical.store import StoreError, Unknown


class Target(Enum):
    """Whose shares are renewed."""

    UNSEAL = "unseal"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyConfig:
    """``threshold`` of ``shares`` new shares; whether they must be shown to have arrived first.

    ``pgp_keys`` (base64, one for each share, or none) say for whose eyes each is; ``backup`` keeps a copy of what they read.
    """

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
    fingerprints: tuple[str, ...] = ()
    backup: bool = False


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
    The present shares count beside them until ``settle``, which belongs after the sending of the answer and does not fail; ``take_back``
    puts them into effect alone, where the new ones cannot be handed out. It raises what the store raises.
    """

    nonce: str
    handed: HandedOut = field(repr=False)
    outcome_unknown: bool = False
    take_back: Callable[[], None] | None = field(default=None, repr=False)
    settle: Callable[[], None] | None = field(default=None, repr=False)
    verification_required: bool = False
    verification_nonce: str = ""
    backup: bool = False

    @property
    def shares(self) -> tuple[Secret[bytearray], ...]:
        """The shares, or the messages that hold them."""
        return self.handed.shares


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
        self._recipients: tuple[Recipient, ...] = ()
        self._authorisation: Authorisation | None = None
        self._pending: _Pending | None = None
        lifecycle.call_at_seal(self.forget)

    def start(self, config: RekeyConfig) -> RekeyStatus:
        """Begin. Raises InvalidRequest on impossible numbers, on PGP keys that cannot be used, where one is in progress, or where the
        seal has no such shares.
        """
        recipients = self._check_config(config)
        with self._lock:
            if self._config is not None:
                raise InvalidRequest("rekey already in progress; cancel it first")
            self._authorisation = Authorisation(self._lifecycle)
            self._config, self._recipients = config, recipients
            return self.status()

    def status(self) -> RekeyStatus:
        """How far the rekey is."""
        self._lifecycle.unsealed()
        with self._lock:
            config, authorisation, pending = self._config, self._authorisation, self._pending
            if config is None or authorisation is None:
                rows = self._lifecycle.rows_in_effect()
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
                fingerprints=tuple(recipient.fingerprint for recipient in self._recipients),
                backup=config.backup,
            )

    def cancel(self) -> None:
        """Forget everything about it; the present shares stay in effect. Fine where none is in progress."""
        self._lifecycle.unsealed()
        self.forget()

    def abandon(self, nonce: str) -> None:
        """Forget the rekey ``nonce``, of which nobody was told; another that began since goes on."""
        with self._lock:
            if self._authorisation is not None and is_nonce(nonce, self._authorisation.nonce):
                self.forget()

    def forget(self) -> None:
        """What ``cancel`` does, also while the vault is sealed. Sealing does it by itself."""
        with self._lock:
            if self._authorisation is not None:
                self._authorisation.cancel()
            if self._pending is not None:
                self._pending.wipe()
            self._config = self._authorisation = self._pending = None
            self._recipients = ()

    def update(self, share: str, nonce: str) -> RekeyStatus | RekeyResult:
        """Take one of the present shares; with the last one needed, answers the new shares. Raises InvalidRequest."""
        with self._lock:
            config, authorisation = self._in_progress()
            if self._pending is not None:
                raise InvalidRequest("the present keys were given already; verify the new ones")
            if not authorisation.submit(share, nonce):
                return self.status()
            entropy = self._lifecycle.surroundings.entropy
            key = aead.draw_key(entropy)
            handed = hand_out(split(key, config.shares, config.threshold, entropy), self._recipients)
            if config.backup:
                self._back_up(authorisation.nonce, key, handed)
            if config.require_verification:
                verification_nonce = new_nonce(entropy)
                self._pending = _Pending(key, config.threshold, verification_nonce)
                return RekeyResult(
                    nonce=authorisation.nonce,
                    handed=handed,
                    verification_required=True,
                    verification_nonce=verification_nonce,
                    backup=config.backup,
                )
            return self._finish(key, config, nonce, handed)

    def _back_up(self, nonce: str, key: bytearray, handed: HandedOut) -> None:
        try:
            share_backup.store(self._lifecycle.unsealed(), self._target.value, nonce, handed)
        except BaseException:
            aead.wipe(key)
            handed.wipe()
            raise

    def _finish(self, key: bytearray, config: RekeyConfig, nonce: str, handed: HandedOut) -> RekeyResult:
        take_back: Callable[[], None] | None = None
        settle: Callable[[], None] | None = None
        outcome_unknown = False
        try:
            handover = self._install(key, config, keeps_former=True)
            if handover is not None:
                take_back = functools.partial(self._lifecycle.keys.settle, handover, by_former=True)
                settle = functools.partial(self._settle, handover)
        except Unknown:
            # Raising would throw away shares that may be the only ones from now on.
            outcome_unknown = True
        finally:
            aead.wipe(key)
            self.forget()
        return RekeyResult(
            nonce=nonce,
            handed=handed,
            outcome_unknown=outcome_unknown,
            take_back=take_back,
            settle=settle,
            backup=config.backup,
        )

    def _settle(self, handover: Handover) -> None:
        # Where it cannot be stored the present shares go on counting until the next unsealing, and the new ones with them.
        with contextlib.suppress(LogicalError, StoreError):
            self._lifecycle.keys.settle(handover)

    def verification_status(self) -> VerificationStatus:
        """How many of the new shares came back. Raises InvalidRequest where there is no rekey."""
        with self._lock:
            config, _ = self._in_progress()
            collector = self._pending.collector if self._pending else None
            return VerificationStatus(
                nonce=collector.nonce if collector else "",
                started=collector is not None,
                t=config.threshold,
                n=config.shares,
                progress=collector.progress if collector else 0,
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
            if not pending.collector.submit(content):
                raise InvalidRequest("given key has already been provided during this verify operation")
            if not pending.collector.is_complete:
                return self.verification_status()
            self._check_returned(pending)
            self._install(pending.key, config, keeps_former=False)
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

    def _check_config(self, config: RekeyConfig) -> tuple[Recipient, ...]:
        self._lifecycle.unsealed()
        if (self._target is Target.RECOVERY) is not self._lifecycle.unseals_by_itself:
            advice = "; rotate the root key with sys/rotate/root" if self._target is Target.UNSEAL else ""
            raise InvalidRequest(f"the {self._lifecycle.type} seal has no {self._target.value} keys{advice}")
        check_numbers(config.shares, config.threshold)
        if config.backup and not config.pgp_keys:
            raise InvalidRequest(
                "cannot request a backup of the new keys without providing PGP keys for encryption: it would hold them in clear"
            )
        check_recipients(config.pgp_keys, config.shares, "incorrect number of PGP keys for rekey")
        return read_recipients(config.pgp_keys, self._lifecycle.surroundings.clock.now_ns())

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

    def _install(self, key: bytearray, config: RekeyConfig, *, keeps_former: bool) -> Handover | None:
        """Put ``key`` in the place of the present unseal or recovery key, in one commit, beside it where ``keeps_former``."""
        handover: Handover | None = None
        keys, barrier = self._lifecycle.keys, self._lifecycle.unsealed()
        entropy = self._lifecycle.surroundings.entropy
        if self._target is Target.RECOVERY:

            def renewed(rows: SealRows) -> RowChanges:
                row = recovery_config(barrier, key, config.shares, config.threshold)
                former = None
                if keeps_former and rows.recovery is not None:
                    old = carried_over(barrier, rows.recovery, entropy)
                    former = encode_row(FormerShares(old.shares, old.threshold, recovery=old))
                return {RECOVERY_KEY: encode_row(row), FORMER_KEY: former}

            failpoints.reach("rekey_before_swap")
            keys.change_rows(barrier, renewed)
            if keeps_former:
                handover = keys.begin_handover()
            else:
                keys.end_handover()
        else:
            change = _under(ShamirSeal(key, entropy), config, keys.opener if keeps_former else None)
            failpoints.reach("rekey_before_swap")
            keys.change_root_key(change)
            handover = keys.take_shares(key, keep_former=keeps_former)
        failpoints.reach("rekey_after_swap")
        return handover


def _under(seal: ShamirSeal, config: RekeyConfig, former: Seal | None) -> Callable[[SealRows, bytearray], RowChanges]:
    """The rows under new unseal shares, beside those of ``former``."""

    def change(rows: SealRows, root_key: bytearray) -> RowChanges:
        kept = None
        if former is not None:
            kept = encode_row(FormerShares(rows.config.shares, rows.config.threshold, root_key=former.wrap(root_key)))
        row = SealConfig(rows.config.type, config.shares, config.threshold)
        return {CONFIG_KEY: encode_row(row), ROOT_KEY_KEY: seal.wrap(root_key), FORMER_KEY: kept}

    return change
