"""``sys/rekey`` and ``sys/rotate/root``: new key shares for old ones, in the spelling of older and of newer clients.

A token is needed, unless the configuration allows the unauthenticated form that older clients use; that form lets anybody who
reaches the server cancel an operator's attempt (SECURITY row 91).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from strongroom.barrier import share_backup
from strongroom.barrier.rekey import Rekey, RekeyConfig, RekeyResult, RekeyStatus, Target, VerificationStatus
from strongroom.barrier.share_backup import ShareBackup
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.secret import Secret
from strongroom.system.area import Nothing
from strongroom.system.node import Node


@dataclass(slots=True)
class StartRekey:
    """How many new shares there shall be."""

    secret_shares: Annotated[int, Doc("Number of new shares; it has to be said.", public=True)] = 0
    secret_threshold: Annotated[int, Doc("How many of them are needed; it has to be said.", public=True)] = 0
    stored_shares: Annotated[int | None, Doc("Kept for compatibility.", public=True)] = None
    pgp_keys: Annotated[
        list[str] | None,
        Doc(
            "OpenPGP public keys in base64, one for each share: the shares leave encrypted to them, in this order.",
            public=True,
        ),
    ] = None
    backup: Annotated[bool, Doc("Keep a copy of the encrypted shares in the vault.", public=True)] = False
    require_verification: Annotated[bool, Doc("Take effect only once the shares came back.", public=True)] = False


@dataclass(slots=True)
class GiveShare:
    """One share for the operation in progress."""

    key: Annotated[Secret[str], Doc("A share, in hex or base64.")] = field(default_factory=lambda: Secret(""))
    nonce: Annotated[str, Doc("The nonce of the operation.", public=True)] = ""


class RekeyArea:
    """One kind of shares: ``target`` says which, ``prefixes`` in which spellings, ``is_open`` whether without a token."""

    def __init__(self, node: Node, target: Target, *, legacy: str, today: str, is_open: bool) -> None:
        self._rekey = Rekey(node.lifecycle, target)
        self._node = node
        self._legacy = legacy
        self._today = today
        self._is_open = is_open

    def paths(self) -> tuple[Path, ...]:
        """The declarations, once in each spelling."""
        return (
            *self._spelled(self._legacy, Shape.BARE, unauthenticated=self._is_open),
            *self._spelled(self._today, Shape.ENVELOPE, unauthenticated=False),
        )

    def _spelled(self, prefix: str, shape: Shape, *, unauthenticated: bool) -> tuple[Path, ...]:
        def endpoint(operation: Operation, handler: Callable[..., Response | None], summary: str) -> Endpoint:
            return Endpoint(
                operation,
                handler,
                summary,
                # On the pool: their effect is the seal's rows and not the transaction.
                slow=True,
                sudo=not unauthenticated,
                unauthenticated=unauthenticated,
                shape=shape,
            )

        read, update, delete = Operation.READ, Operation.UPDATE, Operation.DELETE
        return (
            Path(
                f"{prefix}/init",
                "A change of the key shares.",
                (
                    endpoint(read, self.status, "Ask how far it is."),
                    endpoint(update, self.start, "Begin."),
                    endpoint(delete, self.cancel, "Give up; the present shares stay."),
                ),
            ),
            Path(f"{prefix}/update", "Agreement to the change.", (endpoint(update, self.update, "Give a share."),)),
            Path(
                f"{prefix}/verify",
                "Proof that the new shares arrived.",
                (
                    endpoint(read, self.verification, "Ask how far it is."),
                    endpoint(update, self.verify, "Give a new share."),
                    endpoint(delete, self.restart, "Begin the proof again."),
                ),
            ),
        )

    def status(self, context: Context, _: Nothing) -> Response:
        """How far the change is."""
        del context
        return Response(data=_status(self._rekey.status()))

    def start(self, context: Context, request: StartRekey) -> Response:
        """Begin a change."""
        config = RekeyConfig(
            shares=request.secret_shares,
            threshold=request.secret_threshold,
            require_verification=request.require_verification,
            backup=request.backup,
            pgp_keys=request.pgp_keys or (),
        )
        status = self._rekey.start(config)
        context.take_back.append(lambda: self._rekey.abandon(status.nonce))
        return Response(data=_status(status))

    def cancel(self, context: Context, _: Nothing) -> None:
        """Give up."""
        del context
        self._rekey.cancel()

    def update(self, context: Context, request: GiveShare) -> Response:
        """Take a share; with the last one, hand out the new ones."""
        if not request.key:
            raise InvalidRequest("'key' must be specified in request body as JSON")
        with self._node.exclusively():
            result = self._rekey.update(request.key.reveal(), request.nonce)
        if isinstance(result, RekeyStatus):
            return Response(data=_status(result))
        if result.take_back is not None:
            context.take_back.append(self._one_at_a_time(result.take_back))
        if result.verification_required:
            # Nobody would have the shares that are to come back.
            context.take_back.append(lambda: self._rekey.abandon(result.nonce))
        if result.settle is not None:
            settle = self._one_at_a_time(result.settle)
            context.after_commit.append(lambda: self._node.after_answer(settle))
        if result.outcome_unknown:
            context.warnings.append(
                "the store failed while the new shares were installed: keep the old and the new ones, either may be in effect"
            )
        data = _result(result)
        result.handed.wipe()
        context.after_commit.append(self._node.scrub)
        return Response(data=data, returned_keys=("keys",))

    def _one_at_a_time(self, change: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            with self._node.exclusively():
                change()

        return run

    def verification(self, context: Context, _: Nothing) -> Response:
        """How many new shares came back."""
        del context
        return Response(data=_verification(self._rekey.verification_status()))

    def verify(self, context: Context, request: GiveShare) -> Response:
        """Take a new share back."""
        del context
        if not request.key:
            raise InvalidRequest("'key' must be specified in request body as JSON")
        with self._node.exclusively():
            return Response(data=_verification(self._rekey.verify(request.key.reveal(), request.nonce)))

    def restart(self, context: Context, _: Nothing) -> Response:
        """Begin the proof again."""
        del context
        return Response(data=_verification(self._rekey.restart_verification()))


class RekeyBackupArea:
    """The copies that were kept of shares: only their keepers' PGP keys can read them."""

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return tuple(
            self._path(template, kind)
            for template, kind in (
                ("rekey/backup", Target.UNSEAL),
                ("rekey/recovery-key-backup", Target.RECOVERY),
                ("rotate/root/backup", Target.UNSEAL),
                ("rotate/recovery/backup", Target.RECOVERY),
            )
        )

    def _path(self, template: str, target: Target) -> Path:
        def read(context: Context, _: Nothing) -> Response:
            backup = share_backup.read(context.storage, target.value)
            if backup is None:
                raise InvalidRequest("no backed-up keys found")
            return Response(data=_backup(backup))

        def delete(context: Context, _: Nothing) -> None:
            share_backup.delete(context.storage, target.value)

        return Path(
            template,
            "The backup of PGP-encrypted key shares.",
            (
                Endpoint(Operation.READ, read, "Read the backup.", sudo=True, shape=Shape.ENVELOPE_AND_TOP_LEVEL),
                Endpoint(Operation.DELETE, delete, "Delete the backup.", sudo=True),
            ),
        )


def _backup(backup: ShareBackup) -> dict[str, Any]:
    return {
        "nonce": backup.nonce,
        "keys": {name: [one.hex() for one in messages] for name, messages in backup.messages.items()},
        "keys_base64": {
            name: [base64.b64encode(one).decode() for one in messages] for name, messages in backup.messages.items()
        },
    }


def _status(status: RekeyStatus) -> dict[str, Any]:
    data: dict[str, Any] = {
        "nonce": status.nonce,
        "started": status.started,
        "t": status.t,
        "n": status.n,
        "progress": status.progress,
        "required": status.required,
        "pgp_fingerprints": list(status.fingerprints) or None,
        "backup": status.backup,
        "verification_required": status.verification_required,
    }
    if status.verification_nonce:
        data["verification_nonce"] = status.verification_nonce
    return data


def _result(result: RekeyResult) -> dict[str, Any]:
    shares = [share.reveal() for share in result.shares]
    data: dict[str, Any] = {
        "nonce": result.nonce,
        "complete": True,
        "keys": [share.hex() for share in shares],
        "keys_base64": [base64.b64encode(share).decode() for share in shares],
        "pgp_fingerprints": list(result.handed.fingerprints) or None,
        "backup": result.backup,
        "verification_required": result.verification_required,
    }
    if result.verification_nonce:
        data["verification_nonce"] = result.verification_nonce
    return data


def _verification(status: VerificationStatus) -> dict[str, Any]:
    if status.complete:
        return {"nonce": status.nonce, "complete": True}
    return {
        "nonce": status.nonce,
        "started": status.started,
        "t": status.t,
        "n": status.n,
        "progress": status.progress,
    }
